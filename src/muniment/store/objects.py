"""Content-addressed objects: bytes under the name of their SHA-256, write-once, mode 0440.

A batch is written as temporaries, synced, renamed, and its folders synced, in that order: then the
log may name them. Only custody/vault.py reads originals through `open_object`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from muniment.errors import InputError, IntegrityError, StorageError
from muniment.store import disk
from muniment.store.layout import CaseFolder

READ_BYTES: Final = 1 << 17
HEAD_BYTES: Final = 1 << 16
#: Of a large file this much is handed to the disk at a time: it neither fills the page cache nor
#: makes the kernel look for fresh pages (measured: 5.0 to 3.0 CPU s for 2 GB).
STREAM_BYTES: Final = 32 << 20
MODE: Final = 0o440
_PREFIX: Final = re.compile(r"[0-9a-f]{2}")
_REST: Final = re.compile(r"[0-9a-f]{62}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class ObjectStore:
    """The objects of one case. Not shared between threads; one writer per case (log lock)."""

    def __init__(self, folder: CaseFolder) -> None:
        self._folder = folder
        self._pending: dict[str, Path] = {}
        self._pending_bytes = 0
        self._buffer = bytearray(READ_BYTES)
        self._counter = 0
        self._made: set[str] = set()
        self._unsynced: set[str] = set()

    @property
    def pending_bytes(self) -> int:
        """Bytes written since the last `commit`."""
        return self._pending_bytes

    def has(self, digest: str) -> bool:
        """Whether these bytes are held, committed or about to be."""
        if digest in self._pending:
            return True
        if (
            not self._folder.object(digest).is_symlink()
            and not self._folder.object(digest).exists()
        ):
            return False
        if digest[:2] not in self._made:
            # A killed run may have renamed it without syncing the folder.
            self._unsynced.add(digest[:2])
        return True

    def _temp(self) -> tuple[int, Path]:
        self._counter += 1
        path = self._folder.incoming / f"{self._counter:08d}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        return os.open(path, flags, MODE), path

    def clear_incoming(self) -> None:
        """Remove temporaries of a killed run: nothing names them, and only one writer is at work.

        Raises:
            StorageError: if the disk refuses.
        """
        with disk.storage(self._folder.incoming):
            disk.make_folder(self._folder.incoming)
            for leftover in self._folder.incoming.iterdir():
                leftover.unlink()

    def add_bytes(self, data: bytes) -> str:
        """Keep `data`; its SHA-256 (hex).

        Raises:
            IntegrityError: if they are held, and the object holds other bytes than those of its name.
            StorageError: if the disk refuses.
        """
        digest = hashlib.sha256(data).hexdigest()
        if self.has(digest):
            if digest not in self._pending and not self.is_sound(digest):
                raise _not_its_bytes(self._folder, digest)
            return digest
        with disk.storage(self._folder.incoming):
            fd, temp = self._temp()
            try:
                disk.write_all(fd, data)
            finally:
                os.close(fd)
        self._pending[digest] = temp
        self._pending_bytes += len(data)
        return digest

    def add_file(
        self, source_fd: int, told: Callable[[int], None] | None = None
    ) -> tuple[str, int, bytes, bool]:
        """Copy an open file from its current position to its end, hashing on the way.

        Args:
            told: is told the number of bytes of each piece that was read.
        Returns:
            its SHA-256 (hex), its size in bytes, its first bytes (up to `HEAD_BYTES`), and whether the
            bytes were held already.
        Raises:
            OSError: if the source cannot be read (told apart from the disk by being plain).
            InputError: if it is larger than the free space, or holds more than its size says.
            IntegrityError: if its bytes are held, and the object holds others than those of its name.
            StorageError: if the disk refuses.
        """
        sha, size, head = hashlib.sha256(), 0, b""
        most = self._most_bytes(source_fd)
        view = memoryview(self._buffer)
        with disk.storage(self._folder.incoming):
            fd, temp = self._temp()
        try:
            while True:
                got = os.readv(source_fd, [self._buffer])
                if not got:
                    break
                if not size:
                    head = bytes(view[: min(got, HEAD_BYTES)])
                sha.update(view[:got])
                with disk.storage(temp):
                    disk.write_all(fd, view[:got])
                size += got
                if told is not None:
                    told(got)
                if size > most:
                    raise InputError(
                        f"holds more than the {most} bytes its size says",
                        remedy="Collect it again when nothing writes to it.",
                    )
                if size > STREAM_BYTES and size % STREAM_BYTES < got:
                    _hand_to_disk(fd, temp)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        digest = sha.hexdigest()
        held = self.has(digest)
        if held:
            with disk.storage(temp):
                temp.unlink()
            if digest not in self._pending and not self.is_sound(digest):
                raise _not_its_bytes(self._folder, digest)
        else:
            self._pending[digest] = temp
            self._pending_bytes += size
        return digest, size, head, held

    def _most_bytes(self, source_fd: int) -> int:
        """Size of a source, refused when it cannot fit: the rest can still be collected then."""
        size = os.fstat(source_fd).st_size
        with disk.storage(self._folder.incoming):
            disk_now = os.statvfs(self._folder.incoming)
        free = disk_now.f_bavail * disk_now.f_frsize
        if size > free:
            raise InputError(
                f"has {size} bytes, larger than the free space ({free} bytes)",
                remedy="Free space on the case's disk, or move the case to a larger one, and run again.",
            )
        return size

    def is_sound(self, digest: str) -> bool:
        """Whether a regular file lies under that name and holds the bytes of the name."""
        try:
            fd = open_object(self._folder, digest)
        except IntegrityError:
            return False
        try:
            sha, view = hashlib.sha256(), memoryview(self._buffer)
            while got := os.readv(fd, [self._buffer]):
                sha.update(view[:got])
        except OSError:
            return False
        finally:
            os.close(fd)
        return sha.hexdigest() == digest

    def discard(self, digest: str) -> None:
        """Forget bytes added since the last commit (their source changed while being read)."""
        temp = self._pending.pop(digest, None)
        if temp:
            temp.unlink(missing_ok=True)

    def commit(self) -> None:
        """Make everything added since the last commit durable under its name.

        Raises:
            StorageError: if the disk refuses; nothing then stands under a wrong name.
        """
        if not self._pending and not self._unsynced:
            return
        with disk.storage(self._folder.objects):
            for temp in self._pending.values():
                fd = os.open(temp, os.O_RDONLY | os.O_CLOEXEC)
                try:
                    os.fdatasync(fd)
                finally:
                    os.close(fd)
            folders = {digest[:2] for digest in self._pending}
            for prefix in sorted(folders - self._made):
                disk.refuse_links(self._folder.objects / prefix)
                disk.make_folder(self._folder.objects / prefix)
            self._made |= folders
            for digest, temp in self._pending.items():
                temp.replace(self._folder.object(digest))
            for prefix in sorted(folders | self._unsynced):
                disk.sync_folder(self._folder.objects / prefix)
            self._made |= self._unsynced
        self._unsynced.clear()
        self._pending.clear()
        self._pending_bytes = 0

    def remove(self, digest: str) -> bool:
        """Destroy an object (erasure only); False when it was not there."""
        path = self._folder.object(digest)
        with disk.storage(path):
            if not os.path.lexists(path):
                return False
            path.unlink()
            disk.sync_folder(path.parent)
        return True

    def digests(self) -> Iterator[str]:
        """Digests of everything on disk under the name of an object, in order."""
        if not self._folder.objects.is_dir():
            return
        for prefix in sorted(os.listdir(self._folder.objects)):
            folder = self._folder.objects / prefix
            if _PREFIX.fullmatch(prefix) and folder.is_dir() and not folder.is_symlink():
                names = sorted(os.listdir(folder))
                yield from (prefix + rest for rest in names if _REST.fullmatch(rest))


def _hand_to_disk(fd: int, path: Path) -> None:
    with disk.storage(path):
        os.fdatasync(fd)
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _not_its_bytes(folder: CaseFolder, digest: str) -> IntegrityError:
    return IntegrityError(
        "does not hold the bytes of its name, so these bytes cannot be kept",
        subject=str(folder.object(digest)),
        remedy="Run `muniment verify`; restore it from a second copy, or remove it.",
    )


def open_object(folder: CaseFolder, digest: str) -> int:
    """A read-only descriptor on an object. Only custody/vault.py may call this: it logs.

    Raises:
        IntegrityError: if that is no digest, or the object is not there or is no regular file.
        StorageError: if it is there and may not, or cannot, be read.
    """
    if not _DIGEST.fullmatch(str(digest)):
        raise IntegrityError(
            "is not the name of an object (64 lower-case hexadecimal digits)",
            subject=str(digest)[:80],
        )
    path = folder.object(digest)
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.EIO):
            raise StorageError(
                f"cannot be opened ({(error.strerror or '').lower()})",
                subject=str(path),
                remedy="Give yourself read permission, or copy the case from a sound disk.",
            ) from error
        raise IntegrityError(
            f"cannot be opened ({(error.strerror or '').lower()})",
            subject=str(path),
            remedy="Run `muniment verify`; restore it from a second copy.",
        ) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise IntegrityError("is not a regular file", subject=str(path))
    return fd
