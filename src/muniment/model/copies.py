"""Second copies: the form of a mirror's files and of the entry that records a copying."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

MIRROR_FORMAT: Final = "muniment-mirror/1"
COPY_FORMAT: Final = "muniment-copy/1"
#: The file at a mirror's top: whose copies lie here. Written once; it also proves put-if-absent.
MARKER: Final = "muniment-mirror.json"


class Keeps(StrEnum):
    """Whether a target refuses to write where something is."""

    PROVED = "proved"
    NOT_KEPT = "not kept"


class Marker(msgspec.Struct, frozen=True):
    """The content of `MARKER`."""

    format: str
    case: str


class CopiedFile(msgspec.Struct, frozen=True, array_like=True):
    """A file of the case: its name there, the SHA-256 (hex) of its bytes, their number."""

    name: str
    sha256: str
    size_bytes: int


class Copy(msgspec.Struct, frozen=True):
    """A manifest: every file of a case as it stood under one checkpoint (`SIZE:ROOT-HEX`)."""

    format: str
    case: str
    checkpoint: str
    files: tuple[CopiedFile, ...]


class KnownCopy(msgspec.Struct, frozen=True):
    """A second copy as the log knows it.

    Attributes:
        covers: how many entries it holds; `behind` are those since, but for the records of copying
            and of stamps.
        read_back_utc: when all of it was last read back and compared; null when that never was.
        same_device: whether it lay on the disk of the case; null where nobody can tell.
    """

    kind: str
    place: str
    off_site: bool | None
    covers: int
    behind: int
    at_utc: str
    read_back_utc: str | None
    put_if_absent: str
    outcome: str
    same_device: bool | None


class Standing(msgspec.Struct, frozen=True):
    """The rule of three copies on two kinds of storage, one of them off site.

    Attributes:
        copies: the case itself and every complete second copy not on the same disk.
        kinds: kinds of storage among them.
        off_site: copies off site, as told.
        says: how it stands, in words.
    """

    copies: int
    kinds: int
    off_site: int
    says: str
    known: tuple[KnownCopy, ...]
