"""Bringing the projection up to the log, building it anew, and comparing the two.

Only a writer, or `rebuild`, changes the file. Readers use it when it is usable and else derive one
in memory, so that looking at a case works on read-only media and beside a running build.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Final

import msgspec

from muniment.case.database import BESIDE, companions
from muniment.case.index import Index
from muniment.custody.memory import Memory, not_remembered
from muniment.custody.scan import whole_entries
from muniment.errors import IntegrityError, LockedError, StorageError
from muniment.store import disk
from muniment.store.layout import SEGMENT_ENTRIES, CaseFolder
from muniment.store.segments import Segments

#: Why a projection cannot be used, or not now; it can be derived again.
_UNUSABLE: Final = (IntegrityError, LockedError, StorageError)


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild found: entries applied, and the tables that were not what the log says
    (None when there was no usable projection to compare)."""

    entries: int
    differing: tuple[str, ...] | None


def catch_up(folder: CaseFolder, *, until: int | None = None) -> Index:
    """The case's projection, for a writer, with all entries (or the first `until`) applied.

    Built anew when it is missing, damaged, beyond the log, or an erasure came since.

    Raises:
        IntegrityError: if an entry or its private line is not whole.
    """
    disk.refuse_links(folder.work)
    try:
        index = Index(folder.index)
    except IntegrityError:
        return rebuild(folder)[0]
    before = index.size
    _apply(folder, index, until)
    erased_since = index.rows("SELECT 1 FROM event WHERE kind='object.erased' AND idx>=?", before)
    if (before and erased_since) or index.size > _log_size(folder):
        index.close()
        return rebuild(folder)[0]
    index.save()
    return index


def reading(folder: CaseFolder) -> Index:
    """A projection of the whole log for somebody who only looks: the case's own when it is usable
    and up to date, else one derived in memory.

    It is not trusted: hold what it says against the log.

    Raises:
        IntegrityError: if an entry or its private line is not whole.
    """
    return _own(folder, _log_size(folder)) or derived(folder)


def at_size(folder: CaseFolder, size: int, memory: Memory) -> Index:
    """A projection of exactly the first `size` entries: the case's own if this machine left it so,
    else one derived in memory, so that a report never shows what somebody put into the file."""
    own = None
    with contextlib.suppress(*_UNUSABLE):
        own = _own(folder, size) if _is_ours(folder, memory) else None
    return own or derived(folder, size)


def derived(folder: CaseFolder, size: int | None = None) -> Index:
    """A projection of the first `size` entries (or all), derived in memory from the log.

    Raises:
        IntegrityError: if an entry or its private line is not whole.
    """
    index = Index(None)
    _apply(folder, index, size)
    return index


def _own(folder: CaseFolder, size: int) -> Index | None:
    """The projection on disk, unchanged by looking, when it is usable and has that size."""
    try:
        if not disk.is_regular(folder.index):
            return None
        index = Index(folder.index, read_only=True)
    except _UNUSABLE:
        return None
    if index.size == size:
        return index
    index.close()
    return None


def rebuild(folder: CaseFolder) -> tuple[Index, Rebuilt]:
    """Delete the projection, derive it from the log again, and say what differed.

    Raises:
        IntegrityError: if an entry or its private line is not whole.
    """
    disk.refuse_links(folder.work)
    before, size = _digests(folder)
    with disk.storage(folder.work):
        folder.work.mkdir(exist_ok=True)
    temp = folder.index.with_suffix(".new")
    for path in (temp, *(temp.with_name(temp.name + end) for end in BESIDE)):
        disk.clear(path, folder.recovered)
    index = Index(temp)
    if before is not None:
        # Compare at the size the old one had applied, then go on to the end.
        _apply(folder, index, size)
    now = index.table_digests()
    differing = None
    if before is not None:
        differing = tuple(name for name in now if now[name] != before.get(name))
    _apply(folder, index, None)
    index.save()
    index.close()
    forget(folder)
    with disk.storage(folder.index):
        disk.sync_file(temp)
        temp.replace(folder.index)
        disk.sync_folder(folder.work)
    index = Index(folder.index)
    return index, Rebuilt(index.size, differing)


def trust_only_ours(folder: CaseFolder, memory: Memory) -> None:
    """Delete a projection that is not, byte for byte, the one this machine left.

    Whoever can write the folder can write the projection too; a writer must not act on that.

    Raises:
        StorageError: if the disk refuses.
    """
    disk.refuse_links(folder.work)
    if not _is_ours(folder, memory):
        forget(folder)


def remember(folder: CaseFolder, memory: Memory) -> str:
    """Bring the projection up to the log and remember it as ours; a notice when it cannot be
    remembered (the next run then derives it again), else "".

    Raises:
        StorageError: if the case's disk refuses.
    """
    catch_up(folder).close()
    digest = _file_sha256(folder)
    try:
        memory.keep_index(digest)
    except StorageError as error:
        return not_remembered(error)
    return ""


def _is_ours(folder: CaseFolder, memory: Memory) -> bool:
    """Whether this machine left the file so, with nothing beside it that SQLite would roll in."""
    return (
        not folder.work.is_symlink()
        and disk.is_regular(folder.index)
        and not companions(folder.index)
        and _file_sha256(folder) == memory.index_sha256()
    )


def _file_sha256(folder: CaseFolder) -> str:
    with disk.storage(folder.index), folder.index.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def forget(folder: CaseFolder) -> None:
    """Delete the projection and what lies beside it, before something is erased that it may hold.

    Raises:
        StorageError: if the disk refuses.
    """
    for path in (folder.index, *companions(folder.index)):
        disk.clear(path, folder.recovered)


def _digests(folder: CaseFolder) -> tuple[dict[str, str] | None, int]:
    with contextlib.suppress(*_UNUSABLE):
        if disk.is_regular(folder.index):
            old = Index(folder.index, read_only=True)
            try:
                return old.table_digests(), old.size
            finally:
                old.close()
    return None, 0


def _apply(folder: CaseFolder, index: Index, until: int | None) -> None:
    for number, entry, leaf, values in whole_entries(folder, index.size):
        if until is not None and number >= until:
            break
        index.apply(number, entry, leaf, values)


def _log_size(folder: CaseFolder) -> int:
    segments = Segments(folder.entries)
    numbers = segments.numbers()
    if not numbers:
        return 0
    return (
        sum(1 for _ in segments.lines(numbers[-1] * SEGMENT_ENTRIES))
        + numbers[-1] * SEGMENT_ENTRIES
    )
