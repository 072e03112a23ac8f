"""What the report shows of examining and tracing: frozen records, text as recorded, no pixels.

A picture is named by a `FrameView` and fetched by its key when it is drawn, one at a time, so that
the memory of a report does not grow with its pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from muniment.model.report_differences import DifferencesView, PieceView, SourceView
from muniment.model.times import Interval
from muniment.model.trace import Decision, Segment, Transform, Verdict

#: A thumbnail's longest side, in pixels. What is lost cannot be brought back by enlarging; yet whoever
#: knows a person or a place may recognise clothing, build, or a face that fills the picture.
THUMBNAIL_PX: Final = 32
#: The page reads no more than these of what it is given; the totals beside them say what is left out.
MOST_FRAMES: Final = 12
MOST_PAIRS: Final = 200
MOST_APART: Final = 500
MOST_FACTS: Final = 120
MOST_NOTES: Final = 20
MOST_LINES: Final = 12


class Thumbnail(msgspec.Struct, frozen=True):
    """A destructively blurred picture: raw RGB, height x width x 3 bytes, each side at most
    THUMBNAIL_PX."""

    rgb: bytes
    width_px: int
    height_px: int


#: Fetches the thumbnail a `FrameView.key` names; null when it is not there.
Thumbnails = Callable[[str], Thumbnail | None]


class FrameView(msgspec.Struct, frozen=True):
    """One frame of an item. `key` is what fetches its thumbnail; `time_s` its place in the clip in
    seconds, null for a still."""

    key: str
    time_s: float | None = None


class FactView(msgspec.Struct, frozen=True):
    """One line of what a container says: e.g. `Duration`, label `video track`, value `12.48 s`.

    `disagrees` says against what, "" when nothing contradicts it.
    """

    group: str
    label: str
    value: str
    disagrees: str = ""


class NoteView(msgspec.Struct, frozen=True):
    """Something to know about an item that was examined all the same."""

    what: str
    detail: str = ""


class ExaminedView(msgspec.Struct, frozen=True):
    """What became of one examination. `what` is the examiner's name (container, frames, fingerprint,
    motion, text, ...); `outcome` is `done`, `partly`, `failed` or `not_tried`.

    `problem` is the named error (model.examine.Problem) or why it was not tried; "" when done.
    """

    what: str
    outcome: str
    version: str = ""
    problem: str = ""
    detail: str = ""


class ConfinementView(msgspec.Struct, frozen=True):
    """The layers that were measured to be in force when an item was decoded.

    `confined` is false when the user chose `--unconfined`; `reason` says why a layer was missing.
    """

    confined: bool
    seccomp: bool = False
    landlock_abi: int = 0
    no_new_privs: bool = False
    limits: bool = False
    namespaces: str = ""
    reason: str = ""


class TextView(msgspec.Struct, frozen=True):
    """Text derived from a document: its length, its first lines; `tool` read it."""

    characters: int
    first_lines: tuple[str, ...]
    tool: str = ""
    pages: int | None = None


class MemberView(msgspec.Struct, frozen=True):
    """One copy in a cluster. `post` is its earliest post, null when none shows it; then `published`
    is null ("no time"). `posts_total` counts the posts that show it. `shares_with` counts the
    copies it shares footage with. `decided_by` names the person by whose decision alone it is in the
    cluster."""

    item: str
    name: str
    duration_s: float | None = None
    channel: str | None = None
    post: str | None = None
    published: Interval | None = None
    posts_total: int = 0
    shares_with: int = 0
    decided_by: str = ""


class EdgeView(msgspec.Struct, frozen=True):
    """`copy` may derive from `source` (item ids). `basis` is a word (`claimed forward`,
    `containment`, `overlay inheritance`, `crop inheritance`), `reason` a sentence; `supports` and
    `contradicts` are what else speaks for it and against it."""

    source: str
    copy: str
    basis: str
    reason: str
    supports: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()


class AlignedFrames(msgspec.Struct, frozen=True):
    """The same moment in both clips, and in sentences what differs between the two pictures."""

    a: FrameView
    b: FrameView
    differs: tuple[str, ...] = ()


class DecisionView(msgspec.Struct, frozen=True):
    """What a person decided of a pair; `earlier` are those it superseded, the latest first."""

    id: str
    decision: Decision
    because: str
    by: str
    at_utc: str
    earlier: tuple[DecisionView, ...] = ()


class PairView(msgspec.Struct, frozen=True):
    """Two items compared. Segments are in both clips; `differs` holds for the whole pair (mirrored,
    cropped, a caption, another speed, other sound); `reasons` say why the verdict, in sentences.

    `verdict` is the program's, whatever people decided. `decision` is what a person decided of this
    pair, `falls_with` of one that it was inferred from and no longer counts with. `by_way` are the
    (id, name) of items that join the two in a cluster although a person kept them apart; by
    `more_ways` items besides they are joined too.
    """

    a: str
    b: str
    a_name: str
    b_name: str
    verdict: Verdict
    score: float
    a_duration_s: float | None = None
    b_duration_s: float | None = None
    segments: tuple[Segment, ...] = ()
    transform: Transform | None = None
    reasons: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    frames: tuple[AlignedFrames, ...] = ()
    decision: DecisionView | None = None
    falls_with: DecisionView | None = None
    by_way: tuple[tuple[str, str], ...] = ()
    more_ways: int = 0

    @property
    def is_same(self) -> bool:
        """Whether the two count as the same footage."""
        if self.decision is not None:
            return self.decision.decision is Decision.SAME_FOOTAGE
        return self.verdict == Verdict.SAME_FOOTAGE and self.falls_with is None


class ShownSpan(msgspec.Struct, frozen=True):
    """Seconds of the reference axis that a copy shows, and where in the copy they lie."""

    start_s: float
    end_s: float
    copy_start_s: float
    copy_end_s: float
    speed: float = 1.0
    mirrored: bool = False


class OnlyHere(msgspec.Struct, frozen=True):
    """Seconds of one copy that the reference has not. `at_s` is the place on the axis where they
    stand, null when it cannot be told."""

    copy_start_s: float
    copy_end_s: float
    at_s: float | None = None


class CopyRow(msgspec.Struct, frozen=True):
    """One copy on the time line. `aligned` is false when it was never laid on the reference itself,
    only on other copies: then it has no spans and says so. `decided_by` names the person by whose
    decision it is here, where no program found it."""

    item: str
    name: str
    spans: tuple[ShownSpan, ...] = ()
    only: tuple[OnlyHere, ...] = ()
    aligned: bool = True
    decided_by: str = ""


class CompositeView(msgspec.Struct, frozen=True):
    """Which second exists in which copy: rows over one axis, the seconds of the copy `reference`, and
    where other copies show more of the footage, theirs (`pieces`). `best` are the best sources."""

    reference: str
    reference_name: str
    length_s: float
    rows: tuple[CopyRow, ...]
    pieces: tuple[PieceView, ...] = ()
    best: tuple[SourceView, ...] = ()


class SpreadStep(msgspec.Struct, frozen=True):
    """By this time (UTC milliseconds) at least `least` and at most `most` posts showed the footage."""

    at_ms: int
    least: int
    most: int


class ClusterView(msgspec.Struct, frozen=True):
    """Items that share footage. Members in order of their earliest possible time, unknown last.

    `earliest` holds the items that may be the earliest copy found online (more than one when their
    times overlap, none when no time is known), `earliest_basis` says on what that rests. `pairs` are
    of verdict `same_footage`, the most telling first, at most MOST_PAIRS of `pairs_total`.
    """

    id: str
    members: tuple[MemberView, ...]
    earliest: tuple[str, ...] = ()
    earliest_basis: str = ""
    edges: tuple[EdgeView, ...] = ()
    pairs: tuple[PairView, ...] = ()
    pairs_total: int = 0
    composite: CompositeView | None = None
    against: tuple[PairView, ...] = ()
    differences: DifferencesView | None = None
    spread: tuple[SpreadStep, ...] = ()


class TraceView(msgspec.Struct, frozen=True):
    """What tracing found and people decided. `apart` are pairs that do not count as the same footage:
    those that people kept apart first, then those of verdict `same_camera_other_moment` or
    `undetermined`, at most MOST_APART of `apart_total`, without the `apart_small` with a thumbnail that
    an export made; `verdicts` counts all pairs by the program's
    verdict. `decided` are the pairs that people decided, the latest first, at most MOST_APART of
    `decided_total`. `error_rate` is a sentence; where none was measured it says so."""

    tool: str
    clips_compared: int
    pairs_compared: int
    verdicts: dict[str, int]
    clusters: tuple[ClusterView, ...] = ()
    apart: tuple[PairView, ...] = ()
    apart_total: int = 0
    error_rate: str = "unknown for this material"
    decided: tuple[PairView, ...] = ()
    decided_total: int = 0
    apart_small: int = 0
