"""Whether two runs of pictures, laid moment on moment, show the same, block by block.

What moves may agree though something else is there too: a camera that swings along its rounds, a
screen or a light that repeats itself, with other people before it. So the pictures themselves are
held against each other. What differs all the time (captions, corners) is left out.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from muniment.trace.residual import SAMPLES, Floats, still

#: samples a side of a block
BLOCK: Final = 4
SIDE_BLOCKS: Final = SAMPLES // BLOCK
#: grey levels squared that no difference counts below
_LEAST: Final = 64.0
#: so many times the median difference, the change from moment to moment, and the slope of the
#: picture explain a difference: compression, sampling, placing
_OF_MEDIAN: Final = 6.0
_OF_CHANGE: Final = 1.0
_OF_SLOPE: Final = 0.2
#: moments at each end of a stretch that may belong to what comes before and after
_ENDS: Final = 2
_ENOUGH: Final = 12


def _pool() -> Floats:
    """(576 x 36): the means of the blocks of a picture."""
    block = np.arange(SAMPLES) // BLOCK
    number = (block[:, None] * SIDE_BLOCKS + block[None, :]).reshape(-1)
    pool = (number[:, None] == np.arange(SIDE_BLOCKS**2)).astype(np.float32)
    return np.asarray(pool / BLOCK**2, np.float32)


_POOL: Final = _pool()


def cut_in_blocks(pictures: Floats) -> Floats:
    """Pictures (n x 576) in blocks (n x 36 x 16)."""
    cut = pictures.reshape(len(pictures), SIDE_BLOCKS, BLOCK, SIDE_BLOCKS, BLOCK)
    return cut.transpose(0, 1, 3, 2, 4).reshape(len(pictures), SIDE_BLOCKS**2, BLOCK**2)


def differing(one: Floats, other: Floats, told: Floats) -> tuple[float, float]:
    """The share of blocks and moments that differ, and the median difference.

    Args:
        one, other: pictures (n x 24 x 24), of which the second is fitted to the first in brightness
            and contrast, moment by moment.
        told: 0 where something covers a picture all the time (24 x 24).
    Returns:
        0 to 1, and grey levels squared.
    """
    first, second = _centred(one), _centred(other)
    products = (first * second * told).sum(axis=(1, 2))
    powers = (second * second * told).sum(axis=(1, 2))
    gain = (products / np.maximum(powers, 1.0))[:, None, None]
    apart = first - gain * second
    found = _power((apart - still(apart)) * told)
    counted = cut_in_blocks(told.reshape(1, -1))[0].any(axis=1)
    median = float(np.median(found[:, counted])) if counted.any() else 0.0
    explained = (
        _LEAST
        + _OF_MEDIAN * median
        + _OF_CHANGE * np.maximum(_change(one), _change(other))
        + _OF_SLOPE * np.maximum(_slope(one), _slope(other))
    )
    inner = slice(_ENDS, -_ENDS) if len(one) > _ENOUGH else slice(None)
    differs = (found > explained)[inner][:, counted]
    return float(differs.mean()) if differs.size else 0.0, median


def _centred(pictures: Floats) -> Floats:
    return np.asarray(pictures - pictures.mean(axis=(1, 2), keepdims=True), np.float32)


def _power(pictures: Floats) -> Floats:
    """Mean square of each block (n x 36)."""
    squared = (pictures * pictures).reshape(len(pictures), -1)
    return np.asarray(squared @ _POOL, np.float32)


def _change(pictures: Floats) -> Floats:
    """How far each moment is from between its neighbours: what sampling may miss."""
    bend = np.zeros_like(pictures)
    if len(pictures) > 2:
        bend[1:-1] = pictures[2:] - 2 * pictures[1:-1] + pictures[:-2]
        bend[0], bend[-1] = bend[1], bend[-2]
    return _power(bend)


def _slope(pictures: Floats) -> Floats:
    """How steep the picture is: what a shift of a sample would change."""
    across, down = np.zeros_like(pictures), np.zeros_like(pictures)
    across[:, :, 1:-1] = (pictures[:, :, 2:] - pictures[:, :, :-2]) / 2
    down[:, 1:-1] = (pictures[:, 2:] - pictures[:, :-2]) / 2
    return np.asarray(_power(across) + _power(down), np.float32)
