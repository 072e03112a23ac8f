"""Sound as landmarks: pairs of spectral peaks, each a hash of two pitches and the time between.

After Wang, "An industrial-strength audio search algorithm" (ISMIR 2003), from mono 16 kHz samples.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 16_000
WINDOW: Final = 1024
HOP: Final = 512
BINS: Final = 256  # up to 4 kHz: what low bit rates keep
_REACH_FRAMES: Final = 4
_REACH_BINS: Final = 8
_FLOOR_DB: Final = 55.0
_PEAKS_PER_S: Final = 14
_FAN_OUT: Final = 3
_MOST_FRAMES: Final = 40
_MOST_BINS: Final = 63
BLOCK_S: Final = 16
_MARGIN_FRAMES: Final = _MOST_FRAMES + _REACH_FRAMES

_HANN: Final = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)
Landmarks = tuple[NDArray[np.uint32], NDArray[np.uint32]]


def _levels(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Spectrum in decibels, frames x bins."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames.astype(np.float32) * _HANN, axis=1)[:, :BINS]) ** 2
    return np.asarray(10 * np.log10(power + 1.0), dtype=np.float32)


def _highest(levels: NDArray[np.float32], reach: int, axis: int) -> NDArray[np.float32]:
    """The highest level within `reach` each way along an axis.

    Of a window of 2^k the maximum is that of two windows half as long; of another length, that of
    two windows of 2^k that overlap.
    """
    pad = [(0, 0), (0, 0)]
    pad[axis] = (reach, reach)
    highest = np.pad(levels, pad, constant_values=-1.0)
    length, wanted = 1, 2 * reach + 1
    while length < wanted:
        step = min(length, wanted - length)
        highest = np.maximum(_from(highest, 0, step, axis), _from(highest, step, 0, axis))
        length += step
    return highest


def _from(levels: NDArray[np.float32], first: int, less: int, axis: int) -> NDArray[np.float32]:
    """Without the first and the last few along an axis."""
    part = slice(first, levels.shape[axis] - less)
    return levels[part] if axis == 0 else levels[:, part]


def _peaks(levels: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Frames and bins of local maxima, the loudest of each second, in time order."""
    around = _highest(_highest(levels, _REACH_BINS, 1), _REACH_FRAMES, 0)
    frames, bins = np.nonzero((levels >= around) & (levels > _FLOOR_DB))
    second = frames * HOP // RATE_HZ
    order = np.lexsort((bins, frames, -levels[frames, bins], second))
    ranked = second[order]
    first = np.searchsorted(ranked, ranked)
    kept = np.sort(order[np.arange(len(order)) - first < _PEAKS_PER_S])
    return frames[kept], bins[kept]


def landmarks(samples: NDArray[np.int16]) -> Landmarks:
    """Hashes and times (in frames of 32 ms from the first sample), in time order.

    A hash is pitch (8 bits), difference of pitch + 64 (7 bits), time between (6 bits).
    """
    empty = np.zeros(0, np.uint32)
    if len(samples) < WINDOW:
        return empty, empty
    frames, bins = _peaks(_levels(samples))
    found: list[tuple[int, int]] = []
    for at in range(len(frames)):
        partners = 0
        for to in range(at + 1, len(frames)):
            gap, rise = int(frames[to] - frames[at]), int(bins[to] - bins[at])
            if gap > _MOST_FRAMES or partners == _FAN_OUT:
                break
            if gap < 2 or abs(rise) > _MOST_BINS:
                continue
            found.append((int(frames[at]), int(bins[at]) << 13 | (rise + 64) << 6 | gap))
            partners += 1
    if not found:
        return empty, empty
    table = np.array(found, np.uint32)
    return table[:, 1], table[:, 0]


class Listening:
    """Landmarks of a stream of samples, block by block, in bounded memory."""

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.int16)
        self._begins_s = 0.0
        self._hashes: list[NDArray[np.uint32]] = []
        self._times: list[NDArray[np.uint32]] = []
        self.heard_s = 0.0
        self.loudest = 0

    def hear(self, time_s: float, samples: NDArray[np.int16]) -> None:
        """Take a run of samples that begins at `time_s`; a gap of over 0.1 s starts anew."""
        expected = self._begins_s + len(self._waiting) / RATE_HZ
        if abs(time_s - expected) > 0.1:
            self._flush(len(self._waiting))
            self._waiting = np.zeros(0, np.int16)
            self._begins_s = time_s
        self._waiting = np.concatenate((self._waiting, samples.reshape(-1)))
        self.heard_s += samples.size / RATE_HZ
        if samples.size:
            self.loudest = max(self.loudest, int(np.abs(samples.astype(np.int32)).max()))
        block = BLOCK_S * RATE_HZ // HOP * HOP
        while len(self._waiting) >= block + _MARGIN_FRAMES * HOP + WINDOW:
            self._flush(block)

    def _flush(self, count: int) -> None:
        """Landmarks that begin in the first `count` samples; these are then let go."""
        found, frames = landmarks(self._waiting[: count + _MARGIN_FRAMES * HOP + WINDOW])
        own = frames.astype(np.int64) * HOP < count
        times = np.round(self._begins_s * 1000 + frames[own] * (1000 * HOP / RATE_HZ))
        self._hashes.append(found[own])
        self._times.append(np.maximum(times, 0).astype(np.uint32))
        self._waiting = self._waiting[count:]
        self._begins_s += count / RATE_HZ

    def end(self) -> Landmarks:
        """All hashes, and their times in milliseconds."""
        self._flush(len(self._waiting))
        self._waiting = np.zeros(0, np.int16)
        return np.concatenate(self._hashes), np.concatenate(self._times)
