"""Checkpoints: the signed tree head of the log, a C2SP signed note (tlog-checkpoint).

Three lines of text (origin, size, root hash), a blank line, then signature lines under the name
of the origin: Ed25519 (type 0x01, over the text) and, where the agent has such a key, an
ML-DSA-44 cosignature (type 0x06, over C2SP's `cosigned_message`). Parsed strictly: what does not
encode back to the same bytes is refused.

Source: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from typing import Final

import msgspec

from muniment.custody.keys import PublicKey, SigningKey
from muniment.custody.tree import HASH_BYTES
from muniment.errors import MalformedError

ED25519_TYPE: Final = 0x01
MLDSA44_TYPE: Final = 0x06
_NAMES: Final = {ED25519_TYPE: "Ed25519", MLDSA44_TYPE: "ML-DSA-44"}
_ORIGIN: Final = re.compile(r"muniment/case/[0-9a-f]{32}")
_SIGNATURE_LINE: Final = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
_MAX_BYTES: Final = 100_000


class NoteSignature(msgspec.Struct, frozen=True):
    """One signature line: key name, 4-byte key id, signature."""

    name: str
    key_id: bytes
    signature: bytes


class Checkpoint(msgspec.Struct, frozen=True):
    """A tree head and its signatures."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[NoteSignature, ...] = ()

    def text(self) -> bytes:
        """The signed text: origin, size, root in base64, each with a newline."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\n".encode()

    def encode(self) -> bytes:
        """The whole note."""
        lines = (
            f"— {part.name} {base64.b64encode(part.key_id + part.signature).decode()}\n"
            for part in self.signatures
        )
        return self.text() + b"\n" + "".join(lines).encode()

    def short(self) -> str:
        """`SIZE:ROOT-HEX`, the form `verify --since` takes."""
        return f"{self.size}:{self.root.hex()}"


def origin_of(case: str) -> str:
    """Origin line of a case's log."""
    return f"muniment/case/{case}"


