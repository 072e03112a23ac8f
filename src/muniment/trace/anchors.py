"""Places where two long clips may show the same: from hashes of pictures, and from what moves.

Hashes tell moments apart where the picture changes; of a fixed camera they do not, and what moves
is correlated over the whole length at speed 1 (by FFT, in blocks of 20 minutes of the shorter).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.register import Guess, Looked
from muniment.trace.residual import SAMPLES, Floats
from muniment.trace.views import MIRROR_WORDS, RADIUS, codes, exact_index

if TYPE_CHECKING:
    from muniment.trace.windows import Two

_NEIGHBOURS: Final = 8
_BIN_A_S: Final = 20.0
_BIN_SHIFT_S: Final = 4.0
_MOST_OF_HASHES: Final = 64
#: moments of the shorter clip that are correlated at once, and of either that are read at once
_BLOCK: Final = 6000
_AT_ONCE: Final = 600
_MARGIN_S: Final = 2.0
_PEAKS: Final = 3
#: how far a peak must stand out, in median absolute deviations
_OUTSTANDING: Final = 9.0
_NOISE: Final = 1.5
_PLACES: Final = 4
_PLACE_S: Final = 60.0
_CELL: Final = 4


@dataclass(frozen=True)
class Anchor:
    """Moments of a and of b that may be the same, in seconds, and how much speaks for it."""

    a_s: float
    b_s: float
    weight: float


def anchors(a: Looked, b: Looked, guess: Guess, two: Two) -> list[Anchor]:
    """Proposed places, by turns of motion and of hashes, each with the likeliest first."""
    moved, hashed = _by_motion(two), _by_hashes(a, b, guess)
    found: list[Anchor] = []
    for at in range(max(len(moved), len(hashed))):
        found += [*moved[at : at + 1], *hashed[at : at + 1]]
    return found


def _by_hashes(a: Looked, b: Looked, guess: Guess) -> list[Anchor]:
    """Bins of time and shift, by the weight of the near frames in them."""
    turn = MIRROR_WORDS if guess.placing.mirrored else np.uint64(0)
    frames_a, frames_b = a.frames, b.frames
    if guess.view == 0:
        one, other = a.whole, b.whole ^ turn
    elif guess.crops_a:
        frames_a = a.viewed
        one, other = a.views[guess.view], b.whole ^ turn
    else:
        frames_b = b.viewed
        one, other = a.whole, b.views[guess.view] ^ turn
    index = exact_index()
    index.add(codes(other))
    apart, place = index.search(codes(one), min(_NEIGHBOURS, len(other)))
    near = (apart <= RADIUS) & (place >= 0)
    rows, columns = np.nonzero(near)
    if not len(rows):
        return []
    times_a = a.clip.times_s[frames_a[rows]]
    times_b = b.clip.times_s[frames_b[place[rows, columns]]]
    weights = 1.0 - apart[rows, columns] / (RADIUS + 1)
    return _binned(times_a, times_b, weights)


def _binned(
    times_a: NDArray[np.float64], times_b: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[Anchor]:
    shifts = np.round((times_b - times_a) / _BIN_SHIFT_S).astype(np.int64)
    keys = np.stack((np.floor(times_a / _BIN_A_S).astype(np.int64), shifts), axis=1)
    _, bins = np.unique(keys, axis=0, return_inverse=True)
    total = np.bincount(bins, weights)
    mean_a = np.bincount(bins, weights * times_a) / np.maximum(total, 1e-9)
    mean_b = np.bincount(bins, weights * times_b) / np.maximum(total, 1e-9)
    order = np.argsort(-total, kind="stable")[:_MOST_OF_HASHES]
    return [Anchor(float(mean_a[at]), float(mean_b[at]), float(total[at])) for at in order]


def _by_motion(two: Two) -> list[Anchor]:
    """Places where what moves correlates at one shift in time, the most outstanding first."""
    step = two.step_s
    one, other = _told(two, True, step), _told(two, False, step)
    swapped = len(one) < len(other)
    if swapped:
        one, other = other, one
    found: list[Anchor] = []
    size = 1 << (len(one) + min(_BLOCK, len(other))).bit_length()
    spectrum = np.stack([np.fft.rfft(row, size).astype(np.complex64) for row in one.T])
    for begin in range(0, len(other), _BLOCK):
        part = other[begin : begin + _BLOCK]
        if not part.any():
            continue
        for shift, weight in _peaks(spectrum, part, size, len(one)):
            for at in _places(one, part, shift, step):
                times = (at + shift) * step, (begin + at) * step
                a_s, b_s = times[::-1] if swapped else times
                found.append(Anchor(a_s + two.a.motion_s[0], b_s + two.b.motion_s[0], weight))
    return sorted(found, key=lambda anchor: -anchor.weight)


def _told(two: Two, of_a: bool, step: float) -> Floats:
    """What moves in a clip as 36 numbers a moment, a moment every `step` seconds."""
    clip = two.a if of_a else two.b
    begin, end = float(clip.motion_s[0]), float(clip.motion_s[-1])
    none = (np.inf, np.inf)
    kept: list[Floats] = []
    at_once_s = _AT_ONCE * step
    for from_s in np.arange(begin, end, at_once_s).tolist():
        stretch = from_s - _MARGIN_S, from_s + at_once_s + _MARGIN_S
        seen = two.parts(stretch, none)[0] if of_a else two.parts(none, stretch)[1]
        wanted = np.arange(from_s, min(from_s + at_once_s, end + step / 2) - step / 2, step)
        if len(seen.times_s) < 3:
            kept.append(np.zeros((len(wanted), (SAMPLES // _CELL) ** 2), np.float32))
            continue
        places = np.clip(np.searchsorted(seen.times_s, wanted - step / 4), 0, len(seen.times_s) - 1)
        kept.append(_cells(seen.passing[places]))
    return np.concatenate(kept)


def _cells(moved: Floats) -> Floats:
    """Means of blocks, over the strength of the moment (n x 36)."""
    side = SAMPLES // _CELL
    means = moved.reshape(-1, side, _CELL, side, _CELL).mean(axis=(2, 4)).reshape(len(moved), -1)
    strength = np.sqrt((means**2).mean(axis=1, keepdims=True) + _NOISE)
    return np.asarray(means / strength, dtype=np.float32)


def _peaks(
    spectrum: NDArray[np.complex64], part: Floats, size: int, length: int
) -> list[tuple[int, float]]:
    """Shifts of `part` in the longer clip at which motion correlates outstandingly."""
    total = np.zeros(size // 2 + 1, np.complex64)
    for own, row in zip(spectrum, part.T, strict=True):
        total += own * np.conj(np.fft.rfft(row, size))
    along = np.fft.irfft(total, size)
    along = np.concatenate((along[size - len(part) + 1 :], along[:length]))
    middle = float(np.median(along))
    deviation = float(np.median(np.abs(along - middle))) + 1e-6
    found: list[tuple[int, float]] = []
    for _ in range(_PEAKS):
        top = int(along.argmax())
        outstanding = (float(along[top]) - middle) / deviation
        if outstanding < _OUTSTANDING:
            break
        found.append((top - len(part) + 1, outstanding))
        along[max(0, top - 25) : top + 26] = middle
    return found


def _places(one: Floats, part: Floats, shift: int, step: float) -> list[int]:
    """Moments of `part` around which it agrees most with the longer clip at a shift."""
    low, high = max(0, -shift), min(len(part), len(one) - shift)
    if high - low < 3:
        return []
    agreed = (one[low + shift : high + shift] * part[low:high]).sum(axis=1)
    reach = max(1, round(_PLACE_S / step) // 2)
    kernel = np.ones(2 * reach + 1)
    smooth = np.convolve(agreed, kernel)[reach : reach + len(agreed)]
    found: list[int] = []
    for _ in range(_PLACES):
        top = int(smooth.argmax())
        if smooth[top] <= 0:
            break
        found.append(low + top)
        smooth[max(0, top - 2 * reach) : top + 2 * reach + 1] = 0.0
    return found
