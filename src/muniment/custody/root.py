"""root.json: the public keys that stand at the beginning of a case, and what each may sign.

Its fingerprint, the SHA-256 of its exact bytes, is what `verify --root` pins; entry 0 holds it too.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec

from muniment.custody.keys import PublicKey
from muniment.errors import MalformedError
from muniment.model import canonical
from muniment.model.entries import KINDS, Role

FORMAT: Final = "muniment-root/1"


class RootKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key of the root and the entry kinds it may sign."""

    key: PublicKey
    signs: tuple[str, ...]


class Root(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of root.json."""

    case: str
    format: str
    keys: tuple[RootKey, ...]

    def encode(self) -> bytes:
        """The exact bytes of the file: canonical JSON and a newline."""
        return canonical.encode(self) + b"\n"

    def person(self, key_id: str) -> RootKey | None:
        """The key with that id, or None."""
        return next((entry for entry in self.keys if entry.key.id == key_id), None)


def make(case: str, person: PublicKey) -> Root:
    """The root of a new case: one person, who may sign all that persons sign."""
    signs = tuple(sorted(kind.name for kind in KINDS.values() if Role.PERSON in kind.roles))
    return Root(case, FORMAT, (RootKey(person, signs),))


def fingerprint(data: bytes) -> str:
    """SHA-256 (hex) of the bytes of root.json."""
    return hashlib.sha256(data).hexdigest()


def parse(data: bytes) -> Root:
    """The root whose exact bytes are `data`.

    Raises:
        MalformedError: if it is not in its one form, or a key in it is not what it says.
    """
    try:
        root = msgspec.json.decode(data, type=Root)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"is no root of ours ({error})", subject="root.json") from error
    if root.encode() != data:
        raise MalformedError("is not in its one exact form", subject="root.json")
    if root.format != FORMAT or not re.fullmatch(r"[0-9a-f]{32}", root.case):
        raise MalformedError("is no root of this version", subject="root.json")
    ids = [entry.key.id for entry in root.keys]
    if not ids or len(set(ids)) != len(ids):
        raise MalformedError("has no key, or one twice", subject="root.json")
    for entry in root.keys:
        if entry.key.role is not Role.PERSON or not entry.key.is_consistent():
            raise MalformedError(f"key {entry.key.id} is not what it says", subject="root.json")
    return root
