"""Bringing the projection up to the log, building it anew, and comparing the two."""

from __future__ import annotations

import contextlib
import hashlib

import msgspec

from muniment.case.index import Index
from muniment.custody.memory import Memory
from muniment.custody.scan import whole_entries
from muniment.errors import IntegrityError
from muniment.store import disk
from muniment.store.layout import SEGMENT_ENTRIES, CaseFolder
from muniment.store.segments import Segments


class Rebuilt(msgspec.Struct, frozen=True):
    """What a rebuild found: entries applied, and the tables that were not what the log says
    (None when there was no usable projection to compare)."""

    entries: int
    differing: tuple[str, ...] | None


def catch_up(folder: CaseFolder, *, until: int | None = None) -> Index:
    """The case's projection with all entries (or the first `until`) applied.

    Built anew when it is missing, damaged, beyond the log, or an erasure came since.

    Raises:
        IntegrityError: if an entry or its private line is not whole.
    """
    disk.refuse_links(folder.work)
    disk.refuse_odd_files(folder.index)
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


def at_size(folder: CaseFolder, size: int, memory: Memory) -> Index:
    """A projection of exactly the first `size` entries: the case's own if this machine left it so,
    else one derived in memory, so that a report never shows what somebody put into the file."""
    disk.refuse_links(folder.work)
    disk.refuse_odd_files(folder.index)
    if folder.index.exists() and _file_sha256(folder) == memory.index_sha256():
        index = catch_up(folder)
        if index.size == size:
            return index
        index.close()
    derived = Index(None)
    _apply(folder, derived, size)
    return derived


def rebuild(folder: CaseFolder) -> tuple[Index, Rebuilt]:
    """Delete the projection, derive it from the log again, and say what differed.

    Raises:
        IntegrityError: if an entry or its private line is not whole.
    """
    disk.refuse_links(folder.work)
    disk.refuse_odd_files(folder.index)
    before, size = _digests(folder)
    with disk.storage(folder.work):
        folder.work.mkdir(exist_ok=True)
    temp = folder.index.with_suffix(".new")
    with disk.storage(temp):
        for path in (temp, temp.with_name(temp.name + "-journal")):
            path.unlink(missing_ok=True)
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
    disk.refuse_odd_files(folder.index)
    # SQLite would roll a journal that lies beside it into the file, whoever wrote it.
    journal = folder.index.with_name(folder.index.name + "-journal")
    disk.refuse_odd_files(journal)
    is_ours = folder.index.exists() and _file_sha256(folder) == memory.index_sha256()
    if journal.exists() or not is_ours:
        forget(folder)


def remember(folder: CaseFolder, memory: Memory) -> None:
    """Bring the projection up to the log and remember it as ours.

    Raises:
        StorageError: if the disk refuses.
    """
    catch_up(folder).close()
    memory.keep_index(_file_sha256(folder))


def _file_sha256(folder: CaseFolder) -> str:
    with disk.storage(folder.index), folder.index.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def forget(folder: CaseFolder) -> None:
    """Delete the projection, before something is erased that it may hold.

    Raises:
        StorageError: if the disk refuses.
    """
    with disk.storage(folder.index):
        for name in (folder.index.name, folder.index.name + "-journal"):
            folder.index.with_name(name).unlink(missing_ok=True)


def _digests(folder: CaseFolder) -> tuple[dict[str, str] | None, int]:
    with contextlib.suppress(IntegrityError):
        if folder.index.exists():
            old = Index(folder.index)
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
