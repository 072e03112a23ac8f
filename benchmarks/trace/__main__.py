"""`python -m benchmarks.trace dev|test --scratch DIR`: build copies, trace them, print the figures.

Thresholds (`muniment.trace.rule.RULE`) are set on dev; test is then run once. What is built,
examined, compared and measured is kept in the folder, so that a run that was killed goes on.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Final

_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def main() -> None:
    """Run one split."""
    parser = argparse.ArgumentParser(prog="benchmarks.trace", description=__doc__)
    parser.add_argument("split", choices=("dev", "test"))
    parser.add_argument("--scratch", type=Path, required=True, help="where all is built and kept")
    parser.add_argument(
        "--clips",
        type=Path,
        action="append",
        help="folder of clips (again for more); MUNIMENT_CLIPS",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random parts; default 0")
    parser.add_argument("--sample", type=int, metavar="N", help="copies of N sources only")
    parser.add_argument("--no-peers", action="store_true", help="this program alone")
    parser.add_argument("--missed", action="store_true", help="list the copies that were not found")
    given = parser.parse_args()
    if any(os.environ.get(name) != "1" for name in _THREADS):
        # CPU seconds of threads that wait for each other are no cost of tracing
        os.environ.update(dict.fromkeys(_THREADS, "1"))
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.trace", *sys.argv[1:]])
    _run(given)


def _run(given: argparse.Namespace) -> None:
    import cv2

    from benchmarks.trace import ours, report
    from benchmarks.trace.build import build
    from benchmarks.trace.extracting import high
    from benchmarks.trace.peers import peers

    cv2.setNumThreads(1)
    folders = given.clips or _folders()
    built = build(given.split, given.scratch, folders, given.seed, given.sample, _say)
    hd, hd_minutes = high(folders)
    seen = ours.examine(built, _say)
    hd_s, hd_decode_s = ours.timed(hd)
    traced = ours.trace(built, seen, hd_s, _say)
    beside = [] if given.no_peers else peers(built, hd, ours.TIMES, _say)
    decode = (seen.decode_cpu_s, hd_decode_s)
    every = [traced.method, *beside]
    print(report.whole(every, built, seen.minutes, decode, hd_minutes, traced.proposed))
    if given.missed:
        print("\n" + "\n".join(report.listed(traced.method.pairs)))


def _folders() -> list[Path]:
    named = os.environ.get("MUNIMENT_CLIPS", "../shared/clips")
    return [Path(one) for one in named.split(os.pathsep) if one]


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
