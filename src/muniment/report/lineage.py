"""What may derive from what, over time: one lane for each copy, an arrow for each claim.

Drawn with the shapes of scene.py, so that a dot and a bar mean here what they mean in the spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report_seen import ClusterView, EdgeView, MemberView
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
    picture,
    scale,
)
from muniment.report.survey import is_exact
from muniment.report.wording import clock, fit, line, span_ms

#: Copies drawn; the lists have all of them.
MOST_DRAWN: Final = 40
MOST_ARROWS: Final = 120
_LANE: Final = 34.0
#: Widths of line in the sheet: a dashed one is a claim, a whole one rests on the pictures.
_WEIGHTS: Final = {"claimed forward": 1}
_BY_PICTURE: Final = 4


def lineage(cluster: ClusterView, name: str, targets: Mapping[str, str]) -> Picture | None:
    """The picture of a cluster's lineage; null when there is no edge to draw.

    Args:
        name: starts the HTML ids of this picture.
        targets: item -> HTML id of its row in the list of copies.
    """
    if not cluster.edges:
        return None
    members = _chosen(cluster)
    spans = [span_ms(one.published) for one in members]
    dated = [span for span in spans if span is not None]
    has_undated = len(dated) < len(members)
    across = scale(
        min((span[0] for span in dated), default=0),
        max((span[1] for span in dated), default=0),
        has_undated=has_undated,
    )
    if not dated:  # an axis of nothing would claim a time
        across = Scale(0, 1, across.left, across.right)
    places: dict[str, tuple[float, float]] = {}
    bands, marks = [], []
    for number, (member, span) in enumerate(zip(members, spans, strict=True)):
        top = AXIS_HEIGHT + number * _LANE
        x, x2 = _ends(across, span)
        places[member.item] = ((x + x2) / 2, top + _LANE / 2)
        target = targets.get(member.item, "copies")
        bands.append(_band(member, top, target))
        marks.append(_mark(member, span, (x, x2, top + _LANE / 2), f"{name}-{number + 1}", target))
    arrows = [one for one in cluster.edges if one.source in places and one.copy in places]
    drawn = picture(
        name,
        across,
        tuple(bands),
        tuple(_arrow(places, one, cluster) for one in arrows[:MOST_ARROWS]),
        tuple(marks),
        bottom=AXIS_HEIGHT + len(members) * _LANE,
        has_undated=has_undated,
    )
    return _with_words(drawn, cluster, members, len(arrows[:MOST_ARROWS]), bool(dated))


def _chosen(cluster: ClusterView) -> list[MemberView]:
    """The members an edge names, then the earliest, in their order."""
    named = {end for one in cluster.edges for end in (one.source, one.copy)}
    first = [number for number, one in enumerate(cluster.members) if one.item in named]
    rest = [number for number, one in enumerate(cluster.members) if one.item not in named]
    return [cluster.members[number] for number in sorted([*first, *rest][:MOST_DRAWN])]


def _ends(across: Scale, span: tuple[int, int] | None) -> tuple[float, float]:
    if span is None:
        middle = WIDTH - UNDATED_WIDTH / 2
        return middle, middle
    return across.x(span[0]), across.x(span[1])


def _band(member: MemberView, top: float, target: str) -> Band:
    where = line(member.channel, 60) if member.channel else "in no post"
    return Band(
        at(top),
        at(_LANE),
        fit(member.name, 27),
        fit(where, 36),
        f"{line(member.name, 200)}, {where}",
        target,
        False,
    )


def _mark(
    member: MemberView,
    span: tuple[int, int] | None,
    place: tuple[float, float, float],
    identity: str,
    target: str,
) -> Mark:
    x, x2, y = place
    is_bar = span is not None and not is_exact(span) and x2 - x > 4
    words = "time not known"
    if span is not None and member.published is not None:
        start = clock(member.published.earliest_utc or "")
        end = clock(member.published.latest_utc or "")
        words = f"{start} UTC" if start == end else f"between {start} and {end} UTC"
    return Mark(
        shape="bar" if is_bar else "dot",
        state="held",
        x=at(x),
        y=at(y),
        r="5",
        id=identity,
        target=target,
        title=f"{line(member.name, 80)}: {words}",
        x2=at(x2) if is_bar else "",
        middle=at((x + x2) / 2),
    )


def _arrow(places: Mapping[str, tuple[float, float]], one: EdgeView, cluster: ClusterView) -> Edge:
    """From the source to what may derive from it."""
    x, y = places[one.source]
    to_x, to_y = places[one.copy]
    down = 1 if to_y > y else -1
    start, end = y + down * 7, to_y - down * 7
    bow = min(52.0, 14 + abs(end - start) * 0.2)
    path = (
        f"M{at(x)} {at(start)}C{at(x - bow / 2)} {at(start + (end - start) * 0.45)}"
        f" {at(to_x - bow)} {at(end - down * abs(end - start) * 0.4)} {at(to_x - 2)} {at(end)}"
    )
    head = (
        f"M{at(to_x - 8.5)} {at(end - down * 4)}L{at(to_x - 2)} {at(end)}"
        f"L{at(to_x - 1)} {at(end - down * 7.5)}"
    )
    names = {member.item: line(member.name, 60) for member in cluster.members}
    copy, source = names.get(one.copy, one.copy), names.get(one.source, one.source)
    title = f"{copy} may derive from {source} ({line(one.basis, 60)}): {line(one.reason, 200)}"
    return Edge(path, head, title, _WEIGHTS.get(one.basis, _BY_PICTURE))


def _with_words(
    drawn: Picture, cluster: ClusterView, members: list[MemberView], arrows: int, has_axis: bool
) -> Picture:
    notes = []
    if len(members) < len(cluster.members) or arrows < len(cluster.edges):
        notes.append(
            f"{count(len(members), 'copy', 'copies')} of {len(cluster.members):,} and"
            f" {count(arrows, 'arrow')} of {len(cluster.edges):,} are drawn; the lists have the rest."
        )
    return msgspec.structs.replace(
        drawn,
        heading="What may derive from what",
        title="Lineage: copies by the time of their earliest post",
        description=(
            f"{count(len(members), 'copy', 'copies')}, one lane each, at the time of the earliest"
            f" post that shows it; {count(arrows, 'arrow')} from a clip to what may derive from it:"
            " claimed, or a part that lies wholly in it. The table below says the same with the"
            " reasons."
        ),
        notes=tuple(notes),
        grid=drawn.grid if has_axis else (),
    )
