"""Opening the projection's SQLite file, which may be anybody's: what SQLite is shown, and its errors."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

from muniment.errors import IntegrityError, LockedError, MunimentError, StorageError

#: Names SQLite gives to what it keeps beside a file.
BESIDE: Final = ("-journal", "-wal", "-shm")
_HEAD: Final = b"SQLite format 3\0"
_MOST_BYTES: Final = 64 * 1024 * 1024
_DISK_ERRORS: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}


def companions(path: Path) -> list[Path]:
    """What SQLite would read beside a file, journals above all, as far as it is there.

    Whoever put one there can have it rolled into the file when the file is opened. A killed run of
    ours leaves one too: the projection is then derived anew, which costs less than trust.
    """
    return [other for end in BESIDE if os.path.lexists(other := path.with_name(path.name + end))]


def is_blank(path: Path) -> bool:
    """Whether there is no file or an empty one.

    Raises:
        IntegrityError: if SQLite had better not be shown what is there.
        StorageError: if it may not be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        head = b""
    except PermissionError as error:
        raise StorageError(
            "cannot be read (permission denied)",
            subject=str(path),
            remedy="Give yourself read permission.",
        ) from error
    except OSError as error:
        raise damaged(path, (error.strerror or "").lower()) from error
    else:
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise damaged(path, "it is not a regular file")
            head = os.read(fd, 20)
        finally:
            os.close(fd)
    for other in companions(path):
        raise damaged(path, f"{other.name} lies beside it")
    # Bytes 18 and 19: written and read with a rollback journal, as we do, not in WAL mode.
    if head and not (head.startswith(_HEAD) and head[18:20] == b"\1\1"):
        raise damaged(path, "this program did not write it")
    return not head


def connect(path: Path | None, *, read_only: bool) -> sqlite3.Connection:
    """A connection to the file, or to a new database in memory.

    Raises:
        StorageError, LockedError, IntegrityError: as `refused` tells them apart.
    """
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None)
    if read_only:
        # as_uri escapes what a path may hold and a URI may not.
        target, options = f"{path.as_uri()}?mode=ro", {"uri": True}
    else:
        target, options = str(path), {}
    try:
        db = sqlite3.connect(target, isolation_level=None, **options)
    except sqlite3.Error as error:
        raise refused(path, error) from error
    # The file may be somebody else's: no value of ours is larger.
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
    return db


def refused(path: Path | None, error: sqlite3.Error) -> MunimentError:
    """What SQLite's error means: in use, a full or failing disk, or a file that is no projection."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LockedError(
            "another process is bringing the projection up to date",
            subject=str(path),
            remedy="Run again in a moment.",
        )
    if code in _DISK_ERRORS:
        return StorageError(
            str(error),
            subject=str(path),
            remedy="Free space on that disk or make it writable, and run again.",
        )
    return damaged(path, str(error))


def damaged(path: Path | None, why: str) -> IntegrityError:
    """The error for a file that is no projection of this program."""
    return IntegrityError(
        f"is no projection this program can use ({why})",
        subject=str(path),
        remedy="Run `muniment rebuild`: it is derived from the log and holds no evidence.",
    )
