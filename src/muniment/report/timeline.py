"""Pictures over the seconds of a clip: where a pair's segments lie, and a cluster's composite.

Coordinates are text with one decimal, as in scene.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report_differences import PieceView, SourceView
from muniment.model.report_seen import CompositeView, CopyRow, PairView, ShownSpan
from muniment.report.scene import LEFT, WIDTH, at
from muniment.report.wording import clip_time, fit, line, stretch

#: Copies drawn on one time line; the table has the others.
MOST_ROWS_DRAWN: Final = 40
#: Spans drawn in one row, segments in one pair.
MOST_SPANS: Final = 60
#: Stretches of one number of copies drawn side by side.
MOST_CELLS: Final = 100
#: A speed nearer to 1 than this is the grid of the comparison (as in `trace.differences`).
STEADY: Final = 0.03
ROW_PX: Final = 33.0
HEAD_PX: Final = 66.0
#: taken by the strip of best sources
BEST_PX: Final = 27.0
_RIGHT: Final = WIDTH - 24
_STEPS_S: Final = (
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0),
    *(900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 36_000.0, 86_400.0),
)


class Box(msgspec.Struct, frozen=True):
    """A bar: `kind` tells how it is filled (`shown`, `mirrored`, `decided`, `count`, `one`), `label`
    stands in it."""

    x: str
    width: str
    kind: str
    label: str
    title: str
    middle: str


class Wedge(msgspec.Struct, frozen=True):
    """Seconds that only one copy has, at the place on the axis where they stand."""

    x: str
    label: str
    title: str


class Row(msgspec.Struct, frozen=True):
    """One copy's bars; `note` stands in its row where there is nothing to draw."""

    y: str
    item: str
    label: str
    title: str
    boxes: tuple[Box, ...]
    wedges: tuple[Wedge, ...]
    note: str


class AxisTick(msgspec.Struct, frozen=True):
    """A labelled second."""

    x: str
    label: str


class TimeLine(msgspec.Struct, frozen=True):
    """A composite time line, ready to be drawn."""

    height: str
    ticks: tuple[AxisTick, ...]
    counts: tuple[Box, ...]
    best: tuple[Box, ...]
    further: tuple[Box, ...]
    rows: tuple[Row, ...]
    more: int
    title: str
    description: str


class Link(msgspec.Struct, frozen=True):
    """One segment in two clips: the four corners of the band between their bars, and its number."""

    path: str
    x_a: str
    width_a: str
    x_b: str
    width_b: str
    middle_a: str
    middle_b: str
    number: str
    title: str


class PairBars(msgspec.Struct, frozen=True):
    """Two bars on one scale of seconds, and what they share."""

    width_a: str
    width_b: str
    ticks: tuple[AxisTick, ...]
    links: tuple[Link, ...]
    description: str


class _Across(msgspec.Struct, frozen=True):
    length_s: float
    left: float
    right: float

    def x(self, second: float) -> float:
        """The place of a second, held within the picture."""
        inside = min(max(second if math.isfinite(second) else 0.0, 0.0), self.length_s)
        return self.left + inside / self.length_s * (self.right - self.left)

    def ticks(self, most: int) -> tuple[AxisTick, ...]:
        """Labelled seconds from 0 on."""
        step = next((one for one in _STEPS_S if self.length_s <= one * most), self.length_s)
        number = int(self.length_s / step + 1e-9)
        return tuple(
            AxisTick(at(self.x(step * index)), _tick_label(step * index, step))
            for index in range(number + 1)
        )


def _across(length_s: float | None, left: float, right: float) -> _Across:
    is_sane = length_s is not None and math.isfinite(length_s) and length_s > 0
    return _Across(length_s if is_sane and length_s else 1.0, left, right)


