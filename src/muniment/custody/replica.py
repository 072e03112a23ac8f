"""Reading a case's evidence for a second copy: every byte is held against its digest on the way out.

No view is logged for each object, as the vault does: the copying itself is an entry (`copy.made`).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from muniment.errors import IntegrityError
from muniment.model.copies import CopiedFile
from muniment.store.layout import OBJECT_NAME, CaseFolder, object_name
from muniment.store.objects import READ_BYTES, open_object
from muniment.store.reading import FolderReader


def object_sizes(folder: CaseFolder) -> dict[str, int]:
    """SHA-256 -> size in bytes of every object that lies there.

    Raises:
        IntegrityError: if a folder of objects is none.
    """
    found: dict[str, int] = {}
    try:
        with os.scandir(folder.objects) as prefixes:
            for prefix in prefixes:
                if not prefix.is_dir(follow_symlinks=False):
                    continue
                with os.scandir(prefix) as names:
                    for one in names:
                        name = object_name(prefix.name + one.name)
                        if OBJECT_NAME.fullmatch(name) and one.is_file(follow_symlinks=False):
                            found[prefix.name + one.name] = one.stat().st_size
    except OSError as error:
        raise IntegrityError(
            f"cannot be read ({(error.strerror or '').lower()})", subject=str(folder.objects)
        ) from error
    return dict(sorted(found.items()))


def log_files(folder: CaseFolder) -> Iterator[tuple[CopiedFile, bytes]]:
    """Every file of the log, and root.json, as they stand: for who holds the lock."""
    reader = FolderReader(folder)
    for name, is_regular in reader.names():
        data = reader.read(name) if is_regular else None
        if data is not None:
            digest = hashlib.sha256(data).hexdigest()
            yield CopiedFile(name, digest, len(data)), data


@contextmanager
def opened(folder: CaseFolder, digest: str) -> Iterator[BinaryIO]:
    """An object, read through once and found to have the bytes of its name.

    Raises:
        IntegrityError: if it has not: a damaged original must not become a second copy.
    """
    with os.fdopen(open_object(folder, digest), "rb") as stream:
        sha, buffer = hashlib.sha256(), bytearray(READ_BYTES)
        while got := stream.readinto(buffer):
            sha.update(memoryview(buffer)[:got])
        if sha.hexdigest() != digest:
            raise IntegrityError(
                "its bytes are not those of its name, so it was not copied",
                subject=f"object {digest}",
                remedy="Run `muniment verify`; restore it from a second copy.",
            )
        stream.seek(0)
        yield stream
