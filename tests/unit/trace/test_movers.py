"""What moves in one clip alone, and how much of the picture what moves takes up."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from muniment.model.trace import Verdict
from muniment.trace.compare import compare
from muniment.trace.movers import alone, extent
from tests.unit.trace.test_compare import Image, Picture, filmed, ground

Floats = NDArray[np.float32]
ALL = np.ones((24, 24), np.float32)


def spot(moments: int, path: list[tuple[int, int]]) -> Floats:
    """A bright spot of 2 x 2 samples that goes along a path before a still background."""
    back = np.random.default_rng(1).uniform(60, 180, (24, 24)).astype(np.float32)
    out = np.repeat(back[None], moments, axis=0)
    for at in range(moments):
        x, y = path[at % len(path)]
        out[at, y : y + 2, x : x + 2] += 60
    return out


LEFT = [(at % 10, 4) for at in range(40)]
RIGHT = [(12 + at % 10, 16) for at in range(40)]


def test_what_moves_in_both_is_not_alone() -> None:
    one = spot(40, LEFT)
    assert alone(one, one + np.float32(5), ALL) == 0.0


def test_what_moves_in_one_only_is_alone() -> None:
    assert alone(spot(40, LEFT), spot(40, RIGHT), ALL) > 0.8


def test_what_lies_under_a_caption_is_not_counted() -> None:
    told = ALL.copy()
    told[14:20] = 0
    assert alone(spot(40, LEFT), spot(40, LEFT + RIGHT), told) == 0.0
    assert alone(spot(40, LEFT), spot(40, RIGHT), np.zeros_like(ALL)) == 0.0


def test_the_extent_is_the_share_that_moves() -> None:
    screen = spot(40, [(0, 0)])
    screen[:, 2:8, 2:8] = np.random.default_rng(2).uniform(0, 250, (40, 6, 6))
    share, staying = extent(screen)
    assert share == pytest.approx(9 / 144, abs=0.02) and staying > 0.8
    walks = extent(spot(40, [(at // 2, 4) for at in range(40)]))
    assert walks[0] < 0.2 and walks[1] < 0.1
    whole = extent(np.random.default_rng(3).uniform(0, 250, (40, 24, 24)).astype(np.float32))
    assert whole[0] > 0.5
    assert extent(np.full((40, 24, 24), 90, np.float32)) == (0.0, 0.0)


def room(walker: int | None) -> Picture:
    """A screen on a wall that shows the same film always, and somebody else who walks by."""
    back = ground(5)
    film = np.random.default_rng(9).uniform(0, 250, (100, 6, 8))

    def at(time_s: float) -> Image:
        picture = back.copy()
        shown = film[int(time_s * 5) % 100].repeat(12, 0).repeat(10, 1)
        picture[30:102, 90:170] = shown
        if walker is not None:
            x = int(20 + (time_s * (18 + walker)) % 200)
            y = 130 + 20 * walker
            picture[y : y + 40, x : x + 16] = 20 if walker % 2 else 240
        return np.clip(picture, 0, 255).astype(np.uint8)

    return at


@pytest.mark.parametrize("walkers", [(None, None), (1, 2), (2, 4), (1, None)])
def test_a_screen_that_shows_the_same_film_is_not_the_same_footage(
    walkers: tuple[int | None, int | None],
) -> None:
    one, other = (filmed(f"room {walker}", room(walker), 14.0) for walker in walkers)
    pair = compare(one, other)
    assert pair.verdict is not Verdict.SAME_FOOTAGE, pair.reasons


def test_a_copy_of_such_a_room_with_somebody_in_it_is_found() -> None:
    pair = compare(filmed("room", room(2), 14.0), filmed("copy", room(2), 10.0, from_s=1.3))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
