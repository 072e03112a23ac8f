"""Where one picture lies in another: from hash distances of views, refined on grey pictures.

A `Placing` says that b's picture (flipped left to right when `mirrored`) fills `box` of a's
picture; the box may reach beyond a's picture, where b shows more. Both pictures are without
their borders.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import WHOLE, Box, resampled
from muniment.trace.clip import Clip, pictures_at
from muniment.trace.views import (
    MIRROR_WORDS,
    RADIUS,
    VIEWS,
    distances,
    thinned,
    view_hashes,
)

Floats = NDArray[np.float32]
#: samples a side at which pictures are compared for registration
_SAMPLES: Final = 32
_STEPS: Final = (0.04, 0.02, 0.01, 0.005)
_LEAST_SHARED: Final = 0.4
_PAIRS: Final = 4
_BLOCKS: Final = 4
#: variance of a block, in grey levels squared, that compression makes
_FLAT: Final = 4.0
_GOOD: Final = 0.985


@dataclass(frozen=True)
class Placing:
    """b in a: see the module; `agreement` is the correlation of the pictures, -1 to 1."""

    mirrored: bool
    box: Box
    agreement: float = 0.0

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


@dataclass(frozen=True)
class Looked:
    """A clip with the hashes of its views, made once for all of its comparisons."""

    clip: Clip

    @cached_property
    def frames(self) -> NDArray[np.intp]:
        """Frames that are compared."""
        return thinned(self.clip)

    @cached_property
    def views(self) -> NDArray[np.uint64]:
        """Hashes of all views of these frames."""
        return view_hashes(self.clip, self.frames)


@dataclass(frozen=True)
class Guess:
    """A placing proposed by hashes, the frame pairs (a, b) behind it, and their mean distance."""

    placing: Placing
    pairs: tuple[tuple[int, int], ...]
    bits: float


def guesses(a: Looked, b: Looked, most: int) -> list[Guess]:
    """The likeliest placings of b in a, best first; none when no frames are near."""
    if not len(a.frames) or not len(b.frames):
        return []
    found: list[Guess] = []
    for mirrored in (False, True):
        turn = MIRROR_WORDS if mirrored else np.uint64(0)
        whole_a, whole_b = a.views[0], b.views[0]
        of_a = distances(a.views.reshape(-1, 4), whole_b ^ turn)
        found += _nearest(of_a.reshape(len(VIEWS), len(whole_a), -1), a, b, mirrored, True)
        of_b = distances(whole_a ^ turn, b.views[1:].reshape(-1, 4))
        by_view = of_b.reshape(len(whole_a), len(VIEWS) - 1, -1).transpose(1, 0, 2)
        found += _nearest(by_view, a, b, mirrored, False)
    found.sort(key=lambda guess: (guess.bits, guess.placing.mirrored, guess.placing.box))
    return found[:most]


def _nearest(
    apart: NDArray[np.int16], a: Looked, b: Looked, mirrored: bool, crops_a: bool
) -> list[Guess]:
    """A guess for each view whose nearest frames lie within the radius."""
    found = []
    for view in np.flatnonzero(apart.min(axis=(1, 2)) <= RADIUS).tolist():
        table = apart[view]
        ends = table.argmin(axis=0)
        best = table[ends, np.arange(table.shape[1])]
        order = np.argsort(best, kind="stable")[: 4 * _PAIRS]
        near = order[best[order] <= RADIUS]
        chosen = _consistent(a.clip.times_s[a.frames[ends[near]]], b.clip.times_s[b.frames[near]])
        spread = near[chosen][:: max(1, len(chosen) // _PAIRS)][:_PAIRS]
        pairs = tuple((int(a.frames[ends[at]]), int(b.frames[at])) for at in spread)
        box = VIEWS[view] if crops_a else VIEWS[view + 1]
        placed = box if crops_a else _inverse(_flipped(box) if mirrored else box)
        # few frames within the radius weigh less than many
        bits = float(best[near].mean()) + 12.0 / len(near)
        found.append(Guess(Placing(mirrored, placed), pairs, bits))
    return found


def _consistent(times_a: NDArray[np.float64], times_b: NDArray[np.float64]) -> NDArray[np.intp]:
    """The largest set of frame pairs that lie on one line of time, of a few speeds."""
    best = np.zeros(1, np.intp)
    for speed in (1.0, 0.9, 1.1, 0.8, 1.25):
        offsets = times_b - speed * times_a
        for offset in np.unique(offsets):
            held = np.flatnonzero(np.abs(offsets - offset) <= 0.3)
            if len(held) > len(best):
                best = held
    return best


def _flipped(box: Box) -> Box:
    return (1 - box[2], box[1], 1 - box[0], box[3])


def _inverse(box: Box) -> Box:
    """Where the whole of b lies in a, when the whole of a is `box` of b."""
    wide, high = box[2] - box[0], box[3] - box[1]
    return (-box[0] / wide, -box[1] / high, (1 - box[0]) / wide, (1 - box[1]) / high)


def refined(a: Clip, b: Clip, guess: Guess) -> Placing:
    """The placing near a guess at which the pictures of its frame pairs agree most."""
    first = pictures_at(a, np.array([one for one, _ in guess.pairs])).astype(np.float32)
    second = pictures_at(b, np.array([two for _, two in guess.pairs])).astype(np.float32)
    return fitted(first, second, guess.placing, _STEPS)


def realigned(
    a: Clip, b: Clip, placing: Placing, speed: float, offset_s: float, times_s: tuple[float, float]
) -> Placing:
    """The placing refined on pictures that a line of time lays on each other."""
    mapped = a.times_s * speed + offset_s
    held = (a.times_s >= times_s[0] - 0.1) & (a.times_s <= times_s[1] + 0.1)
    held &= (mapped >= b.times_s[0]) & (mapped <= b.times_s[-1])
    frames = np.flatnonzero(held)
    if not len(frames):
        return placing
    steps = np.unique(np.linspace(0, len(frames) - 1, _PAIRS).round().astype(int))
    frames = frames[steps]
    upper = np.clip(np.searchsorted(b.times_s, mapped[frames]), 1, max(1, len(b.times_s) - 1))
    upper = np.minimum(upper, len(b.times_s) - 1)
    before, after = b.times_s[upper - 1], b.times_s[upper]
    share = np.clip((mapped[frames] - before) / np.maximum(after - before, 1e-6), 0, 1)
    weight = share.astype(np.float32)[:, None, None]
    second = pictures_at(b, upper - 1) * (1 - weight) + pictures_at(b, upper) * weight
    return fitted(pictures_at(a, frames).astype(np.float32), second, placing, _STEPS)


def fitted(first: Floats, second: Floats, placing: Placing, steps: tuple[float, ...]) -> Placing:
    """The placing near a given one at which pairs of pictures (n x 48 x 48 each) agree most."""
    second = second[..., ::-1] if placing.mirrored else second
    best = list(placing.box)
    agreed = _agreement(first, second, placing)
    whole = placing.box == WHOLE
    for step in steps:
        if whole and agreed > _GOOD:
            break
        for _ in range(3):
            before = agreed
            for change in _changes(step):
                moved = [one + by for one, by in zip(best, change, strict=True)]
                tried = _agreement(first, second, Placing(placing.mirrored, _box(moved)))
                if tried > agreed + 1e-4:
                    best, agreed = moved, tried
            if agreed - before < 1e-3:
                break
    return Placing(placing.mirrored, _box(best), agreed)


def _changes(step: float) -> list[tuple[float, float, float, float]]:
    """Shifts, and widening or narrowing, by a step each way."""
    out: list[tuple[float, float, float, float]] = []
    for by in (step, -step):
        out += [(by, 0, by, 0), (0, by, 0, by), (-by / 2, 0, by / 2, 0), (0, -by / 2, 0, by / 2)]
    return out


def _box(sides: list[float]) -> Box:
    return (sides[0], sides[1], sides[2], sides[3])


def _agreement(first: Floats, second: Floats, placing: Placing) -> float:
    in_a, in_b = placing.shared()
    for part in (in_a, in_b):
        if min(part[2] - part[0], part[3] - part[1]) < _LEAST_SHARED:
            return -1.0
    return agreement(resampled(first, in_a, _SAMPLES), resampled(second, in_b, _SAMPLES))


def agreement(one: Floats, other: Floats) -> float:
    """How alike pictures (n x 32 x 32) are, -1 to 1: the mean correlation of their 16 blocks.

    The quarter of the blocks that agrees least is left out: captions and logos lie there. A block
    that is flat in both pictures neither agrees nor disagrees.
    """
    cuts = [_cut(pictures) for pictures in (one, other)]
    centred = [cut - cut.mean(axis=-1, keepdims=True) for cut in cuts]
    products = (centred[0] * centred[1]).mean(axis=-1)
    power = [(cut**2).mean(axis=-1) for cut in centred]
    local = (products / np.sqrt((power[0] + _FLAT) * (power[1] + _FLAT))).mean(axis=0)
    telling = np.sqrt(np.minimum(*power)).mean(axis=0) + 0.5
    order = np.argsort(local)[_BLOCKS * _BLOCKS // 4 :]
    return float((local * telling)[order].sum() / telling[order].sum())


def _cut(pictures: Floats) -> Floats:
    """Blocks of pictures: n x 16 x 64."""
    side = _SAMPLES // _BLOCKS
    cut = pictures.reshape(-1, _BLOCKS, side, _BLOCKS, side).transpose(0, 1, 3, 2, 4)
    return cut.reshape(len(pictures), _BLOCKS * _BLOCKS, side * side)


def correlations(one: Floats, other: Floats) -> Floats:
    """Correlation of each picture (n x s x s) of `one` with that of `other`; 0 where one is flat."""
    flat_one = one.reshape(len(one), -1)
    flat_other = other.reshape(len(other), -1)
    flat_one = flat_one - flat_one.mean(axis=1, keepdims=True)
    flat_other = flat_other - flat_other.mean(axis=1, keepdims=True)
    products = (flat_one * flat_other).sum(axis=1)
    norms = np.sqrt((flat_one**2).sum(axis=1) * (flat_other**2).sum(axis=1))
    return np.asarray(products / np.maximum(norms, 1e-3), dtype=np.float32)
