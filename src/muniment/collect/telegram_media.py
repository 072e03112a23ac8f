"""The file of a message: what the export says of it, and whether it lies in the export folder.

Nothing here opens a path. A path that points outside the folder is never asked for either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from muniment.collect.telegram_fields import Fields
from muniment.model.canonical import encode, text
from muniment.model.collect import Media
from muniment.model.display import visible

#: Telegram Desktop's words for `media_type`.
KNOWN_TYPES: Final = frozenset(
    {"sticker", "video_message", "voice_message", "animation", "video_file", "audio_file"}
)
#: What stands in place of a path, alone or after the file's name and a space.
PLACEHOLDERS: Final = (
    "(File not included. Change data exporting settings to download.)",
    "(File exceeds maximum size. Change data exporting settings to download.)",
    "(File unavailable, please try again later)",
)
#: Also of its canonical form, in which a control character has six.
MAX_PATH_BYTES: Final = 2000

# member of the export -> member of `Media.details`; the unit stands in the key
_STRINGS: Final = {
    "file_name": "file_name",
    "mime_type": "mime_type",
    "sticker_emoji": "sticker_emoji",
    "performer": "performer",
}
_INTEGERS: Final = {
    "file_size": "size_bytes",
    "photo_file_size": "size_bytes",
    "contact_vcard_file_size": "size_bytes",
    "thumbnail_file_size": "thumbnail_size_bytes",
    "duration_seconds": "duration_s",
    "width": "width_px",
    "height": "height_px",
    "self_destruct_period_seconds": "self_destruct_period_s",
}
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

MemberSize = Callable[[str], int | None]


def take_media(fields: Fields, member_size: MemberSize) -> Media | None:
    """Take a message's file out of `fields`.

    A photo is under `photo`, every other file under `file`, a contact's card under
    `contact_vcard`; `media_type` becomes `photo`, `file` (when the export gives none) or
    `contact_vcard` accordingly. `details` holds, where the export gives them, `file_name`,
    `mime_type`, `size_bytes`, `duration_s`, `width_px`, `height_px`, `thumbnail` with
    `thumbnail_status`, and further:

    - `known`: false for a media type that Telegram Desktop is not known to write;
    - `placeholder`: the text that stands in place of the path;
    - `named_path`: the path of a file that is missing or refused, cut as other strings are;
    - `path_utf8_hex`: the path's exact bytes when NFC changed them.
    """
    key = next((key for key in ("photo", "file", "contact_vcard") if key in fields.left), None)
    if key is None:
        return None
    named = fields.left[key]
    if type(named) is not str:
        fields.malformed(f"`{key}` is not a string")
        return None
    del fields.left[key]
    media_type = fields.string("media_type") if key == "file" else None
    details: dict[str, Any] = {}
    path, status = _locate(fields, key, named, member_size, details)
    if media_type is not None and media_type not in KNOWN_TYPES:
        details["known"] = False
    _take_details(fields, media_type, details)
    thumbnail: Any = fields.left.get("thumbnail")  # as written: `string` may change its bytes
    kept = fields.string("thumbnail", MAX_PATH_BYTES)
    if kept is not None:
        details["thumbnail"] = kept
        details["thumbnail_status"] = _locate(fields, "thumbnail", thumbnail, member_size, None)[1]
    return Media(media_type or key, path, status, details)


def unsafe_reason(path: str) -> str | None:
    """Why `path` may not be looked up in the export folder; null when it may.

    Example:
        >>> unsafe_reason("video_files/a.mp4")
        >>> unsafe_reason("video_files/../../key")
        'it climbs out of the folder'
    """
    if "\0" in path:
        return "it holds a NUL character"
    if _SURROGATE.search(path):
        return "it is not valid Unicode"
    if "\\" in path:
        return "it holds a backslash"
    if path.startswith("/"):
        return "it is absolute"
    if _DRIVE.match(path):
        return "it names a drive"
    if ".." in path.split("/"):
        return "it climbs out of the folder"
    if max(len(path.encode()), len(encode(text(path))) - 2) > MAX_PATH_BYTES:
        return f"it is longer than {MAX_PATH_BYTES} bytes"
    return None


def _locate(
    fields: Fields,
    key: str,
    named: str,
    member_size: MemberSize,
    details: dict[str, Any] | None,
) -> tuple[str | None, str]:
    """The path and status of the file that an export names `named`; more of it into `details`."""

    def tell(name: str) -> None:
        if details is not None:
            details[name] = fields.bounded(key, named)

    if named.endswith(PLACEHOLDERS):
        tell("placeholder")
        return None, "not_included"
    reason = unsafe_reason(named)
    if reason:
        tell("named_path")
        fields.tell(
            f"unsafe member {visible(named[:200])}: {reason} ({fields.place})",
            "Nothing was opened. Ask who made this export how the path came about.",
        )
        return None, "refused"
    size = member_size(named)
    if size is None:
        if named.startswith("(File ") and named.endswith(")"):  # a wording not known yet
            tell("placeholder")
            return None, "not_included"
        tell("named_path")
        return None, "missing"
    path = text(named)
    if path != named and details is not None:
        details["path_utf8_hex"] = named.encode().hex()
    return path, "included" if size else "empty"


def _take_details(fields: Fields, media_type: str | None, details: dict[str, Any]) -> None:
    left = fields.left
    for key, name in _STRINGS.items():
        if key in left:
            string = fields.string(key)
            if string is not None:
                details[name] = string
    for key, name in _INTEGERS.items():
        if key in left:
            number = fields.small_integer(key)
            if number is not None:
                details[name] = number
    if media_type == "audio_file" and "title" in left:
        title = fields.string("title")
        if title is not None:
            details["title"] = title