def _tick_label(second: float, step: float) -> str:
    if step < 1:
        return clip_time(second).removesuffix(" s")
    minutes, rest = divmod(round(second), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if minutes else str(rest)


# ---------------------------------------------------------------- a pair


def pair_bars(pair: PairView) -> PairBars:
    """The bars of two clips on one scale, the longer one across the whole picture."""
    long_a = pair.a_duration_s or max((one.a_end_s for one in pair.segments), default=1.0)
    long_b = pair.b_duration_s or max((one.b_end_s for one in pair.segments), default=1.0)
    across = _across(max(long_a, long_b), 0.0, 985.0)
    links = []
    for number, one in enumerate(pair.segments[:MOST_SPANS], 1):
        if not all(map(math.isfinite, (one.a_start_s, one.a_end_s, one.b_start_s, one.b_end_s))):
            continue
        left_a, right_a = across.x(one.a_start_s), across.x(one.a_end_s)
        left_b, right_b = across.x(one.b_start_s), across.x(one.b_end_s)
        right_a, right_b = max(right_a, left_a + 2), max(right_b, left_b + 2)
        title = (
            f"Segment {number}: {stretch(one.a_start_s, one.a_end_s)} of {line(pair.a_name, 60)},"
            f" {stretch(one.b_start_s, one.b_end_s)} of {line(pair.b_name, 60)}"
        )
        links.append(
            Link(
                f"M{at(left_a)} 42H{at(right_a)}L{at(right_b)} 76H{at(left_b)}z",
                at(left_a),
                at(right_a - left_a),
                at(left_b),
                at(right_b - left_b),
                at((left_a + right_a) / 2),
                at((left_b + right_b) / 2),
                str(number),
                title,
            )
        )
    number = len(pair.segments)
    return PairBars(
        at(across.x(long_a)),
        at(across.x(long_b)),
        across.ticks(10),
        tuple(links),
        f"Two bars on one scale of seconds: {clip_time(long_a)} and {clip_time(long_b)},"
        f" joined where {count(number, 'segment')} of one lies over the other."
        " The table below says the same.",
    )


# ---------------------------------------------------------------- a composite


def time_line(view: CompositeView) -> TimeLine:
    """The composite as bars: the reference first, then the copies that show most of it."""
    across = _across(view.length_s, LEFT + 14.0, _RIGHT)
    order = sorted(
        range(len(view.rows)),
        key=lambda index: (
            view.rows[index].item != view.reference,
            -_shown_s(view.rows[index]),
            index,
        ),
    )
    head = HEAD_PX + (BEST_PX if view.best else 0.0)
    rows = tuple(
        _row(across, view.rows[index], head + place * ROW_PX)
        for place, index in enumerate(order[:MOST_ROWS_DRAWN])
    )
    name = line(view.reference_name, 80)
    return TimeLine(
        at(head + len(rows) * ROW_PX + 8),
        across.ticks(14),
        _counts(across, view),
        tuple(_best(across, one) for one in view.best[:MOST_SPANS]),
        tuple(_further(across, one) for one in view.pieces[:MOST_SPANS]),
        rows,
        max(0, len(view.rows) - len(rows)),
        f"Which second of {name} exists in which copy",
        f"{count(len(view.rows), 'copy', 'copies')} over {clip_time(view.length_s)} of footage: that"
        f" of {name}, and what others show further. A bar is what a copy shows of it; a wedge is time"
        " that only that copy has. The second strip names the best source of each second."
        " The table below says the same in words.",
    )


def coverage(view: CompositeView) -> list[tuple[float, float, int]]:
    """How many copies show each stretch of the axis: (start, end, copies), adjoining.

    Example:
        >>> row = CopyRow("item:a", "a", (ShownSpan(0.0, 4.0, 0.0, 4.0),))
        >>> coverage(CompositeView("item:a", "a", 6.0, (row,)))
        [(0.0, 4.0, 1), (4.0, 6.0, 0)]
    """
    steps: dict[float, int] = {0.0: 0, view.length_s: 0}
    for row in view.rows:
        for start, end in _merged(row.spans, view.length_s):
            steps[start] = steps.get(start, 0) + 1
            steps[end] = steps.get(end, 0) - 1
    found: list[tuple[float, float, int]] = []
    number, before = 0, 0.0
    for second in sorted(steps):
        if second > before:
            if found and found[-1][2] == number:
                found[-1] = (found[-1][0], second, number)
            else:
                found.append((before, second, number))
        number += steps[second]
        before = second
    return found


def _cells(
    found: list[tuple[float, float, int]], length_s: float
) -> list[tuple[float, float, int, int]]:
    """The stretches with the least and the most copies in each; so many that they could not be told
    apart are brought into cells of one width."""
    if len(found) <= MOST_CELLS:
        return [(start, end, number, number) for start, end, number in found]
    cells, at = [], 0
    for cell in range(MOST_CELLS):
        start, end = length_s * cell / MOST_CELLS, length_s * (cell + 1) / MOST_CELLS
        while at + 1 < len(found) and found[at][1] <= start:
            at += 1
        numbers = [found[at][2]]
        for other in range(at + 1, len(found)):
            if found[other][0] >= end:
                break
            numbers.append(found[other][2])
        cells.append((start, end, min(numbers), max(numbers)))
    return cells


def _merged(spans: Sequence[ShownSpan], length_s: float) -> list[tuple[float, float]]:
    """The spans within the axis, those that touch joined: a copy counts once a second."""
    joined: list[tuple[float, float]] = []
    for start, end in sorted((max(0.0, one.start_s), min(length_s, one.end_s)) for one in spans):
        if not start < end:
            continue
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _shown_s(row: CopyRow) -> float:
    return sum(end - start for start, end in _merged(row.spans, math.inf))


def _row(across: _Across, row: CopyRow, y: float) -> Row:
    boxes = [_box(across, one, row.decided_by) for one in row.spans[:MOST_SPANS]]
    wedges = tuple(
        Wedge(
            at(across.x(one.at_s)),
            f"+{clip_time(one.copy_end_s - one.copy_start_s)}",
            f"{stretch(one.copy_start_s, one.copy_end_s)} of {line(row.name, 60)}"
            " was found in no place of this line",
        )
        for one in row.only[:MOST_SPANS]
        if one.at_s is not None
    )
    note = "" if row.aligned else "compared with other copies only, not with this one"
    if row.decided_by and not boxes:
        note = f"here by decision of {line(row.decided_by, 40)}; not laid on this one"
    elif row.aligned and not boxes:
        note = "shows no part of it"
    return Row(at(y), row.item, fit(row.name, 27), line(row.name, 200), tuple(boxes), wedges, note)


def span_words(one: ShownSpan) -> str:
    """How a copy shows a stretch: speed and mirroring, "" when as it is.

    Example:
        >>> span_words(ShownSpan(0, 10, 0, 8, 1.25, True))
        'speed 1.25, mirrored'
    """
    words = [] if abs(one.speed - 1) < STEADY else [f"speed {one.speed:.2f}"]
    return ", ".join([*words, "mirrored"] if one.mirrored else words)


def _box(across: _Across, one: ShownSpan, decided_by: str) -> Box:
    left, right = across.x(one.start_s), across.x(one.end_s)
    right = max(right, left + 2)
    by = f"by decision of {line(decided_by, 40)}" if decided_by else ""
    words = ", ".join(part for part in (span_words(one), by) if part)
    title = (
        f"{stretch(one.start_s, one.end_s)} of the footage, at"
        f" {stretch(one.copy_start_s, one.copy_end_s)} of the copy"
    )
    label = words if right - left > 7 * len(words) + 8 else ""
    return Box(
        at(left),
        at(right - left),
        "decided" if by else "mirrored" if one.mirrored else "shown",
        label,
        f"{title}, {words}" if words else title,
        at((left + right) / 2),
    )


def _best(across: _Across, one: SourceView) -> Box:
    left, right = across.x(one.start_s), across.x(one.end_s)
    columns = int((right - left - 8) / 6.5)
    return Box(
        at(left),
        at(max(right - left, 1)),
        "best",
        fit(one.name, columns) if columns >= 6 else "",
        f"{stretch(one.start_s, one.end_s)}: best source {line(one.name, 100)}",
        at((left + right) / 2),
    )


def _further(across: _Across, one: PieceView) -> Box:
    left, right = across.x(one.start_s), across.x(one.end_s)
    return Box(
        at(left),
        at(max(right - left, 1)),
        "further",
        "",
        f"{stretch(one.start_s, one.end_s)}: not in the fullest version; taken from"
        f" {line(one.name, 100)}",
        at((left + right) / 2),
    )


def _counts(across: _Across, view: CompositeView) -> tuple[Box, ...]:
    boxes = []
    for start, end, number, most in _cells(coverage(view), across.length_s):
        left, right = across.x(start), across.x(end)
        copies = (
            count(number, "copy", "copies") if number == most else f"{number:,} to {most:,} copies"
        )
        boxes.append(
            Box(
                at(left),
                at(max(right - left, 1)),
                "one" if number < 2 else "count",
                f"{number}" if right - left > 9 * len(str(number)) else "",
                f"{stretch(start, end)}: found in {copies}",
                at((left + right) / 2),
            )
        )
    return tuple(boxes)
