"""Which second of a cluster's footage exists in which copy, and each copy beside the fullest."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from muniment.model.differences import ClusterDifferences, Difference
from muniment.model.report_differences import (
    DifferencesView,
    DifferenceView,
    PieceView,
    SourceView,
)
from muniment.model.report_seen import CompositeView, CopyRow, FrameView, OnlyHere, ShownSpan

#: Seconds of a copy that no segment covers are said to be only there from this length on: below, it
#: is the grid of the samples.
LEAST_ONLY_S: Final = 1.0


def composite(
    found: ClusterDifferences,
    names: Mapping[str, str],
    durations: Mapping[str, float],
    identity: Callable[[str], str] = str,
    decided: Mapping[str, str] | None = None,
) -> CompositeView | None:
    """Rows over the seconds of the composite: the fullest version, then the others in the order of
    `names`; None where no length is known.

    Args:
        names: each member of the cluster and its name.
        durations: seconds of each member.
        identity: makes an item's id of what a member is called in `found`.
        decided: member -> by whose decision alone it is beside the others.
    """
    line = found.composite
    if not line.length_s:
        return None
    spans: dict[str, list[ShownSpan]] = {}
    for one in line.shown:
        times = (one.start_s, one.end_s, one.clip_start_s, one.clip_end_s)
        if all(map(math.isfinite, times)):
            spans.setdefault(one.clip, []).append(ShownSpan(*times, one.speed, one.mirrored))
    rows = [
        CopyRow(
            identity(item),
            names.get(item, item),
            tuple(spans.get(item, ())),
            _only(spans.get(item, []), durations.get(item, 0.0), line.length_s),
            bool(spans.get(item)),
            (decided or {}).get(item, ""),
        )
        for item in (found.fullest, *(item for item in names if item != found.fullest))
    ]
    return CompositeView(
        identity(found.fullest),
        names.get(found.fullest, found.fullest),
        line.length_s,
        tuple(rows),
        tuple(
            PieceView(
                identity(one.clip),
                names.get(one.clip, one.clip),
                one.at_s,
                one.at_s + one.length_s,
            )
            for one in line.pieces
            if one.clip != found.fullest
        ),
        tuple(
            SourceView(identity(one.clip), names.get(one.clip, one.clip), one.start_s, one.end_s)
            for one in line.best
        ),
    )


def differences_view(
    found: ClusterDifferences,
    names: Mapping[str, str],
    frame: Callable[[str, float], FrameView | None],
    identity: Callable[[str], str] = str,
) -> DifferencesView:
    """The copies beside the fullest version, each with a moment of both.

    Args:
        names: each member of the cluster and its name.
        frame: fetches the picture of a member at a time.
        identity: as in `composite`.
    """
    views: list[DifferenceView] = []
    for one in found.differences:
        at = _moment(one, found)
        first = frame(found.fullest, at[0]) if at is not None else None
        second = frame(one.copy, at[1]) if at is not None else None
        added = tuple(
            msgspec.structs.replace(gap, also_in=tuple(map(identity, gap.also_in)))
            for gap in one.added
        )
        item = identity(one.copy)
        views.append(
            DifferenceView(
                item,
                names.get(one.copy, one.copy),
                msgspec.structs.replace(one, copy=item, added=added),
                first.key if first else None,
                first.time_s if first else None,
                second.key if second else None,
                second.time_s if second else None,
            )
        )
    return DifferencesView(
        identity(found.fullest),
        names.get(found.fullest, found.fullest),
        found.why,
        found.making,
        tuple(views),
        {identity(item): name for item, name in names.items()},
    )


def _moment(one: Difference, found: ClusterDifferences) -> tuple[float, float] | None:
    """A moment in the fullest version and in a copy: while most is covered, else in mid-stretch."""
    shown = [
        (part, piece.start_s + part.start_s - piece.at_s)
        for part in found.composite.shown
        if part.clip == one.copy
        for piece in found.composite.pieces
        if piece.clip == found.fullest
        and piece.at_s - 1e-3 <= part.start_s
        and part.end_s <= piece.at_s + piece.length_s + 1e-3
    ]
    if not shown:
        return None
    part, start_s = max(shown, key=lambda each: each[0].end_s - each[0].start_s)
    wanted = (part.clip_start_s + part.clip_end_s) / 2
    if one.covered:
        wanted = (one.covered[0].start_s + one.covered[0].end_s) / 2
        wanted = min(max(wanted, part.clip_start_s), part.clip_end_s)
    # Strips hold a picture a second: in mid-second both are of the same one where they can be.
    rate = (part.end_s - part.start_s) / max(1e-3, part.clip_end_s - part.clip_start_s)
    second = math.floor(start_s + (wanted - part.clip_start_s) * rate) + 0.5
    snapped = part.clip_start_s + (second - start_s) / max(rate, 1e-3)
    if part.clip_start_s <= snapped <= part.clip_end_s:
        wanted = snapped
    share = (wanted - part.clip_start_s) / max(1e-3, part.clip_end_s - part.clip_start_s)
    return start_s + share * (part.end_s - part.start_s), wanted


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
