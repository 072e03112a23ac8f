"""The picture with one mark for each post."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report import PostView, ReportData
from muniment.report import targets
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
from muniment.report.survey import SERVICE, Lane, Span, Survey, is_exact
from muniment.report.wording import clock, fit, line, span_ms

_MOST_STACKED: Final = 8
_UNDATED_ACROSS: Final = 5
_MORE_PX: Final = 30


class Placed(msgspec.Struct, frozen=True):
    """Posts (by index) at a place in their lane; more than one when there is no room for each."""

    members: tuple[int, ...]
    x: float
    x2: float
    row: int


class Drawing(msgspec.Struct, frozen=True):
    """What all steps of one picture need. `radius` shrinks when there are many posts."""

    data: ReportData
    survey: Survey
    scale: Scale
    name: str
    radius: float
    pitch: float


def draw(
    data: ReportData, survey: Survey, scale: Scale, members: list[int], name: str
) -> tuple[Picture, dict[int, str]]:
    """The picture of `members`, and the id of the mark of each (for the list to link back to)."""
    many = len(members) > 300
    drawing = Drawing(data, survey, scale, name, 3.6 if many else 5.0, 10.0 if many else 14.0)
    by_lane: dict[int, list[int]] = defaultdict(list)
    for index in members:
        by_lane[survey.lane_of[index]].append(index)
    bands: list[Band] = []
    inside: list[tuple[float, float]] = []
    marks: list[Mark] = []
    spots: list[tuple[Placed, float]] = []
    y = float(AXIS_HEIGHT)
    for number, lane in enumerate(survey.lanes):
        placed = _stack(drawing, by_lane[number])
        rows = max((one.row for one in placed), default=0) + 1
        height = max(rows * drawing.pitch + 13, 38.0 if lane.note else 29.0)
        first = y + (height - (rows - 1) * drawing.pitch) / 2
        for one in placed:
            spot_y = first + one.row * drawing.pitch
            marks.append(_mark(drawing, one, spot_y))
            spots.append((one, spot_y))
        bands.append(lane_band(lane, y, height))
        inside.append((y, y + height))
        y += height
    edges, outside = _edges(drawing, spots, inside, y)
    mark_of = {
        index: mark.id for mark, (one, _) in zip(marks, spots, strict=True) for index in one.members
    }
    drawn = picture(
        name,
        scale,
        (*bands, *outside.bands),
        edges,
        tuple(marks),
        bottom=outside.bottom,
        has_undated=any(survey.spans[index] is None for index in members),
    )
    return drawn, mark_of


def lane_band(lane: Lane, y: float, height: float) -> Band:
    """The lane of a channel."""
    words = f"{line(lane.label, 300)} {lane.note}".strip()
    numbers = f"{count(lane.posts, 'post')}, {count(lane.services, 'service message')}"
    return Band(
        at(y),
        at(height),
        fit(lane.label, 27),
        fit(lane.note, 36) if lane.note else "",
        f"{words}: {numbers}",
        lane.anchor,
        False,
    )


def post_title(post: PostView, lane: Lane, file_words: str | None) -> str:
    """A mark's words: when, where, what, and what it claims."""
    parts = [f"{when(post)} (exporter's claim)", line(lane.label, 80)]
    number = f"post {line(post.post_id, 40)}" if post.post_id is not None else "post without an id"
    if post.kind == SERVICE:
        number = f"service message {line(post.action or 'of unnamed kind', 60)}"
    if file_words is not None:
        number += f", {line(post.media_type or 'file', 40)} {file_words}"
    elif post.kind != SERVICE:
        number += ", text only"
    parts.append(number)
    if post.forwarded_from is not None:
        parts.append(f"claims to be forwarded from {line(post.forwarded_from, 80)}")
    if post.edited is not None:
        parts.append("edited")
    if post.text:
        parts.append(f"“{line(post.text, 80)}”")
    return "; ".join(parts)


def when(post: PostView) -> str:
    """A post's time on one line."""
    span = span_ms(post.published)
    if span is None:
        return "time not known"
    start, end = post.published.earliest_utc or "", post.published.latest_utc or ""
    if is_exact(span):
        return f"{clock(start)} UTC"
    return f"between {clock(start)} and {clock(end)} UTC"


# ---------------------------------------------------------------- places


