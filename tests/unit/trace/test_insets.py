"""Pictures within a picture, and clips that are shown in one."""

from __future__ import annotations

import numpy as np
import pytest

from muniment.examine.hashing import resampled
from muniment.model.trace import Verdict
from muniment.trace.compare import compare
from muniment.trace.insets import insets
from tests.unit.trace.test_compare import FIRST, SIDE, Picture, filmed, scene


def within(outer: Picture, inner: Picture, box: tuple[float, float, float, float]) -> Picture:
    left, top, right, bottom = (round(side * SIDE) for side in box)

    def shown(at_s: float) -> np.ndarray:
        out = outer(at_s + 40.0) // 3  # darker, so that an edge stands around
        small = resampled(inner(at_s).astype(np.float32), (0, 0, 1, 1), right - left)
        out[top:bottom, left:right] = np.clip(small[: bottom - top], 0, 255)
        return out

    return shown


def test_the_sides_of_a_picture_in_a_picture_are_found() -> None:
    clip = filmed("inset", within(scene(2, 1), scene(1, 1), (0.35, 0.35, 0.95, 0.95)), 8.0)
    found = insets(clip.pictures)
    assert any(np.abs(np.subtract(box, (0.35, 0.35, 0.95, 0.95))).max() < 0.03 for box in found)


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_is_found_where_there_are_no_two_pictures(count: int) -> None:
    assert insets(np.zeros((count, 48, 48), np.uint8)) == ()


def test_noise_holds_no_picture() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (20, 48, 48), np.uint8)
    assert insets(noise) == ()


def test_a_clip_shown_in_another_is_the_same_footage() -> None:
    copy = filmed("inset", within(scene(2, 1), scene(1, 1), (0.35, 0.35, 0.95, 0.95)), 9.0)
    pair = compare(FIRST, copy)
    assert pair.verdict is Verdict.SAME_FOOTAGE
    assert pair.transform is not None and pair.transform.crop is not None
    np.testing.assert_allclose(pair.transform.crop, (-0.58, -0.58, 1.08, 1.08), atol=0.08)


def test_another_moment_shown_in_another_clip_is_not() -> None:
    copy = filmed("inset", within(scene(2, 1), scene(1, 2), (0.35, 0.35, 0.95, 0.95)), 9.0)
    assert compare(FIRST, copy).verdict is not Verdict.SAME_FOOTAGE
