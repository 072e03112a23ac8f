"""Reads a case folder for the verifier: never follows a link, never opens what is no regular file."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from mmap import mmap
from pathlib import Path
from typing import Final

from muniment.errors import InputError, IntegrityError
from muniment.model.verify import Unread
from muniment.store.layout import (
    CHECKPOINTS,
    ENTRIES,
    NOT_EVIDENCE,
    OBJECT_NAME,
    OBJECTS,
    PRIVATE,
    STAMPS,
    CaseFolder,
    most_bytes,
)

#: Errors that mean: no such file or folder of ours, or a link or something else in its place.
_NOT_THERE: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
#: Large reads into whole pages: the kernel copies them at the least cost a byte (docs/benchmarks.md).
READ_BYTES: Final = 1 << 20
_PREFIX: Final = re.compile(r"[0-9a-f]{2}")
_REST: Final = re.compile(r"[0-9a-f]{62}")

#: No folder of a case lies deeper; what does is named and not entered.
_MOST_DEEP: Final = 8
#: Folders that a run killed at the wrong moment leaves empty.
_MAY_BE_EMPTY: Final = {"log", "objects", OBJECTS, ENTRIES, PRIVATE}


class FolderReader:
    """The `custody.reader.Reader` of a case folder."""

    def __init__(self, folder: CaseFolder) -> None:
        self._folder = folder
        self._buffer = mmap(-1, READ_BYTES)

    def names(self) -> Iterator[tuple[str, bool]]:
        """See `Reader.names`."""
        pending = [name for name in _listed(self._folder.path) if name not in NOT_EVIDENCE]
        pending.reverse()
        while pending:
            name = pending.pop()
            found, below = self._look(name)
            if found is not None:
                yield found
            pending.extend(reversed(below))

    def _look(self, name: str) -> tuple[tuple[str, bool] | None, list[str]]:
        """What stands under a name: itself when it is to be listed, and the names below it."""
        if name.count("/") > _MOST_DEEP:
            return (name, False), []
        path = self._folder.path / name
        mode = path.lstat().st_mode
        if not stat.S_ISDIR(mode):
            is_object = OBJECT_NAME.fullmatch(name)
            return (None if is_object else (name, stat.S_ISREG(mode))), []
        parts = _listed(path)
        if name.startswith(f"{OBJECTS}/") and _PREFIX.fullmatch(path.name):
            # Objects are handed out by `objects`; one that is a link or a folder says so there.
            parts = [part for part in parts if not _REST.fullmatch(part)]
        elif not parts and name in (CHECKPOINTS, STAMPS):
            return (f"{name}/", False), []
        elif not parts and name not in _MAY_BE_EMPTY:
            return (name, False), []
        return None, [f"{name}/{part}" for part in parts]

    def read(self, name: str) -> bytes | None:
        """See `Reader.read`; what is no regular file is not there (`names` reports it)."""
        folder = self._open_folder(*name.split("/")[:-1])
        if folder is None:
            return None
        path = self._folder.path / name
        try:
            fd = os.open(path.name, _FLAGS, dir_fd=folder)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise _unreadable(path, error) from error
        finally:
            os.close(folder)
        try:
            info = os.fstat(fd)
            if not stat.S_ISREG(info.st_mode):
                return None
            if info.st_size > most_bytes(name):
                raise IntegrityError(
                    f"has {info.st_size} bytes, more than any such file of a case can have",
                    subject=str(path),
                    remedy="Restore the true one from a second copy.",
                )
            with os.fdopen(fd, "rb", closefd=False) as stream:
                return stream.read()
        except OSError as error:
            raise _unreadable(path, error) from error
        finally:
            os.close(fd)

    def _open_folder(self, *parts: str) -> int | None:
        """Descriptor of a folder of the case, no link followed on the way; None when not there."""
        flags = _FLAGS | os.O_DIRECTORY
        try:
            fd = os.open(self._folder.path, flags & ~os.O_NOFOLLOW)
            for part in parts:
                try:
                    below = os.open(part, flags, dir_fd=fd)
                finally:
                    os.close(fd)
                fd = below
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise _unreadable(self._folder.path.joinpath(*parts), error) from error
        return fd

    def objects(self) -> Iterator[tuple[str, Iterable[bytes | memoryview] | str]]:
        """See `Reader.objects`. Pieces are views of one buffer, valid until the next piece."""
        for prefix in self._prefixes():
            folder = self._open_folder(*OBJECTS.split("/"), prefix)
            if folder is None:
                continue  # no folder: `names` reports it
            try:
                for rest in sorted(os.listdir(folder)):
                    if _REST.fullmatch(rest):
                        yield prefix + rest, self._pieces(rest, folder)
            finally:
                os.close(folder)

    def _prefixes(self) -> list[str]:
        folder = self._open_folder(*OBJECTS.split("/"))
        if folder is None:
            return []
        try:
            return sorted(name for name in os.listdir(folder) if _PREFIX.fullmatch(name))
        finally:
            os.close(folder)

    def object_count(self) -> int:
        """How many names lie where objects lie."""
        return sum(len(_listed(self._folder.objects / prefix)) for prefix in self._prefixes())

    def _pieces(self, name: str, folder: int) -> Iterable[bytes | memoryview] | str:
        try:
            fd = os.open(name, _FLAGS, dir_fd=folder)
        except OSError as error:
            why = f"cannot be read ({(error.strerror or '').lower()})"
            return why if error.errno in _NOT_THERE else Unread(why)
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)
            return "is not a regular file"
        if info.st_size > READ_BYTES:
            return self._long(fd)
        try:
            got = os.readv(fd, [self._buffer])
        except OSError as error:
            return Unread(f"cannot be read ({(error.strerror or '').lower()})")
        finally:
            os.close(fd)
        return (memoryview(self._buffer)[:got],)

    def _long(self, fd: int) -> Iterator[memoryview]:
        view = memoryview(self._buffer)
        try:
            while got := os.readv(fd, [self._buffer]):
                yield view[:got]
        except OSError as error:
            raise _unreadable(Path(f"/proc/self/fd/{fd}"), error) from error
        finally:
            os.close(fd)


def _listed(path: Path) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        if error.errno in _NOT_THERE:
            return []
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot be read ({(error.strerror or '').lower()})",
        subject=str(path),
        remedy="Give yourself read permission, or copy the case from a sound disk.",
    )
