"""What an object is, before a decoder sees it: its first bytes and its outer structure."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from typing import Any, Final

import msgspec

from muniment.collect.content_type import EMPTY, HEAD_BYTES, UNKNOWN, category, identify
from muniment.examine.limits import STILLS, STILLS_TOLD
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Note, Problem

#: Texts that tell a player to fetch other files.
_PLAYLISTS: Final = (
    (re.compile(rb"\s*#EXTM3U"), "HLS or M3U"),
    (re.compile(rb"\s*ffconcat version"), "ffconcat"),
    (re.compile(rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?(?:<!--.{0,500}?-->\s*)?<MPD[\s>]", re.S), "DASH"),
    (re.compile(rb"v=0\r?\n(?:[a-z]=.*\r?\n){0,20}?(?:o=|s=|m=)"), "SDP"),
    (re.compile(rb"\s*\[playlist\]", re.IGNORECASE), "PLS"),
    (re.compile(rb"\s*(?:<\?xml[^>]{0,200}\?>\s*)?<(?:smil|SmoothStreamingMedia|playlist|asx)[\s>]",
                re.IGNORECASE), "XML"),
    (re.compile(rb"\s*\[Reference\]|RTSPtext|\s*rtsp://"), "stream reference"),
)  # fmt: skip


class Structure(msgspec.Struct):
    """The outer structure of an object, as far as it could be followed.

    Attributes:
        kind: type by content.
        truncated_at: the byte at which the bytes end although the structure goes on, else None.
        missing: what is missing there, in words.
        fault: what is wrong in the structure, in words, else None.
        facts: what was met, as JSON facts.
        movie_s: duration the movie header claims, None where there is none.
        traks: tracks counted, 0 where unknown.
        end_of_picture: first byte after a still's own data, else None.
    """

    kind: str
    size_bytes: int
    truncated_at: int | None = None
    missing: str = ""
    fault: str | None = None
    notes: list[Note] = []
    facts: dict[str, Any] = {}
    traks: int = 0
    movie_s: Fraction | None = None
    end_of_picture: int | None = None


def size_of(fd: int) -> int:
    """Bytes of the object; by seeking, since fstat may be a call that takes a path and is refused."""
    here = os.lseek(fd, 0, os.SEEK_CUR)
    size = os.lseek(fd, 0, os.SEEK_END)
    os.lseek(fd, here, os.SEEK_SET)
    return size


def head_of(fd: int) -> bytes:
    """The first bytes, at most 8 KiB."""
    return os.pread(fd, HEAD_BYTES, 0)


def playlist(head: bytes) -> str | None:
    """Which kind of playlist the text is, or None."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    for pattern, name in _PLAYLISTS:
        if pattern.match(head):
            return name
    return None


def kind_of(head: bytes) -> str:
    """Type by content."""
    return identify(head, "").by_content


def is_media(kind: str) -> bool:
    """Whether objects of this type go to the decoders."""
    if kind == "image/svg+xml":
        return False
    return category(kind) in ("video", "audio", "image") or kind in (UNKNOWN, "application/ogg")


def check_media(head: bytes, kind: str, expected: str | None) -> None:
    """Refuse what must not or cannot go to a decoder.

    Args:
        expected: the type the object was taken for (by its name), where that is known.
    Raises:
        UnexaminableError: empty or single bytes, a playlist, or another type.
    """
    found = playlist(head)
    if found is not None:
        raise UnexaminableError(
            Problem.PLAYLIST, f"a playlist ({found}) would fetch other files; none was fetched"
        )
    if kind == EMPTY:
        raise UnexaminableError(Problem.NOT_MEDIA, "is empty")
    if not is_media(kind):
        taken = expected if expected and is_media(expected) else "media"
        raise UnexaminableError(Problem.TYPE_MISMATCH, f"taken for {taken}, holds {kind}")
    if category(kind) == "image" and kind not in STILLS:
        raise UnexaminableError(
            Problem.REFUSED_CODEC, f"stills of type {kind} are not decoded: {STILLS_TOLD}"
        )
    if not head.strip(b"\0"):
        raise UnexaminableError(Problem.NOT_MEDIA, "holds only zero bytes where a header would be")
    if len(head) < 12:
        raise UnexaminableError(Problem.NOT_MEDIA, f"holds {len(head)} bytes")
