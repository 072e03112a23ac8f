"""`python -m benchmarks [name...]`: measure, and print one table in Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import (
    decode,
    entries,
    export,
    ingest,
    locate,
    long_video,
    proofs,
    small_files,
    startup,
)
from benchmarks.measure import Row
from benchmarks.trace import index
from benchmarks.trace import speed as trace

BENCHMARKS: Final[dict[str, Callable[[Path], list[Row]]]] = {
    "startup": startup.rows,
    "ingest": ingest.rows,
    "small-files": small_files.rows,
    "decode": decode.rows,
    "entries": entries.rows,
    "proofs": proofs.rows,
    "export": export.rows,
    "long-video": long_video.rows,
    "locate": locate.rows,
    "trace": trace.rows,
    "trace-index": index.rows,
}
COLUMNS: Final = ("what", "target", "measured", "met", "peer, same run", "ratio", "cost")


def machine() -> str:
    """The machine, in one line."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next(line.split(":")[1].strip() for line in info.splitlines() if "model name" in line)
    has_sha = "SHA-NI" if "sha_ni" in info else "no SHA-NI"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    cores = f"{os.cpu_count()} cores {model} ({has_sha})"
    return f"{cores}, {platform.platform()}, Python {platform.python_version()}, load {load}"


def line(row: Row) -> str:
    """A row of the table."""
    met = {True: "yes", False: "**no**", None: "-"}[row.met]
    cells = (row.name, row.target, row.measured, met, row.peer, row.ratio, row.cost)
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    """Run the benchmarks named, or all; 1 when a target was missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--scratch", type=Path, help="where to work (5 GB; a disk, not memory)")
    given = parser.parse_args()
    print(machine())
    print("\n| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS), flush=True)
    missed = 0
    for name in given.names or BENCHMARKS:
        scratch = Path(tempfile.mkdtemp(prefix=f"bench-{name}-", dir=given.scratch))
        try:
            for row in BENCHMARKS[name](scratch):
                missed += row.met is False
                print(line(row), flush=True)
        finally:
            shutil.rmtree(scratch)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
