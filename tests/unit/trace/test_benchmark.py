"""The benchmark of tracing: its truth is true, its halves are apart, its figures are right."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.trace import build, figures, sound, sources
from benchmarks.trace.copies import RECIPES, Stretch, copied, encoded
from benchmarks.trace.figures import Scored
from benchmarks.trace.grouped import Grouped
from benchmarks.trace.pictures import FPS, Image

BY_NAME = {recipe.name: recipe for recipe in RECIPES}
#: what a picture of the source is grey by: its number tells the moment
DARKEST, STEP = 20, 2


def grey(level: int) -> Image:
    return np.full((48, 64, 3), level, np.uint8)


def source(seconds: float = 7.0) -> list[Image]:
    return [grey(DARKEST + STEP * number) for number in range(round(seconds * FPS))]


def shown(data: bytes) -> Iterator[tuple[float, float]]:
    """For each picture of a copy its time and the moment of the source it shows (or below 0)."""
    with av.open(io.BytesIO(data), "r") as box:
        for frame in box.decode(video=0):
            level = float(frame.to_ndarray(format="rgb24").mean())
            yield float(frame.time or 0.0), (level - DARKEST) / STEP / FPS


@pytest.mark.parametrize(
    "name", ["trim3", "trim5", "insert4", "speed09", "speed11", "fps12", "gen2"]
)
def test_a_copy_shows_what_its_truth_says(name: str) -> None:
    for seed in range(3):
        chance = np.random.default_rng(seed)
        copy = copied(source(), None, BY_NAME[name], chance, [grey(0)] * 90)
        truth, inside = copy.stretch, 0
        for at_s, moment_s in shown(copy.data):
            if moment_s < -0.5 / FPS:
                continue
            inside += 1
            told = truth.to_s + (moment_s - truth.from_s) * truth.speed
            assert at_s == pytest.approx(told, abs=1.6 / FPS)
        length_s = (truth.until_s - truth.from_s) * truth.speed
        assert inside == pytest.approx(
            length_s * (12 if name == "fps12" else FPS / truth.speed), abs=2
        )


def test_beginnings_are_random_and_the_same_for_one_seed() -> None:
    begins = set()
    for seed in range(8):
        one, again = (
            copied(source(), None, BY_NAME["trim3"], np.random.default_rng(seed), []) for _ in "ab"
        )
        assert one == again
        begins.add(one.stretch.from_s)
    assert len(begins) > 4


def test_sound_goes_with_the_pictures() -> None:
    tune = sound.tune("a", 7.0)
    lengths = {}
    for name in ("lowbr", "muted", "resounded", "speed11", "insert4"):
        copy = copied(source(), tune, BY_NAME[name], np.random.default_rng(1), [grey(0)] * 90)
        with av.open(io.BytesIO(copy.data), "r") as box:
            video = sum(1 for _ in box.decode(video=0)) / float(
                box.streams.video[0].average_rate or 1
            )
        with av.open(io.BytesIO(copy.data), "r") as box:
            heard = sum(one.samples for one in box.decode(audio=0)) if box.streams.audio else 0
        lengths[name] = (heard / sound.RATE, video)
    assert lengths.pop("muted")[0] == 0
    for heard_s, seen_s in lengths.values():
        assert heard_s == pytest.approx(seen_s, abs=0.15)


def test_files_are_the_same_for_the_same_pictures() -> None:
    assert encoded(source(1.0), 26, sound=sound.tune("a", 1.0)) == encoded(
        source(1.0), 26, sound=sound.tune("a", 1.0)
    )


def test_halves_share_nothing() -> None:
    dev, test = (sources.sources(split, []) for split in ("dev", "test"))
    for one in ("name", "camera", "event", "place"):
        mine, theirs = ({getattr(item, one) for item in half} - {""} for half in (dev, test))
        assert not mine & theirs, one
    assert not {*sources.KNOWN["dev"]} & {*sources.KNOWN["test"]}
    behind = [{*sources.OTHER_YARDS[split], *sources.YARDS[split]} for split in ("dev", "test")]
    assert not behind[0] & behind[1]
    scenes, ways = ({*each["dev"], *each["test"]} for each in (sources.SCENES, sources.WAYS))
    assert not scenes & ways  # one number gives both the same background


@pytest.mark.parametrize("split", ["dev", "test"])
def test_there_are_enough_other_moments_and_every_kind_of_negative(split: str) -> None:
    every = sources.sources(split, [])
    assert len({one.name for one in every}) == len(every)
    kinds = [(build.related(one, other), one.camera) for one, other in combinations(every, 2)]
    moments = [camera for kind, camera in kinds if kind == build.SAME_CAMERA]
    assert len(moments) >= 100 and len(set(moments)) >= 15
    assert {kind for kind, _ in kinds} == {*build.NEGATIVES}


def test_a_clip_that_is_not_known_goes_to_one_half(tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4", "three.mp4"):
        (tmp_path / name).write_bytes(encoded(source(4.5), 30))
    halves = [{one.name for one in sources.sources(split, [tmp_path])} for split in ("dev", "test")]
    for name in ("one-0", "two-0", "three-0"):
        assert sum(name in half for half in halves) == 1


def scored(score: float, kind: str, called: bool = False) -> Scored:
    return Scored("query", "reference", "scene", kind, "", score, called)


def test_recall_and_precision() -> None:
    pairs = [
        scored(0.9, build.COPY, True),
        scored(0.8, build.SAME_CAMERA, True),
        scored(0.7, build.COPY),
        scored(0.5, build.OTHER),
        scored(0.0, build.COPY),
    ]
    assert figures.highest_false(pairs) == 0.8
    assert figures.highest_false(pairs, (build.OTHER,)) == 0.5
    assert figures.recall_above(pairs, 0.8) == pytest.approx(1 / 3)
    assert figures.recall_called(pairs) == pytest.approx(1 / 3)
    assert len(figures.false_called(pairs)) == 1
    assert figures.micro_ap(pairs) == pytest.approx((1 + 2 / 3) / 3)
    tied = [scored(0.9, build.COPY), scored(0.9, build.OTHER)]
    assert figures.micro_ap(tied) == pytest.approx(1 / 2)


def test_bounds_of_rates() -> None:
    assert figures.upper_bound(0, 20) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert figures.upper_bound(3, 3) == 1.0
    assert figures.upper_bound(1, 30) > figures.upper_bound(0, 30)


def test_offsets_and_overlap() -> None:
    truth = Stretch(from_s=2.0, until_s=6.0, to_s=1.0, speed=1.0)
    right = (2.0, 6.0, 1.0, 5.0, 1.0)
    assert figures.offset_error_s([right], truth) == pytest.approx(0.0)
    assert figures.overlap([right], truth) == pytest.approx(1.0)
    late = (2.0, 6.0, 1.5, 5.5, 1.0)
    assert figures.offset_error_s([late], truth) == pytest.approx(0.5)
    assert figures.overlap([late], truth) == pytest.approx(3.5 / 4.5)
    assert figures.overlap([right, right], truth) == pytest.approx(1.0)
    fast = Stretch(from_s=2.0, until_s=6.0, to_s=0.0, speed=1 / 1.1)
    assert figures.offset_error_s([(2.0, 6.0, 0.0, 4 / 1.1, 1 / 1.1)], fast) == pytest.approx(0.0)


def test_groups_find_what_a_flat_search_finds() -> None:
    chance = np.random.default_rng(8)
    base = chance.integers(0, 256, (60, 32), dtype=np.uint8)
    stored = np.repeat(base, 20, axis=0)
    stored ^= np.packbits(chance.random((len(stored), 256)) < 0.06, axis=1)
    asked = stored[::97] ^ np.packbits(chance.random((13, 256)) < 0.1, axis=1)
    index = Grouped()
    index.add(stored[:700])
    index.add(stored[700:])
    assert 1 < index.leaders < len(stored)
    for radius in (20, 81, 120):
        limits, apart, found = index.range_search(asked, radius)
        for row, query in enumerate(asked):
            mine = slice(int(limits[row]), int(limits[row + 1]))
            distances = np.bitwise_count(stored ^ query).sum(-1)
            (right,) = np.nonzero(distances < radius)
            assert sorted(found[mine].tolist()) == right.tolist()
            assert (distances[found[mine]] == apart[mine]).all()
