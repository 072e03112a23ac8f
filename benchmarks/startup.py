"""How long a command takes to say anything, and a verify of the example case."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Final

from benchmarks import cases
from benchmarks.measure import Row, ceil, run, seconds

TIMES: Final = 10
DEMO: Final = Path(__file__).parent.parent / "demo"


def rows(scratch: Path) -> list[Row]:
    """`muniment --help`, and `muniment verify` of the example case where `make demo` made it."""
    runs = [run([cases.MUNIMENT, "--help"], os.environ, scratch)[0] for _ in range(TIMES)]
    wall = statistics.median(one.wall_s for one in runs)
    found = [
        Row(
            "`muniment --help`",
            f"{ceil(wall, 3)} s wall (median of {TIMES})",
            "<= 0.3 s",
            wall <= 0.3,
            cost=f"{ceil(statistics.median(one.cpu_s for one in runs), 3)} CPU s",
        )
    ]
    for root in sorted(DEMO.rglob("root.json")):
        checked, _ = run([cases.MUNIMENT, "verify", root.parent], os.environ, scratch)
        found.append(
            Row(
                f"verify of the example case ({root.parent.relative_to(DEMO.parent)})",
                f"{ceil(checked.wall_s, 2)} s wall, exit {checked.code}",
                cost=seconds(checked),
            )
        )
    return found
