"""`python -m benchmarks.trace.passing dev|test --scratch DIR`: cameras before a way (`ways`).

Every moment of a scene against every other, short parts of one against the whole of the others,
and copies against their source. Thresholds are set on dev; test is then run once.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.trace.copies import encoded
from benchmarks.trace.extracting import examined
from benchmarks.trace.pictures import changed
from benchmarks.trace.ways import FPS, Image, rendered
from muniment.model.trace import Pair, Verdict
from muniment.trace.clip import Clip
from muniment.trace.compare import compare

SCENES: Final = {"dev": range(0, 32), "test": range(100, 132)}
LENGTHS_S: Final = (12, 20, 40, 60, 90)
MOMENTS: Final = 4
PARTS_S: Final = (4, 6, 8, 12, 16)
PICTURES: Final = ("lowbr", "small", "crop10", "caption", "mirror", "filmed")
TIMES: Final = ("third", "half", "cut out", "speed11")


def main() -> None:
    """Run one split."""
    parser = argparse.ArgumentParser(prog="benchmarks.trace.passing", description=__doc__)
    parser.add_argument("split", choices=tuple(SCENES))
    parser.add_argument("--scratch", type=Path, required=True, help="where clips are kept")
    given = parser.parse_args()
    folder = given.scratch / f"ways-{given.split}"
    folder.mkdir(parents=True, exist_ok=True)
    others: dict[str, Counter[Verdict]] = defaultdict(Counter)
    copies: dict[str, Counter[Verdict]] = defaultdict(Counter)
    cpu_s = 0.0
    for scene in SCENES[given.split]:
        cpu_s += _scene(scene, folder, others, copies)
    for name, table in (("another moment", others), ("copies", copies)):
        print(name)
        for kind, found in table.items():
            counts = "  ".join(f"{verdict.value} {found[verdict]}" for verdict in Verdict)
            print(f"  {kind:10s} n {found.total():4d}  {counts}")
    print(f"traced: {cpu_s:.1f} CPU s")


def _scene(
    scene: int,
    folder: Path,
    others: dict[str, Counter[Verdict]],
    copies: dict[str, Counter[Verdict]],
) -> float:
    """Compare what one scene gives; CPU seconds."""
    frames = [rendered(scene, moment, LENGTHS_S[scene % 5]) for moment in range(MOMENTS)]
    whole = [
        _clip(folder / f"{scene}-{moment}.mp4", pictures, 24)
        for moment, pictures in enumerate(frames)
    ]
    chance = np.random.default_rng([scene, 4])
    parts = [
        (f"{length_s} s of it", _clip(folder / f"{scene}-{length_s}-{order}.mp4", part, 27))
        for length_s in PARTS_S
        if length_s < LENGTHS_S[scene % 5]
        for order in range(2)
        if (part := _part(frames[0], length_s * FPS, chance))
    ]
    made = [(kind, _copy(folder, scene, kind, frames[0])) for kind in (*PICTURES, *TIMES)]
    begin = time.process_time()
    for one, other in combinations(whole, 2):
        _count(compare(one, other), others["whole"], f"{scene}")
    for kind, clip in parts:
        _count(compare(whole[0], clip), copies[kind], "")
        for other in whole[1:]:
            _count(compare(other, clip), others[kind], f"{scene}")
    for kind, clip in made:
        _count(compare(whole[0], clip), copies[kind], "")
    return time.process_time() - begin


def _count(pair: Pair, into: Counter[Verdict], scene: str) -> None:
    into[pair.verdict] += 1
    if scene and pair.verdict is Verdict.SAME_FOOTAGE:
        print("FALSE", f"scene {scene}", pair.a, pair.b, pair.score, pair.segments, flush=True)


def _clip(path: Path, frames: list[Image], crf: int, fps: Fraction = Fraction(FPS)) -> Clip:
    if not path.exists():
        path.write_bytes(encoded(frames, crf, fps))
    return examined(path)


def _part(frames: list[Image], count: int, chance: np.random.Generator) -> list[Image]:
    begin = int(chance.integers(0, len(frames) - count))
    return frames[begin : begin + count]


def _copy(folder: Path, scene: int, kind: str, frames: list[Image]) -> Clip:
    chance = np.random.default_rng([scene, 3, len(kind)])
    part, count = frames, len(frames)
    if kind in ("third", "half"):
        part = _part(frames, count // (3 if kind == "third" else 2), chance)
    if kind == "cut out":
        part = frames[: count // 3] + frames[count // 2 :]
    change = changed(kind, chance)
    fps = Fraction(FPS) * Fraction(11, 10) if kind == "speed11" else Fraction(FPS)
    crf = 36 if kind == "lowbr" else 27
    return _clip(
        folder / f"{scene}-{kind}.mp4",
        [change(one, at / FPS) for at, one in enumerate(part)],
        crf,
        fps,
    )


if __name__ == "__main__":
    main()
