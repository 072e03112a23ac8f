"""Pictures as fingerprints see them: borders, resampling, and a hash of the lowest frequencies.

All maps are separable and linear: a picture of n x n samples is read as if its samples were the
middles of n equal cells of the unit square, so boxes are fractions of width and height.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
#: left, top, right, bottom, as fractions of the picture
Box = tuple[float, float, float, float]

WHOLE: Final[Box] = (0.0, 0.0, 1.0, 1.0)
FREQUENCIES: Final = 16
HASH_BYTES: Final = FREQUENCIES * FREQUENCIES // 8
#: a coefficient below this (grey levels of amplitude) is as likely noise of compression as picture
NOISE_AMPLITUDE: Final = 0.35

_FLAT_DEVIATION: Final = 5.0
_DARK: Final = 40.0
_EDGE_LEVELS: Final = 12.0
_MOST_BORDER: Final = 0.42
_LEAST_BLURRED: Final = 0.1
_BLURRED_DETAIL: Final = 0.45
_EDGE_RATIO: Final = 4.0
#: bars less blurred are taken for bars where their edges are so sharp
_EDGED_DETAIL: Final = 0.8
_SHARP_RATIO: Final = 6.5


@lru_cache(maxsize=4096)
def sampling(size: int, start: float, end: float, count: int) -> Floats:
    """A (count x size) matrix that samples `count` cells of [start, end] of a row of `size` cells.

    Triangular weights as wide as the larger of the two cells; outside the row its ends repeat.
    """
    cell = (end - start) / count
    middles = (start + (np.arange(count) + 0.5) * cell) * size - 0.5
    width = max(1.0, cell * size)
    reach = int(np.ceil(width))
    taps = np.floor(middles)[:, None] + np.arange(-reach, reach + 2)[None, :]
    weights = np.maximum(0.0, 1.0 - np.abs(taps - middles[:, None]) / width)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((count, size), np.float32)
    columns = np.clip(taps, 0, size - 1).astype(np.intp)
    np.add.at(matrix, (np.arange(count)[:, None], columns), weights.astype(np.float32))
    matrix.flags.writeable = False
    return matrix


def resampled(pictures: Pixels | Floats, box: Box, count: int) -> Floats:
    """The part `box` of each picture (… x n x n) as `count` x `count` samples."""
    size = pictures.shape[-1]
    down = sampling(size, box[1], box[3], count)
    across = sampling(size, box[0], box[2], count)
    return np.asarray(down @ pictures.astype(np.float32, copy=False) @ across.T, dtype=np.float32)


@lru_cache(maxsize=8)
def _cosines(size: int) -> Floats:
    angle = np.pi * (np.arange(size) + 0.5) / size
    matrix = np.cos(np.arange(FREQUENCIES)[:, None] * angle[None, :]) * (2.0 / size)
    return matrix.astype(np.float32)


@lru_cache(maxsize=4096)
def spectrum_map(size: int, start: float, end: float) -> Floats:
    """A (16 x size) matrix from a row of `size` cells to the lowest cosine terms of [start, end]."""
    cells = max(2 * FREQUENCIES, 8)
    return np.asarray(_cosines(cells) @ sampling(size, start, end, cells), dtype=np.float32)


def spectra(pictures: Pixels | Floats, box: Box) -> Floats:
    """The lowest 16 x 16 cosine terms of the part `box` of each picture (… x n x n)."""
    size = pictures.shape[-1]
    down = spectrum_map(size, box[1], box[3])
    across = spectrum_map(size, box[0], box[2])
    return np.asarray(down @ pictures.astype(np.float32) @ across.T, dtype=np.float32)


def hashes(terms: Floats) -> Pixels:
    """Signs of cosine terms (… x 16 x 16) as 32 bytes each, row by row; the mean's bit is 0.

    The picture mirrored left to right has the same terms with the sign of the odd columns
    turned: XOR with `MIRROR` gives its hash.
    """
    signs = terms > 0
    signs[..., 0, 0] = False
    return np.packbits(signs.reshape(*terms.shape[:-2], -1), axis=-1)


def _mirror() -> Pixels:
    odd = np.zeros((FREQUENCIES, FREQUENCIES), bool)
    odd[:, 1::2] = True
    return np.packbits(odd.reshape(-1))


#: XOR with this is the hash of the picture mirrored left to right
MIRROR: Final[Pixels] = _mirror()


def quality(terms: Floats) -> NDArray[np.uint8]:
    """How much a hash says, 0..255: the share of its bits that stand above compression noise."""
    standing = np.abs(terms) > NOISE_AMPLITUDE
    standing[..., 0, 0] = False
    share = standing.reshape(*terms.shape[:-2], -1).mean(axis=-1)
    return np.asarray(np.round(share * 255), dtype=np.uint8)


def _flat_rows(stack: Floats) -> int:
    """How many rows from the top are a bar: flat, and dark or ending in an edge, in all pictures."""
    rows = stack.mean(axis=2)
    deviation = stack.std(axis=2)
    size = stack.shape[1]
    same = (deviation < _FLAT_DEVIATION) & (np.abs(rows - rows[:, :1]) < _FLAT_DEVIATION)
    flat = np.logical_and.accumulate(same.all(axis=0))
    count = int(flat.sum())
    if count == 0 or count >= size * 0.9:
        return 0
    dark = float(rows[:, :count].max()) < _DARK
    edge = float(np.abs(rows[:, count] - rows[:, count - 1]).mean())
    if not dark and edge < _EDGE_LEVELS:
        return 0
    return min(count, int(size * _MOST_BORDER))


def _blurred_rows(stack: Floats) -> int:
    """How many rows above and below are a blurred copy of the picture, as many on both sides."""
    size = stack.shape[1]
    detail = np.abs(np.diff(stack, axis=2)).mean(axis=(0, 2))
    steps = np.abs(np.diff(stack, axis=1)).mean(axis=(0, 2))
    core = float(detail[size * 2 // 5 : size * 3 // 5].mean())
    best, count = _EDGE_RATIO, 0
    for rows in range(int(size * _LEAST_BLURRED), int(size * _MOST_BORDER)):
        outer = max(detail[: rows - 1].max(), detail[size - rows + 1 :].max())
        if outer > _EDGED_DETAIL * core:
            break
        near = min(steps[rows - 1], steps[size - rows - 1])
        around = np.median(np.concatenate((steps[: rows - 1], steps[size - rows :]))) + 0.5
        ratio = float(near / around)
        if ratio > best and (outer <= _BLURRED_DETAIL * core or ratio > _SHARP_RATIO):
            best, count = ratio, rows
    return count


def borders(stack: Pixels) -> Box:
    """The part of a run of pictures (count x n x n) inside bars and blurred bars."""
    work = stack.astype(np.float32)
    size = work.shape[1]
    turned = work.transpose(0, 2, 1)
    top, bottom = _flat_rows(work), _flat_rows(work[:, ::-1])
    left, right = _flat_rows(turned), _flat_rows(turned[:, ::-1])
    if top == bottom == left == right == 0:
        top = bottom = _blurred_rows(work)
        left = right = _blurred_rows(turned) if top == 0 else 0
    return (left / size, top / size, 1 - right / size, 1 - bottom / size)
