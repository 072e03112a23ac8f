"""What the page of clear pictures is drawn from. It is never part of what can be forwarded."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

#: Fetches the JPEG a key names; null when it is not there.
ClearPictures = Callable[[str], bytes | None]


class ClearFrame(msgspec.Struct, frozen=True):
    """One clear frame. `key` is what fetches its JPEG; `time_s` its place in the clip in seconds,
    null for a still."""

    key: str
    time_s: float | None = None


class ClearItem(msgspec.Struct, frozen=True):
    """One item's clear frames, in order of time."""

    id: str
    sha256: str
    name: str
    frames: tuple[ClearFrame, ...]


class ClearData(msgspec.Struct, frozen=True):
    """All the page shows. `made_utc`, `by` and `why` are those of the log entry that says it was
    made; `items` is read once and may be lazy."""

    case_id: str
    title: str
    checkpoint: str
    made_utc: str
    by: str
    why: str
    items: Iterable[ClearItem]
    report_version: str