def _stack(drawing: Drawing, members: list[int]) -> list[Placed]:
    """Places for one lane's posts, so that none covers another; what has no room is counted."""
    survey, scale, room = drawing.survey, drawing.scale, drawing.radius + 1.6
    dated = [index for index in members if survey.spans[index] is not None]
    ends: list[float] = []
    placed: list[Placed] = []
    crowded: dict[int, list[int]] = defaultdict(list)
    for x, x2, index in sorted((*_extent(scale, survey.spans[index]), index) for index in dated):
        row = next((row for row, end in enumerate(ends) if end <= x - room), len(ends))
        if row == _MOST_STACKED:
            crowded[int((x + x2) / 2) // _MORE_PX].append(index)
            continue
        ends[row : row + 1] = [x2 + room]
        placed.append(Placed((index,), x, x2, row))
    for bucket in sorted(crowded):
        middle = min((bucket + 0.5) * _MORE_PX, scale.right - 8)
        placed.append(Placed(tuple(crowded[bucket]), middle, middle, _MOST_STACKED))
    return placed + _undated(drawing, [i for i in members if survey.spans[i] is None])


def _undated(drawing: Drawing, members: list[int]) -> list[Placed]:
    left = WIDTH - UNDATED_WIDTH + 12
    most = _MOST_STACKED * _UNDATED_ACROSS
    placed = [
        Placed((index,), left + column * 15.0, left + column * 15.0, position // _UNDATED_ACROSS)
        for position, index in enumerate(members[:most])
        for column in (position % _UNDATED_ACROSS,)
    ]
    if members[most:]:
        middle = left + 28.0
        placed.append(Placed(tuple(members[most:]), middle, middle, _MOST_STACKED))
    return placed


def _extent(scale: Scale, span: Span) -> tuple[float, float]:
    start, end = span or (0, 0)
    x, x2 = scale.x(start), scale.x(end)
    # A short interval is still drawn as a bar, wide enough to be told from a dot.
    return (x, x2) if start == end or x2 - x >= 9 else ((x + x2) / 2 - 4.5, (x + x2) / 2 + 4.5)


def _mark(drawing: Drawing, placed: Placed, y: float) -> Mark:
    survey, scale = drawing.survey, drawing.scale
    first = placed.members[0]
    identity = f"{drawing.name}-{survey.anchors[first]}"
    if len(placed.members) > 1:
        number = len(placed.members)
        uncertain = sum(not is_exact(survey.spans[index]) for index in placed.members)
        title = f"{count(number, 'more post')} about here, {uncertain:,} with uncertain times"
        return Mark(
            shape="more",
            state="",
            x=at(placed.x),
            y=at(y),
            r="0",
            id=identity,
            target=survey.anchors[first],
            title=title,
            label=f"+{number}",
        )
    post, span = drawing.data.posts[first], survey.spans[first]
    is_bar = span is not None and not is_exact(span)
    return Mark(
        shape="bar" if is_bar else "service" if post.kind == SERVICE else "dot",
        state=survey.states[first],
        x=at(placed.x),
        middle=at((placed.x + placed.x2) / 2),
        y=at(y),
        r=at(drawing.radius),
        id=identity,
        target=survey.anchors[first],
        title=post_title(post, survey.lanes[survey.lane_of[first]], survey.media[first]),
        x2=at(placed.x2) if is_bar else "",
        edited=post.edited is not None,
        open_left=span is not None and span[0] < scale.start_ms,
        open_right=span is not None and span[1] > scale.end_ms,
    )


# ---------------------------------------------------------------- claimed forwards


def _edges(
    drawing: Drawing, spots: list[tuple[Placed, float]], inside: list[tuple[float, float]], y: float
) -> tuple[tuple[Edge, ...], targets.Targets]:
    posts = drawing.data.posts
    claims: list[tuple[int, str, Placed, float]] = []
    for one, spot_y in spots:
        names: dict[str, int] = {}
        for index in one.members:
            name = posts[index].forwarded_from
            if name is not None:
                names.setdefault(name, index)
        claims += [(index, name, one, spot_y) for name, index in names.items()]
    claims.sort(key=lambda claim: claim[0])
    names_in_order = list(dict.fromkeys(name for _, name, _, _ in claims))
    outside = targets.place(names_in_order, drawing.survey, inside, y)
    edges = []
    for index, name, one, spot_y in claims:
        top, bottom = outside.places[name]
        x = (one.x + one.x2) / 2
        if top <= spot_y <= bottom:
            path, head = loop(x, spot_y, drawing.radius)
        else:
            reach = drawing.radius + 1 if one.x == one.x2 else 4.0
            path, head = curve(x, spot_y, top if top > spot_y else bottom, reach)
        title = f"claims to be forwarded from {line(name, 80)}: {_starting_at(drawing, index)}"
        edges.append(Edge(path, head, title, 1))
    return tuple(edges), outside


def _starting_at(drawing: Drawing, index: int) -> str:
    """Which post an edge starts from."""
    post = drawing.data.posts[index]
    lane = drawing.survey.lanes[drawing.survey.lane_of[index]]
    return f"{line(lane.label, 80)}, post {line(post.post_id or 'without an id', 40)}"
