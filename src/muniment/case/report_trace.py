"""What tracing found and people decided, as the report's views want it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from muniment.case import traced
from muniment.case.appearing import appearances
from muniment.case.damage import Damage
from muniment.case.differing import Differing
from muniment.case.index import Index
from muniment.case.report_items import SeenItems
from muniment.case.thumbnails import PictureBook
from muniment.case.trace_results import STEP
from muniment.case.traced import NOT_ALIKE
from muniment.model.ids import short
from muniment.model.report import ItemView, PostView
from muniment.model.report_seen import (
    MOST_APART,
    MOST_PAIRS,
    AlignedFrames,
    ClusterView,
    DecisionView,
    EdgeView,
    FrameView,
    MemberView,
    PairView,
    SpreadStep,
    TraceView,
)
from muniment.model.trace import Cluster, Contradiction, Decided, Pair, Segment, Verdict
from muniment.report.composite import composite, differences_view
from muniment.report.copies import MOST_PICTURED
from muniment.store.layout import CaseFolder
from muniment.trace.candidates import VERSION
from muniment.trace.lineage import Appearance
from muniment.trace.spread import curve

#: Moments of a pair that are shown side by side.
_MOMENTS: Final = 4


def trace_view(
    folder: CaseFolder,
    index: Index,
    seen: SeenItems,
    book: PictureBook,
    items: Sequence[ItemView],
    posts: Sequence[PostView],
    damage: Damage,
) -> TraceView | None:
    """The view; None when tracing was not run and nothing was decided.

    Args:
        damage: is told of results that cannot be read.
    """
    held = {item.sha256: item for item in items}
    durations = {digest: seen.duration_s(digest) or 0.0 for digest in held}
    shown = appearances(index)
    found = traced.read(folder, index, durations, shown, damage)
    if found is None:
        return None
    against = {
        frozenset((one.decided.a, one.decided.b)): one
        for cluster in found.clusters
        for one in cluster.contradictions
    }
    views = _Views(held, seen, book, posts, shown, against, Differing(folder, index, damage))
    apart = sorted((one for one in found.pairs if _is_apart(one, held)), key=_telling)
    decided = [one for one in found.pairs if one.decision is not None]
    decided.sort(key=lambda one: one.decision.at_utc if one.decision else "", reverse=True)
    return TraceView(
        f"{STEP} {VERSION}",
        len(found.clips),
        found.compared,
        found.verdicts(),
        tuple(views.cluster(one, found.pairs) for one in found.clusters),
        tuple(
            views.pair(one, with_frames=number < MOST_PICTURED)
            for number, one in enumerate(apart[:MOST_APART])
        ),
        len(apart),
        decided=tuple(views.pair(one, with_frames=False) for one in decided[:MOST_APART]),
        decided_total=len(decided),
        apart_small=sum(_is_open(one) and _is_small(one, held) for one in found.pairs),
    )


def _is_apart(one: Pair, held: Mapping[str, ItemView]) -> bool:
    """Whether a pair is shown among those that look alike and do not count as copies."""
    if _is_open(one):
        return not _is_small(one, held)
    return not one.joins and (one.decision is not None or one.falls_with is not None)


def _is_open(one: Pair) -> bool:
    """Whether a pair looks alike, is no copy, and nobody decided on it."""
    is_decided = one.decision is not None or one.falls_with is not None
    return not one.joins and not is_decided and one.verdict not in NOT_ALIKE


def _is_small(one: Pair, held: Mapping[str, ItemView]) -> bool:
    """Whether it is with a small picture that an export adds: that says nothing its file does not."""
    return any(held[name].role for name in (one.a, one.b) if name in held)


def _telling(one: Pair) -> tuple[bool, bool, bool, float]:
    """Orders pairs that are no copies: what people decided first, then the surest."""
    is_moment = one.verdict is Verdict.SAME_CAMERA_OTHER_MOMENT
    return one.decision is None, one.falls_with is None, not is_moment, -one.score


class _Views:
    """Turns records about objects into views about items."""

    def __init__(
        self,
        held: Mapping[str, ItemView],
        seen: SeenItems,
        book: PictureBook,
        posts: Sequence[PostView],
        shown: Sequence[Appearance],
        against: Mapping[frozenset[str], Contradiction],
        differing: Differing,
    ) -> None:
        self._held, self._seen, self._book, self._against = held, seen, book, against
        self._differing, self._shown = differing, shown
        self._posts: dict[str, list[PostView]] = {}
        for post in posts:
            if post.media_item:
                self._posts.setdefault(post.media_item, []).append(post)

    def name(self, digest: str) -> str:
        """The file's name where it was first found."""
        item = self._held.get(digest)
        path = item.circumstances[0].path if item and item.circumstances else digest
        return path.rpartition("/")[2]

    def _spoken(self, sentence: str) -> str:
        """A sentence with ids and names in place of hashes."""
        return traced.with_names(sentence, lambda digest: self.name(digest) or None)

    def cluster(self, found: Cluster, every: Iterable[Pair]) -> ClusterView:
        """A cluster with its pairs, the longest shared stretch first."""
        inside = set(found.members)
        among = [one for one in every if one.a in inside and one.b in inside]
        pairs = [one for one in among if one.joins]
        pairs.sort(key=_most_shared)
        shares: dict[str, list[Pair]] = {name: [] for name in found.members}
        for one in pairs:
            shares[one.a].append(one)
            shares[one.b].append(one)
        names = {name: self.name(name) for name in found.members}
        lengths = {name: self._seen.duration_s(name) or 0.0 for name in found.members}
        differ = self._differing.of(found, pairs)
        decided = {name: by for name in names if (by := _only_decided_by(shares[name]))}
        decided |= _decided_beside(differ.fullest, shares[differ.fullest])
        members = [self._member(name, shares[name]) for name in found.members]
        members.sort(key=_by_time)
        shown = [one for one in self._shown if one.item in shares]
        return ClusterView(
            short("cluster", found.members[0]),
            tuple(members),
            tuple(short("item", one) for one in ((found.earliest,) if found.earliest else ())),
            self._spoken(found.earliest_basis),
            tuple(
                EdgeView(
                    short("item", one.source),
                    short("item", one.copy),
                    one.basis,
                    self._spoken(one.reason),
                    one.supports,
                    one.contradicts,
                )
                for one in traced.lineage(found, differ, shown)
            ),
            tuple(
                self.pair(one, with_frames=number < MOST_PICTURED)
                for number, one in enumerate(_told_apart(pairs)[:MOST_PAIRS])
            ),
            len(pairs),
            composite(differ, names, lengths, _item, decided),
            tuple(
                self.pair(one, with_frames=False)
                for one in among
                if one.decision is not None and not one.joins
            ),
            differences_view(differ, names, self._frame, _item),
            tuple(SpreadStep(one.at_ms, one.least, one.most) for one in curve(shown)),
        )

    def _member(self, digest: str, shares: Sequence[Pair]) -> MemberView:
        identity = short("item", digest)
        posts = self._posts.get(identity, ())
        first = posts[0] if posts else None
        return MemberView(
            identity,
            self.name(digest),
            self._seen.duration_s(digest),
            first.channel.name if first else None,
            first.id if first else None,
            first.published if first else None,
            len(posts),
            len(shares),
            _only_decided_by(shares),
        )

    def _frame(self, digest: str, time_s: float) -> FrameView | None:
        """The picture of an item at a time; None where it has none."""
        strip = self._seen.strip(digest)
        return self._book.at(strip, time_s) if strip is not None else None

    def pair(self, one: Pair, *, with_frames: bool) -> PairView:
        """A pair, with moments side by side if it is to be pictured."""
        against = self._against.get(frozenset((one.a, one.b)))
        return PairView(
            short("item", one.a),
            short("item", one.b),
            self.name(one.a),
            self.name(one.b),
            one.verdict,
            one.score,
            self._seen.duration_s(one.a),
            self._seen.duration_s(one.b),
            one.segments,
            one.transform,
            tuple(self._spoken(reason) for reason in one.reasons),
            (),
            self._aligned(one) if with_frames else (),
            _decision(one.decision),
            _decision(one.falls_with),
            tuple((short("item", item), self.name(item)) for item in against.by_way)
            if against
            else (),
            against.more if against else 0,
        )

    def _aligned(self, one: Pair) -> tuple[AlignedFrames, ...]:
        strip_a, strip_b = self._seen.strip(one.a), self._seen.strip(one.b)
        if strip_a is None or strip_b is None:
            return ()
        moments = [moment for part in one.segments for moment in _moments(part)] or [(0.0, 0.0)]
        step = max(1, len(moments) // _MOMENTS)
        found = [
            (self._book.at(strip_a, time_a), self._book.at(strip_b, time_b))
            for time_a, time_b in moments[::step][:_MOMENTS]
        ]
        return tuple(AlignedFrames(a, b) for a, b in found if a and b)


def _item(digest: str) -> str:
    return short("item", digest)


def _by_time(member: MemberView) -> tuple[bool, str, str]:
    earliest = member.published.earliest_utc if member.published else None
    return earliest is None, earliest or "", member.item


def _decision(one: Decided | None) -> DecisionView | None:
    if one is None:
        return None
    earlier = tuple(view for before in one.earlier if (view := _decision(before)))
    return DecisionView(
        short("decision", one.leaf), one.decision, one.because, one.by, one.at_utc, earlier
    )


def _only_decided_by(shares: Sequence[Pair]) -> str:
    """Who decided the first of an item's pairs, where the program found none of them the same."""
    if any(one.verdict is Verdict.SAME_FOOTAGE for one in shares):
        return ""
    decided = [one.decision for one in shares if one.decision is not None]
    return min(decided, key=lambda one: one.at_utc).by if decided else ""


def _decided_beside(fullest: str, shares: Sequence[Pair]) -> dict[str, str]:
    """Members that lie beside the fullest version by a person's decision, and whose."""
    return {
        one.b if one.a == fullest else one.a: one.decision.by
        for one in shares
        if one.decision is not None and one.verdict is not Verdict.SAME_FOOTAGE
    }


def _most_shared(one: Pair) -> tuple[float, float]:
    return -sum(part.a_end_s - part.a_start_s for part in one.segments), -one.score


def _told_apart(pairs: list[Pair]) -> list[Pair]:
    """Pairs so ordered that those people decided come first, then some that show every member once:
    a pair that brings a new member in before those between members already shown."""
    seen: set[str] = set()
    first = [one for one in pairs if one.decision is not None]
    rest: list[Pair] = []
    for one in first:
        seen |= {one.a, one.b}
    for one in pairs:
        if one.decision is not None:
            continue
        (rest if {one.a, one.b} <= seen else first).append(one)
        seen |= {one.a, one.b}
    return first + rest


def _moments(part: Segment) -> list[tuple[float, float]]:
    """Moments evenly within a segment, in both clips."""
    length_s = part.a_end_s - part.a_start_s
    times = [part.a_start_s + length_s * (n + 0.5) / _MOMENTS for n in range(_MOMENTS)]
    return [(at, part.b_start_s + (at - part.a_start_s) * part.speed) for at in times]
