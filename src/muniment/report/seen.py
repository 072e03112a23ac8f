"""The items in detail: what programs found in each file, with a strip of blurred frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

import msgspec

from muniment.model.report import ItemView, ReportData
from muniment.model.report_seen import (
    MOST_FACTS,
    MOST_FRAMES,
    MOST_LINES,
    MOST_NOTES,
    ExaminedView,
    FrameView,
)
from muniment.report.bounds import MOST_DETAILED, Shares
from muniment.report.pairs import frame_alt
from muniment.report.story import confinement_sentence, outcome_of
from muniment.report.survey import unique_anchors
from muniment.report.thumbs import Drawn, Pictures
from muniment.report.wording import clip_time, line

#: A strip has at least so many frames while the page has room for pictures at all.
_LEAST_FRAMES: Final = 3


class Strip(msgspec.Struct, frozen=True):
    """One frame of a strip."""

    picture: Drawn
    alt: str
    time: str


class FactGroup(msgspec.Struct, frozen=True):
    """Facts under one heading: (label, value, what it disagrees with)."""

    heading: str
    rows: tuple[tuple[str, str, str], ...]


class Detail(msgspec.Struct, frozen=True):
    """One item in detail."""

    anchor: str
    row: str
    name: str
    view: ItemView
    examined: tuple[tuple[str, str, str], ...]
    confinement: str
    groups: tuple[FactGroup, ...]
    facts: int
    more_facts: int
    disagreeing: int
    strip: tuple[Strip, ...]
    more_frames: int
    notes: tuple[str, ...]
    lines: tuple[str, ...]


def item_name(item: ItemView) -> str:
    """What an item was called where it came in first."""
    if not item.circumstances:
        return item.id
    return item.circumstances[0].path.rsplit("/", 1)[-1] or item.id


def spread_out(frames: Sequence[FrameView], most: int) -> list[FrameView]:
    """At most `most` of the frames, evenly over the strip, the first and the last among them.

    Example:
        >>> [one.key for one in spread_out([FrameView(str(at)) for at in range(9)], 3)]
        ['0', '4', '8']
    """
    if len(frames) <= most:
        return list(frames)
    if most < 2:
        return list(frames[:most])
    return [frames[at * (len(frames) - 1) // (most - 1)] for at in range(most)]


class Details:
    """The items in detail. Pictures are fetched as the page asks for them."""

    def __init__(
        self, data: ReportData, rows: Mapping[str, str], pictures: Pictures, shares: Shares
    ) -> None:
        self._rows, self._pictures, self._shares = rows, pictures, shares
        seen = [item for item in data.items if item.examined]
        # What failed is shown before what fills the page.
        shown = sorted(seen, key=lambda item: outcome_of(item) not in ("failed", "partly"))
        self.more = max(0, len(seen) - MOST_DETAILED)
        self._shown = shown[:MOST_DETAILED]
        anchors = unique_anchors(f"seen-{item.id}" for item in self._shown)
        self._anchors = anchors
        self.links = {item.id: name for item, name in zip(self._shown, anchors, strict=True)}

    def __len__(self) -> int:
        return len(self._shown)

    def each(self) -> Iterator[Detail]:
        """The items, one at a time."""
        # Asked for after the copies are drawn: their pictures have gone from the page's share.
        most = max(_LEAST_FRAMES, self._pictures.left // max(1, len(self._shown)))
        for item, anchor in zip(self._shown, self._anchors, strict=True):
            yield self._detail(item, anchor, most)

    def _detail(self, item: ItemView, anchor: str, most: int) -> Detail:
        name = line(item_name(item), 200)
        facts = self._shares.facts.take(item.facts, MOST_FACTS)
        groups = tuple(
            FactGroup(
                line(heading, 100),
                tuple(
                    (line(one.label, 100), line(one.value, 400), line(one.disagrees, 300))
                    for one in members
                ),
            )
            for heading, members in groupby(facts, key=lambda one: one.group)
        )
        strip = tuple(
            Strip(
                self._pictures.draw(frame),
                frame_alt(name, frame),
                clip_time(frame.time_s) if frame.time_s is not None else "still",
            )
            for frame in spread_out(item.frames[:MOST_FRAMES], most)
        )
        notes = item.notes[:MOST_NOTES]
        return Detail(
            anchor=anchor,
            row=self._rows.get(item.id, ""),
            name=name,
            view=item,
            examined=tuple(_examined(one) for one in item.examined),
            confinement=confinement_sentence(item.confinement) if item.confinement else "",
            groups=groups,
            facts=len(facts),
            more_facts=len(item.facts) - len(facts),
            disagreeing=sum(bool(one.disagrees) for one in facts),
            strip=strip,
            more_frames=max(0, item.frames_total - len(strip)),
            notes=tuple(
                line(f"{one.what}: {one.detail}" if one.detail else one.what, 400) for one in notes
            ),
            lines=tuple(line(one, 300) for one in item.text.first_lines[:MOST_LINES])
            if item.text
            else (),
        )


def _examined(one: ExaminedView) -> tuple[str, str, str]:
    """Examiner, outcome, and why in words."""
    name = line(f"{one.what} {one.version}".rstrip(), 100)
    why = ": ".join(line(part, 300) for part in (one.problem, one.detail) if part)
    return name, line(one.outcome.replace("_", " "), 40), why
