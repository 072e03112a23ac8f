"""Files and folders as a source: listed first, then opened one by one, never outside the folder.

Every folder and file is opened relative to its parent's descriptor and without following links, so
neither a link nor a rename during the run can lead outside the folder given.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from muniment.errors import InputError, MalformedError
from muniment.model.times import from_unix

_DIR: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS: Final = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISDIR, "a folder"),
)


class Listed(msgspec.Struct, frozen=True):
    """One name in a source. `raw` is its path below the source, bytes as the system has them;
    `problem` says why it cannot be collected (not a regular file, unreadable folder), else null."""

    raw: bytes
    size_bytes: int
    modified_ns: int
    problem: str | None

    @property
    def modified_utc(self) -> str | None:
        """When the file system says it was modified; None outside the years 1 to 9999."""
        try:
            second = from_unix(self.modified_ns // 1_000_000_000, "").earliest_utc
        except MalformedError:
            return None
        return f"{second[:-4]}{self.modified_ns // 1_000_000 % 1000:03d}Z" if second else None


class Opened(msgspec.Struct, frozen=True):
    """A file opened for reading, with its state when opened."""

    fd: int
    state: tuple[int, int, int, int]


class SourceFolder:
    """A source on disk: a folder, or a single file seen as a folder of one.

    Raises:
        InputError: if the path is missing, unreadable, or neither a file nor a folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._only: bytes | None = None
        try:
            mode = path.stat().st_mode
            if stat.S_ISDIR(mode):
                self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            elif stat.S_ISREG(mode):
                real = path.resolve()
                self._only = os.fsencode(real.name)
                self._root = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            else:
                raise InputError(
                    f"is not a regular file but {describe(mode)}",
                    subject=str(path),
                    remedy="Name a file or a folder of files.",
                )
        except OSError as error:
            missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
            raise InputError(
                "not found" if missing else f"cannot be read ({(error.strerror or '').lower()})",
                subject=str(path),
                remedy="Check the path." if missing else "Give yourself read permission.",
            ) from error
        self._folder_raw = b""
        self._folder_fd = self._root

    @property
    def is_file(self) -> bool:
        """Whether the source is a single file."""
        return self._only is not None

    def close(self) -> None:
        """Release the descriptors."""
        if self._folder_fd != self._root:
            os.close(self._folder_fd)
        os.close(self._root)

    def listing(self) -> Iterator[Listed]:
        """Every name below the source, folder by folder in order of their bytes."""
        if self._only is not None:
            yield self._listed(self._root, b"", self._only)
            return
        pending = [b""]
        while pending:
            folder = pending.pop()
            try:
                fd = self._open_folder(folder)
                names = sorted(os.fsencode(name) for name in os.listdir(fd))
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                yield Listed(folder, 0, 0, f"the folder cannot be read ({reason})")
                continue
            below: list[bytes] = []
            for name in names:
                one = self._listed(fd, folder, name)
                if one.problem == "a folder":
                    below.append(one.raw)
                else:
                    yield one
            pending.extend(reversed(below))

    def _listed(self, fd: int, folder: bytes, name: bytes) -> Listed:
        raw = folder + b"/" + name if folder else name
        try:
            info = os.stat(name, dir_fd=fd, follow_symlinks=False)
        except OSError as error:
            return Listed(raw, 0, 0, f"cannot be read ({(error.strerror or '').lower()})")
        if stat.S_ISREG(info.st_mode):
            return Listed(raw, info.st_size, info.st_mtime_ns, None)
        kind = describe(info.st_mode)
        problem = kind if kind == "a folder" else f"is not a regular file but {kind}"
        return Listed(raw, 0, info.st_mtime_ns, problem)

    def _open_folder(self, raw: bytes) -> int:
        """Descriptor of a folder below the source; the last one stays open for its neighbours."""
        if raw == self._folder_raw:
            return self._folder_fd
        fd = self._root
        try:
            for part in raw.split(b"/") if raw else ():
                below = os.open(part, _DIR, dir_fd=fd)
                if fd != self._root:
                    os.close(fd)
                fd = below
        except OSError:
            if fd != self._root:
                os.close(fd)
            raise
        if self._folder_fd != self._root:
            os.close(self._folder_fd)
        self._folder_raw, self._folder_fd = raw, fd
        return fd

    def open(self, raw: bytes) -> Opened:
        """Open a listed file for reading.

        Raises:
            InputError: if it is gone, unreadable, or no longer a regular file.
        """
        folder, _, name = raw.rpartition(b"/")
        try:
            fd = os.open(name, _FILE, dir_fd=self._open_folder(folder))
        except OSError as error:
            gone = error.errno in (errno.ENOENT, errno.ENOTDIR)
            link = error.errno == errno.ELOOP
            reason = (error.strerror or "").lower()
            what = "is gone since it was listed" if gone else f"cannot be read ({reason})"
            raise InputError(
                "is not a regular file but a symbolic link" if link else what,
                remedy="Collect again when it is back."
                if gone
                else "Give yourself read permission.",
            ) from error
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            os.close(fd)
            raise InputError(f"is not a regular file but {describe(info.st_mode)}")
        return Opened(fd, _state(info))

    def is_unchanged(self, opened: Opened, read_bytes: int) -> bool:
        """Whether a file is still as it was when opened, after `read_bytes` were read from it."""
        info = os.fstat(opened.fd)
        return _state(info) == opened.state and info.st_size == read_bytes


def case_folders(listed: Iterable[Listed]) -> list[bytes]:
    """Folders below a source that hold a case of their own: root.json beside log/entries.

    Example:
        >>> names = (b"a/root.json", b"a/log/entries/000000.jsonl", b"b/root.json")
        >>> case_folders(Listed(name, 1, 0, None) for name in names)
        [b'a']
    """
    rooted: set[bytes] = set()
    logged: set[bytes] = set()
    for one in listed:
        folder, _, name = one.raw.rpartition(b"/")
        if name == b"root.json":
            rooted.add(folder)
        if folder.endswith(b"/log/entries"):
            logged.add(folder.removesuffix(b"/log/entries"))
    return sorted(rooted & logged)


def _state(info: os.stat_result) -> tuple[int, int, int, int]:
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def describe(mode: int) -> str:
    """What a file mode is, in words.

    Example:
        >>> describe(0o120777)
        'a symbolic link'
    """
    return next((words for test, words in _KINDS if test(mode)), "a special file")
