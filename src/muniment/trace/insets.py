"""Pictures within a picture: rectangles whose sides stay edges while what they hold changes.

A clip shown as the small picture over other footage, or in a player, shares no crop with its source: its
picture must first be cut out. An edge here is a line at which the picture steps more than on the lines
beside it, at most places along it and in most pictures; texture does so at a fifth of the places.
"""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import Box

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]
#: pictures that are looked at
_LOOKED_AT: Final = 16
#: lines across and down that are tried as sides
_LINES: Final = 8
#: the least side of a picture within a picture, and the most of both
_LEAST: Final = 0.28
_MOST: Final = 0.92
#: the least share of places and pictures in which a side is an edge, of the worst side and of all
_EDGED: Final = 0.45
_ALL_EDGED: Final = 0.6
_MOST_INSETS: Final = 2
_MOST_TRIED: Final = 12
#: lines beside a line that it is compared with
_BESIDE: Final = (-3, -2, 2, 3)


def insets(pictures: NDArray[np.uint8]) -> tuple[Box, ...]:
    """Parts of a run of pictures (n x s x s) that look like pictures of their own, the clearest first.

    Sides may lie on the edge of the picture, but not all four.
    """
    size = pictures.shape[-1]
    if len(pictures) < 2:
        return ()
    some = pictures[:: max(1, len(pictures) // _LOOKED_AT)].astype(np.float32)
    across, down = _edges(some), _edges(some.transpose(0, 2, 1))
    left, right = _pairs(across)
    top, bottom = _pairs(down)
    sides = np.stack(
        (
            _along(across, left[:, None], top, bottom),
            _along(across, right[:, None], top, bottom),
            _along(down, top[None, :], left[:, None], right[:, None]),
            _along(down, bottom[None, :], left[:, None], right[:, None]),
        )
    )
    inner = ~np.isnan(sides)
    count = inner.sum(axis=0)
    mean = np.nansum(sides, axis=0) / np.maximum(count, 1)
    worst = np.where(inner, sides, 1.0).min(axis=0)
    held = (count >= 2) & (worst >= _EDGED) & (mean >= _ALL_EDGED)
    order = np.argsort(-np.where(held, mean * np.sqrt(count), 0.0), axis=None, kind="stable")
    kept: list[Box] = []
    for at in order[: min(int(held.sum()), _MOST_TRIED)].tolist():
        x, y = divmod(at, len(top))
        ends = (int(left[x]), int(top[y]), int(right[x]), int(bottom[y]))
        box = (ends[0] / size, ends[1] / size, ends[2] / size, ends[3] / size)
        if len(kept) < _MOST_INSETS and all(_apart(box, other) for other in kept):
            kept.append(box)
    return tuple(kept)


def _pairs(edges: Floats) -> tuple[Ints, Ints]:
    """Pairs of lines that may be two opposite sides."""
    size, lines = len(edges), _lines(edges)
    pairs = [
        (one, other)
        for one, other in combinations(lines, 2)
        if _LEAST * size <= other - one <= _MOST * size or other - one == size
    ]
    return tuple(np.array(pairs, np.intp).T)


def _along(edges: Floats, at: Ints, begin: Ints, end: Ints) -> Floats:
    """The mean share of edges on lines from `begin` to `end`; NaN on the edge of the picture."""
    sums = np.zeros((len(edges) + 1, len(edges) + 1), np.float32)
    sums[1:, :-1] = np.cumsum(edges, axis=0)
    mean = (sums[end, at] - sums[begin, at]) / (end - begin)
    return np.asarray(np.where((at > 0) & (at < len(edges)), mean, np.nan), np.float32)


def _edges(pictures: Floats) -> Floats:
    """The share of the pictures in which there is an edge before each column (s x s)."""
    steps = np.abs(np.diff(pictures, axis=2, prepend=pictures[:, :, :1]))
    wide = np.pad(steps, ((0, 0), (0, 0), (3, 3)))
    size = pictures.shape[2]
    beside = np.maximum.reduce([wide[:, :, 3 + by : 3 + by + size] for by in _BESIDE])
    return np.asarray((steps > np.maximum(beside, 1.0)).mean(axis=0), np.float32)


def _lines(edges: Floats) -> list[int]:
    """Columns with the longest edges along them, and both edges of the picture."""
    size = edges.shape[1]
    over = edges - _EDGED
    best = run = np.zeros(size, np.float32)
    for row in over:
        run = np.maximum(run + row, 0)
        best = np.maximum(best, run)
    order = np.argsort(-best[1:], kind="stable") + 1
    return sorted({0, size, *order[:_LINES].tolist()})


def _apart(one: Box, other: Box) -> bool:
    return max(abs(x - y) for x, y in zip(one, other, strict=True)) > 0.03
