"""The fingerprint index of a case, in `work/trace`: what tracing searches, so that a new clip does not
have those before it read again.

::

    work/trace/whole   hashes of whole pictures, 32 bytes each, clip after clip
    work/trace/crops   hashes of whole pictures and their crops, of clips that no other covers
    work/trace/table   msgpack: version, and for each clip what it was made of and its hashes' digest

New clips are appended to the two, then the table is replaced; what stands beyond the table is cut
off by the next run. The index is derived: deleted, damaged, of another version or not left by this
machine (which remembers the table's digest, as of the projection), it is made anew from the log. It
is read wholly once before it is used, to check the digests, then mapped into memory.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from muniment.case.observed import Observed
from muniment.custody.memory import Memory
from muniment.errors import StorageError
from muniment.examine import registry
from muniment.model.trace import Pair
from muniment.store import disk
from muniment.store.layout import CaseFolder
from muniment.trace import candidates, views
from muniment.trace.candidates import Before, Taken
from muniment.trace.codes import Codes

FORMAT: Final = "1"
WHOLE, CROPS, TABLE = "whole", "crops", "table"
_ROW_BYTES: Final = 32
_AT_ONCE: Final = 4 << 20


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One clip of the table.

    Attributes:
        made_of: digest of the findings its hashes come from.
        result: digest of its result of tracing, as the log has it.
        sha256: of its hashes, whole pictures and then crops.
    """

    object: str
    made_of: str
    result: str
    duration_s: float
    whole: int
    crops: int
    by: int | None
    pairs: tuple[int, ...]
    sha256: str


class _Table(msgspec.Struct, frozen=True, array_like=True):
    version: str
    rows: tuple[Row, ...]


def version() -> str:
    """Changes whenever the same clips could give other hashes."""
    kinds = repr((views.VIEWS, views.LEAST_TELLING, views.MOST_VIEWED))
    parts = (
        FORMAT,
        candidates.VERSION,
        registry.versions()["fingerprint"],
        np.__version__,
        hashlib.sha256(kinds.encode()).hexdigest()[:16],
    )
    return " ".join(parts)


