"""Seconds of a clip: what segments leave out of it, and where it cuts to another picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from muniment.trace.clip import Clip

Span = tuple[float, float]
#: seconds that no segment covers are said to be left out from this length on: below is the grid
LEAST_S: Final = 1.0
#: how far from the end of a segment a cut may lie and still be the end of what is shared
_NEAR_S: Final = 1.0
#: grey levels by which two moments a fifth of a second apart differ over a cut
_CUT_LEVELS: Final = 24.0
_TURNED: Final = 0.5
_TURNED_LEVELS: Final = 8.0
_CHUNK: Final = 4096


def left_out(spans: Iterable[Span], end_s: float, least_s: float = LEAST_S) -> list[Span]:
    """What of 0 to `end_s` no span covers, from `least_s` seconds on.

    Example:
        >>> left_out([(2.0, 4.0), (3.5, 9.8)], 10.0)
        [(0.0, 2.0)]
    """
    found: list[Span] = []
    at = 0.0
    for start, end in sorted(spans):
        if start - at >= least_s:
            found.append((at, min(start, end_s)))
        at = max(at, end)
    if end_s - at >= least_s:
        found.append((at, end_s))
    return found


def united(spans: Iterable[Span]) -> list[Span]:
    """The spans without overlap, in order.

    Example:
        >>> united([(3.0, 5.0), (0.0, 1.0), (4.0, 6.0)])
        [(0.0, 1.0), (3.0, 6.0)]
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def length_s(spans: Iterable[Span]) -> float:
    """Seconds in all spans together, overlaps once."""
    return sum(end - start for start, end in united(spans))


def cuts(clip: Clip) -> list[float]:
    """Where a clip cuts: seconds at which the picture is another from one moment to the next."""
    found: list[float] = []
    for first in range(0, max(0, len(clip.motion_s) - 1), _CHUNK):
        shown = clip.motion_at(slice(first, first + _CHUNK + 1)).astype(np.float32)
        shown = shown.reshape(len(shown), -1)
        apart = np.abs(np.diff(shown, axis=0)).mean(axis=1)
        flat = shown - shown.mean(axis=1, keepdims=True)
        norms = np.maximum(np.linalg.norm(flat, axis=1), 1.0)
        alike = (flat[1:] * flat[:-1]).sum(axis=1) / (norms[1:] * norms[:-1])
        turned = (alike < _TURNED) & (apart > _TURNED_LEVELS)
        at = np.flatnonzero((apart > _CUT_LEVELS) | turned)
        found += [float(clip.motion_s[first + one + 1]) for one in at.tolist()]
    return found


def runs_on(gap: Span, cut_s: Sequence[float], end_s: float) -> list[Span]:
    """What of a gap between shared seconds goes on from them, or leads to them, without a cut.

    Args:
        cut_s: where the clip cuts.
        end_s: the clip's length.
    """
    found: list[Span] = []
    if gap[0] > 0:
        until = min((one for one in cut_s if one > gap[0] - _NEAR_S), default=end_s)
        if until - gap[0] > _NEAR_S:
            found.append((gap[0], min(until, gap[1])))
    if gap[1] < end_s:
        since = max((one for one in cut_s if one < gap[1] + _NEAR_S), default=0.0)
        if gap[1] - since > _NEAR_S:
            found.append((max(since, gap[0]), gap[1]))
    return united(found)
