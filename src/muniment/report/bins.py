"""The picture of a large case: counts by channel and stretch of time instead of single posts."""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report import ReportData
from muniment.report import targets
from muniment.report.axis import Step, as_utc, edges
from muniment.report.marks import lane_band
from muniment.report.scene import (
    AXIS_HEIGHT,
    UNDATED_WIDTH,
    WIDTH,
    Band,
    Edge,
    Mark,
    Picture,
    Scale,
    at,
    curve,
    loop,
    picture,
)
from muniment.report.survey import MOST_ROWS, Survey
from muniment.report.wording import line

_MOST_BINS: Final = 36
_MOST_BARS: Final = 5
MOST_EDGES: Final = 150
_BAR_PITCH: Final = 11.0
_SIDES: Final = (0, 13.0, 15.5, 18.0, 20.0, 22.0)

Stretch = tuple[int, int]  # first and last bin


class Bins(msgspec.Struct, frozen=True):
    """The bins: their borders in time, and every lane's counts.

    `exact` counts posts that lie in one bin, `loose` those whose interval spans several.
    """

    step: Step
    borders: tuple[int, ...]
    exact: tuple[Counter[int], ...]
    loose: tuple[Counter[Stretch], ...]
    undated: tuple[int, ...]
    firsts: dict[tuple[int, int], int]
    claims: Counter[tuple[int, int, str]]


def draw(
    data: ReportData, survey: Survey, scale: Scale, members: list[int], name: str
) -> tuple[Picture, int, str]:
    """The picture of counts, how many edges it leaves out, and the name of its step."""
    bins = _count(data, survey, scale, members)
    most = max((max(lane.values(), default=0) for lane in bins.exact), default=0)
    bands: list[Band] = []
    inside: list[tuple[float, float]] = []
    marks: list[Mark] = []
    y = float(AXIS_HEIGHT)
    for number, lane in enumerate(survey.lanes):
        rows = _bar_rows(bins.loose[number])
        height = 30.0 + len(rows) * _BAR_PITCH + (4 if rows else 0)
        height = max(height, 38.0 if lane.note else 0)
        middle = y + 15
        marks += _squares(survey, scale, bins, number, middle, most, name)
        marks += _bars(survey, scale, bins, number, rows, y + 34, name)
        if bins.undated[number]:
            marks.append(_undated(bins, number, lane.anchor, middle, most, name))
        bands.append(lane_band(lane, y, height))
        inside.append((y, y + height))
        y += height
    drawn, outside, left_out = _edges(survey, scale, bins, inside, y)
    whole = picture(
        name,
        scale,
        (*bands, *outside.bands),
        drawn,
        tuple(marks),
        bottom=outside.bottom,
        has_undated=any(bins.undated),
    )
    return whole, left_out, bins.step.name