def note_key_id(name: str, kind: int, public: bytes) -> bytes:
    """4-byte key id of a signed note."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def _cosigned_message(origin: str, timestamp_s: int, size: int, root: bytes) -> bytes:
    name = origin.encode()
    return (
        b"subtree/v1\n\x00"
        + bytes([len(name)])
        + name
        + struct.pack(">Q", timestamp_s)
        + bytes([len(name)])
        + name
        + struct.pack(">QQ", 0, size)
        + root
    )


def sign(origin: str, size: int, root: bytes, agent: SigningKey, timestamp_s: int) -> Checkpoint:
    """A checkpoint over the first `size` entries, signed by an agent key.

    Args:
        timestamp_s: POSIX time that the ML-DSA-44 cosignature states.
    """
    head = Checkpoint(origin, size, root)
    public = agent.public
    key = note_key_id(origin, ED25519_TYPE, bytes.fromhex(public.ed25519))
    lines = [NoteSignature(origin, key, agent.sign(head.text()))]
    post_quantum = agent.sign_mldsa(_cosigned_message(origin, timestamp_s, size, root))
    if post_quantum is not None and public.mldsa44 is not None:
        key = note_key_id(origin, MLDSA44_TYPE, bytes.fromhex(public.mldsa44))
        lines.append(NoteSignature(origin, key, struct.pack(">Q", timestamp_s) + post_quantum))
    return msgspec.structs.replace(head, signatures=tuple(lines))


def parse(data: bytes) -> Checkpoint:
    """The checkpoint whose exact bytes are `data`.

    Raises:
        MalformedError: if `data` is anything else, down to one byte.
    """
    try:
        if len(data) > _MAX_BYTES:
            raise ValueError("too long")
        text, _, tail = data.decode().rpartition("\n\n")
        origin, size, root = text.split("\n")
        if not _ORIGIN.fullmatch(origin) or not re.fullmatch(r"0|[1-9][0-9]{0,15}", size):
            raise ValueError("no origin and size of ours")
        matches = [_SIGNATURE_LINE.fullmatch(line) for line in tail.removesuffix("\n").split("\n")]
        parts = [(m[1], base64.b64decode(m[2], validate=True)) for m in matches if m]
        signatures = tuple(NoteSignature(name, raw[:4], raw[4:]) for name, raw in parts)
        head = Checkpoint(origin, int(size), base64.b64decode(root, validate=True), signatures)
    except (ValueError, binascii.Error) as error:
        raise MalformedError(f"is no checkpoint ({error})") from error
    if len(head.root) != HASH_BYTES or head.encode() != data:
        raise MalformedError("is no checkpoint in its one exact form")
    return head


def short_form(text: str) -> tuple[int, bytes]:
    """Size and root of a `SIZE:ROOT-HEX`.

    Raises:
        MalformedError: if it is not in that form.
    Example:
        >>> short_form("3:" + "00" * 32)[0]
        3
    """
    match = re.fullmatch(r"(0|[1-9][0-9]{0,15}):([0-9a-f]{64})", text)
    if not match:
        raise MalformedError("is not SIZE:ROOT-HEX", subject=text[:80])
    return int(match[1]), bytes.fromhex(match[2])


def problems(head: Checkpoint, agents: list[PublicKey]) -> tuple[PublicKey | None, list[str]]:
    """Who signed a checkpoint, and what is wrong with its signatures.

    Every line must belong to one certified agent and hold, the Ed25519 line must be there, and the
    ML-DSA-44 line too if that agent has such a key: a stripped or foreign line is a failure.

    Returns:
        the agent (None if no certified agent's Ed25519 line holds) and the problems (empty: none).
    """
    found: list[str] = []
    signer: PublicKey | None = None
    post_quantum_by: PublicKey | None = None
    seen: set[bytes] = set()
    damaged: set[tuple[str, int]] = set()
    for line in head.signatures:
        if line.name != head.origin or line.key_id in seen:
            found.append("a signature line is repeated or under another name")
            continue
        seen.add(line.key_id)
        key, kind = _match(line, head.origin, agents)
        if key is None:
            found.append(f"signed by a key nobody certified (key id {line.key_id.hex()})")
        elif signer is None and kind == ED25519_TYPE and key.verify(line.signature, head.text()):
            signer = key
        elif kind == MLDSA44_TYPE and _holds_mldsa(line, head, key):
            post_quantum_by = key
        else:
            found.append(f"the {_NAMES[kind]} signature of {key.name} does not hold")
            damaged.add((key.id, kind))
    if signer is not None and post_quantum_by not in (None, signer):
        found.append("its signatures are by two agents")
    if signer is None:
        found.append("no Ed25519 signature of a certified agent holds")
    elif (
        signer.mldsa44 is not None
        and post_quantum_by != signer
        and (signer.id, MLDSA44_TYPE) not in damaged
    ):
        found.append(f"the ML-DSA-44 signature of {signer.name} is missing")
    return signer, found


def _match(
    line: NoteSignature, origin: str, agents: list[PublicKey]
) -> tuple[PublicKey | None, int]:
    for key in agents:
        if line.key_id == note_key_id(origin, ED25519_TYPE, bytes.fromhex(key.ed25519)):
            return key, ED25519_TYPE
        if key.mldsa44 and line.key_id == note_key_id(
            origin, MLDSA44_TYPE, bytes.fromhex(key.mldsa44)
        ):
            return key, MLDSA44_TYPE
    return None, 0


def _holds_mldsa(line: NoteSignature, head: Checkpoint, key: PublicKey) -> bool:
    if len(line.signature) != 8 + 2420:
        return False
    (timestamp_s,) = struct.unpack(">Q", line.signature[:8])
    message = _cosigned_message(head.origin, timestamp_s, head.size, head.root)
    return key.verify_mldsa(line.signature[8:], message)
