"""`python -m benchmarks.trace dev|test --scratch DIR`: build copies, trace them, and print figures.

Thresholds (`muniment.trace.rule.RULE`) are set on dev; test is then run once.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.trace.copies import PICTURES, TRANSFORMS, Stretch, copied, encoded
from benchmarks.trace.extracting import decode_cpu_s, examined
from benchmarks.trace.peers import peers
from benchmarks.trace.scenes import Source, sources
from muniment.model.trace import Pair, Verdict
from muniment.trace.candidates import Collection
from muniment.trace.clip import Clip
from muniment.trace.compare import compared
from muniment.trace.register import Looked


@dataclass
class Built:
    """Files of one split: references, queries with their source's name, transform and truth."""

    cameras: dict[str, str] = field(default_factory=dict)
    references: dict[str, Path] = field(default_factory=dict)
    queries: dict[str, tuple[Path, str, str, Stretch]] = field(default_factory=dict)


def build(split: str, scratch: Path) -> Built:
    """Write references and copies; a folder that is already built is used again."""
    built, every = Built(), list(sources(split))
    scratch.mkdir(parents=True, exist_ok=True)
    for number, source in enumerate(every):
        path = scratch / f"{source.name}.mp4"
        if not path.exists():
            path.write_bytes(encoded(source.frames, 22))
        built.references[source.name], built.cameras[source.name] = path, source.camera
        if source.copied:
            _copies(source, number, _unrelated(every, source), scratch, built)
    return built


def _unrelated(every: list[Source], source: Source) -> list[Any]:
    """Material for inserts that no reference shows: the last other source, upside down."""
    other = next(one for one in reversed(every[:-2]) if one.camera != source.camera)
    return [np.ascontiguousarray(picture[::-1]) for picture in other.frames]


def _copies(source: Source, number: int, other: list[Any], scratch: Path, built: Built) -> None:
    for order, transform in enumerate(TRANSFORMS):
        name = f"{source.name}--{transform}"
        path, truth = scratch / f"{name}.mp4", scratch / f"{name}.json"
        if not truth.exists():
            copy = copied(source.frames, transform, np.random.default_rng([number, order]), other)
            path.write_bytes(copy.data)
            truth.write_text(json.dumps(vars(copy.stretch)))
        stretch = Stretch(**json.loads(truth.read_text()))
        built.queries[name] = (path, source.name, transform, stretch)


@dataclass
class Tally:
    """Counts and errors of one run."""

    found: dict[str, list[Pair | None]] = field(default_factory=lambda: defaultdict(list))
    false: list[tuple[str, Pair]] = field(default_factory=list)
    others: dict[Verdict, int] = field(default_factory=lambda: defaultdict(int))
    offsets: list[float] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    positives: list[float] = field(default_factory=list)
    negatives: list[float] = field(default_factory=list)


def _measured(pair: Pair, stretch: Stretch, tally: Tally) -> None:
    """Offset error at the middle of the longest segment, and overlap with the truth, in the copy."""
    one = max(pair.segments, key=lambda segment: segment.a_end_s - segment.a_start_s)
    middle = (one.a_start_s + one.a_end_s) / 2
    ours = one.b_start_s + (middle - one.a_start_s) * one.speed
    tally.offsets.append(abs(ours - stretch.to_s - (middle - stretch.from_s) * stretch.speed))
    end = stretch.to_s + (stretch.until_s - stretch.from_s) * stretch.speed
    both = sum(
        max(0.0, min(s.b_end_s, end) - max(s.b_start_s, stretch.to_s)) for s in pair.segments
    )
    either = sum(s.b_end_s - s.b_start_s for s in pair.segments) + end - stretch.to_s - both
    tally.overlaps.append(both / either)


def traced(built: Built, clips: dict[str, Clip]) -> tuple[Tally, float]:
    """Every query against every reference, and all references of one camera; CPU seconds."""
    begin, tally = time.process_time(), Tally()
    collection = Collection(clips[name] for name in built.references)
    names = list(built.references)
    for query, (_, source, transform, stretch) in built.queries.items():
        looked = Looked(clips[query])
        near = collection.near(looked)
        right: Pair | None = None
        for number in sorted(near):
            pair = compared(collection.shelf[number], looked)
            if names[number] == source:
                right = pair
            else:
                tally.negatives.append(pair.score)
                if built.cameras[names[number]] == built.cameras[source]:
                    tally.others[pair.verdict] += 1
                if pair.verdict is Verdict.SAME_FOOTAGE:
                    tally.false.append((transform, pair))
        tally.found[transform].append(right)
        tally.positives.append(right.score if right else 0.0)
        if right and right.verdict is Verdict.SAME_FOOTAGE:
            _measured(right, stretch, tally)
    for one, other in combinations(range(len(names)), 2):
        pair = compared(collection.shelf[one], collection.shelf[other])
        if built.cameras[names[one]] == built.cameras[names[other]]:
            tally.others[pair.verdict] += 1
        tally.negatives.append(pair.score)
        if pair.verdict is Verdict.SAME_FOOTAGE:
            tally.false.append(("reference", pair))
    return tally, time.process_time() - begin


