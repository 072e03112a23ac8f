"""Cosignatures of witnesses, and the request that asks for one. Pure.

A witness says: at this time, this checkpoint continues every one of this log that I cosigned before.
So a log that shows different people different histories, or goes back, is found out.
Source: c2sp.org/tlog-cosignature (Ed25519, `cosignature/v1`), c2sp.org/tlog-witness (`add-checkpoint`).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from muniment.custody import checkpoint as checkpoints
from muniment.custody.checkpoint import ED25519_TYPE, Checkpoint, NoteSignature, note_key_id
from muniment.custody.keys import SigningKey
from muniment.custody.tree import HASH_BYTES
from muniment.errors import MalformedError

COSIGNATURE_TYPE: Final = 0x04
#: No request and no answer is larger.
MAX_BYTES: Final = 64 * 1024
MAX_PROOF_LINES: Final = 63
_NAME: Final = re.compile(r"[!-*,-~]{1,200}")
_VKEY: Final = re.compile(r"([!-*,-~]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_LINE: Final = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,15})")


class VKey(msgspec.Struct, frozen=True):
    """A verifier key in C2SP's form: name, what it signs (a type byte), 32 bytes of Ed25519."""

    name: str
    kind: int
    public: bytes

    def encode(self) -> str:
        """`NAME+KEYID+BASE64`."""
        data = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id().hex()}+{data}"

    def key_id(self) -> bytes:
        """Its 4 bytes in a signature line."""
        return note_key_id(self.name, self.kind, self.public)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether an Ed25519 signature holds."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_vkey(text: str, kind: int = COSIGNATURE_TYPE) -> VKey:
    """A verifier key.

    Raises:
        MalformedError: if it is none of that kind, or its key id is not its own.
    """
    match = _VKEY.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError("form")
        data = base64.b64decode(match[3], validate=True)
    except (ValueError, binascii.Error) as error:
        raise MalformedError("is no verifier key (NAME+KEYID+BASE64)", subject=text[:80]) from error
    key = VKey(match[1], data[0], data[1:])
    if key.kind != kind or len(key.public) != 32 or key.encode() != text.strip():
        what = "a witness" if kind == COSIGNATURE_TYPE else "a log"
        raise MalformedError(f"is no verifier key of {what}", subject=text[:80])
    return key


def log_vkey(origin: str, ed25519: str) -> VKey:
    """The key by which a witness knows a log: its origin, and the agent's Ed25519 key (hex)."""
    return VKey(origin, ED25519_TYPE, bytes.fromhex(ed25519))


def witness_vkey(name: str, key: SigningKey) -> VKey:
    """The verifier key of somebody who cosigns with their own key.

    Raises:
        MalformedError: if the name has a space or a plus.
    """
    if not _NAME.fullmatch(name):
        raise MalformedError("is no name of a witness (no spaces, no plus)", subject=name[:80])
    return VKey(name, COSIGNATURE_TYPE, bytes.fromhex(key.public.ed25519))


def _message(head: Checkpoint, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n".encode() + head.text()


def cosign(head: Checkpoint, name: str, key: SigningKey, time_s: int) -> NoteSignature:
    """A witness's signature line over a checkpoint."""
    made = witness_vkey(name, key)
    signature = key.sign(_message(head, time_s))
    return NoteSignature(name, made.key_id(), struct.pack(">Q", time_s) + signature)


def cosigned_at(head: Checkpoint, line: NoteSignature, key: VKey) -> datetime | None:
    """When a witness cosigned, by its word; None when the line is not its own or does not hold."""
    if line.name != key.name or line.key_id != key.key_id() or len(line.signature) != 72:
        return None
    (time_s,) = struct.unpack(">Q", line.signature[:8])
    if time_s >= 1 << 36 or not key.verify(line.signature[8:], _message(head, time_s)):
        return None
    return datetime.fromtimestamp(time_s, UTC)


def apart(note: Checkpoint) -> tuple[Checkpoint, tuple[NoteSignature, ...]]:
    """A cosigned checkpoint as its log signed it, and the lines of others."""
    own = tuple(line for line in note.signatures if line.name == note.origin)
    others = tuple(line for line in note.signatures if line.name != note.origin)
    return msgspec.structs.replace(note, signatures=own), others


def read_lines(data: bytes) -> list[NoteSignature]:
    """The signature lines of a witness's answer.

    Raises:
        MalformedError: if it is anything else.
    """
    try:
        lines = data.decode().removesuffix("\n").split("\n")
        matches = [_LINE.fullmatch(line) for line in lines]
        parts = [(m[1], base64.b64decode(m[2], validate=True)) for m in matches if m]
    except (ValueError, binascii.Error) as error:
        raise MalformedError("sent no signature lines") from error
    if len(parts) != len(lines) or len(data) > MAX_BYTES:
        raise MalformedError("sent no signature lines")
    return [NoteSignature(name, raw[:4], raw[4:]) for name, raw in parts]


class Request(msgspec.Struct, frozen=True):
    """What a witness is asked: cosign this checkpoint, which continues one of size `old`."""

    old: int
    proof: tuple[bytes, ...]
    head: Checkpoint

    def encode(self) -> bytes:
        """The body of `add-checkpoint`."""
        lines = [f"old {self.old}", *(base64.b64encode(part).decode() for part in self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.head.encode()


def read_request(data: bytes) -> Request:
    """A request, read strictly.

    Raises:
        MalformedError: if it is none.
    """
    top, blank, note = data.partition(b"\n\n")
    try:
        first, *rest = top.decode("ascii").split("\n")
        match = _OLD.fullmatch(first)
        proof = tuple(base64.b64decode(part, validate=True) for part in rest)
    except (ValueError, binascii.Error) as error:
        raise MalformedError("is no request to a witness") from error
    if not blank or match is None or len(proof) > MAX_PROOF_LINES or len(data) > MAX_BYTES:
        raise MalformedError("is no request to a witness")
    request = Request(int(match[1]), proof, checkpoints.parse(note))
    is_exact = all(len(part) == HASH_BYTES for part in proof) and request.encode() == data
    if not is_exact or request.old > request.head.size:
        raise MalformedError("is no request to a witness in its one exact form")
    return request
