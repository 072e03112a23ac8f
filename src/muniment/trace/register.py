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

from muniment.examine.hashing import WHOLE, Box, sampling
from muniment.trace.clip import Clip, pictures_at
from muniment.trace.insets import insets
from muniment.trace.turning import QUARTERS, turned_clip
from muniment.trace.views import (
    MIRROR_WORDS,
    RADIUS,
    VIEWS,
    nearest,
    spread,
    thinned,
    view_hashes,
)

Floats = NDArray[np.float32]
#: samples a side at which pictures are compared for registration
_SAMPLES: Final = 32
_MIDDLE: Final = np.float32(128)
#: of the search for a placing: from pairs of frames, and again from pictures of one moment
_STEPS: Final = (0.04, 0.02, 0.01)
_FINE_STEPS: Final = (0.01, 0.005)
_LEAST_SHARED: Final = 0.4
_PAIRS: Final = 4
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
#: mean hash distance, in bits, from which on whole pictures are clearly the same
_CLEAR_BITS: Final = 24.0
_LINE_SPEEDS: Final = np.array((1.0, 0.9, 1.1, 0.8, 1.25))


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


@dataclass(frozen=True)
class Looked:
    """A clip with the hashes of its views, made once for all of its comparisons."""

    clip: Clip

    @cached_property
    def frames(self) -> NDArray[np.intp]:
        """Frames that are compared."""
        return thinned(self.clip)

    @cached_property
    def whole(self) -> NDArray[np.uint64]:
        """Hashes of these frames (n x 4 words)."""
        return self.clip.hashes[self.frames]

    @cached_property
    def viewed(self) -> NDArray[np.intp]:
        """Frames of which crops are hashed too: all, of a long clip some."""
        return spread(self.frames)

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """The parts whose hashes are looked at: the whole, crops, and pictures within the picture."""
        return (*VIEWS, *insets(pictures_at(self.clip, self.viewed)))

    @cached_property
    def views(self) -> NDArray[np.uint64]:
        """Hashes of these parts of the frames in `viewed` (boxes x n x 4 words)."""
        return view_hashes(self.clip, self.viewed, self.boxes[len(VIEWS) :])

    @cached_property
    def turned(self) -> tuple[tuple[int, Looked], ...]:
        """By how many quarters turned clockwise, and the clip so turned."""
        return tuple((by, Looked(turned_clip(self.clip, by))) for by in QUARTERS)


@dataclass(frozen=True)
class Guess:
    """A placing proposed by hashes, the frame pairs (a, b) behind it, and their mean distance.

    `view` of a's pictures (of b's, where not `crops_a`) was compared with whole pictures.
    """

    placing: Placing
    pairs: tuple[tuple[int, int], ...]
    bits: float
    view: int = 0
    crops_a: bool = True


def guesses(a: Looked, b: Looked, most: int, parts: bool = True) -> list[Guess]:
    """The likeliest placings of b in a, best first; none when no frames are near.

    Parts of pictures are tried, if at all, where whole ones are not clearly near each other.
    """
    if not len(a.frames) or not len(b.frames):
        return []
    turns: tuple[NDArray[np.uint64], ...] = (np.zeros_like(MIRROR_WORDS), MIRROR_WORDS)
    found = [
        one
        for mirrored, turn in enumerate(turns)
        for one in _near(a.whole[None], b.whole ^ turn, bool(mirrored), True, 0)
    ]
    if parts and not any(one.bits <= _CLEAR_BITS and len(one.at) >= _PAIRS for one in found):
        found += _near_parts(a, b, 1)
    found.sort(key=lambda one: (one.bits, one.mirrored, one.view))
    return [_guess(a, b, one) for one in found[:most]]


def inset_guesses(a: Looked, b: Looked) -> list[Guess]:
    """Placings of one clip in a picture within the other's picture, best first.

    A blurred copy of a picture around it is near the picture, and hides where it lies.
    """
    found = _near_parts(a, b, len(VIEWS))
    found.sort(key=lambda one: (one.bits, one.mirrored, one.view))
    return [_guess(a, b, one) for one in found[:1]]


def _near_parts(a: Looked, b: Looked, first: int) -> list[_Near]:
    """Parts of the pictures of either, from number `first` on, that are near whole ones of the other."""
    found: list[_Near] = []
    turns: tuple[NDArray[np.uint64], ...] = (np.zeros_like(MIRROR_WORDS), MIRROR_WORDS)
    for mirrored, turn in enumerate(turns):
        if len(a.boxes) > first:
            found += _near(a.views[first:], b.whole ^ turn, bool(mirrored), True, first)
        if len(b.boxes) > first:
            found += _near(b.views[first:] ^ turn, a.whole, bool(mirrored), False, first)
    return found


@dataclass(frozen=True)
class _Near:
    """Frames of one clip, each with the nearest of the other, under one view."""

    mirrored: bool
    crops_a: bool
    view: int
    at: NDArray[np.intp]
    ends: NDArray[np.intp]
    bits: float


def _near(
    views: NDArray[np.uint64],
    whole: NDArray[np.uint64],
    mirrored: bool,
    crops_a: bool,
    number: int,
) -> list[_Near]:
    """For each view (n x 4 words; from `number` on) with frames within the radius: the nearest."""
    best, ends = nearest(views, whole)
    order = np.argsort(best, axis=1, kind="stable")[:, : 4 * _PAIRS]
    least = np.take_along_axis(best, order, axis=1)
    found: list[_Near] = []
    for view in np.flatnonzero(least[:, 0] <= RADIUS).tolist():
        near = int(np.count_nonzero(least[view] <= RADIUS))
        at = order[view, :near]
        # few frames within the radius weigh less than many
        bits = float(least[view, :near].mean()) + 12.0 / near
        found.append(_Near(mirrored, crops_a, number + view, at, ends[view, at], bits))
    return found


def _guess(a: Looked, b: Looked, near: _Near) -> Guess:
    """The placing of a view, and a few of its frame pairs that lie on one line of time."""
    box = (a if near.crops_a else b).boxes[near.view]
    if near.crops_a:
        frames_a = (a.viewed if near.view else a.frames)[near.ends]
        frames_b = b.frames[near.at]
    else:
        frames_a, frames_b = a.frames[near.at], b.viewed[near.ends]
        box = _inverse(_flipped(box) if near.mirrored else box)
    chosen = _consistent(a.clip.times_s[frames_a], b.clip.times_s[frames_b])
    spread_out = chosen[:: max(1, len(chosen) // _PAIRS)][:_PAIRS]
    pairs = tuple((int(frames_a[at]), int(frames_b[at])) for at in spread_out)
    return Guess(Placing(near.mirrored, box), pairs, near.bits, near.view, near.crops_a)


def _consistent(times_a: NDArray[np.float64], times_b: NDArray[np.float64]) -> NDArray[np.intp]:
    """The largest set of frame pairs that lie on one line of time, of a few speeds."""
    offsets = times_b - _LINE_SPEEDS[:, None] * times_a
    ordered = np.sort(offsets, axis=1)
    held = np.abs(offsets[:, None, :] - ordered[:, :, None]) <= 0.3
    best = np.unravel_index(int(held.sum(axis=2).argmax()), ordered.shape)
    return np.flatnonzero(held[best])


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
    return fitted(pictures_at(a, frames).astype(np.float32), second, placing, _FINE_STEPS)


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
