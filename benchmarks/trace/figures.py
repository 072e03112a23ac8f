"""What a method scored, and the figures that follow: pure functions over pairs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import comb
from typing import Final

import numpy as np

from benchmarks.trace.build import COPY, NEGATIVES, SAME_CAMERA
from benchmarks.trace.copies import Stretch

#: stretch in both clips: a_start_s, a_end_s, b_start_s, b_end_s, speed; a is the reference
Segment = tuple[float, float, float, float, float]
_SURE: Final = 0.95


@dataclass(frozen=True)
class Scored:
    """One pair of a query and a reference.

    Attributes:
        scene: the camera of the reference: pairs of one scene are no independent sample.
        kind: `COPY` or one of the negatives.
        transform: of the query; empty where the query is a reference itself.
        called: whether the method calls it a copy at its own setting.
        verdict: ours in words; empty for peers.
    """

    query: str
    reference: str
    scene: str
    kind: str
    transform: str
    score: float
    called: bool
    verdict: str = ""
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True)
class Method:
    """All pairs by one method, and what it took.

    Attributes:
        setting: its own threshold, in words.
        hashing_cpu_s, matching_cpu_s: for all files of the split; for all pairs.
        hd_cpu_s: for the clips of at least 700 lines, as they are.
    """

    name: str
    setting: str
    pairs: tuple[Scored, ...]
    hashing_cpu_s: float
    matching_cpu_s: float
    hd_cpu_s: float


def highest_false(pairs: Collection[Scored], kinds: Collection[str] = NEGATIVES) -> float:
    """The highest score of a pair that is no copy, of some kinds."""
    false = [one.score for one in pairs if one.kind in kinds]
    return max(false, default=0.0)


def recall_above(pairs: Collection[Scored], limit: float) -> float:
    """Share of the copies that score higher."""
    return _share([one.score > limit for one in pairs if one.kind == COPY])


def recall_called(pairs: Collection[Scored]) -> float:
    """Share of the copies that the method calls copies at its own setting."""
    return _share([one.called for one in pairs if one.kind == COPY])


def false_called(pairs: Collection[Scored], kind: str | None = None) -> list[Scored]:
    """Pairs that are called copies and are none."""
    return [one for one in pairs if one.called and one.kind != COPY and kind in (None, one.kind)]


def micro_ap(pairs: Collection[Scored]) -> float:
    """Area under precision over recall of all pairs by score (micro average precision).

    Of equal scores those that are no copies come first; a score of 0 finds nothing.

    Example:
        >>> pair = lambda score, kind: Scored("q", "r", "s", kind, "", score, False)
        >>> micro_ap([pair(0.9, "copy"), pair(0.8, "other footage"), pair(0.7, "copy")])
        0.8333333333333333
    """
    copies = sum(one.kind == COPY for one in pairs)
    found = sorted((-one.score, one.kind == COPY) for one in pairs if one.score > 0)
    right = np.array([copy for _, copy in found], bool)
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    return float(precision[right].sum() / copies) if copies else 0.0


def upper_bound(failed: int, tried: int) -> float:
    """The exact (Clopper-Pearson) upper bound of a rate, one-sided, at 95 %.

    Example:
        >>> round(upper_bound(0, 20), 4), round(upper_bound(2, 20), 4)
        (0.1391, 0.2826)
    """
    if failed >= tried:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        few = sum(comb(tried, k) * rate**k * (1 - rate) ** (tried - k) for k in range(failed + 1))
        low, high = (rate, high) if few > 1 - _SURE else (low, rate)
    return high


def scenes(pairs: Collection[Scored], kind: str = SAME_CAMERA) -> set[str]:
    """The cameras that pairs of a kind come from."""
    return {one.scene for one in pairs if one.kind == kind}


def offset_error_s(segments: Sequence[Segment], truth: Stretch) -> float:
    """How far the longest segment is off at its middle, in seconds of the copy."""
    one = max(segments, key=lambda segment: segment[1] - segment[0])
    middle = (one[0] + one[1]) / 2
    ours = one[2] + (middle - one[0]) * one[4]
    return abs(ours - truth.to_s - (middle - truth.from_s) * truth.speed)


def overlap(segments: Sequence[Segment], truth: Stretch) -> float:
    """Intersection over union, in the copy, of the segments and the true stretch.

    Example:
        >>> overlap([(0.0, 3.0, 1.0, 4.0, 1.0)], Stretch(0.0, 4.0, 1.0, 1.0))
        0.75
    """
    begin, end = truth.to_s, truth.to_s + (truth.until_s - truth.from_s) * truth.speed
    shown = _joined([(one[2], one[3]) for one in segments])
    both = sum(max(0.0, min(until, end) - max(start, begin)) for start, until in shown)
    return both / (sum(until - start for start, until in shown) + end - begin - both)


def _joined(stretches: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    out = list[tuple[float, float]]()
    for start, until in sorted(stretches):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(until, out[-1][1]))
        else:
            out.append((start, until))
    return out


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else 0.0
