"""How one picture lies in another, and how alike the two are there: found on grey pictures.

A `Placing` says that b's picture (flipped left to right when `mirrored`) fills `box` of a's
picture; the box may reach beyond a's picture, where b shows more. Both pictures are without
their borders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import WHOLE, Box, sampling

Floats = NDArray[np.float32]
#: samples a side at which pictures are compared for registration
_SAMPLES: Final = 32
_MIDDLE: Final = np.float32(128)
_LEAST_SHARED: Final = 0.4
_BLOCKS: Final = 4
#: variance of a block, in grey levels squared, that compression makes
_FLAT: Final = 4.0
#: variance from which a block shows something, and correlation from which two agree
_TELLING: Final = 30.0
_AGREES: Final = 0.5
_GOOD: Final = 0.985
#: from this agreement on, whole pictures stay whole unless a change by a small step agrees more
_NEARLY: Final = 0.9
_SMALL_STEP: Final = 0.01


@dataclass(frozen=True)
class Placing:
    """b in a: see the module.

    Attributes:
        agreement: the correlation of the pictures, -1 to 1, by what both show.
        spread: share of the blocks in which either shows anything that agree, 0 to 1: low where a
            caption is all that two pictures share.
        rest: correlation of those of these blocks that agree least, three of five, -1 to 1.
    """

    mirrored: bool
    box: Box
    agreement: float = 0.0
    spread: float = 1.0
    rest: float = 1.0

    def shared(self) -> tuple[Box, Box]:
        """The part of a that both show, and the same part in b (flipped when mirrored)."""
        left, top, right, bottom = self.box
        wide, high = right - left, bottom - top
        in_a = (max(0.0, left), max(0.0, top), min(1.0, right), min(1.0, bottom))
        in_b = (
            (in_a[0] - left) / wide,
            (in_a[1] - top) / high,
            (in_a[2] - left) / wide,
            (in_a[3] - top) / high,
        )
        return in_a, in_b


def fitted(first: Floats, second: Floats, placing: Placing, steps: tuple[float, ...]) -> Placing:
    """The placing near a given one at which pairs of pictures (n x 48 x 48 each) agree most."""
    two = _Two(first, second, placing.mirrored)
    best, agreed = placing.box, two.agreement(placing.box)
    whole = placing.box == WHOLE
    around = _changed(best, _SMALL_STEP) if whole and agreed > _NEARLY else []
    if around and all(two.agreement(box) <= agreed + 1e-4 for box in around):
        return two.placed(best)
    for step in steps[1:] if around else steps:
        if whole and agreed > _GOOD:
            break
        for _ in range(3):
            before = agreed
            for change in _changes(step):
                moved = _moved(best, change)
                tried = two.agreement(moved)
                if tried > agreed + 1e-4:
                    best, agreed = moved, tried
            if agreed - before < 1e-3:
                break
    return two.placed(best)


def _changes(step: float) -> list[Box]:
    """Shifts, and widening or narrowing, by a step each way."""
    out: list[Box] = []
    for by in (step, -step):
        out += [(by, 0, by, 0), (0, by, 0, by), (-by / 2, 0, by / 2, 0), (0, -by / 2, 0, by / 2)]
    return out


def _moved(box: Box, by: Box) -> Box:
    left, top, right, bottom = (round(one + more, 6) for one, more in zip(box, by, strict=True))
    return (left, top, right, bottom)


def _changed(box: Box, step: float) -> list[Box]:
    return [_moved(box, by) for by in _changes(step)]


class _Two:
    """Pairs of pictures, of which parts are compared; a part is sampled once."""

    def __init__(self, first: Floats, second: Floats, mirrored: bool) -> None:
        turned = second[..., ::-1] if mirrored else second
        self._pictures = tuple(one - _MIDDLE for one in (first, turned))
        self._sampled: tuple[dict[Box, Blocks], dict[Box, Blocks]] = ({}, {})
        self._mirrored = mirrored
        self._known: dict[Box, float] = {}

    def agreement(self, box: Box) -> float:
        """How alike the pictures are where the second ones lie at `box` of the first."""
        known = self._known.get(box)
        if known is None:
            known = self._known[box] = self._agreement(box)
        return known

    def _agreement(self, box: Box) -> float:
        parts = Placing(self._mirrored, box).shared()
        for part in parts:
            if min(part[2] - part[0], part[3] - part[1]) < _LEAST_SHARED:
                return -1.0
        return _alike(self._blocks(0, parts[0]), self._blocks(1, parts[1]))

    def placed(self, box: Box) -> Placing:
        """The second pictures laid at `box` of the first, and what agrees there."""
        parts = Placing(self._mirrored, box).shared()
        one, other = self._blocks(0, parts[0]), self._blocks(1, parts[1])
        told, local = np.maximum(one[2], other[2]) > _TELLING, _local(one, other)
        agreed = self.agreement(box)
        if not told.any():
            return Placing(self._mirrored, box, agreed)
        shown = told.sum(axis=0)
        means = np.sort(((local * told).sum(axis=0) / np.maximum(shown, 1))[shown > 0])
        least = means[: max(1, len(means) * 3 // 5)]
        spread = float((local[told] >= _AGREES).mean())
        return Placing(self._mirrored, box, agreed, spread, float(least.mean()))

    def _blocks(self, which: int, part: Box) -> Blocks:
        known = self._sampled[which].get(part)
        if known is None:
            known = _in_blocks(_resampled(self._pictures[which], part))
            self._sampled[which][part] = known
        return known


def agreement(one: Floats, other: Floats) -> float:
    """How alike pictures (n x 32 x 32) are, -1 to 1: the mean correlation of their 16 blocks.

    The quarter of the blocks that agrees least is left out: captions and logos lie there. A block
    that is flat in both pictures neither agrees nor disagrees.
    """
    return _alike(_in_blocks(one - _MIDDLE), _in_blocks(other - _MIDDLE))


#: pictures in grey levels (n x 1024), means and variances of their blocks (n x 16 each)
Blocks = tuple[Floats, Floats, Floats]


def _resampled(pictures: Floats, part: Box) -> Floats:
    """As `hashing.resampled`, faster for a few pictures: all rows of all of them in one product."""
    count, size, _ = pictures.shape
    across = sampling(size, part[0], part[2], _SAMPLES).T
    rows = pictures.reshape(-1, size) @ across
    return np.asarray(
        sampling(size, part[1], part[3], _SAMPLES) @ rows.reshape(count, size, _SAMPLES), np.float32
    )


def _in_blocks(pictures: Floats) -> Blocks:
    """Pictures in grey levels less 128."""
    flat = pictures.reshape(len(pictures), -1)
    mean = np.asarray(flat @ _POOL, np.float32)
    square = np.asarray((flat * flat) @ _POOL, np.float32)
    return flat, mean, np.maximum(square - mean * mean, np.float32(0))


def _alike(one: Blocks, other: Blocks) -> float:
    local = _local(one, other)
    local = np.add.reduce(local) / len(local)
    telling = np.sqrt(np.minimum(one[2], other[2]))
    telling = np.add.reduce(telling) / len(telling) + np.float32(0.5)
    order = local.argsort()[_BLOCKS * _BLOCKS // 4 :]
    kept = telling[order]
    return float((local[order] @ kept) / np.add.reduce(kept))


def _local(one: Blocks, other: Blocks) -> Floats:
    """Correlation of each block of each pair (n x 16)."""
    products = (one[0] * other[0]) @ _POOL - one[1] * other[1]
    return np.asarray(products / np.sqrt((one[2] + _FLAT) * (other[2] + _FLAT)), np.float32)


def _pool() -> Floats:
    """(1024 x 16): the means of the blocks of a picture of 32 x 32."""
    block = np.arange(_SAMPLES) * _BLOCKS // _SAMPLES
    number = (block[:, None] * _BLOCKS + block[None, :]).reshape(-1)
    pool = (number[:, None] == np.arange(_BLOCKS * _BLOCKS)).astype(np.float32)
    return np.asarray(pool / (_SAMPLES // _BLOCKS) ** 2, np.float32)


_POOL: Final = _pool()


def correlations(one: Floats, other: Floats) -> Floats:
    """Correlation of each picture (n x s x s) of `one` with that of `other`; 0 where one is flat."""
    flat_one = one.reshape(len(one), -1)
    flat_other = other.reshape(len(other), -1)
    flat_one = flat_one - flat_one.mean(axis=1, keepdims=True)
    flat_other = flat_other - flat_other.mean(axis=1, keepdims=True)
    products = (flat_one * flat_other).sum(axis=1)
    norms = np.sqrt((flat_one**2).sum(axis=1) * (flat_other**2).sum(axis=1))
    return np.asarray(products / np.maximum(norms, 1e-3), dtype=np.float32)
