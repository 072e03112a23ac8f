"""A pair of clips in words and pictures: what the program found, and beside it what a person decided."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report_seen import AlignedFrames, DecisionView, FrameView, PairView
from muniment.model.trace import Decision, Segment, Transform, Verdict
from muniment.report.rows import Link
from muniment.report.thumbs import Drawn, Pictures
from muniment.report.timeline import PairBars, pair_bars
from muniment.report.wording import clip_time, line, spoken, stretch

#: Moments shown of one pair; segments listed; earlier decisions told.
MOST_MOMENTS: Final = 4
MOST_SEGMENTS: Final = 12
MOST_EARLIER: Final = 6
_MOST_REASONS: Final = 12

VERDICTS: Final = {
    Verdict.SAME_FOOTAGE: "same footage",
    Verdict.SAME_CAMERA_OTHER_MOMENT: "another moment of the same camera: not the same footage",
    Verdict.UNDETERMINED: "undetermined: what is held does not decide it",
    Verdict.NO_MATCH: "no match found",
    Verdict.NOT_COMPARED: "not compared",
}
SHORT_VERDICTS: Final = {
    Verdict.SAME_FOOTAGE: "same footage",
    Verdict.SAME_CAMERA_OTHER_MOMENT: "same camera, another moment",
    Verdict.UNDETERMINED: "undetermined",
    Verdict.NO_MATCH: "no match found",
    Verdict.NOT_COMPARED: "not compared",
}
DECISIONS: Final = {
    Decision.SAME_FOOTAGE: "the same footage",
    Decision.NOT_SAME_FOOTAGE: "not the same footage",
    Decision.SAME_CAMERA_OTHER_MOMENT: "another moment of the same camera: not the same footage",
}


class Spoken(msgspec.Struct, frozen=True):
    """A decision in words; `earlier` are those it superseded, `more` counts those left out."""

    words: str
    is_same: bool
    by: str
    when: str
    because: str
    id: str
    earlier: tuple[Spoken, ...] = ()
    more: int = 0


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
    program: str
    decision: Spoken | None
    fallen: str
    by_way: tuple[Link, ...]
    more_ways: int
    bars: PairBars | None
    segments: tuple[tuple[str, str, str, str], ...]
    more_segments: int
    transform: tuple[str, ...]
    differs: tuple[str, ...]
    reasons: tuple[str, ...]
    gauge: str
    moments: tuple[Moment, ...]


class PairRow(msgspec.Struct, frozen=True):
    """One pair as a row of a table."""

    a: Link
    b: Link
    decision: Spoken | None
    fallen: str
    verdict: str
    score: str
    where: str
    differs: str
    reasons: str


class DecidedRow(msgspec.Struct, frozen=True):
    """A pair that a person decided, as a row; `by_way` joins the two against the decision."""

    a: Link
    b: Link
    decision: Spoken
    program: str
    by_way: tuple[Link, ...]
    more_ways: int


class Pairs:
    """Draws pairs. Pictures are fetched as the page asks for them.

    Args:
        items: item -> HTML id of its row.
    """

    def __init__(self, items: Mapping[str, str], pictures: Pictures) -> None:
        self._items, self._pictures = items, pictures

    def link(self, item: str, name: str) -> Link:
        """An item's name, leading to its row."""
        return Link(line(name, 200), self._items.get(item, ""))

    def card(self, pair: PairView, anchor: str) -> PairCard:
        """A pair with its pictures, under the HTML id `anchor`."""
        return PairCard(
            anchor=anchor,
            a=self.link(pair.a, pair.a_name),
            b=self.link(pair.b, pair.b_name),
            verdict=VERDICTS[pair.verdict],
            is_same=pair.is_same,
            score=_score(pair.score),
            program=program_words(pair),
            decision=spoken_decision(pair.decision),
            fallen=falls_words(pair.falls_with),
            by_way=tuple(self.link(*one) for one in pair.by_way),
            more_ways=pair.more_ways,
            bars=pair_bars(pair) if pair.segments else None,
            segments=tuple(_segment(one) for one in pair.segments[:MOST_SEGMENTS]),
            more_segments=max(0, len(pair.segments) - MOST_SEGMENTS),
            transform=transform_words(pair.transform),
            differs=_lines(pair.differs),
            reasons=_lines(pair.reasons),
            gauge=f"{min(max(pair.score, 0.0), 1.0) * 100:.0f}"
            if math.isfinite(pair.score)
            else "",
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

    def row(self, pair: PairView) -> PairRow:
        """A pair as a row."""
        first = pair.segments[:2]
        where = "; ".join(
            f"{stretch(one.a_start_s, one.a_end_s)} at {stretch(one.b_start_s, one.b_end_s)}"
            for one in first
        )
        if len(pair.segments) > len(first):
            where += f"; {count(len(pair.segments) - len(first), 'more segment')}"
        differs = (*pair.differs, *transform_words(pair.transform))
        return PairRow(
            self.link(pair.a, pair.a_name),
            self.link(pair.b, pair.b_name),
            spoken_decision(pair.decision),
            falls_words(pair.falls_with),
            SHORT_VERDICTS[pair.verdict],
            _score(pair.score),
            where or "no segment",
            line("; ".join(differs), 300) or "nothing noted",
            line("; ".join(one.rstrip(".") for one in pair.reasons), 400) or "none recorded",
        )

    def decided(self, pair: PairView) -> DecidedRow | None:
        """The row of a pair that a person decided; None for any other."""
        decision = spoken_decision(pair.decision)
        if decision is None:
            return None
        return DecidedRow(
            self.link(pair.a, pair.a_name),
            self.link(pair.b, pair.b_name),
            decision,
            program_words(pair),
            tuple(self.link(*one) for one in pair.by_way),
            pair.more_ways,
        )


def why_same(pairs: Sequence[PairView], total: int) -> str:
    """Why the items of a cluster are the same footage, in a sentence.

    Args:
        pairs: the cluster's pairs of the same footage that are shown, of `total`.
    """
    decided = sum(one.decision is not None for one in pairs)
    scores = [
        one.score
        for one in pairs
        if math.isfinite(one.score) and one.decision is None and not _is_by_way(one)
    ]
    told = []
    if scores:
        low, high = _score(min(scores)), _score(max(scores))
        told.append(
            f"in {count(len(scores), 'pair')} compared directly, the pictures and what moves in them"
            f" agree, laid moment on moment, by {low if low == high else f'{low} to {high}'} of 1"
        )
    if decided:
        told.append(f"{count(decided, 'pair')} by a person’s decision")
    rest = total - len(scores) - decided
    if rest > 0 and told:
        told.append(
            f"{count(rest, 'further pair')} by way of a copy that is the same footage as both"
        )
    return "; ".join(told)


def _is_by_way(pair: PairView) -> bool:
    return any(one.startswith("by way of ") for one in pair.reasons[:1])


def program_words(pair: PairView) -> str:
    """What the program found, in a few words."""
    is_measured = pair.verdict not in (Verdict.NO_MATCH, Verdict.NOT_COMPARED)
    score = f", score {_score(pair.score)} of 1" if is_measured else ""
    return SHORT_VERDICTS[pair.verdict] + score


def spoken_decision(one: DecisionView | None) -> Spoken | None:
    """A decision in words."""
    if one is None:
        return None
    earlier = [spoken_decision(before) for before in one.earlier[:MOST_EARLIER]]
    return Spoken(
        DECISIONS[one.decision],
        one.decision is Decision.SAME_FOOTAGE,
        line(one.by, 100),
        f"{spoken(one.at_utc[:19] + 'Z')} UTC",
        line(one.because, 2000),
        line(one.id, 60),
        tuple(before for before in earlier if before is not None),
        max(0, len(one.earlier) - MOST_EARLIER),
    )


def falls_words(one: DecisionView | None) -> str:
    """Why a pair that was only inferred counts no more, "" where it does."""
    if one is None:
        return ""
    return (
        "The two were not compared themselves: this was inferred from a pair that"
        f" {line(one.by, 100)} kept apart ({line(one.id, 60)})."
    )


def transform_words(transform: Transform | None) -> tuple[str, ...]:
    """How the second picture lies to the first, in words.

    Example:
        >>> transform_words(Transform(mirrored=True, crop=(0.1, 0.0, 0.9, 1.0)))
        ('mirrored left to right', 'cropped: shows 80 % of the width, 100 % of the height')
    """
    if transform is None:
        return ()
    words = (
        [f"stands as the first when turned by {transform.rotated_deg}° clockwise"]
        if transform.rotated_deg
        else []
    )
    words += ["mirrored left to right"] if transform.mirrored else []
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
