"""How a copy sounds beside another, at the shift in time that their pictures have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.model.differences import Sound
from muniment.model.trace import Segment
from muniment.trace.clip import Clip
from muniment.trace.sound import heard_alike

#: landmarks the shared seconds must have in both clips to say that their sound is another
LEAST_LANDMARKS: Final = 60
#: landmarks that agree at the shift of the pictures in sound that is the same (measured: 7 to 445 in
#: 42 copies), and the most that do in sound that is not (0 or 1 in 31 pairs)
_SAME: Final = 4
_OTHER: Final = 1
#: landmarks, and their share, that agree at another shift where the sound was moved
_MOVED: Final = 12
_MOVED_SHARE: Final = 0.08
_BIN_S: Final = 0.1
#: shift of sound against picture that is the grid of segments, no shift
_IN_TIME_S: Final = 0.5
#: speed beyond which landmarks of one sound no longer agree
_STEADY: Final = 0.02
#: loudest sample (of 32,767) up to which a track is silent
SILENT: Final = 64


def heard(
    a: Clip, b: Clip, segments: Sequence[Segment], loudest: tuple[int | None, int | None]
) -> tuple[Sound, float | None]:
    """How b sounds beside a, and by how many seconds the sound comes later than the picture.

    Args:
        loudest: the loudest sample of each; None where a file has no sound track.
    """
    if loudest[1] is None or loudest[1] <= SILENT:
        if loudest[0] is None or loudest[0] <= SILENT:
            return Sound.NEITHER, None
        return (Sound.NO_TRACK if loudest[1] is None else Sound.SILENT), None
    if loudest[0] is None or loudest[0] <= SILENT:
        return Sound.ADDED, None
    even = [one for one in segments if abs(one.speed - 1) <= _STEADY]
    if not even:
        return (Sound.SAME if heard_alike(a, b) else Sound.UNKNOWN), None
    votes, shifts, fewest = _votes(a, b, even)
    in_time = np.abs(shifts) <= _IN_TIME_S
    here = int(votes[in_time].max(initial=0))
    elsewhere = np.where(in_time, 0, votes)
    there = int(elsewhere.max(initial=0))
    if here >= _SAME and here >= there:
        return Sound.SAME, None
    if there >= max(_MOVED, _MOVED_SHARE * fewest):
        return Sound.SHIFTED, round(float(shifts[int(elsewhere.argmax())]), 1)
    is_other = here <= _OTHER and fewest >= LEAST_LANDMARKS and not heard_alike(a, b)
    return (Sound.OTHER if is_other else Sound.UNKNOWN), None


def _votes(
    a: Clip, b: Clip, segments: Sequence[Segment]
) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """For each shift of b's sound against its picture: how many landmarks agree, within the seconds
    that the segments share; and how many the clip with fewer has there."""
    apart: list[NDArray[np.float64]] = []
    fewest = 0
    for one in segments:
        in_b = np.flatnonzero((b.sound_s >= one.b_start_s) & (b.sound_s <= one.b_end_s))
        in_a = np.flatnonzero((a.sound_s >= one.a_start_s) & (a.sound_s <= one.a_end_s))
        fewest += min(len(in_a), len(in_b))
        order = in_b[np.argsort(b.sound[in_b], kind="stable")]
        ordered = b.sound[order]
        low = np.searchsorted(ordered, a.sound[in_a])
        high = np.searchsorted(ordered, a.sound[in_a], "right")
        counts = np.minimum(high - low, 8)
        first = np.repeat(in_a, counts)
        within = np.arange(len(first)) - np.repeat(np.cumsum(counts) - counts, counts)
        second = order[np.repeat(low, counts) + within]
        expected = one.b_start_s + (a.sound_s[first] - one.a_start_s) * one.speed
        apart.append(b.sound_s[second] - expected)
    every = np.concatenate(apart) if apart else np.zeros(0)
    if not len(every):
        return np.zeros(1, np.int64), np.zeros(1), fewest
    binned = np.round(every / _BIN_S).astype(np.int64)
    counted = np.bincount(binned - binned.min(), minlength=3)
    near: NDArray[np.int64] = counted + np.append(counted[1:], 0) + np.insert(counted[:-1], 0, 0)
    shifts = np.arange(len(near), dtype=np.float64) + float(binned.min())
    return near, shifts * np.float64(_BIN_S), fewest
