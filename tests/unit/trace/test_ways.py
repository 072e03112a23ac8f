"""A camera before a way that things take again and again: other minutes are no copies."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from muniment.examine.hashing import resampled
from muniment.model.trace import Verdict
from muniment.trace.clip import Clip
from muniment.trace.compare import compare
from muniment.trace.rule import motion_needed
from tests.unit.trace.test_compare import SIDE, Image, Picture, filmed, ground

MINUTE_S = 60.0
LANES = ((150, 1), (190, -1))


def way(place: int, moment: int, length_s: float) -> Picture:
    """Things that pass one by one on two lanes, at nearly one speed, before a still background."""
    back = ground(place)
    back[140:230] = 100.0
    chance = np.random.default_rng([place, moment, 7])
    things, at_s = [], -10.0
    while at_s < length_s:
        at_s += 0.5 + chance.exponential(3.5)
        lane, speed = chance.integers(0, 2), chance.normal(60, 8)
        size = chance.integers(28, 52), chance.integers(18, 32)
        things.append((at_s, lane, speed, size, chance.uniform(10, 245)))

    def at(time_s: float) -> Image:
        picture = back.copy()
        for from_s, lane, speed, (long, tall), grey in things:
            gone = (time_s - from_s) * speed
            top, towards = LANES[lane]
            left = int(gone - long if towards > 0 else SIDE - gone)
            if -long < left < SIDE:
                picture[top : top + tall, max(0, left) : max(0, left + long)] = grey
        return np.clip(picture, 0, 255).astype(np.uint8)

    return at


def cropped(picture: Picture) -> Picture:
    box = (0.05, 0.03, 0.97, 0.95)
    return lambda time_s: resampled(picture(time_s).astype(np.float32), box, SIDE).astype(np.uint8)


def joined(picture: Picture, until_s: float, then_s: float) -> Picture:
    """The picture without what was between two moments."""
    return lambda time_s: picture(time_s if time_s < until_s else time_s - until_s + then_s)


@cache
def minute(moment: int) -> Clip:
    return filmed(f"minute {moment}", way(3, moment, MINUTE_S), MINUTE_S)


@pytest.mark.parametrize(("one", "other"), list(combinations(range(4), 2)))
def test_other_minutes_of_a_way_are_not_the_same_footage(one: int, other: int) -> None:
    pair = compare(minute(one), minute(other))
    assert pair.verdict in (Verdict.UNDETERMINED, Verdict.SAME_CAMERA_OTHER_MOMENT), pair.reasons


@pytest.mark.parametrize("from_s", [4.0, 17.0, 29.0, 41.0])
def test_a_short_part_is_not_found_in_another_minute(from_s: float) -> None:
    part = filmed("part", way(3, 0, MINUTE_S), 6.0, from_s)
    for other in range(1, 4):
        assert compare(minute(other), part).verdict is not Verdict.SAME_FOOTAGE


@pytest.mark.parametrize("change", [lambda picture: picture, cropped])
def test_a_copy_of_the_whole_minute_is_found(change: Callable[[Picture], Picture]) -> None:
    pair = compare(minute(0), filmed("copy", change(way(3, 0, MINUTE_S)), MINUTE_S))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons


def test_a_copy_with_a_part_cut_out_is_found_in_two_stretches() -> None:
    cut = filmed("cut", joined(way(3, 0, MINUTE_S), 24.0, 33.0), 51.0)
    pair = compare(minute(0), cut)
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    assert [round(one.a_start_s - one.b_start_s) for one in pair.segments] == [0, 9]


def test_a_minute_that_agrees_for_a_while_says_why_it_is_not_the_same() -> None:
    """Half of it is the same, then other things pass where nothing was cut."""
    one, other = way(3, 0, MINUTE_S), way(3, 1, MINUTE_S)
    mixed = filmed("mixed", lambda time_s: (one if time_s < 30 else other)(time_s), MINUTE_S)
    pair = compare(minute(0), mixed)
    assert pair.verdict is Verdict.UNDETERMINED
    assert any("other things move" in reason for reason in pair.reasons), pair.reasons


def test_the_better_the_still_picture_the_more_of_motion_is_wanted() -> None:
    wanted = [motion_needed(still) for still in (-1.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)]
    assert wanted == sorted(wanted)
    assert (wanted[0], wanted[-1]) == (0.55, 0.93)
