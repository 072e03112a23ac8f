"""Time stamps: the form of the entries that pin an authority and record a stamp, and what is shown."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Method(StrEnum):
    """How a time is vouched for."""

    RFC3161 = "rfc3161"
    OPENTIMESTAMPS = "opentimestamps"


class State(StrEnum):
    """How far a stamp is: a pending one proves nothing yet."""

    STAMPED = "stamped"
    PENDING = "pending"
    UPGRADED = "upgraded"


class Pinned(msgspec.Struct, frozen=True):
    """The values of an authority.pinned entry that a stamp is judged by.

    Attributes:
        pem: the authority's certificate, then those above it up to the root; null for a calendar.
        dropped: nothing more is asked of it; what it stamped before still holds.
    """

    url: str
    organisation: str
    method: Method
    pem: str | None
    dropped: bool


class File(msgspec.Struct, frozen=True):
    """A file under log/stamps/ and the SHA-256 (hex) of its bytes."""

    file: str
    sha256: str


class Stamp(msgspec.Struct, frozen=True):
    """The values of a checkpoint.stamped entry.

    Attributes:
        authority: leaf hash of the authority.pinned it was made under.
        checkpoint: `SIZE:ROOT-HEX` of what was stamped.
        time_utc: the time it states; null while pending, or while no block header is known.
        files: part -> file; parts are those of `PARTS`.
    """

    authority: str
    checkpoint: str
    method: Method
    state: State
    time_utc: str | None
    files: dict[str, File]


#: method -> {part: ending of its file}; the parts in OPTIONAL may be missing.
PARTS: Final = {
    Method.RFC3161: {
        "checkpoint": "checkpoint",
        "request": "tsq",
        "response": "tsr",
        "certificates": "pem",
        "revocation": "crl",
    },
    Method.OPENTIMESTAMPS: {"checkpoint": "checkpoint", "proof": "ots", "headers": "headers"},
}
OPTIONAL: Final = frozenset({"revocation", "headers"})


class Authority(msgspec.Struct, frozen=True):
    """An authority as it is pinned in a case.

    Attributes:
        leaf: leaf hash (hex) of its authority.pinned.
        with_certificates: whether it is asked to embed its certificates; some then send tokens that
            the first library cannot read.
    """

    leaf: str
    url: str
    organisation: str
    method: Method
    pem: str | None
    with_certificates: bool

    @property
    def told(self) -> str:
        """It in a message."""
        return f"{self.organisation} ({self.url})"


class Got(msgspec.Struct, frozen=True):
    """A stamp that holds, ready to be kept: part -> bytes."""

    state: State
    time_utc: str | None
    parts: dict[str, bytes]
    checked_with: dict[str, str | None]


class Covered(msgspec.Struct, frozen=True):
    """What is to be stamped: the checkpoint, when its last entry was written, and the latest stamp that
    it covers: (the time it states, whose it is)."""

    note: bytes
    last_at: str
    stamped: tuple[str, str] | None = None
