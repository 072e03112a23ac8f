"""The section on copies: clusters of same footage, and apart from them the pairs that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report_seen import (
    MOST_APART,
    MOST_PAIRS,
    ClusterView,
    CompositeView,
    CopyRow,
    EdgeView,
    MemberView,
    PairView,
    TraceView,
)
from muniment.model.times import Interval
from muniment.model.trace import Verdict
from muniment.report.bounds import MOST_CLUSTERS, Shares
from muniment.report.differing import Beside, DifferCard, DifferRow, Fullest
from muniment.report.lineage import lineage
from muniment.report.pairs import (
    MOST_SEGMENTS,
    SHORT_VERDICTS,
    DecidedRow,
    PairCard,
    PairRow,
    Pairs,
    why_same,
)
from muniment.report.reached import Curve, reached
from muniment.report.rows import Link, When, moment
from muniment.report.scene import Picture
from muniment.report.thumbs import Pictures
from muniment.report.timeline import TimeLine, span_words, time_line
from muniment.report.wording import clip_time, line, stretch

#: Pairs of one cluster, and of those kept apart, that are shown with pictures.
MOST_PICTURED: Final = 12
#: Of those, shown without a fold.
MOST_UNFOLDED: Final = 4
#: Copies listed without a fold, and decisions.
MOST_OPEN_MEMBERS: Final = 12

_NO_TIME: Final = Interval(None, None, "no post shows it")


class MemberRow(msgspec.Struct, frozen=True):
    """One copy as a row; `is_earliest` says that it may be the earliest found, `decided_by` who
    brought it into the cluster where no program did."""

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
    decided_by: str


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
    supports: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()


class Cluster(msgspec.Struct, frozen=True):
    """A cluster, ready for the page; `decided` are the pairs in it that people decided, those that
    it goes against first."""

    anchor: str
    heading: str
    id: str
    view: ClusterView
    earliest: tuple[Link, ...]
    basis: str
    why: str
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
    spread: Curve | None
    edges: tuple[EdgeRow, ...]
    more_edges: int
    decided: tuple[DecidedRow, ...]


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
        self._pairs, self._shares = Pairs(items, pictures), shares
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
            yield self._pairs.card(pair, f"{cluster.anchor}-pair-{number}")

    def differing(self, cluster: Cluster) -> Iterator[DifferCard]:
        """Copies beside the fullest version, with pictures, one at a time."""
        if cluster.view.differences is not None:
            yield from self._beside.cards(cluster.view.differences, cluster.anchor)

    def rows(self, cluster: Cluster) -> Sequence[PairRow]:
        """The other pairs of a cluster."""
        rest = cluster.view.pairs[MOST_PICTURED:MOST_PAIRS]
        return [self._pairs.row(pair) for pair in self._shares.pairs.take(rest)]

    def apart_cards(self) -> Iterator[PairCard]:
        """The pairs that are no copies, with pictures, one at a time."""
        for number, pair in enumerate(self.view.apart[:MOST_PICTURED], 1):
            yield self._pairs.card(pair, f"apart-{number}")

    def apart_rows(self) -> Sequence[PairRow]:
        """The other pairs that are no copies."""
        rest = self.view.apart[MOST_PICTURED:MOST_APART]
        return [self._pairs.row(pair) for pair in self._shares.pairs.take(rest)]

    def counted(self) -> list[tuple[str, int]]:
        """Pairs by verdict, in words, in fixed order."""
        named = [
            (words, self.view.verdicts.get(one, 0))
            for one, words in SHORT_VERDICTS.items()
            if one is not Verdict.NOT_COMPARED
        ]
        extra = sorted(set(self.view.verdicts) - set(Verdict))
        return [*named, *((line(one, 60), self.view.verdicts[one]) for one in extra)]

    def _cluster(self, number: int, view: ClusterView) -> Cluster:
        anchor = _anchor(number)
        names = {one.item: one.name for one in view.members}
        members = self._shares.members.take(view.members)
        earliest = tuple(
            self._pairs.link(item, names.get(item, item))
            for item in view.earliest[:MOST_OPEN_MEMBERS]
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
            why=why_same(view.pairs, view.pairs_total),
            members=rows,
            more_members=len(view.members) - len(rows),
            line=drawn,
            line_links=tuple(self._pairs.link(row.item, row.label) for row in drawn.rows)
            if drawn
            else (),
            line_rows=tuple(self._line(one, view.composite) for one in line_rows),
            more_lines=len(view.composite.rows) - len(line_rows) if view.composite else 0,
            best_rows=tuple(
                (stretch(one.start_s, one.end_s), self._pairs.link(one.item, one.name))
                for one in best
            ),
            fullest=self._beside.fullest(differ) if differ else None,
            differ_rows=self._beside.rows(differ, self._shares.lines) if differ else (),
            lineage=lineage(view, f"{anchor}-lineage", targets),
            spread=reached(view.spread, f"{anchor}-spread"),
            edges=tuple(self._edge(one, names) for one in edges),
            more_edges=len(view.edges) - len(edges),
            decided=self._decided((*view.against, *view.pairs), MOST_OPEN_MEMBERS),
        )

    def decided(self) -> tuple[DecidedRow, ...]:
        """All pairs that people decided, the latest first."""
        return self._decided(self._shares.pairs.take(self.view.decided), MOST_APART)

    def _decided(self, pairs: Sequence[PairView], most: int) -> tuple[DecidedRow, ...]:
        found = (self._pairs.decided(pair) for pair in pairs if pair.decision is not None)
        return tuple(one for one in islice(found, most) if one is not None)

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
            line(one.decided_by, 100),
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
        if one.decided_by:
            by = f"by decision of {line(one.decided_by, 100)}"
            note = f"{by}; not laid on the reference" if not one.aligned else ""
            shown = [f"{text}, {by}" for text in shown]
        item = Link(line(one.item, 60), self._items.get(one.item, ""))
        return LineRow(line(one.name, 200), item, tuple(shown), tuple(only), note)

    def _edge(self, one: EdgeView, names: Mapping[str, str]) -> EdgeRow:
        return EdgeRow(
            self._pairs.link(one.source, names.get(one.source, one.source)),
            self._pairs.link(one.copy, names.get(one.copy, one.copy)),
            line(one.basis, 100),
            line(one.reason, 1000),
            one.supports,
            one.contradicts,
        )


def _anchor(number: int) -> str:
    return f"cluster-{number + 1}"


def _heading(number: int, view: ClusterView) -> str:
    return f"Cluster {number + 1}: {count(len(view.members), 'item')} that share footage"
