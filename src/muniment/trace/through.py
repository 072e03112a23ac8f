"""What two clips are to each other by way of a third that both were compared with."""

from __future__ import annotations

from typing import Final

from muniment.model.trace import Pair, Segment, Verdict
from muniment.trace.turning import composed, inverse

_LEAST_S: Final = 1.5
#: how the first reason of a pair begins that was not compared itself
BY_WAY: Final = "by way of "


def middle(pair: Pair) -> str | None:
    """The third clip by way of which a pair was told; None for one that was compared itself.

    Example:
        >>> middle(Pair("a", "b", Verdict.SAME_FOOTAGE, 1.0, reasons=("by way of c, which ...",)))
        'c'
    """
    first = pair.reasons[0] if pair.reasons else ""
    return first.removeprefix(BY_WAY).partition(",")[0] if first.startswith(BY_WAY) else None


def turned(pair: Pair) -> Pair:
    """The same pair seen from b."""
    segments = tuple(
        Segment(
            a_start_s=one.b_start_s,
            a_end_s=one.b_end_s,
            b_start_s=one.a_start_s,
            b_end_s=one.a_end_s,
            speed=round(1.0 / one.speed, 4),
            score=one.score,
        )
        for one in pair.segments
    )
    return Pair(
        a=pair.b,
        b=pair.a,
        verdict=pair.verdict,
        score=pair.score,
        segments=segments,
        transform=None if pair.transform is None else inverse(pair.transform),
        sound=pair.sound,
        motion_correlation=pair.motion_correlation,
        reasons=pair.reasons,
    )


def through(first: Pair, second: Pair, a: str, b: str) -> Pair | None:
    """The pair of the clips a and b, where `first` pairs a with a third and `second` that with b.

    Both must be the same footage; None when no stretch of 1.5 s is shared by way of the third.
    """
    one = first if first.a == a else turned(first)
    other = second if second.b == b else turned(second)
    if one.b != other.a or {one.verdict, other.verdict} != {Verdict.SAME_FOOTAGE}:
        return None
    joined = [_joined(x, y) for x in one.segments for y in other.segments]
    segments = tuple(found for found in joined if found is not None)
    if not segments:
        return None
    correlation = min(one.motion_correlation or 0.0, other.motion_correlation or 0.0)
    return Pair(
        a=a,
        b=b,
        verdict=Verdict.SAME_FOOTAGE,
        score=min(one.score, other.score),
        segments=segments,
        transform=None
        if one.transform is None or other.transform is None
        else composed(one.transform, other.transform),
        sound=one.sound and other.sound,
        motion_correlation=correlation,
        reasons=(
            f"{BY_WAY}{one.b}, which shows the same footage as both; not compared directly",
            *other.reasons,
        ),
    )


def inferred(first: Pair, second: Pair, a: str, b: str) -> Pair:
    """The pair of the clips a and b by way of a third, which the one lies in wholly as the same
    footage and which is not the same footage as the other: neither are a and b."""
    third = first.b if first.a == a else first.a
    told = first if first.verdict is not Verdict.SAME_FOOTAGE else second
    why = f"{BY_WAY}{third}, in which one of them lies wholly; not compared directly"
    return Pair(
        a=a,
        b=b,
        verdict=told.verdict,
        score=told.score,
        sound=first.sound and second.sound,
        motion_correlation=told.motion_correlation,
        reasons=(why, *(one for one in told.reasons if not one.startswith("from "))),
    )


def _joined(one: Segment, other: Segment) -> Segment | None:
    """What a shares with the third in `one`, and the third with b in `other`."""
    low = max(one.b_start_s, other.a_start_s)
    high = min(one.b_end_s, other.a_end_s)
    if high - low < _LEAST_S:
        return None
    return Segment(
        a_start_s=round(one.a_start_s + (low - one.b_start_s) / one.speed, 3),
        a_end_s=round(one.a_start_s + (high - one.b_start_s) / one.speed, 3),
        b_start_s=round(other.b_start_s + (low - other.a_start_s) * other.speed, 3),
        b_end_s=round(other.b_start_s + (high - other.a_start_s) * other.speed, 3),
        speed=round(one.speed * other.speed, 4),
        score=min(one.score, other.score),
    )
