"""`python -m benchmarks.trace.keyframes dev|test --scratch DIR`: what screening by key frames costs, and
which true pairs it proposes, beside the full tier.

Copies are screened against references that were examined in full, as `muniment trace screen` does.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from benchmarks.trace import ours
from benchmarks.trace.build import build
from benchmarks.trace.extracting import clip_of, decode_cpu_s, high
from muniment.examine import worker
from muniment.model.examine import Wanted
from muniment.trace.candidates import Collection
from muniment.trace.clip import Clip
from muniment.trace.register import Looked

TIMES: Final = 5


def screened(path: Path) -> Clip:
    """A file by its key frames."""
    out: list[bytes] = []
    handle = os.open(path, os.O_RDONLY)
    try:
        told = {"keys_only": True}
        wanted = Wanted(("fingerprint",), "video/mp4", path.stat().st_size, told)
        worker.run(msgspec.msgpack.encode(wanted), handle, out.append)
    finally:
        os.close(handle)
    return clip_of(path.name, out[0])


def main() -> None:
    """Print the cost a minute, and recall of both tiers by transform."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split", choices=("dev", "test"))
    parser.add_argument("--scratch", type=Path, required=True)
    given = parser.parse_args()
    named = os.environ.get("MUNIMENT_CLIPS", "../shared/clips")
    folders = [Path(one) for one in named.split(os.pathsep)]
    worker.preload()
    _cost(folders)
    built = build(given.split, given.scratch, folders, 0, None, print)
    seen = ours.examine(built, print)
    held = Collection(seen.clips[name] for name in built.references)
    places = list(built.references)
    tiers = {"full": dict[str, bool](), "keys": dict[str, bool]()}
    others, spent, decoded = 0, 0.0, 0.0
    paths = built.paths()
    for name, one in built.queries.items():
        begin = time.process_time()
        quick = screened(paths[name])
        spent += time.process_time() - begin
        for tier, clip in (("full", seen.clips[name]), ("keys", quick)):
            near = {places[number] for number, _ in held.nearest(Looked(clip))}
            tiers[tier][name] = one.source in near
            others += len(near - {one.source}) if tier == "keys" else 0
        decoded += decode_cpu_s(paths[name])
    total = {tier: sum(found.values()) for tier, found in tiers.items()}
    both = sum(tiers["full"][name] and tiers["keys"][name] for name in built.queries)
    count = len(built.queries)
    print(f"{count} copies, {len(places)} references: full {total['full'] / count:.3f},", end=" ")
    print(f"key frames {total['keys'] / count:.3f}; of the full tier's {both / total['full']:.3f};")
    print(f"{others / count:.1f} other references a file; {spent:.2f} CPU s against {decoded:.2f}")
    kinds = sorted({one.transform for one in built.queries.values()})
    for kind in kinds:
        own = [name for name, one in built.queries.items() if one.transform == kind]
        shares = (sum(found[name] for name in own) / len(own) for found in tiers.values())
        print(f"| {kind} | {len(own)} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")


def _cost(folders: list[Path]) -> None:
    paths, minutes = high(folders)
    taken = decoded = 0.0
    for path in paths:
        tries = list[float]()
        for _ in range(TIMES):
            begin = time.process_time()
            screened(path)
            tries.append(time.process_time() - begin)
        taken += median(tries)
        decoded += decode_cpu_s(path)
    print(f"{minutes:.2f} min of 700 lines or more: {taken / minutes:.2f} CPU s a minute,", end=" ")
    print(f"plain decode {decoded / minutes:.2f}")


if __name__ == "__main__":
    main()
