"""Person keys and agent keys: what they sign with, and what others check with. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from muniment.model.entries import Role

_ED25519_HEX: Final = re.compile(r"[0-9a-f]{64}")
_MLDSA44_HEX: Final = re.compile(r"[0-9a-f]{2624}")


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key as root.json and key.certified state it. `id` is the first 16 bytes (hex) of the
    SHA-256 of the Ed25519 public key; the ML-DSA-44 key is null where the library had none."""

    id: str
    role: Role
    name: str
    ed25519: str
    mldsa44: str | None

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the Ed25519 signature holds (RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ed25519)).verify(
                signature, message
            )
        except (InvalidSignature, ValueError):
            return False
        return True

    def verify_mldsa(self, signature: bytes, message: bytes) -> bool:
        """Whether the ML-DSA-44 signature holds (FIPS 204); False without such a key."""
        if self.mldsa44 is None:
            return False
        try:
            MLDSA44PublicKey.from_public_bytes(bytes.fromhex(self.mldsa44)).verify(
                signature, message
            )
        except (InvalidSignature, ValueError):
            return False
        return True

    def is_consistent(self) -> bool:
        """Whether the id is the id of the Ed25519 key, and both keys have their length."""
        if not _ED25519_HEX.fullmatch(self.ed25519):
            return False
        if self.mldsa44 is not None and not _MLDSA44_HEX.fullmatch(self.mldsa44):
            return False
        return self.id == key_id(bytes.fromhex(self.ed25519))


def key_id(ed25519_public: bytes) -> str:
    """Id of a key: first 16 bytes (hex) of the SHA-256 of its Ed25519 public key."""
    return hashlib.sha256(ed25519_public).hexdigest()[:32]


class SigningKey:
    """An unlocked key."""

    def __init__(
        self, role: Role, name: str, ed25519_seed: bytes, mldsa_seed: bytes | None
    ) -> None:
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(ed25519_seed)
        self._mldsa = MLDSA44PrivateKey.from_seed_bytes(mldsa_seed) if mldsa_seed else None
        raw = self._ed25519.public_key().public_bytes_raw()
        post_quantum = self._mldsa.public_key().public_bytes_raw().hex() if self._mldsa else None
        self.public = PublicKey(key_id(raw), role, name, raw.hex(), post_quantum)

    def sign(self, message: bytes) -> bytes:
        """Ed25519 signature, 64 bytes."""
        return self._ed25519.sign(message)

    def sign_mldsa(self, message: bytes) -> bytes | None:
        """ML-DSA-44 signature, 2,420 bytes; None without such a key."""
        return self._mldsa.sign(message) if self._mldsa else None


def has_mldsa() -> bool:
    """Whether this build of the library has ML-DSA-44."""
    try:
        MLDSA44PrivateKey.generate()
    except UnsupportedAlgorithm:
        return False
    return True
