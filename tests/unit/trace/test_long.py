"""Clips of hours: memory of one comparison, and what it finds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from muniment.examine import hashing
from muniment.examine.hashing import WHOLE, resampled
from muniment.model.trace import Pair, Verdict
from muniment.trace import align, views, windows
from muniment.trace.candidates import traced
from muniment.trace.clip import Clip, words
from muniment.trace.compare import compare
from muniment.trace.register import Looked

#: a moment of the clip -> (what is shown, moment there)
Told = Callable[[float], tuple[int, float]]
SHOT_S = 8.0
HOURS_4 = 4 * 3600.0


class Film:
    """Shots of 8 s, each of other things that move before another background (or always one)."""

    def __init__(self, fixed: bool = False) -> None:
        self._fixed = fixed
        self._known: dict[
            tuple[int, int, int], tuple[NDArray[np.float32], NDArray[np.float64]]
        ] = {}

    def picture(self, film: int, time_s: float, side: int) -> NDArray[np.uint8]:
        back, paths = self._shot(film, int(time_s // SHOT_S), side)
        out, wide = back.copy(), side // 6
        for x, y, a, b, c, d, grey in paths:
            across = np.clip(x + 0.35 * np.sin(a * 1.7 * time_s + 9 * c), 0, 1)
            down = np.clip(y + 0.35 * np.sin(b * 1.7 * time_s + 9 * d), 0, 1)
            left, top = int(across * (side - wide)), int(down * (side - wide))
            out[top : top + wide, left : left + wide] = grey
        return out.astype(np.uint8)

    def _shot(
        self, film: int, shot: int, side: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        key = (film, shot, side)
        if key not in self._known:
            seed = 0 if self._fixed else shot
            chance = np.random.default_rng([film, seed, 5])
            back = resampled(chance.uniform(60, 190, (1, 12, 12)).astype(np.float32), WHOLE, side)[
                0
            ]
            low = [0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 10]
            paths = np.random.default_rng([film, shot, 6]).uniform(low, [0.9] * 6 + [245], (5, 7))
            self._known.clear() if len(self._known) > 40 else None
            self._known[key] = back, paths
        return self._known[key]

    def clip(self, name: str, length_s: float, told: Told) -> Clip:
        """What the examiners would find: 2 and 5 pictures a second, the latter every other one of
        more than 65,536."""
        step_s = 0.2 if length_s / 0.2 <= 65_536 else 0.4
        times_s, motion_s = np.arange(0, length_s, 0.5), np.arange(0, length_s, step_s)
        pictures = np.stack([self.picture(*told(t), 48) for t in times_s.tolist()])
        motion = np.stack([self.picture(*told(t), 32) for t in motion_s.tolist()])
        parts = [
            hashing.spectra(pictures[at : at + 500], WHOLE) for at in range(0, len(pictures), 500)
        ]
        terms = np.concatenate(parts)
        return Clip(
            name, length_s, False, 640, 360, times_s,
            (hashing.quality(terms) / 255).astype(np.float32),
            np.tile(np.array(WHOLE, np.float32), (len(times_s), 1)),
            words(hashing.hashes(terms)), np.arange(len(times_s)), pictures,
            motion_s, np.arange(len(motion_s)), motion,
            np.zeros(0, np.uint32), np.zeros(0),
        )  # fmt: skip


@lru_cache
def four_hours() -> Clip:
    return Film().clip("one", HOURS_4, lambda t: (1, t))


pytestmark = pytest.mark.slow  # hours of footage: minutes of processor time


def inserted(film: int, at_s: float, until_s: float, of: int, from_s: float) -> Told:
    """A film with a stretch of another (or of itself) in it."""

    def told(time_s: float) -> tuple[int, float]:
        if at_s <= time_s < until_s:
            return of, time_s - at_s + from_s
        return film, time_s

    return told


def only_segment(pair: Pair, expected: tuple[float, float, float, float]) -> None:
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    (one,) = pair.segments
    found = (one.a_start_s, one.a_end_s, one.b_start_s, one.b_end_s)
    assert found == pytest.approx(expected, abs=0.7)


def test_two_clips_of_four_hours_in_bounded_memory() -> None:
    film, one = Film(), four_hours()
    other = film.clip("other", HOURS_4, inserted(2, 7200, 7260, 1, 4800))
    assert windows.too_long(one, other)
    tracemalloc.start()
    try:
        pair = compare(one, other)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    only_segment(pair, (4800, 4860, 7200, 7260))
    assert peak < 150_000_000


def test_a_long_copy_is_one_segment() -> None:
    film = Film()
    one = film.clip("one", 1200.0, lambda t: (1, t))
    other = film.clip("other", 900.0, lambda t: (1, t + 200))
    only_segment(compare(one, other), (200, 1100, 0, 900))


def test_a_fixed_camera_is_laid_by_what_moves() -> None:
    film = Film(fixed=True)
    one = film.clip("one", 900.0, lambda t: (1, t))
    other = film.clip("other", 700.0, lambda t: (1, t + 200 if 400 <= t < 460 else t + 9000))
    only_segment(compare(one, other), (600, 660, 400, 460))


def test_another_time_of_a_fixed_camera_is_no_copy() -> None:
    film = Film(fixed=True)
    one = film.clip("one", 900.0, lambda t: (1, t))
    other = film.clip("other", 700.0, lambda t: (1, t + 9000))
    pair = compare(one, other)
    assert pair.verdict is Verdict.UNDETERMINED and "too long" in pair.reasons[-1]


def test_a_short_clip_is_found_in_hours() -> None:
    film = Film()
    other = film.clip("other", 40.0, lambda t: (1, t + 5001.3))
    (pair,) = traced([four_hours(), other])
    only_segment(pair, (5001.3, 5041.3, 0, 40))


def test_the_tables_of_a_long_clip_are_bounded() -> None:
    looked = Looked(four_hours())
    assert len(looked.viewed) <= views.MOST_VIEWED
    assert looked.views.nbytes < 5_000_000
    assert looked.whole.nbytes <= 28_800 * 32
    assert windows.MOST_CELLS * 4 * 8 < 100_000_000 and len(align.SPEEDS) == 19
