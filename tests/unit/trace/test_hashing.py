"""Hashes of pictures, and what lies inside borders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import MIRROR, WHOLE, borders, hashes, quality, resampled, spectra


def scene(seed: int = 1, side: int = 128) -> NDArray[np.uint8]:
    chance = np.random.default_rng(seed)
    small = chance.uniform(20, 235, (1, 24, 24)).astype(np.float32)
    return np.clip(resampled(small, WHOLE, side)[0], 0, 255).astype(np.uint8)


def bits(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    return int(np.bitwise_count(one ^ other).sum())


def test_the_mirrored_picture_has_the_hash_with_odd_columns_turned() -> None:
    picture = scene()
    terms, turned = spectra(picture, WHOLE), spectra(picture[:, ::-1], WHOLE)
    steady = np.abs(terms) > 1e-3
    assert steady.mean() > 0.99
    assert bits(hashes(turned), hashes(terms) ^ MIRROR) <= 2


def test_brightness_and_contrast_change_no_bit_of_note() -> None:
    picture = scene()
    other = np.clip(picture * 0.8 + 20, 0, 255).astype(np.uint8)
    assert bits(hashes(spectra(picture, WHOLE)), hashes(spectra(other, WHOLE))) <= 6


def test_other_pictures_are_far() -> None:
    apart = [
        bits(hashes(spectra(scene(1), WHOLE)), hashes(spectra(scene(seed), WHOLE)))
        for seed in range(2, 30)
    ]
    assert min(apart) > 85


def test_a_flat_picture_has_no_quality() -> None:
    assert quality(spectra(np.full((128, 128), 90, np.uint8), WHOLE)) == 0
    assert quality(spectra(scene(), WHOLE)) > 150


def test_bars_are_found_to_the_row() -> None:
    stack = np.stack([scene(seed) for seed in range(4)])
    stack[:, :16] = 0
    stack[:, -20:] = 2
    left, top, right, bottom = borders(stack)
    assert (left, right) == (0.0, 1.0)
    assert abs(top - 16 / 128) < 0.01 and abs(bottom - 108 / 128) < 0.01


def test_grey_pillars_are_found() -> None:
    stack = np.stack([scene(seed) for seed in range(4)])
    stack[:, :, :30] = stack[:, :, -30:] = 128
    left, top, right, bottom = borders(stack)
    assert abs(left - 30 / 128) < 0.01 and abs(right - 98 / 128) < 0.01
    assert (top, bottom) == (0.0, 1.0)


def test_blurred_pillars_are_found() -> None:
    chance = np.random.default_rng(3)
    stack = np.stack([scene(seed) for seed in range(4)]).astype(np.float32)
    stack += chance.normal(0, 4, stack.shape)
    smooth = np.linspace(60, 180, 128, dtype=np.float32)[None, :, None]
    stack[:, :, :36] = smooth
    stack[:, :, -36:] = smooth
    left, _, right, _ = borders(np.clip(stack, 0, 255).astype(np.uint8))
    assert abs(left - 36 / 128) < 0.02 and abs(right - 92 / 128) < 0.02


def test_a_picture_without_borders_keeps_all() -> None:
    assert borders(np.stack([scene(seed) for seed in range(4)])) == WHOLE


def test_an_all_black_run_keeps_all() -> None:
    assert borders(np.zeros((3, 128, 128), np.uint8)) == WHOLE
