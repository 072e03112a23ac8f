"""Which second of a reference copy exists in which other copy, from pairs of same footage."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from muniment.model.report_seen import CompositeView, CopyRow, OnlyHere, ShownSpan
from muniment.model.trace import Pair, Segment, Verdict

#: Seconds of a copy that no segment covers are said to be only there from this length on: below, it
#: is the grid of the samples.
LEAST_ONLY_S: Final = 1.0


def composite(
    reference: str,
    names: Mapping[str, str],
    durations: Mapping[str, float],
    pairs: Iterable[Pair],
    decided: Mapping[str, str] | None = None,
) -> CompositeView:
    """Rows over the seconds of `reference`: itself, then the others in the order of `names`.

    Args:
        reference: the item whose seconds are the axis; the longest copy shows most.
        names: each member of the cluster and its name.
        durations: seconds of each member.
        decided: item -> by whose decision alone it is in the cluster.
        pairs: any pairs; those that count as the same footage as the reference are used.
    """
    found: dict[str, list[ShownSpan]] = {}
    decided_by = dict(decided or {})
    for pair in pairs:
        if not pair.joins or reference not in (pair.a, pair.b):
            continue
        mirrored = pair.transform is not None and pair.transform.mirrored
        is_first = pair.a == reference
        other = pair.b if is_first else pair.a
        if other != reference:
            spans = found.setdefault(other, [])
            spans += [_span(one, is_first, mirrored) for one in pair.segments if _is_sane(one)]
            if pair.decision is not None and pair.verdict is not Verdict.SAME_FOOTAGE:
                decided_by[other] = pair.decision.by
    length_s = durations.get(reference, 0.0)
    own = CopyRow(
        reference, names.get(reference, reference), (ShownSpan(0.0, length_s, 0.0, length_s),)
    )
    rows = [own]
    for item, name in names.items():
        if item == reference:
            continue
        spans = sorted(found.get(item, ()), key=lambda span: (span.start_s, span.end_s))
        only = _only(spans, durations.get(item, 0.0), length_s)
        rows.append(CopyRow(item, name, tuple(spans), only, bool(spans), decided_by.get(item, "")))
    return CompositeView(reference, own.name, length_s, tuple(rows))


def uncovered(spans: Sequence[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """What of 0 to `end_s` no span covers.

    Example:
        >>> uncovered([(1.0, 2.0), (1.5, 4.0)], 6.0)
        [(0.0, 1.0), (4.0, 6.0)]
    """
    left: list[tuple[float, float]] = []
    at = 0.0
    for start, end in sorted(spans):
        if start > at:
            left.append((at, min(start, end_s)))
        at = max(at, end)
        if at >= end_s:
            break
    if at < end_s:
        left.append((at, end_s))
    return left


def _is_sane(one: Segment) -> bool:
    times = (one.a_start_s, one.a_end_s, one.b_start_s, one.b_end_s, one.speed)
    return all(math.isfinite(value) for value in times)


def _span(one: Segment, is_first: bool, mirrored: bool) -> ShownSpan:
    if is_first:
        return ShownSpan(
            one.a_start_s, one.a_end_s, one.b_start_s, one.b_end_s, one.speed, mirrored
        )
    speed = 1 / one.speed if one.speed else 1.0
    return ShownSpan(one.b_start_s, one.b_end_s, one.a_start_s, one.a_end_s, speed, mirrored)


def _only(spans: list[ShownSpan], duration_s: float, length_s: float) -> tuple[OnlyHere, ...]:
    """The copy's seconds outside every span, each at the place where its neighbours stand."""
    if not spans:
        return ()
    gaps = uncovered([(span.copy_start_s, span.copy_end_s) for span in spans], duration_s)
    by_copy = sorted(spans, key=lambda span: span.copy_start_s)
    found = []
    for start, end in gaps:
        if end - start < LEAST_ONLY_S:
            continue
        before = [span for span in by_copy if span.copy_end_s <= start + 1e-6]
        after = [span for span in by_copy if span.copy_start_s >= end - 1e-6]
        at_s = before[-1].end_s if before else after[0].start_s if after else None
        at_s = None if at_s is None else min(max(at_s, 0.0), length_s)
        found.append(OnlyHere(start, end, at_s))
    return tuple(found)
