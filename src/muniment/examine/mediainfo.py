"""What MediaInfo says of an object: a second, independent parser of containers."""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pymediainfo

from muniment.examine.probing import size_of
from muniment.examine.tags import cleaned

_MOST_TRACKS: Final = 32
_MOST_FIELDS: Final = 90
_MOST_VALUE: Final = 1_200
#: Headers only: at its usual 0.5 it decodes into the streams, four times as long for next to nothing.
_SPEED: Final = 0.0
#: Fields that repeat others in other words, or count MediaInfo's own fields.
_LEFT_OUT: Final = re.compile(
    r"_String\d?$|^(?:@ref|Count|StreamCount|StreamKind.*|.*_Url|.*_Info|.*_WithHint_List|"
    r"Format_Extensions|.*_Commercial.*|.*_Proportion|InternetMediaType|FileSize|CompleteName.*|"
    r"FolderName|FileName.*|File_.*_Date.*|.*_StreamSize.*)$"
)


class _Reader:
    """A file over a descriptor that reads by position, so that nothing else is disturbed."""

    mode = "rb"

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._at = 0
        self._size = size_of(fd)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = min(max(0, base + offset), self._size)
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, count: int = -1) -> bytes:
        wanted = self._size - self._at if count is None or count < 0 else count
        data = os.pread(self._fd, min(wanted, 1 << 20), self._at)
        self._at += len(data)
        return data


@lru_cache(maxsize=1)
def _library() -> str | None:
    """The library beside pymediainfo, else what the system finds; asked once, before confinement."""
    beside = Path(pymediainfo.__file__).with_name("libmediainfo.so.0")
    return str(beside) if beside.is_file() else None


def told(fd: int) -> list[dict[str, Any]] | None:
    """MediaInfo's tracks as `[{"type": ..., "fields": {name: text}}]`; None when it has no answer.

    Values are texts as it gives them; units are those of its documentation.
    """
    try:
        text = pymediainfo.MediaInfo.parse(
            _Reader(fd), library_file=_library(), output="JSON", full=True, parse_speed=_SPEED
        )
        found = json.loads(text, strict=False)
        tracks = found["media"]["track"]
    except (ValueError, KeyError, TypeError, RecursionError, OSError, RuntimeError):
        return None
    if not isinstance(tracks, list):
        return None
    return [_track(one) for one in tracks[:_MOST_TRACKS] if isinstance(one, dict)]


def _track(track: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, str] = {}
    _flat(track, "", fields)
    return {"type": cleaned(track.get("@type", ""), 40), "fields": fields}


def _flat(values: dict[str, Any], prefix: str, fields: dict[str, str]) -> None:
    for name, value in values.items():
        if len(fields) >= _MOST_FIELDS:
            return
        if name == "extra" and isinstance(value, dict) and not prefix:
            _flat(value, "extra_", fields)
        elif name != "@type" and not _LEFT_OUT.search(name) and isinstance(value, str | int):
            key = re.sub(r"[^A-Za-z0-9_.-]", "_", prefix + name)[:80]
            fields.setdefault(key, cleaned(value, _MOST_VALUE))


def library_version() -> str:
    """MediaInfo's own version."""
    found: str = pymediainfo.MediaInfo._get_library(_library())[2]
    return found


def warm_up() -> None:
    """Load the library and its tables, which it does at the first parse."""
    fd = os.memfd_create("warm-up")
    try:
        os.write(fd, b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0")
        told(fd)
    finally:
        os.close(fd)
