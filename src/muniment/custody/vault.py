"""The only way to open an original, and it logs: first the entry is durable, then the bytes open."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from muniment.custody.log import LogWriter
from muniment.errors import IntegrityError
from muniment.store.objects import READ_BYTES, open_object


class Vault:
    """Opens originals of one case on behalf of someone."""

    def __init__(self, log: LogWriter) -> None:
        self._log = log

    @contextmanager
    def open(self, digest: str, *, by: str, purpose: str) -> Iterator[BinaryIO]:
        """The bytes of an object, logged as object.viewed and checked against their digest first.

        Args:
            by: the person's name, or the step's.
            purpose: what for.
        Raises:
            IntegrityError: if the object is missing or its bytes are not those of its name.
            StorageError: if the viewing cannot be logged; then nothing is opened.
        """
        self._log.append("object.viewed", {"object": digest, "by": by, "purpose": purpose})
        self._log.commit()
        fd = open_object(self._log.folder, digest)
        with os.fdopen(fd, "rb") as stream:
            _check(stream, digest)
            stream.seek(0)
            yield stream


def _check(stream: BinaryIO, digest: str) -> None:
    sha, buffer = hashlib.sha256(), bytearray(READ_BYTES)
    while got := stream.readinto(buffer):  # type: ignore[attr-defined]
        sha.update(memoryview(buffer)[:got])
    if sha.hexdigest() != digest:
        raise IntegrityError(
            "its bytes are not those it was stored with",
            subject=f"object {digest}",
            remedy="Run `muniment verify`; restore it from a second copy.",
        )
