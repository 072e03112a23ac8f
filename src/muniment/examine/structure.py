"""Following an object's outer structure, and naming what a decoder only calls invalid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import av.error

from muniment.collect.content_type import UNKNOWN
from muniment.examine import boxes, chunks, limits
from muniment.examine.declared import size_px
from muniment.examine.decode import Seen
from muniment.examine.opening import check_size
from muniment.examine.probing import Structure, size_of
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Note, Problem

_BOXED: Final = frozenset(
    {"video/mp4", "video/quicktime", "video/3gpp", "video/3gpp2", "audio/mp4"}
    | {"image/heic", "image/heif", "image/avif"}
)
_WALKERS: Final[dict[str, Callable[[int, Structure], None]]] = {
    **dict.fromkeys(_BOXED, boxes.walk),
    **dict.fromkeys(("video/x-msvideo", "audio/wav", "image/webp"), chunks.riff),
    **dict.fromkeys(("video/webm", "video/x-matroska", "audio/x-matroska"), chunks.ebml),
    **dict.fromkeys(("audio/ogg", "video/ogg", "application/ogg"), chunks.ogg),
    "image/png": chunks.png,
    "image/apng": chunks.png,
    "image/gif": chunks.gif,
    "image/jpeg": chunks.jpeg,
    "image/bmp": chunks.bmp,
}
#: Bytes after a still's own end from which they are worth a note.
_APPENDED_BYTES: Final = 16
_TELLING_TYPES: Final = frozenset({UNKNOWN, "application/ogg"})


def walked(fd: int, head: bytes, kind: str) -> Structure:
    """The structure of the object, as far as it can be followed.

    Raises:
        UnexaminableError: a still whose header declares a size over the limit.
    """
    found = Structure(kind, size_of(fd))
    declared = size_px(kind, head)
    if declared is not None:
        _check_declared(*declared)
    walker = _WALKERS.get(kind)
    if walker is not None:
        walker(fd, found)
    if found.end_of_picture is not None:
        appended = found.size_bytes - found.end_of_picture
        if appended >= _APPENDED_BYTES:
            found.facts["appended_bytes"] = appended
            found.notes.append(
                Note("bytes after the picture", f"{appended} from byte {found.end_of_picture}")
            )
    return found


def _check_declared(width_px: int, height_px: int) -> None:
    if width_px <= 0 or height_px <= 0:
        raise UnexaminableError(
            Problem.DIMENSIONS, f"{width_px}x{height_px}; both must be at least 1"
        )
    check_size(width_px, height_px, is_still=True)


def unopened(found: Structure, error: Exception) -> UnexaminableError:
    """Why libavformat did not take it, in this program's words."""
    said = _broken(found)
    if said is not None:
        return said
    if isinstance(error, MemoryError):
        return UnexaminableError(Problem.MEMORY_LIMIT, "the container asks for too much memory")
    if found.kind in _TELLING_TYPES:
        return UnexaminableError(Problem.NOT_MEDIA, "no known container or picture begins here")
    if isinstance(error, av.error.ArgumentError):
        return UnexaminableError(
            Problem.REFUSED_CODEC, f"a container of type {found.kind} is not opened"
        )
    if found.facts.get("index"):
        return UnexaminableError(Problem.BAD_STRUCTURE, "holds no index (moov) of its media")
    return UnexaminableError(
        Problem.BAD_STRUCTURE, f"begins like {found.kind}, but its header cannot be read"
    )


def _broken(found: Structure) -> UnexaminableError | None:
    if found.truncated_at is not None:
        return UnexaminableError(
            Problem.TRUNCATED, f"truncated at byte {found.truncated_at}: {found.missing}"
        )
    if found.fault is not None:
        return UnexaminableError(Problem.BAD_STRUCTURE, found.fault)
    return None


def judge(found: Structure, seen: Seen, decoding: bool) -> None:
    """After a pass: what ended it early, or kept it from finding anything.

    Raises:
        UnexaminableError: truncated, bad structure, or nothing decodable.
    """
    said = _broken(found)
    if said is not None:
        raise said
    if seen.ended_by:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE,
            f"the container cannot be read past {seen.last_s:.1f} s ({seen.ended_by})",
        )
    if decoding and not seen.frames:
        first = f": {seen.first_undecoded}" if seen.first_undecoded else ""
        raise UnexaminableError(Problem.BAD_STRUCTURE, f"no picture could be decoded{first}")
    if seen.undecoded and seen.undecoded >= limits.MOST_UNDECODED_SHARE * seen.frames:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE,
            f"{seen.undecoded} pictures could not be decoded, {seen.frames} could; the first: "
            f"{seen.first_undecoded}",
        )
