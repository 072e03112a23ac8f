"""Records of examining: what crosses from a confined worker to the host, and what is kept of it."""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum
from typing import Any, Final, Literal

import msgspec


class Problem(StrEnum):
    """Why an object could not be examined (wholly): the closed list a user meets."""

    NOT_MEDIA = "not media"
    TRUNCATED = "truncated"
    BAD_STRUCTURE = "bad structure"
    DIMENSIONS = "dimensions over limit"
    PLAYLIST = "playlist not allowed"
    TYPE_MISMATCH = "type mismatch"
    TIME_LIMIT = "time limit"
    MEMORY_LIMIT = "memory limit"
    OUTPUT_LIMIT = "output limit"
    FRAME_OVER_LIMIT = "frame over limit"
    TOO_MANY_STREAMS = "too many streams"
    TIMESTAMPS = "timestamps unusable"
    HASH_CHANGED = "hash changed"
    KILLED = "decoder killed"
    STOPPED = "decoder stopped from outside"
    REFUSED_CODEC = "codec not allowed"
    MALFORMED = "malformed"
    ENCRYPTED = "encrypted"
    NOT_READ = "type of document not read"


#: Reasons of the machine, not of the file: later runs try again by themselves.
OF_THE_MACHINE: Final = (Problem.STOPPED,)

#: What only the host can know: no worker may say it.
OF_THE_HOST: Final = (
    Problem.HASH_CHANGED,
    Problem.KILLED,
    Problem.STOPPED,
    Problem.OUTPUT_LIMIT,
)


class Blob(msgspec.Struct, frozen=True):
    """Bytes an examiner made: kept as a derived object.

    `form` is `bytes` (stored as they are) or `rgb24` (raw pixels, height x width x 3, which the
    host encodes; the worker never hands over a compressed picture).
    """

    name: str
    form: Literal["bytes", "rgb24"]
    data: bytes
    media_type: str = "application/octet-stream"
    width_px: int = 0
    height_px: int = 0
    time_s: str | None = None


class Finding(msgspec.Struct, frozen=True):
    """What one examiner found in one object: JSON facts without floats, and blobs."""

    examiner: str
    version: str
    facts: dict[str, Any]
    blobs: tuple[Blob, ...] = ()


class Note(msgspec.Struct, frozen=True):
    """Something to know about an object that was examined all the same."""

    what: str
    detail: str = ""


class Examined(msgspec.Struct, frozen=True):
    """All that a worker says of one object: findings so far, notes, and what ended it early.

    `libraries` names what decoded it, with versions: {"libavcodec": "62.28.102", ...}.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[Note, ...] = ()
    problem: Problem | None = None
    detail: str = ""
    libraries: dict[str, str] = {}


class Wanted(msgspec.Struct, frozen=True):
    """What a worker is asked: which examiners, and what the host knows of the object.

    Attributes:
        media_type: the type by content, where the host looked, else None.
        parameters: `cpu_s` (int): CPU seconds after which the worker stops by itself;
            `named_type` (str): the type by the object's name; `keys_only` (bool): decode only
            pictures that can be decoded alone, and no sound.
    """

    examiners: tuple[str, ...]
    media_type: str | None
    size_bytes: int
    parameters: dict[str, Any] = {}


def worst(statuses: Set[str]) -> str:
    """What became of an object as a whole, from what became of each examiner asked.

    Example:
        >>> worst({"done"}), worst({"done", "failed"}), worst({"failed"}), worst(set())
        ('done', 'partly', 'failed', 'not_tried')
    """
    if not statuses - {"not_tried"}:
        return "not_tried"
    if not statuses & {"done", "partly"}:
        return "failed"
    return "done" if statuses == {"done"} else "partly"