def _count(data: ReportData, survey: Survey, scale: Scale, members: list[int]) -> Bins:
    step, borders = edges(scale.start_ms, scale.end_ms, _MOST_BINS)
    lanes = range(len(survey.lanes))
    exact: tuple[Counter[int], ...] = tuple(Counter() for _ in lanes)
    loose: tuple[Counter[Stretch], ...] = tuple(Counter() for _ in lanes)
    undated = [0 for _ in lanes]
    firsts: dict[tuple[int, int], int] = {}
    claims: Counter[tuple[int, int, str]] = Counter()
    for index in members:
        span, lane = survey.spans[index], survey.lane_of[index]
        if span is None:
            undated[lane] += 1
            continue
        first, last = _bin(borders, span[0]), _bin(borders, span[1])
        # In a close-up an interval may reach beyond the bins: it lies in no single one of them.
        if first == last and borders[0] <= span[0] and span[1] <= borders[-1]:
            exact[lane][first] += 1
            firsts.setdefault((lane, first), index)
        else:
            loose[lane][first, last] += 1
        name = data.posts[index].forwarded_from
        if name is not None:
            claims[lane, (first + last) // 2, name] += 1
    return Bins(step, borders, exact, loose, tuple(undated), firsts, claims)


def _bin(borders: tuple[int, ...], ms: int) -> int:
    # Month and year bins differ in length: a guess from the mean, then a step or two.
    last = len(borders) - 2
    guess = (ms - borders[0]) * (last + 1) // (borders[-1] - borders[0])
    found = min(max(guess, 0), last)
    while found > 0 and borders[found] > ms:
        found -= 1
    while found < last and borders[found + 1] <= ms:
        found += 1
    return found


def _level(number: int, most: int) -> int:
    """1 to 5, by the number of binary digits: a lane with ten posts shows beside one with 10,000."""
    if most < 5:
        return max(1, number)
    return 1 + 4 * (number.bit_length() - 1) // max(1, most.bit_length() - 1)


def _brief(number: int) -> str:
    return str(number) if number < 1000 else f"{number // 1000}k"


def _stretch(bins: Bins, first: int, last: int) -> str:
    return f"{as_utc(bins.borders[first])} to {as_utc(bins.borders[last + 1])} UTC"


def _middle(scale: Scale, bins: Bins, first: int, last: int) -> float:
    left, right = scale.x(bins.borders[first]), scale.x(bins.borders[last + 1])
    return (left + right) / 2


def _squares(
    survey: Survey, scale: Scale, bins: Bins, lane: int, y: float, most: int, name: str
) -> list[Mark]:
    label = line(survey.lanes[lane].label, 80)
    marks = []
    for number, posts in sorted(bins.exact[lane].items()):
        first = bins.firsts[lane, number]
        level = _level(posts, most)
        marks.append(
            Mark(
                shape="bin",
                state="",
                x=at(_middle(scale, bins, number, number)),
                y=at(y),
                r=at(_SIDES[level] / 2),
                id=f"{name}-{lane + 1}-{number}",
                target=survey.anchors[first] if first < MOST_ROWS else "posts-cut",
                title=f"{label}: {count(posts, 'post')}, {_stretch(bins, number, number)}"
                " (exporter's claim)",
                label=_brief(posts),
                level=level,
            )
        )
    return marks


def _undated(bins: Bins, lane: int, target: str, y: float, most: int, name: str) -> Mark:
    posts = bins.undated[lane]
    level = min(5, _level(posts, max(most, posts)))
    return Mark(
        shape="bin",
        state="",
        x=at(WIDTH - UNDATED_WIDTH / 2),
        y=at(y),
        r=at(_SIDES[level] / 2),
        id=f"{name}-{lane + 1}-undated",
        target=target,
        title=f"{count(posts, 'post')} without a known time",
        label=_brief(posts),
        level=level,
    )


def _bar_rows(loose: Counter[Stretch]) -> list[list[tuple[int, int, int]]]:
    """Rows of (first bin, last bin, posts); what has no room goes into one bar in the last row."""
    rows: list[list[tuple[int, int, int]]] = []
    rest: list[tuple[int, int, int]] = []
    for (first, last), posts in sorted(loose.items()):
        row = next((row for row in rows if row[-1][1] + 1 < first), None)
        if row is not None:
            row.append((first, last, posts))
        elif len(rows) < _MOST_BARS:
            rows.append([(first, last, posts)])
        else:
            rest.append((first, last, posts))
    if rest:
        whole = (min(r[0] for r in rest), max(r[1] for r in rest), sum(r[2] for r in rest))
        rows.append([whole])
    return rows


def _bars(
    survey: Survey,
    scale: Scale,
    bins: Bins,
    lane: int,
    rows: list[list[tuple[int, int, int]]],
    y: float,
    name: str,
) -> list[Mark]:
    label = line(survey.lanes[lane].label, 80)
    return [
        Mark(
            shape="bar",
            state="text",
            x=at(scale.x(bins.borders[first])),
            x2=at(scale.x(bins.borders[last + 1])),
            y=at(y + number * _BAR_PITCH),
            r="4",
            id=f"{name}-{lane + 1}-{first}-{last}-{number}",
            target=survey.lanes[lane].anchor,
            title=f"{label}: {count(posts, 'post')} with uncertain times, overlapping"
            f" {_stretch(bins, first, last)} (exporter's claim)",
            label=f"{posts:,}",
        )
        for number, row in enumerate(rows)
        for first, last, posts in row
    ]


def _edges(
    survey: Survey, scale: Scale, bins: Bins, inside: list[tuple[float, float]], y: float
) -> tuple[tuple[Edge, ...], targets.Targets, int]:
    strongest = sorted(bins.claims.items(), key=lambda claim: (-claim[1], claim[0]))
    chosen = sorted(strongest[:MOST_EDGES])
    names = list(dict.fromkeys(claim.name for claim in survey.claims))
    drawn = {key[2] for key, _ in chosen}
    outside = targets.place([name for name in names if name in drawn], survey, inside, y)
    found = []
    for (lane, number, name), posts in chosen:
        top, bottom = outside.places[name]
        x, spot_y = _middle(scale, bins, number, number), inside[lane][0] + 15
        if (top, bottom) == inside[lane]:
            path, head = loop(x, spot_y, 9)
        else:
            path, head = curve(x, spot_y, top if top > spot_y else bottom, 11)
        words = (
            f"{count(posts, 'post')} of {line(survey.lanes[lane].label, 80)}"
            f" {'claims' if posts == 1 else 'claim'} to be forwarded from {line(name, 80)},"
            f" {_stretch(bins, number, number)}"
        )
        found.append(Edge(path, head, words, 1 if posts < 10 else 2 if posts < 100 else 3))
    return tuple(found), outside, max(0, len(strongest) - len(chosen))
