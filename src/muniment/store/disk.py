"""Writes that survive a crash: temp, fsync, rename, fsync of the folder; and what the disk said."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muniment.errors import InputError, IntegrityError, StorageError

_REMEDIES = {
    errno.ENOSPC: "Free space on that disk and run again; what was acknowledged is kept.",
    errno.EDQUOT: "Raise the quota or free space and run again; what was acknowledged is kept.",
    errno.EROFS: "The disk is read-only: remount it writable or choose another folder.",
    errno.EACCES: "Give yourself write permission there, or choose another folder.",
    errno.EPERM: "Give yourself write permission there, or choose another folder.",
    errno.EEXIST: "Choose another name; nothing is overwritten.",
    errno.ENOENT: "Make the folder first, or choose another.",
    errno.ENOTDIR: "A file lies where a folder should be; choose another folder.",
    errno.EISDIR: "A folder lies where a file should be: move it away and run again.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.EIO: "The disk reports a fault: copy the case to another disk before anything else.",
}


@contextmanager
def storage(path: Path | str) -> Iterator[None]:
    """Turn an OSError while writing at `path` into a StorageError that names it and the remedy."""
    try:
        yield
    except OSError as error:
        # Of a renaming the second name is the one that a person knows.
        where = os.fspath(error.filename2 or error.filename or path)
        raise StorageError(
            (error.strerror or str(error)).lower(),
            subject=str(where),
            remedy=_REMEDIES.get(error.errno or 0, "Check the disk and run again."),
        ) from error


def unreadable(path: Path, error: OSError) -> InputError:
    """The error for what is there and cannot be read: no tampering, a matter of rights or disk."""
    return InputError(
        f"cannot be read ({(error.strerror or str(error)).lower()})",
        subject=str(error.filename or path),
        remedy="Give yourself read permission, or copy the case from a sound disk.",
    )


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an OSError while reading at `path` into an InputError that names it and the remedy."""
    try:
        yield
    except OSError as error:
        raise unreadable(path, error) from error


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def create(path: Path, data: bytes, *, temp_folder: Path) -> bool:
    """Put `data` at `path` unless something is there already: False then, and it stays as it was.

    Raises:
        StorageError: if the disk refuses.
    """
    temp = temp_folder / f"{path.name}.{secrets.token_hex(8)}"
    replace(temp, data, temp_folder=temp_folder)
    with storage(path):
        try:
            os.link(temp, path, follow_symlinks=False)
        except FileExistsError:
            return False
        finally:
            temp.unlink()
        sync_folder(path.parent)
    return True


def refuse_links(*paths: Path) -> None:
    """Refuse to write below anything that should be a folder of ours and is something else.

    A link there could lead a writer to other people's files.

    Raises:
        IntegrityError: naming the first that is there and is no real folder.
    """
    for path in paths:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        except OSError as error:
            raise unreadable(path, error) from error
        if not stat.S_ISDIR(mode):
            raise IntegrityError(
                "should be a folder of the case and is a link or a file",
                subject=str(path),
                remedy="Remove it, and look who could have put it there.",
            )


def refuse_odd_files(*paths: Path, most_bytes: int | None = None) -> None:
    """Refuse to read or write where a regular file of ours should be and something else is.

    Args:
        most_bytes: also refuse a file larger than any of ours can be.
    Raises:
        IntegrityError: naming the first that is there and is no regular file, or too large.
    """
    for path in paths:
        try:
            info = path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise unreadable(path, error) from error
        if most_bytes is not None and info.st_size > most_bytes:
            raise IntegrityError(
                f"has {info.st_size} bytes, more than any such file of a case can have",
                subject=str(path),
                remedy="Restore the true one from a second copy.",
            )
        if not stat.S_ISREG(info.st_mode):
            raise IntegrityError(
                "should be a regular file of the case and is not",
                subject=str(path),
                remedy="Remove it, restore the true one from a second copy, and look who did it.",
            )


def clear(path: Path, aside: Path) -> None:
    """Make a name of a derived file free, whatever lies there: links and pipes are removed, never
    followed or opened; a folder may hold something of somebody's and is moved below `aside`.

    Raises:
        StorageError: if the disk refuses.
    """
    with storage(path):
        try:
            is_folder = stat.S_ISDIR(path.lstat().st_mode)
        except FileNotFoundError:
            return
        if is_folder:
            refuse_links(aside)
            make_folder(aside)
            path.rename(aside / f"{path.name}.{secrets.token_hex(8)}")
        else:
            path.unlink()


def is_regular(path: Path) -> bool:
    """Whether a regular file lies there, and no link to one.

    Raises:
        StorageError: if its folder cannot be looked into.
    """
    with storage(path):
        try:
            return stat.S_ISREG(path.lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False


def sync_file(path: Path) -> None:
    """Make a file's bytes durable."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each durable in its own parent."""
    missing = [path]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for folder in reversed(missing):
        if not folder.exists():
            folder.mkdir()
            sync_folder(folder.parent)


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Write every byte of `data`, however often the kernel takes only part."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def replace(path: Path, data: bytes, *, temp_folder: Path, mode: int = 0o644) -> None:
    """Put `data` at `path` so that a crash leaves the old bytes or the new, never a mixture.

    Args:
        temp_folder: on the same file system; leftovers there are deletable.
    Raises:
        StorageError: if the disk refuses.
    """
    with storage(path):
        make_folder(temp_folder)
        make_folder(path.parent)
        # A name nobody can guess and plant a link under, and refused if it is there.
        temp = temp_folder / f"{path.name}.{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(temp, flags, mode)
        try:
            try:
                write_all(fd, data)
                os.fsync(fd)
            finally:
                os.close(fd)
            temp.replace(path)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
