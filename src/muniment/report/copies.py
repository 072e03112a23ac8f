"""The section on copies: clusters of same footage, and apart from them the pairs that are not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from muniment.model.report_seen import (
    MOST_APART,
    MOST_PAIRS,
    AlignedFrames,
    ClusterView,
    CompositeView,
    CopyRow,
    EdgeView,
    FrameView,
    MemberView,
    PairView,
    TraceView,
)
from muniment.model.times import Interval
from muniment.model.trace import Segment, Transform, Verdict
from muniment.report.bounds import MOST_CLUSTERS, Shares
from muniment.report.differing import Beside, DifferCard, DifferRow, Fullest
from muniment.report.lineage import lineage
from muniment.report.rows import Link, When, moment
from muniment.report.scene import Picture
from muniment.report.thumbs import Drawn, Pictures
from muniment.report.timeline import PairBars, TimeLine, pair_bars, span_words, time_line
from muniment.report.wording import clip_time, count, line, stretch

#: Pairs of one cluster, and of those kept apart, that are shown with pictures.
MOST_PICTURED: Final = 12
#: Of those, shown without a fold.
MOST_UNFOLDED: Final = 4
#: Moments shown of one pair; copies and segments listed without a fold.
MOST_MOMENTS: Final = 4
MOST_OPEN_MEMBERS: Final = 12
MOST_SEGMENTS: Final = 12
_MOST_REASONS: Final = 12

_NO_TIME: Final = Interval(None, None, "no post shows it")
VERDICTS: Final = {
    Verdict.SAME_FOOTAGE: "same footage",
    Verdict.SAME_CAMERA_OTHER_MOMENT: "another moment of the same camera: not the same footage",
    Verdict.UNDETERMINED: "undetermined: what is held does not decide it",
    Verdict.NO_MATCH: "no match found",
}
SHORT_VERDICTS: Final = {
    Verdict.SAME_FOOTAGE: "same footage",
    Verdict.SAME_CAMERA_OTHER_MOMENT: "same camera, another moment",
    Verdict.UNDETERMINED: "undetermined",
    Verdict.NO_MATCH: "no match found",
}


class Moment(msgspec.Struct, frozen=True):
    """One aligned moment: both pictures with their words."""

    a: Drawn
    b: Drawn
    alt_a: str
    alt_b: str
    time_a: str
    time_b: str
    differs: tuple[str, ...]


class PairCard(msgspec.Struct, frozen=True):
    """One pair with its pictures."""

    anchor: str
    a: Link
    b: Link
    verdict: str
    is_same: bool
    score: str
    bars: PairBars | None
    segments: tuple[tuple[str, str, str, str], ...]
    more_segments: int
    transform: tuple[str, ...]
    differs: tuple[str, ...]
    reasons: tuple[str, ...]
    moments: tuple[Moment, ...]


class PairRow(msgspec.Struct, frozen=True):
    """One pair as a row of a table."""

    a: Link
    b: Link
    verdict: str
    score: str
    where: str
    differs: str
    reasons: str


class MemberRow(msgspec.Struct, frozen=True):
    """One copy as a row; `is_earliest` says that it may be the earliest found."""

    anchor: str
    name: str
    item: Link
    duration: str
    channel: str
    post: Link | None
    published: When
    posts_total: int
    shares_with: int
    is_earliest: bool


class LineRow(msgspec.Struct, frozen=True):
    """One copy of the composite in words."""

    name: str
    item: Link
    shown: tuple[str, ...]
    only: tuple[str, ...]
    note: str


class EdgeRow(msgspec.Struct, frozen=True):
    """One edge of the lineage in words."""

    source: Link
    copy: Link
    basis: str
    reason: str


class Cluster(msgspec.Struct, frozen=True):
    """A cluster, ready for the page."""

    anchor: str
    heading: str
    id: str
    view: ClusterView
    earliest: tuple[Link, ...]
    basis: str
    members: tuple[MemberRow, ...]
    more_members: int
    line: TimeLine | None
    line_links: tuple[Link, ...]
    line_rows: tuple[LineRow, ...]
    more_lines: int
    best_rows: tuple[tuple[str, Link], ...]
    fullest: Fullest | None
    differ_rows: tuple[DifferRow, ...]
    lineage: Picture | None
    edges: tuple[EdgeRow, ...]
    more_edges: int


class Copies:
    """What the section is drawn from. Pictures are fetched as the page asks for them."""

    def __init__(
        self,
        trace: TraceView,
        items: Mapping[str, str],
        posts: Mapping[str, str],
        pictures: Pictures,
        shares: Shares,
    ) -> None:
        self.view = trace
        self._items, self._posts = items, posts
        self._pictures, self._shares = pictures, shares
        self._beside = Beside(items, pictures)
        #: Item -> HTML id of the cluster drawn that it is in.
        self.cluster_of = {
            member.item: _anchor(number)
            for number, view in enumerate(trace.clusters[:MOST_CLUSTERS])
            for member in view.members
        }

    @property
    def more_clusters(self) -> int:
        """Clusters listed and not drawn."""
        return max(0, len(self.view.clusters) - MOST_CLUSTERS)

    def listed(self, most: int) -> Iterator[tuple[str, str, ClusterView]]:
        """Each cluster for the list: HTML id when drawn (else ""), heading, view."""
        for number, view in enumerate(self.view.clusters[:most]):
            anchor = _anchor(number) if number < MOST_CLUSTERS else ""
            yield anchor, _heading(number, view), view

    def clusters(self) -> Iterator[Cluster]:
        """The clusters drawn in full."""
        for number, view in enumerate(self.view.clusters[:MOST_CLUSTERS]):
            yield self._cluster(number, view)

    def cards(self, cluster: Cluster) -> Iterator[PairCard]:
        """The pairs of a cluster that have pictures, one at a time."""
        for number, pair in enumerate(cluster.view.pairs[:MOST_PICTURED], 1):
            yield self._card(pair, f"{cluster.anchor}-pair-{number}")

    def differing(self, cluster: Cluster) -> Iterator[DifferCard]:
        """Copies beside the fullest version, with pictures, one at a time."""
        if cluster.view.differences is not None:
            yield from self._beside.cards(cluster.view.differences, cluster.anchor)

    def rows(self, cluster: Cluster) -> Sequence[PairRow]:
        """The other pairs of a cluster."""
        rest = cluster.view.pairs[MOST_PICTURED:MOST_PAIRS]
        return [self._row(pair) for pair in self._shares.pairs.take(rest)]

    def apart_cards(self) -> Iterator[PairCard]:
        """The pairs that are no copies, with pictures, one at a time."""
        for number, pair in enumerate(self.view.apart[:MOST_PICTURED], 1):
            yield self._card(pair, f"apart-{number}")

    def apart_rows(self) -> Sequence[PairRow]:
        """The other pairs that are no copies."""
        rest = self.view.apart[MOST_PICTURED:MOST_APART]
        return [self._row(pair) for pair in self._shares.pairs.take(rest)]

    def counted(self) -> list[tuple[str, int]]:
        """Pairs by verdict, in words, in fixed order."""
        named = [(SHORT_VERDICTS[one], self.view.verdicts.get(one, 0)) for one in Verdict]
        extra = sorted(set(self.view.verdicts) - set(Verdict))
        return [*named, *((line(one, 60), self.view.verdicts[one]) for one in extra)]

    def _link(self, item: str, name: str) -> Link:
        return Link(line(name, 200), self._items.get(item, ""))

    def _cluster(self, number: int, view: ClusterView) -> Cluster:
        anchor = _anchor(number)
        names = {one.item: one.name for one in view.members}
        members = self._shares.members.take(view.members)
        earliest = tuple(
            self._link(item, names.get(item, item)) for item in view.earliest[:MOST_OPEN_MEMBERS]
        )
        targets = {one.item: f"{anchor}-copy-{at}" for at, one in enumerate(members, 1)}
        rows = tuple(
            self._member(one, targets[one.item], one.item in view.earliest) for one in members
        )
        drawn = time_line(view.composite) if view.composite else None
        line_rows = self._shares.lines.take(view.composite.rows if view.composite else ())
        best = self._shares.lines.take(view.composite.best if view.composite else ())
        differ = view.differences
        edges = self._shares.lines.take(view.edges)
        return Cluster(
            anchor=anchor,
            heading=_heading(number, view),
            id=line(view.id, 60),
            view=view,
            earliest=earliest,
            basis=line(view.earliest_basis, 400),
            members=rows,
            more_members=len(view.members) - len(rows),
            line=drawn,
            line_links=tuple(self._link(row.item, row.label) for row in drawn.rows)
            if drawn
            else (),
            line_rows=tuple(self._line(one, view.composite) for one in line_rows),
            more_lines=len(view.composite.rows) - len(line_rows) if view.composite else 0,
            best_rows=tuple(
                (stretch(one.start_s, one.end_s), self._link(one.item, one.name)) for one in best
            ),
            fullest=self._beside.fullest(differ) if differ else None,
            differ_rows=self._beside.rows(differ, self._shares.lines) if differ else (),
            lineage=lineage(view, f"{anchor}-lineage", targets),
            edges=tuple(self._edge(one, names) for one in edges),
            more_edges=len(view.edges) - len(edges),
        )

    def _member(self, one: MemberView, anchor: str, is_earliest: bool) -> MemberRow:
        return MemberRow(
            anchor,
            line(one.name, 200),
            Link(line(one.item, 60), self._items.get(one.item, "")),
            clip_time(one.duration_s) if one.duration_s is not None else "no length",
            line(one.channel, 200) if one.channel else "",
            Link(line(one.post, 60), self._posts.get(one.post, "")) if one.post else None,
            moment(one.published or _NO_TIME),
            one.posts_total,
            one.shares_with,
            is_earliest,
        )

    def _line(self, one: CopyRow, view: CompositeView | None) -> LineRow:
        shown = []
        for span in one.spans[:MOST_SEGMENTS]:
            words = span_words(span)
            copy = stretch(span.copy_start_s, span.copy_end_s)
            text = f"{stretch(span.start_s, span.end_s)}, at {copy} of the copy"
            shown.append(f"{text}, {words}" if words else text)
        if len(one.spans) > MOST_SEGMENTS:
            shown.append(
                f"{count(len(one.spans) - MOST_SEGMENTS, 'more stretch', 'more stretches')}"
            )
        only = [stretch(gap.copy_start_s, gap.copy_end_s) for gap in one.only[:MOST_SEGMENTS]]
        if len(one.only) > MOST_SEGMENTS:
            only.append(f"{count(len(one.only) - MOST_SEGMENTS, 'more stretch', 'more stretches')}")
        if view is not None and one.item == view.reference:
            shown = ["the whole of it is on the line", *shown[1:]]
        note = "" if one.aligned else "not compared with the reference itself"
        item = Link(line(one.item, 60), self._items.get(one.item, ""))
        return LineRow(line(one.name, 200), item, tuple(shown), tuple(only), note)

    def _edge(self, one: EdgeView, names: Mapping[str, str]) -> EdgeRow:
        return EdgeRow(
            self._link(one.source, names.get(one.source, one.source)),
            self._link(one.copy, names.get(one.copy, one.copy)),
            line(one.basis, 100),
            line(one.reason, 1000),
        )

    def _card(self, pair: PairView, anchor: str) -> PairCard:
        return PairCard(
            anchor=anchor,
            a=self._link(pair.a, pair.a_name),
            b=self._link(pair.b, pair.b_name),
            verdict=VERDICTS[pair.verdict],
            is_same=pair.verdict == Verdict.SAME_FOOTAGE,
            score=_score(pair.score),
            bars=pair_bars(pair) if pair.segments else None,
            segments=tuple(_segment(one) for one in pair.segments[:MOST_SEGMENTS]),
            more_segments=max(0, len(pair.segments) - MOST_SEGMENTS),
            transform=transform_words(pair.transform),
            differs=_lines(pair.differs),
            reasons=_lines(pair.reasons),
            moments=tuple(self._moment(pair, one) for one in pair.frames[:MOST_MOMENTS]),
        )

    def _moment(self, pair: PairView, one: AlignedFrames) -> Moment:
        return Moment(
            self._pictures.draw(one.a),
            self._pictures.draw(one.b),
            frame_alt(pair.a_name, one.a),
            frame_alt(pair.b_name, one.b),
            _time(one.a),
            _time(one.b),
            _lines(one.differs),
        )

    def _row(self, pair: PairView) -> PairRow:
        first = pair.segments[:2]
        where = "; ".join(
            f"{stretch(one.a_start_s, one.a_end_s)} at {stretch(one.b_start_s, one.b_end_s)}"
            for one in first
        )
        if len(pair.segments) > len(first):
            where += f"; {count(len(pair.segments) - len(first), 'more segment')}"
        differs = (*pair.differs, *transform_words(pair.transform))
        return PairRow(
            self._link(pair.a, pair.a_name),
            self._link(pair.b, pair.b_name),
            SHORT_VERDICTS[pair.verdict],
            _score(pair.score),
            where or "no segment",
            line("; ".join(differs), 300) or "nothing noted",
            line(" ".join(pair.reasons), 300) or "none recorded",
        )


def transform_words(transform: Transform | None) -> tuple[str, ...]:
    """How the second picture lies to the first, in words.

    Example:
        >>> transform_words(Transform(mirrored=True, crop=(0.1, 0.0, 0.9, 1.0)))
        ('mirrored left to right', 'cropped: shows 80 % of the width, 100 % of the height')
    """
    if transform is None:
        return ()
    words = ["mirrored left to right"] if transform.mirrored else []
    if transform.crop is not None:
        left, top, right, bottom = transform.crop
        words.append(
            f"cropped: shows {(right - left) * 100:.0f} % of the width,"
            f" {(bottom - top) * 100:.0f} % of the height"
        )
    for which, borders in (("first", transform.borders_a), ("second", transform.borders_b)):
        if borders is not None:
            words.append(f"borders around the {which} picture")
    return tuple(words)


def frame_alt(name: str, frame: FrameView) -> str:
    """The words for a blurred frame."""
    when = f" at {clip_time(frame.time_s)}" if frame.time_s is not None else ""
    return f"Blurred frame of {line(name, 80)}{when}"


def _anchor(number: int) -> str:
    return f"cluster-{number + 1}"


def _heading(number: int, view: ClusterView) -> str:
    return f"Cluster {number + 1}: {count(len(view.members), 'item')} that share footage"


def _score(score: float) -> str:
    return f"{score:.2f}" if math.isfinite(score) else "not known"


def _segment(one: Segment) -> tuple[str, str, str, str]:
    return (
        stretch(one.a_start_s, one.a_end_s),
        stretch(one.b_start_s, one.b_end_s),
        _score(one.speed),
        _score(one.score),
    )


def _time(frame: FrameView) -> str:
    return clip_time(frame.time_s) if frame.time_s is not None else "still"


def _lines(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(line(one, 400) for one in texts[:_MOST_REASONS])
