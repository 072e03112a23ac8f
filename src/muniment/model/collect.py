"""What collectors hand over: bytes with their circumstances, misses with their reasons, posts."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from muniment.model.times import Interval


class Outcome(StrEnum):
    """What came of one thing a source names."""

    FOUND = "found"
    DUPLICATE = "duplicate"
    ADOPTED = "adopted"
    ABSENT = "absent"
    FAILED = "failed"
    REFUSED = "refused"
    NOT_TRIED = "not_tried"


class SourceKind(StrEnum):
    """What a source is."""

    FILE = "file"
    FOLDER = "folder"
    TELEGRAM_DESKTOP = "telegram_desktop"


class Name(msgspec.Struct, frozen=True):
    """A name from a source as the record can hold it.

    `path` is NFC text with `/` between parts; bytes that are no UTF-8 stand as `\\xNN`. `raw_hex`
    holds the exact bytes whenever `path` does not encode back to them, else null.
    """

    path: str
    raw_hex: str | None = None


class MediaType(msgspec.Struct, frozen=True):
    """Content type by content and by name; `mismatch` when both are known and disagree. By content
    `application/x-empty` and `application/octet-stream` say that nothing is known."""

    by_content: str
    by_name: str | None
    mismatch: bool
    tool: str


class Miss(msgspec.Struct, frozen=True):
    """Something a source names that could not be kept."""

    name: Name
    outcome: Outcome
    reason: str
    remedy: str


class Channel(msgspec.Struct, frozen=True):
    """The chat a post stands in. `ordinal` counts the chats of its export file from 0, so two
    chats of one name stay two."""

    name: str | None
    id: str | None
    type: str | None
    ordinal: int


class Media(msgspec.Struct, frozen=True):
    """A post's file as the export tells it.

    Attributes:
        media_type: Telegram Desktop's word (`video_file`, `voice_message`, ... ), else `photo`,
            `file` or `contact_vcard`.
        path: path within the export folder, or null when the file is not there.
        status: `included`, `not_included` (the placeholder), `missing` (named, not in the folder),
            `empty` (zero bytes) or `refused` (the path points outside the folder).
        details: what else the export says of it (size, duration_s, width_px, ...): strings,
            integers, `known: false` for a media_type this program does not know, `named_path` when
            the file is missing or refused, `path_utf8_hex` when NFC changed the path.
    """

    media_type: str
    path: str | None
    status: str
    details: dict[str, Any]


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One publication as an export tells it, citing its raw record by byte range.

    Attributes:
        start_byte, end_byte: [start, end) of the record in the export file.
        post_id: the message's id, as a string.
        kind: `message`, `service`, `unsupported`, or `unknown` when the export's type is none.
        action: a service message's action, else null.
        author: the `from` or `actor` name, else null.
        published, edited: intervals in UTC; the exporter's claim. `edited` null when not edited.
        text: the text with its formatting dropped, null when there is none.
        media: its file, or null.
        forwarded_from: the name the export gives, null when not a forward.
        reply_to: the id of the post it answers, or null.
        album_of: id of the first post of the album it seems to belong to (inferred: exports do
            not say), or null.
        extra: text entities, reactions and the rest; canonical JSON values. `cut` has the characters
            of each string that is longer than the record shows (1,000 bytes; the end is then `…`).
    """

    start_byte: int
    end_byte: int
    channel: Channel
    post_id: str | None
    kind: str
    action: str | None
    author: str | None
    published: Interval
    edited: Interval | None
    text: str | None
    media: Media | None
    forwarded_from: str | None
    reply_to: str | None
    album_of: str | None
    extra: dict[str, Any] | None


class Trouble(msgspec.Struct, frozen=True):
    """Something in an export that could not be read; the rest was.

    Attributes:
        start_byte: where in the export file it starts.
        reason: what is wrong, in one clause, naming the place (`chat 2, message 17: ...`).
        remedy: what can be done about it.
    """

    start_byte: int
    reason: str
    remedy: str
