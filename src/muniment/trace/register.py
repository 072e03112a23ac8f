"""Where one clip's picture lies in another's: from hash distances of views, refined on grey pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import Box
from muniment.trace.clip import Clip, pictures_at
from muniment.trace.insets import insets
from muniment.trace.placing import Placing, fitted
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
#: of the search for a placing: from pairs of frames, and again from pictures of one moment
_STEPS: Final = (0.04, 0.02, 0.01)
_FINE_STEPS: Final = (0.01, 0.005)
_PAIRS: Final = 4
#: mean hash distance, in bits, from which on whole pictures are clearly the same
_CLEAR_BITS: Final = 24.0
_LINE_SPEEDS: Final = np.array((1.0, 0.9, 1.1, 0.8, 1.25))


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
