"""Telegram Desktop's JSON export (`result.json`: one chat or a full account) as posts.

Checked against Telegram Desktop's own exporter (export_output_json.cpp) and its issues:

- Exports before Telegram Desktop 3.7.6 give local times without a zone (tdesktop#24054); they
  become intervals. A `date` beside `date_unixtime` stays in `extra`: their difference is the
  exporting computer's offset from UTC.
- Early exports write `edited` as the start of 1970 on messages never edited: that is no edit.
- Forwards carry names only, so lineage from them is *claimed*.
- Exports do not say which messages form an album (tdesktop#16890): `album_of` is inferred.
- A control character is written as `\\xNN` (tdesktop#27571), some custom emoji ids without quotes
  (tdesktop#24961). Neither is JSON; both are read, with a trouble that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import msgspec

from muniment.collect.telegram_detect import is_export
from muniment.collect.telegram_fields import (
    BASIS_EDITED_UNIX,
    BASIS_LOCAL,
    BASIS_NONE,
    BASIS_UNIX,
    Fields,
)
from muniment.collect.telegram_media import MemberSize, take_media
from muniment.collect.telegram_record import UNKNOWN, Fault, TooDeep, canonical_value, decode
from muniment.collect.telegram_stream import EXPORT_AGAIN, RawMessage, place, raw_messages
from muniment.model.canonical import encode, text
from muniment.model.collect import Post, Trouble
from muniment.model.times import Interval

__all__ = [
    "BASIS_EDITED_UNIX",
    "BASIS_LOCAL",
    "BASIS_NONE",
    "BASIS_UNIX",
    "is_export",
    "read_posts",
]

#: `extra` larger than this in canonical form is left out, with a trouble.
MAX_EXTRA_BYTES: Final = 1024 * 1024
MAX_ALBUM: Final = 10

_NO_TIME: Final = Interval(None, None, BASIS_NONE)
# Canonical form is at most this many times larger than the JSON it comes from (NFC expansion).
_GROWTH: Final = 8
#: Members of `extra` that are ours; an export's member of that name goes to `unknown_fields`.
_OURS: Final = ("forwarded_from_hidden", "text_parts", "omitted", "cut")


def read_posts(export: BinaryIO, member_size: MemberSize) -> Iterator[Post | Trouble]:
    """Every post of an export in file order, each citing its bytes; troubles stand before them.

    A message that cannot be read whole (no JSON, a key twice, nested deeper than 64, larger than
    4 MiB) gives a trouble with its byte range and no post. A member of the wrong type gives a
    trouble and stays in `extra`; the post is kept with that field null. Reading never raises on any
    bytes; what `export` and `member_size` raise passes through. Memory stays below about 50 MB.

    Args:
        export: `result.json`, opened for reading bytes at its start.
        member_size: size in bytes of a regular file in the export folder by its path as the JSON
            has it (`video_files/a.mp4`), null when there is none. Never asked for paths that point
            outside.
    Yields:
        Posts, whose `details` and `extra` are canonical JSON values, and troubles.
    Example:
        >>> import io
        >>> export = b'{"name":"A","id":7,"messages":[{"id":1,"type":"message","text":"hi"}]}'
        >>> [post] = read_posts(io.BytesIO(export), lambda path: None)
        >>> post.text, export[post.start_byte:post.end_byte]
        ('hi', b'{"id":1,"type":"message","text":"hi"}')
    """
    album = _Album()
    for found in raw_messages(export):
        if isinstance(found, Trouble):
            album.forget()
            yield found
            continue
        post, troubles = _read_message(found, member_size)
        yield from troubles
        if post is None:
            album.forget()
        else:
            yield album.place(post)


def _read_message(found: RawMessage, member_size: MemberSize) -> tuple[Post | None, list[Trouble]]:
    record = decode(found.raw)
    span = f"(bytes {found.start} to {found.end}, not read)"
    numbered = f"{place(found.channel)}, message number {found.number} of the chat"
    if isinstance(record, Fault):
        at = found.start + record.at
        reason = f"malformed at byte {at}: {numbered}: {record.why} {span}"
        return None, [Trouble(found.start, reason, EXPORT_AGAIN)]
    given = record.value.get("id")
    where = f"{place(found.channel)}, message {str(given)[:40]}" if type(given) is int else numbered
    fields = Fields(record.value, found.start, where)
    if record.repaired:
        fields.malformed(f"{record.repaired}, read as meant")
    try:
        return _build(found, fields, member_size), fields.troubles
    except TooDeep as error:
        reason = f"malformed at byte {found.start}: {where}: {error} {span}"
        return None, [Trouble(found.start, reason, EXPORT_AGAIN)]


def _build(found: RawMessage, fields: Fields, member_size: MemberSize) -> Post:
    ours: dict[str, Any] = {}
    post_id = fields.integer("id")
    if post_id is None and "id" not in fields.left:
        fields.malformed("it has no `id`")
    kind = fields.string("type")
    if not kind:
        kind = "unknown"
        fields.malformed("it has no usable `type`")
    author_key = "actor" if kind == "service" and "actor" in fields.left else "from"
    author = fields.string(author_key)
    action = fields.string("action")
    if "forwarded_from" in fields.left and fields.left["forwarded_from"] is None:
        ours["forwarded_from_hidden"] = True
    reply_to = fields.integer("reply_to_message_id")
    published = fields.time("date_unixtime", "date", BASIS_UNIX)
    media = take_media(fields, member_size)
    forwarded_from = fields.string("forwarded_from")
    if fields.cut:
        ours["cut"] = fields.cut
    return Post(
        start_byte=found.start,
        end_byte=found.end,
        channel=found.channel,
        post_id=None if post_id is None else str(post_id),
        kind=kind,
        action=action,
        author=author,
        published=published or _NO_TIME,
        edited=_edited(fields),
        text=_take_text(fields, ours) or None,
        media=media,
        forwarded_from=forwarded_from,
        reply_to=None if reply_to is None else str(reply_to),
        album_of=None,
        extra=_extra(fields, ours, len(found.raw)),
    )


def _edited(fields: Fields) -> Interval | None:
    before = dict(fields.left) if "edited" in fields.left else {}
    moment = fields.time("edited_unixtime", "edited", BASIS_EDITED_UNIX)
    if moment is None or moment.earliest_utc is None or moment.latest_utc is None:
        return None
    if moment.earliest_utc <= "1970-01-01T00:00:00.000Z" <= moment.latest_utc:
        fields.left.update({key: before[key] for key in ("edited",) if key in before})
        return None  # Telegram's 0, "never": early exports wrote it out
    return moment


def _take_text(fields: Fields, ours: dict[str, Any]) -> str | None:
    """The text without formatting; parts and entities that say more than it stay for `extra`."""
    left = fields.left
    entities = left.get("text_entities")
    plain = _joined(entities) if isinstance(entities, list) else None
    if "text" not in left:
        return None if plain is None else text(plain)
    value = left["text"]
    if type(value) is str:
        joined: str | None = value
    else:
        joined = _joined(value) if isinstance(value, list) else None
        if joined is None:
            fields.malformed("`text` is neither a string nor a list of parts")
            return None
        if plain != joined:
            ours["text_parts"] = value
    del left["text"]
    trivial = [{"type": "plain", "text": value}] if value else []
    if entities == trivial:
        del left["text_entities"]
    return text(joined or "")


def _joined(parts: list[Any]) -> str | None:
    strings = []
    for part in parts:
        string = part.get("text") if type(part) is dict else part
        if type(string) is not str:
            return None
        strings.append(string)
    return "".join(strings)


def _extra(fields: Fields, ours: dict[str, Any], raw_bytes: int) -> dict[str, Any] | None:
    left = fields.left
    if not left and not ours:
        return None
    clashing = [[key, left.pop(key)] for key in _OURS if key in left]
    extra: dict[str, Any] = canonical_value({**left, **ours})
    if clashing:
        extra.setdefault(UNKNOWN, []).extend(canonical_value(clashing, 1))
    if raw_bytes * _GROWTH > MAX_EXTRA_BYTES and len(encode(extra)) > MAX_EXTRA_BYTES:
        fields.malformed(f"its further fields exceed {MAX_EXTRA_BYTES} bytes and were left out")
        return {"omitted": f"more than {MAX_EXTRA_BYTES} bytes; see the raw record"}
    return extra


class _Album:
    """Infers albums, with one post of lookback.

    Posts are taken for one album when each follows the one before in file order and id (one more),
    all are of one chat, author, time, forward source and reply, each has a photo or video file, at
    most one has text, and they are at most ten (Telegram's limit). That is an inference: separate
    pictures forwarded in one second look the same.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """End the album, if one is open."""
        self.key: tuple[Any, ...] | None = None
        self.first: str | None = None
        self.last_id = 0
        self.count = 0
        self.has_text = False

    def place(self, post: Post) -> Post:
        """`post`, with `album_of` set when it continues an album."""
        if (
            post.post_id is None
            or post.kind != "message"
            or post.media is None
            or post.media.media_type not in ("photo", "video_file")
            or post.published.earliest_utc is None
        ):
            self.forget()
            return post
        key = _album_key(post)
        post_id = int(post.post_id)
        if (
            key == self.key
            and post_id == self.last_id + 1
            and self.count < MAX_ALBUM
            and not (self.has_text and post.text)
        ):
            self.count += 1
            self.last_id = post_id
            self.has_text = self.has_text or post.text is not None
            return msgspec.structs.replace(post, album_of=self.first)
        self.key, self.first, self.last_id, self.count = key, post.post_id, post_id, 1
        self.has_text = post.text is not None
        return post


def _album_key(post: Post) -> tuple[Any, ...]:
    sender = (post.extra or {}).get("from_id")
    return (
        post.channel.ordinal,
        post.author,
        str(sender),
        post.published,
        post.forwarded_from,
        post.reply_to,
    )
