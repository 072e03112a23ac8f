"""Posts, and what they name that is not held, as the report's views want them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from muniment.case import observed
from muniment.case.damage import Damage
from muniment.case.index import Index
from muniment.errors import IntegrityError, MalformedError
from muniment.model.collect import Channel
from muniment.model.ids import short
from muniment.model.report import MissView, PostView
from muniment.model.times import Interval
from muniment.report.rows import MOST_TEXT
from muniment.report.survey import MOST_ROWS
from muniment.store.layout import CaseFolder

#: Stands where a value was erased.
ERASED = "(erased)"

_ABSENT_WORDS = {
    "not_included": (
        "absent",
        "the export does not include the file",
        "Export it again with files.",
    ),
    "missing": (
        "absent",
        "the export names the file, it is not in the folder",
        "Look for the file.",
    ),
    "empty": ("absent", "the file in the export has zero bytes", "Export it again."),
}


def export_folders(index: Index) -> dict[str, str]:
    """Export object -> its folder within the source, from the step that read its posts."""
    sql = "SELECT object, parameters FROM observation WHERE step='telegram_desktop.posts'"
    return {digest: json.loads(text)["folder"] for digest, text in index.rows(sql) if text}


class LongTexts:
    """Texts of posts that objects hold because they are long.

    Args:
        damage: is told of those that cannot be read.
    """

    def __init__(self, folder: CaseFolder, damage: Damage) -> None:
        self._folder, self._damage = folder, damage

    def read(self, post: str, export: str, digest: str) -> tuple[str | None, int]:
        """The beginning of a text, None if it cannot be read, and its number of characters."""
        try:
            text = observed.long_text(self._folder, digest)
        except (IntegrityError, MalformedError) as error:
            remedy = "the raw record of the post has it too"
            self._damage.tell(export, f"text of {post}", digest, error, remedy)
            return None, 0
        return text[:MOST_TEXT], len(text)


def post_views(
    index: Index,
    where: dict[tuple[str, str], str],
    folders: dict[str, str],
    texts: LongTexts,
) -> tuple[PostView, ...]:
    """Every post, in order of its earliest possible time, unknown times last.

    Args:
        where: (acquisition, path) -> object.
        folders: export object -> its folder within the source.
    """
    sql = (
        "SELECT leaf, acquisition, export, start_byte, end_byte, channel_name, channel_id,"
        " channel_type, ordinal, post_id, kind, action, author, earliest_utc, latest_utc,"
        " time_basis, edited, text, media, forwarded_from, reply_to, album_of, kept.object"
        " FROM post LEFT JOIN kept ON kept.idx = post.idx AND field = 'text'"
        " ORDER BY earliest_utc IS NULL, earliest_utc, latest_utc, post.idx"
    )
    resumed = dict(index.rows("SELECT leaf, resumes FROM acquisition WHERE resumes IS NOT NULL"))
    shared: dict[Any, Any] = {}
    return tuple(
        _post(row, where, folders, resumed, shared, texts if number < MOST_ROWS else None)
        for number, row in enumerate(index.each(sql))
        if row[2] is not None
    )


def shown_object(
    path: str | None,
    folder: str,
    acquisition: str | None,
    where: Mapping[tuple[str, str], str],
    resumed: Mapping[str, str],
) -> str | None:
    """The object of a file that a post names, kept by its acquisition or one that that resumes.

    Args:
        folder: of the export within its source.
        where: (acquisition, path) -> object.
        resumed: acquisition -> the one it resumes.
    """
    while path and acquisition:
        found = where.get((acquisition, f"{folder}/{path}" if folder else path))
        if found:
            return found
        acquisition = resumed.get(acquisition)
    return None


def _post(
    row: tuple[Any, ...],
    where: dict[tuple[str, str], str],
    folders: dict[str, str],
    resumed: dict[str, str],
    shared: dict[Any, Any],
    texts: LongTexts | None,
) -> PostView:
    """One post; what only the list shows is left out of those beyond it (they get no `texts`), and
    equal values are kept once, so that a case of 400,000 posts is drawn in bounded memory."""

    def one(value: Any) -> Any:
        return shared.setdefault(value, value) if value is not None else None

    leaf, acquisition, export, start, end, name, channel_id, kind, ordinal = row[:9]
    media = json.loads(row[18]) if row[18] else {}
    folder = folders.get(export, "")
    path = media.get("path")
    digest = shown_object(path, folder, acquisition, where, resumed)
    edited = json.loads(row[16]) if row[16] else None
    is_listed, identity = texts is not None, short("post", leaf)
    text, characters = row[17], 0
    if texts is not None and row[22]:
        text, characters = texts.read(identity, export, row[22])
    # An exact time is one string, not two.
    latest_utc = row[13] if row[14] == row[13] else row[14]
    return PostView(
        id=identity,
        channel_key=one(f"{export[:12]}/{ordinal}"),
        channel=one(Channel(name, channel_id, kind, ordinal or 0)),
        post_id=row[9],
        kind=one(row[10] or "message"),
        action=one(row[11]),
        author=one(row[12]),
        published=Interval(row[13], latest_utc, one(row[15] or "no time given")),
        edited=msgspec.convert(edited, Interval) if edited else None,
        text=text if is_listed else None,
        media_type=one(media.get("media_type")),
        media_status=one(media.get("status")),
        media_path=path if is_listed else None,
        media_item=one(short("item", digest)) if digest else None,
        forwarded_from=one(row[19]),
        reply_to=row[20] if is_listed else None,
        album_of=row[21] if is_listed else None,
        export_item=one(short("item", export)),
        start_byte=start,
        end_byte=end,
        text_object=row[22] if is_listed else None,
        text_characters=characters,
    )


def thumbnails(
    index: Index, where: dict[tuple[str, str], str], folders: dict[str, str]
) -> set[str]:
    """Objects that posts name as the small picture of their file, and never as a file itself."""
    small: set[str] = set()
    sql = "SELECT acquisition, export, media FROM post WHERE media IS NOT NULL"
    for acquisition, export, text in index.each(sql):
        path = json.loads(text).get("details", {}).get("thumbnail")
        folder = folders.get(export, "")
        digest = where.get((acquisition, f"{folder}/{path}" if folder else str(path)))
        if path and digest:
            small.add(digest)
    return small


def miss_views(index: Index) -> tuple[MissView, ...]:
    """What was missed, and the files that posts name and their exports lack."""
    rows = index.rows("SELECT acquisition, path, outcome, reason, remedy FROM miss ORDER BY idx")
    views = [
        MissView(short("acquisition", leaf or ""), *(text or ERASED for text in texts))
        for leaf, *texts in rows
    ]
    sql = "SELECT acquisition, leaf, media FROM post WHERE media IS NOT NULL ORDER BY idx"
    for acquisition, leaf, text in index.rows(sql):
        media = json.loads(text)
        words = _ABSENT_WORDS.get(media.get("status"))
        if words:
            path = str(media.get("path") or media.get("media_type"))
            run, post = short("acquisition", acquisition or ""), short("post", leaf)
            views.append(MissView(run, path, *words, post=post))
    return tuple(views)
