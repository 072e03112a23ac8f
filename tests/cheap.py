"""Key files of the real form whose passphrase costs little: hundreds of commands open them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from muniment.custody import keyring


@contextmanager
def cheap_keys() -> Iterator[None]:
    """Keys made meanwhile are sealed with 64 KiB and one pass of Argon2id (0.25 s of CPU less)."""
    costs = keyring.MEMORY_KIB, keyring.PASSES
    keyring.MEMORY_KIB, keyring.PASSES = 64, 1  # type: ignore[misc]
    try:
        yield
    finally:
        keyring.MEMORY_KIB, keyring.PASSES = costs  # type: ignore[misc]
