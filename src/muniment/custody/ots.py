"""OpenTimestamps proofs: made, extended by a calendar's answer, read. Pure: no calendar is asked here.

A proof binds the SHA-256 of a checkpoint to attestations: pending ones (a calendar promises), and
Bitcoin ones (a block's merkle root). The library believes any block header it is handed; which header
that may be is judged in `custody.bitcoin`. Source: opentimestamps.org, `opentimestamps` 0.4.5.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from typing import Final

import msgspec
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpSHA256
from opentimestamps.core.serialize import (
    BytesDeserializationContext,
    BytesSerializationContext,
    DeserializationError,
)
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp

from muniment.errors import MalformedError

#: No proof, and no answer of a calendar, is larger.
MAX_PROOF_BYTES: Final = 64 * 1024
_NONCE_BYTES: Final = 16
#: What the library raises for bytes that are no proof.
_BROKEN: Final = (
    DeserializationError,
    ValueError,
    TypeError,
    KeyError,
    RecursionError,
    OverflowError,
)


class Pending(msgspec.Struct, frozen=True):
    """A calendar's promise: what to ask it for, and where it says it is to be asked."""

    commitment: bytes
    uri: str


class Block(msgspec.Struct, frozen=True):
    """A Bitcoin attestation: the block at this height has this merkle root."""

    height: int
    merkle_root: bytes


class Proof:
    """A detached proof of one checkpoint."""

    def __init__(self, detached: DetachedTimestampFile) -> None:
        self._detached = detached

    def encode(self) -> bytes:
        """The bytes of an `.ots` file."""
        context = BytesSerializationContext()
        self._detached.serialize(context)
        data: bytes = context.getbytes()
        return data

    def pending(self) -> tuple[Pending, ...]:
        """What calendars still owe."""
        found = self._detached.timestamp.all_attestations()
        each = {
            Pending(message, one.uri)
            for message, one in found
            if isinstance(one, PendingAttestation)
        }
        return tuple(sorted(each, key=lambda one: (one.uri, one.commitment)))

    def blocks(self) -> tuple[Block, ...]:
        """The Bitcoin blocks it ends in, lowest first."""
        found = self._detached.timestamp.all_attestations()
        each = {
            Block(one.height, message)
            for message, one in found
            if isinstance(one, BitcoinBlockHeaderAttestation)
        }
        return tuple(sorted(each, key=lambda one: (one.height, one.merkle_root)))

    def extend(self, commitment: bytes, answer: bytes) -> None:
        """Take in a calendar's answer for one of its commitments.

        Raises:
            MalformedError: if it is no timestamp of it.
        """
        if len(answer) > MAX_PROOF_BYTES:
            raise MalformedError(f"sent more than {MAX_PROOF_BYTES:,} bytes")
        for part in _parts(self._detached.timestamp):
            if part.msg == commitment:
                context = BytesDeserializationContext(answer)
                try:
                    part.merge(Timestamp.deserialize(context, commitment))
                    context.assert_eof()
                except _BROKEN as error:
                    raise MalformedError(f"sent no timestamp ({str(error)[:120]})") from error
                return
        raise MalformedError("answers for something it was not asked for")


def _parts(stamp: Timestamp) -> Iterator[Timestamp]:
    yield stamp
    for below in list(stamp.ops.values()):
        yield from _parts(below)


def begin(message: bytes) -> tuple[Proof, bytes]:
    """A proof of `message` without attestations, and the commitment to send to a calendar.

    A random nonce stands between, so that the calendar does not learn the checkpoint's digest.
    """
    stamp = Timestamp(hashlib.sha256(message).digest())
    salted = stamp.ops.add(OpAppend(secrets.token_bytes(_NONCE_BYTES)))
    commitment: bytes = salted.ops.add(OpSHA256()).msg
    return Proof(DetachedTimestampFile(OpSHA256(), stamp)), commitment


def read_proof(data: bytes, message: bytes) -> Proof:
    """The proof of `message` that `data` holds.

    Raises:
        MalformedError: if it is none, or is of other bytes.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise MalformedError(f"has {len(data):,} bytes, more than any proof")
    try:
        detached = DetachedTimestampFile.deserialize(BytesDeserializationContext(data))
    except _BROKEN as error:
        raise MalformedError(f"is no OpenTimestamps proof ({str(error)[:120]})") from error
    is_ours = isinstance(detached.file_hash_op, OpSHA256)
    if not is_ours or detached.file_digest != hashlib.sha256(message).digest():
        raise MalformedError("is a proof of other bytes (wrong imprint)")
    return Proof(detached)
