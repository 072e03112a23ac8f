"""What the report is drawn from: one frozen record, a pure function of the log up to a checkpoint.

Everything here is text as recorded (not escaped for display, not HTML-escaped): drawing does that.
What examining and tracing found stands in model/report_seen.py. Pictures are named here and fetched
one by one while the page is drawn.
"""

from __future__ import annotations

import msgspec

from muniment.model.collect import Channel, MediaType
from muniment.model.report_seen import (
    ConfinementView,
    ExaminedView,
    FactView,
    FrameView,
    NoteView,
    TextView,
    TraceView,
)
from muniment.model.times import Interval


class AcquisitionView(msgspec.Struct, frozen=True):
    """One acquisition: intent and outcome. `outcome` is null while it is open (interrupted)."""

    id: str
    source_path: str
    source_kind: str
    stated_source: str | None
    collector: str
    why: str
    started_utc: str
    finished_utc: str | None
    outcome: str | None
    counts: dict[str, int]
    reason: str | None
    tool: str
    clock_set_back_s: str | None


class Circumstance(msgspec.Struct, frozen=True):
    """One way an item came in."""

    acquisition: str
    path: str
    outcome: str
    recorded_utc: str
    modified_utc: str | None


class ItemView(msgspec.Struct, frozen=True):
    """An item: one object with every circumstance it was acquired in, and the posts that show it.

    `category` is one of video, image, audio, export, document, other (by content type).
    `role` says what it is to its source: `thumbnail` for small pictures that an export adds to a
    file, `""` for all else; thumbnails are counted apart.
    `erased` says that its bytes were destroyed on purpose.
    `examined` has one record for each examiner made for its kind, tried or not; empty when none is.
    `frames` is the strip, in order of time, at most MOST_FRAMES of the `frames_total` there are.
    """

    id: str
    sha256: str
    size_bytes: int
    media_type: MediaType
    category: str
    circumstances: tuple[Circumstance, ...]
    posts: tuple[str, ...]
    erased: bool
    role: str = ""
    duration_s: float | None = None
    examined: tuple[ExaminedView, ...] = ()
    confinement: ConfinementView | None = None
    facts: tuple[FactView, ...] = ()
    frames: tuple[FrameView, ...] = ()
    frames_total: int = 0
    notes: tuple[NoteView, ...] = ()
    text: TextView | None = None


class PostView(msgspec.Struct, frozen=True):
    """A post. `channel_key` tells channels apart (two chats of one name are two); `media_item` is
    the id of the item its file became, null when there is none or it is not there. Of posts beyond
    the page's list `text`, `media_path`, `reply_to` and `album_of` are null. `text_object` is the
    SHA-256 of the object that holds a long text whole: `text` is then its beginning, null when that
    object cannot be read, and `text_characters` how many there are."""

    id: str
    channel_key: str
    channel: Channel
    post_id: str | None
    kind: str
    action: str | None
    author: str | None
    published: Interval
    edited: Interval | None
    text: str | None
    media_type: str | None
    media_status: str | None
    media_path: str | None
    media_item: str | None
    forwarded_from: str | None
    reply_to: str | None
    album_of: str | None
    export_item: str
    start_byte: int
    end_byte: int
    text_object: str | None = None
    text_characters: int = 0


class MissView(msgspec.Struct, frozen=True):
    """Something a source names that is not in the case. `outcome`: absent, failed, refused.

    `post` is the id of the post that names it, null when none does. `role` is `thumbnail` for the
    small picture of a file, `""` for all else.
    """

    acquisition: str
    path: str
    outcome: str
    reason: str
    remedy: str
    post: str | None = None
    role: str = ""


class EventView(msgspec.Struct, frozen=True):
    """One custody event worth showing: a recovery, an erasure, a key certified, an original opened.
    `premis` is its code in PREMIS, empty where it has none."""

    at_utc: str
    kind: str
    by: str
    summary: str
    premis: str = ""


class CustodyView(msgspec.Struct, frozen=True):
    """Who may sign, what is sealed, and what is not.

    `checkpoint` is the short form `SIZE:ROOT-HEX` that `verify --since` takes.
    `outside_anchor` names the last anchor held outside the owner's control, null when there is none;
    `anchor_utc` is the time it states, `anchor_size` how many entries it covers, `beyond_anchor` how
    many of the later ones are more than the stamps' own, `beyond_utc` when the last was written.
    `queued` is a line for each authority that has not stamped the end, or still owes a proof; `copies`
    one for each second copy the log knows, and `copies_say` how they stand to three, two and one.
    """

    root_sha256: str
    origin: str
    checkpoint: str
    checkpoint_size: int
    checkpoint_root_sha256: str
    checkpoint_algorithms: tuple[str, ...]
    persons: tuple[str, ...]
    agents: tuple[str, ...]
    first_entry_utc: str
    last_entry_utc: str
    outside_anchor: str | None
    entry_counts: dict[str, int]
    object_count: int
    object_bytes: int
    events: tuple[EventView, ...]
    clock_steps_back: int
    anchor_utc: str | None = None
    anchor_size: int = 0
    beyond_anchor: int = 0
    beyond_utc: str | None = None
    queued: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    copies_say: str = ""


class LibraryView(msgspec.Struct, frozen=True):
    """A library, or the kind of machine, that steps recorded they worked with."""

    name: str
    version: str
    steps: tuple[str, ...]


class ReportData(msgspec.Struct, frozen=True):
    """All the report shows. Posts are in order of their earliest possible time, unknown times last;
    items in order of their first acquisition; `tools` are (name, version) pairs of everything that
    wrote to the log; `libraries` are what its steps recorded they worked with. `trace` is null when
    copies were not looked for."""

    case_id: str
    title: str
    purpose: str
    opened_by: str
    opened_utc: str
    custody: CustodyView
    acquisitions: tuple[AcquisitionView, ...]
    items: tuple[ItemView, ...]
    posts: tuple[PostView, ...]
    misses: tuple[MissView, ...]
    tools: tuple[tuple[str, str], ...]
    report_version: str
    trace: TraceView | None = None
    libraries: tuple[LibraryView, ...] = ()
