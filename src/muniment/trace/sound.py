"""Whether two clips sound alike, from landmarks. It supports a match and never makes one."""

from __future__ import annotations

from typing import Final

import numpy as np

from muniment.trace.clip import Clip

_BIN_S: Final = 0.1
_LEAST_PAIRS: Final = 8
_LEAST_SHARE: Final = 0.04


def heard_alike(a: Clip, b: Clip) -> bool:
    """Whether enough landmarks of both are equal at one shift in time (speed 1 only)."""
    if not len(a.sound) or not len(b.sound):
        return False
    order = np.argsort(b.sound, kind="stable")
    ordered = b.sound[order]
    low, high = np.searchsorted(ordered, a.sound), np.searchsorted(ordered, a.sound, "right")
    counts = np.minimum(high - low, 8)
    total = int(counts.sum())
    if total < _LEAST_PAIRS:
        return False
    first = np.repeat(np.arange(len(a.sound)), counts)
    within = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    second = order[np.repeat(low, counts) + within]
    shifts = np.round((b.sound_s[second] - a.sound_s[first]) / _BIN_S).astype(np.int64)
    votes = np.bincount(shifts - shifts.min())
    near = votes[:-1] + votes[1:] if len(votes) > 1 else votes
    enough = max(_LEAST_PAIRS, round(_LEAST_SHARE * min(len(a.sound), len(b.sound))))
    return int(near.max()) >= enough
