"""Witnesses: the form of the entries that name one and record a cosignature."""

from __future__ import annotations

import msgspec

from muniment.model.stamps import File


class Witness(msgspec.Struct, frozen=True):
    """The values of a witness.pinned entry that cosignatures are judged by.

    Attributes:
        vkey: its verifier key (C2SP), by which its lines are known.
        url: where it is asked; null for one that cosigns by file.
        quorum: how many organisations shall have cosigned, as of this entry.
    """

    vkey: str
    organisation: str
    url: str | None
    quorum: int
    dropped: bool


class Cosigned(msgspec.Struct, frozen=True):
    """The values of a checkpoint.cosigned entry.

    Attributes:
        witness: leaf hash of its witness.pinned.
        file: the checkpoint with the witness's line.
    """

    witness: str
    checkpoint: str
    time_utc: str
    file: File
