"""Pictures turned by quarters: hashes, boxes, and transforms seen from either side."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from muniment.examine import hashing
from muniment.model.trace import Transform
from muniment.trace.clip import words
from muniment.trace.turning import composed, inverse, turned_box, turned_hashes

BOX = (0.1, 0.2, 0.7, 0.95)
EVERY = [
    Transform(mirrored=mirrored, crop=BOX, rotated_deg=90 * quarters)
    for mirrored, quarters in product((False, True), range(4))
]


def _hashes(pictures: np.ndarray) -> np.ndarray:
    return words(hashing.hashes(hashing.spectra(pictures, hashing.WHOLE)))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_hash_is_that_of_the_turned_picture(quarters: int) -> None:
    pictures = np.random.default_rng(4).uniform(0, 255, (20, 48, 48)).astype(np.float32)
    turned = np.rot90(pictures, -quarters, axes=(1, 2))
    apart = np.bitwise_count(turned_hashes(_hashes(pictures), quarters) ^ _hashes(turned))
    assert apart.sum(axis=1).max() <= 1  # a term that is nearly 0


def _points(transform: Transform, points: np.ndarray) -> np.ndarray:
    """Points of b's picture (n x 2) in a's."""
    x, y = points.T
    for _ in range(transform.rotated_deg // 90):
        x, y = 1 - y, x
    if transform.mirrored:
        x = 1 - x
    left, top, right, bottom = transform.crop or (0.0, 0.0, 1.0, 1.0)
    return np.stack((left + x * (right - left), top + y * (bottom - top)), axis=1)


@pytest.mark.parametrize("transform", EVERY)
def test_the_inverse_leads_back(transform: Transform) -> None:
    points = np.random.default_rng(1).uniform(0, 1, (9, 2))
    there = _points(transform, points)
    np.testing.assert_allclose(_points(inverse(transform), there), points, atol=4e-3)


@pytest.mark.parametrize(("one", "other"), list(product(EVERY, EVERY)))
def test_one_after_the_other(one: Transform, other: Transform) -> None:
    points = np.random.default_rng(2).uniform(0, 1, (9, 2))
    there = _points(one, _points(other, points))
    np.testing.assert_allclose(_points(composed(one, other), points), there, atol=3e-3)


def test_a_box_is_turned_as_its_corners_are() -> None:
    corners = np.array([[0.1, 0.2], [0.7, 0.95]])
    turned = _points(Transform(rotated_deg=270), corners)
    low, high = turned.min(axis=0), turned.max(axis=0)
    np.testing.assert_allclose(turned_box(BOX, 3), (*low, *high), atol=1e-9)
