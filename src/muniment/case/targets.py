"""Where second copies are put: a folder. (A bucket is in `bucket`, with the library it needs.)

A target writes where nothing is, and never over something; what it wrote it reads back.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from muniment.errors import StorageError, UsageError
from muniment.model.copies import Keeps
from muniment.store import disk

READ_BYTES: Final = 1 << 20
#: Ending of what is being written.
PART: Final = ".part"


class Target(Protocol):
    """A place for second copies. Keys are names with `/` between parts."""

    kind: str
    place: str

    def sizes(self, below: str) -> dict[str, int]:
        """Every key below a folder (`objects/`; all with ``), in order, and how many bytes stand there.

        Raises:
            InputError: if the place cannot be reached or read.
        """

    def put(self, key: str, stream: BinaryIO, size: int) -> bool:
        """Write unless something is there: False then, and that stays as it was.

        Raises:
            StorageError: if the place refuses.
        """

    def read(self, key: str) -> Iterator[bytes]:
        """The bytes under a key, in pieces.

        Raises:
            InputError: if they cannot be read.
        """

    def remove(self, key: str) -> None:
        """Take away what was written wrongly.

        Raises:
            StorageError: if the place refuses.
        """


class Folder:
    """A folder, on another disk than the case's if it is to be of use."""

    kind = "folder"

    def __init__(self, path: Path, case: Path | None = None) -> None:
        self.path = path.absolute()
        self.place = str(self.path)
        self.same_device: bool | None = None
        if case is not None:
            self._make(case)

    def _make(self, case: Path) -> None:
        inside = self.path.resolve()
        if inside.is_relative_to(case.resolve()) or case.resolve().is_relative_to(inside):
            raise UsageError(
                "lies in the case, or the case in it",
                subject=self.place,
                remedy="Choose a folder elsewhere, best on another disk.",
            )
        if (self.path / "root.json").exists():
            raise UsageError(
                "is a case, and no place for copies",
                subject=self.place,
                remedy="Choose an empty folder.",
            )
        with disk.storage(self.path):
            disk.make_folder(self.path)
            self.same_device = self.path.stat().st_dev == case.stat().st_dev

    def sizes(self, below: str) -> dict[str, int]:
        """See `Target`."""
        with disk.reading(self.path):
            found = [path for path in (self.path / below).rglob("*") if path.is_file()]
            each = {path.relative_to(self.path).as_posix(): path.stat().st_size for path in found}
        return dict(sorted(each.items()))

    def put(self, key: str, stream: BinaryIO, size: int) -> bool:
        """See `Target`; durable when it returns."""
        path = self.path / key
        temp = path.with_name(f"{path.name}.{secrets.token_hex(8)}{PART}")
        with disk.storage(path):
            disk.make_folder(path.parent)
            try:
                with temp.open("xb") as out:
                    while piece := stream.read(READ_BYTES):
                        out.write(piece)
                    out.flush()
                    os.fsync(out.fileno())
                written = _name(temp, path)
            finally:
                temp.unlink(missing_ok=True)
            disk.sync_folder(path.parent)
        return written

    def read(self, key: str) -> Iterator[bytes]:
        """See `Target`."""
        path = self.path / key
        with disk.reading(path), path.open("rb") as stream:
            # From the disk, not from what was just written to memory.
            os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while piece := stream.read(READ_BYTES):
                yield piece

    def remove(self, key: str) -> None:
        """See `Target`."""
        with disk.storage(self.path / key):
            (self.path / key).unlink(missing_ok=True)


def _name(temp: Path, path: Path) -> bool:
    """Give a written file its name unless something has it."""
    try:
        os.link(temp, path, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError:
        # A stick without hard links (FAT): asked first, by the one process that writes there.
        if path.exists():
            return False
        temp.rename(path)
    return True


def keeps(target: Target, key: str, content: bytes) -> Keeps:
    """Whether a target refuses to overwrite, tried with the very same bytes, so that nothing is lost
    if it does not.

    Args:
        key: something that stands there with this content, or nothing yet.
    Raises:
        InputError, StorageError: if the place cannot be reached or refuses.
    """
    from io import BytesIO

    target.put(key, BytesIO(content), len(content))
    again = target.put(key, BytesIO(content), len(content))
    return Keeps.NOT_KEPT if again else Keeps.PROVED


def check_whole(target: Target, key: str, sha256: str) -> None:
    """Read back what stands under a key.

    Raises:
        StorageError: if it has other bytes; it is then taken away, so that the next run writes it anew.
    """
    sha = hashlib.sha256()
    for piece in target.read(key):
        sha.update(piece)
    if sha.hexdigest() != sha256:
        target.remove(key)
        raise StorageError(
            "was read back with other bytes than were written, and was removed",
            subject=f"{target.place}: {key}",
            remedy="Run again; if it comes back, do not trust that place.",
        )
