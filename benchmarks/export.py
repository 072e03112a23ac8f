"""A 300 MB Telegram export: the memory that `build` needs, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from benchmarks import cases
from benchmarks.measure import MB, Row, ceil, floor, seconds
from tests.unit.collect.synthetic_export import write

EXPORT_BYTES: Final = 300 * MB


def rows(scratch: Path) -> list[Row]:
    """Peak memory, CPU and wall of build and of verify."""
    (scratch / "source").mkdir()
    write(scratch / "source" / "result.json", EXPORT_BYTES)
    built, said = cases.told(scratch, scratch / "case", scratch / "source")
    posts = sum(one["posts"] for one in json.loads(said)["sources"].values())
    checked = cases.verify(scratch, scratch / "case")
    name = f"export of {EXPORT_BYTES // MB} MB, {posts:,} posts"
    return [
        Row(
            f"{name}: build, peak memory",
            f"{ceil(built.peak_bytes / MB)} MB",
            "< 500 MB",
            built.peak_bytes < 500 * MB,
            ratio=f"{floor(posts / built.cpu_s)} posts per CPU s",
            cost=seconds(built),
        ),
        Row(
            f"{name}: verify, peak memory",
            f"{ceil(checked.peak_bytes / MB)} MB",
            ratio=f"{floor(posts / checked.cpu_s)} posts per CPU s",
            cost=seconds(checked),
        ),
    ]