def made_of(found: Mapping[str, Observed]) -> str:
    """Digest of the findings that a clip's hashes come from."""
    parts = [
        f"{name} {one.leaf} {kept.object}"
        for name, one in sorted(found.items())
        for kept in one.blobs
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Kept:
    """The index as it lies in `work`, whole and left by this machine; else empty."""

    def __init__(self, folder: CaseFolder, memory: Memory | None) -> None:
        self._folder, self._memory = folder, memory
        self._path = folder.trace_index
        self.rows: tuple[Row, ...] = ()
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            self.rows = self._read()

    def _read(self) -> tuple[Row, ...]:
        if self._memory is None or self._folder.work.is_symlink() or self._path.is_symlink():
            return ()
        with _opened(self._path / TABLE) as stream:
            data = stream.read()
        if hashlib.sha256(data).hexdigest() != self._memory.trace_index_sha256():
            return ()
        table = msgspec.msgpack.decode(data, type=_Table)
        if table.version != version():
            return ()
        return _sound(self._path, table.rows)

    def before(self, count: int, pairs: Callable[[str], Iterable[Pair]]) -> Before:
        """The first clips, with their hashes mapped into memory.

        Args:
            pairs: gives the pairs of a clip with those before it.
        """
        rows = self.rows[:count]
        taken = [
            Taken(one.object, one.duration_s, one.whole, one.crops, one.by, one.pairs)
            for one in rows
        ]
        whole = Codes(_mapped(self._path / WHOLE, sum(one.whole for one in rows)))
        crops = Codes(_mapped(self._path / CROPS, sum(one.crops for one in rows)))
        return Before(taken, whole, crops, pairs)

    def save(
        self, before: Before, taken: Sequence[Taken], keys: Mapping[str, tuple[str, str]]
    ) -> None:
        """Append the clips that came after those of `before`, and remember that.

        Args:
            taken: all clips, those of `before` first.
            keys: of each new clip `made_of` and the digest of its result.
        Raises:
            StorageError: if the case's disk refuses.
        """
        kept = len(before.taken)
        disk.refuse_links(self._folder.work, self._path)
        disk.make_folder(self._path)
        rows = [*self.rows[:kept], *_rows(before, taken[kept:], keys)]
        for name, codes in ((WHOLE, before.whole), (CROPS, before.crops)):
            _append(self._path / name, len(codes) - len(codes.added), codes.added)
        data = msgspec.msgpack.encode(_Table(version(), tuple(rows)))
        disk.replace(self._path / TABLE, data, temp_folder=self._path)
        if self._memory is not None:
            # Not remembered, it is made anew by the next run.
            with suppress(StorageError):
                self._memory.keep_trace_index(hashlib.sha256(data).hexdigest())


def forget(folder: CaseFolder) -> None:
    """Delete the index, before something is erased that it holds.

    Raises:
        StorageError: if the disk refuses.
    """
    if folder.trace_index.is_symlink() or not folder.trace_index.is_dir():
        disk.clear(folder.trace_index, folder.recovered)
        return
    with disk.storage(folder.trace_index):
        there = list(folder.trace_index.iterdir())
    for path in there:
        disk.clear(path, folder.recovered)


def _rows(before: Before, taken: Sequence[Taken], keys: Mapping[str, tuple[str, str]]) -> list[Row]:
    """Rows of new clips, whose hashes are those added."""
    found: list[Row] = []
    whole = crops = 0
    for one in taken:
        own = hashlib.sha256(before.whole.added[whole : whole + one.whole].tobytes())
        own.update(before.crops.added[crops : crops + one.crops].tobytes())
        whole, crops = whole + one.whole, crops + one.crops
        found.append(
            Row(
                one.name,
                *keys[one.name],
                one.duration_s,
                one.whole,
                one.crops,
                one.by,
                one.pairs,
                own.hexdigest(),
            )
        )
    return found


def _sound(path: Path, rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows up to the first whose hashes are not what they were."""
    with _opened(path / WHOLE) as whole, _opened(path / CROPS) as crops:
        for number, one in enumerate(rows):
            own = hashlib.sha256()
            for stream, count in ((whole, one.whole), (crops, one.crops)):
                left = count * _ROW_BYTES
                while left and (part := stream.read(min(left, _AT_ONCE))):
                    own.update(part)
                    left -= len(part)
            if own.hexdigest() != one.sha256:
                return tuple(rows[:number])
    return tuple(rows)


class _opened:
    """A regular file of the index, read; a link or a pipe is refused."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._stream = os.fdopen(os.open(path, flags), "rb")

    def __enter__(self) -> _opened:
        if not stat.S_ISREG(os.fstat(self._stream.fileno()).st_mode):
            self._stream.close()
            raise OSError("is no regular file")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, most: int = -1) -> bytes:
        """Up to so many bytes."""
        return self._stream.read(most)

    def fileno(self) -> int:
        """The descriptor."""
        return self._stream.fileno()


def _mapped(path: Path, count: int) -> NDArray[np.uint64] | None:
    """The first codes of a file."""
    if not count:
        return None
    with _opened(path) as stream:
        mapped = np.memmap(os.fdopen(os.dup(stream.fileno()), "rb"), "<u8", "r", shape=(count, 4))
    return np.asarray(mapped)


def _append(path: Path, count: int, codes: NDArray[np.uint64]) -> None:
    """Leave the first codes as they are, cut off the rest, and put others behind them."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        path.unlink()
    with disk.storage(path):
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(path, flags, 0o640)
        try:
            os.ftruncate(fd, count * _ROW_BYTES)
            os.lseek(fd, 0, os.SEEK_END)
            disk.write_all(fd, codes.astype("<u8", copy=False).tobytes())
        finally:
            os.close(fd)