def _recall(positives: list[float], negatives: list[float]) -> float:
    """Recall with the threshold just above the highest false pair of the same set."""
    highest = max(negatives, default=0.0)
    return float(np.mean([score > highest for score in positives]))


def report(tally: Tally, built: Built) -> None:
    """Print the figures."""
    every = [pair for pairs in tally.found.values() for pair in pairs]
    share = {verdict: float(np.mean([_is(pair, verdict) for pair in every])) for verdict in Verdict}
    recall = _recall(tally.positives, tally.negatives)
    print(f"copies {len(every)}, references {len(built.references)}")
    print(f"same_footage {share[Verdict.SAME_FOOTAGE]:.3f}", end="  ")
    print(f"undetermined {share[Verdict.UNDETERMINED]:.3f}", end="  ")
    print(f"called other moment {share[Verdict.SAME_CAMERA_OTHER_MOMENT]:.3f}")
    print(f"false same_footage {len(tally.false)}  recall above the highest false {recall:.3f}")
    others = {verdict.value: count for verdict, count in tally.others.items()}
    print("same camera, other moment:", others, "of", sum(others.values()))
    for transform, pairs in tally.found.items():
        good = [_is(pair, Verdict.SAME_FOOTAGE) for pair in pairs]
        print(f"  {transform:10s} {np.mean(good):.2f}  n {len(good)}")
    median, high = np.median(tally.offsets), np.quantile(tally.offsets, 0.9)
    print(f"offset error median {median:.3f} s, p90 {high:.3f} s;", end=" ")
    print(f"IoU mean {np.mean(tally.overlaps):.3f}")
    for transform, pair in tally.false:
        print("  FALSE", transform, pair.a, pair.b, pair.motion_correlation, pair.segments)


def _is(pair: Pair | None, verdict: Verdict) -> bool:
    return pair is not None and pair.verdict is verdict


def main() -> None:
    """Run one split."""
    parser = argparse.ArgumentParser(prog="benchmarks.trace", description=__doc__)
    parser.add_argument("split", choices=("dev", "test"))
    parser.add_argument(
        "--scratch", type=Path, required=True, help="where copies are built and kept"
    )
    given = parser.parse_args()
    begin = time.process_time()
    built = build(given.split, given.scratch / given.split)
    paths = {**built.references, **{name: row[0] for name, row in built.queries.items()}}
    print(f"built {len(paths)} files, {time.process_time() - begin:.0f} CPU s", flush=True)
    begin = time.process_time()
    clips = {name: examined(path) for name, path in paths.items()}
    taken, length = time.process_time() - begin, sum(clip.duration_s for clip in clips.values())
    decode = sum(decode_cpu_s(path) for path in paths.values())
    print(
        f"examined {length / 60:.1f} min: {taken:.1f} CPU s; plain decode {decode:.1f} CPU s",
        flush=True,
    )
    tally, cpu = traced(built, clips)
    print(f"traced: {cpu:.1f} CPU s", flush=True)
    report(tally, built)
    queries = [row[0] for row in built.queries.values()]
    for peer in peers(queries, list(built.references.values())):
        _peer(peer, built)


def _peer(peer: dict[str, object], built: Built) -> None:
    """The peer's recall with the threshold just above its highest false pair, overall and each."""
    scores = np.array(cast("list[list[float]]", peer["scores"]))
    names = list(built.references)
    right = np.array([names.index(row[1]) for row in built.queries.values()])
    mine = scores[np.arange(len(scores)), right]
    mask = np.ones(scores.shape, bool)
    mask[np.arange(len(scores)), right] = False
    recall = _recall(mine.tolist(), scores[mask].tolist())
    own = [built.cameras[row[1]] for row in built.queries.values()]
    cameras = [built.cameras[name] for name in names]
    apart = mask & (np.array(own)[:, None] != np.array(cameras)[None, :])
    loose = _recall(mine.tolist(), scores[apart].tolist())
    print(f"peer {peer['name']}: hashing {peer['hashing_cpu_s']:.1f} CPU s,", end=" ")
    print(f"recall above the highest false {recall:.3f}, other moments left out {loose:.3f}")
    transforms = np.array([row[2] for row in built.queries.values()])
    print(
        "  ",
        {
            one: round(float((mine[transforms == one] > scores[apart].max()).mean()), 2)
            for one in (*PICTURES, *TRANSFORMS[len(PICTURES) :])
        },
    )


if __name__ == "__main__":
    main()
