"""Making a case, and opening one for writing: lock, scan, recovery, certification."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from muniment.custody import checkpoint as checkpoints
from muniment.custody import entry as entries
from muniment.custody import root as roots
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.keys import SigningKey
from muniment.custody.log import LogWriter
from muniment.custody.memory import Memory
from muniment.custody.root import Root
from muniment.custody.rules import NEVER_ERASED
from muniment.custody.scan import scan
from muniment.custody.tail import refuse_what_was_sealed
from muniment.custody.tree import leaf_hash
from muniment.errors import (
    IntegrityError,
    MalformedError,
    NoCaseError,
    SignatureError,
)
from muniment.store import disk
from muniment.store.layout import MAX_HEAD_BYTES, SEGMENT_ENTRIES, CaseFolder
from muniment.store.lock import WriterLock
from muniment.store.segments import Segments

#: How many moved files one log.recovered names: its values stay below 16 kB.
MOVED_A_TIME: Final = 50

AckCallback = Callable[[int], None]
#: Unlocks the person's key, called only when a person must sign.
PersonKey = Callable[[], SigningKey]


def read_root(folder: CaseFolder) -> tuple[bytes, Root]:
    """The bytes of root.json and what they say.

    Raises:
        NoCaseError: if there is none.
        IntegrityError: if it is not a root in its one form.
    """
    disk.refuse_odd_files(folder.root, most_bytes=MAX_HEAD_BYTES)
    with disk.reading(folder.root):
        if not folder.root.exists():
            raise NoCaseError(
                "there is no root.json",
                subject=str(folder.path),
                remedy="Give --case DIR, or make a case with `muniment init`.",
            )
        data = folder.root.read_bytes()
    try:
        return data, roots.parse(data)
    except MalformedError as error:
        raise IntegrityError(
            error.what, subject=str(folder.root), remedy="Restore it from a second copy."
        ) from error


def read_checkpoint(folder: CaseFolder) -> Checkpoint:
    """The case's latest checkpoint.

    Raises:
        NoCaseError: if the case was never sealed.
        IntegrityError: if it is no checkpoint in its one form.
    """
    disk.refuse_odd_files(folder.checkpoint, most_bytes=MAX_HEAD_BYTES)
    try:
        with disk.reading(folder.checkpoint):
            if not folder.checkpoint.exists():
                raise NoCaseError(
                    "the case was never sealed",
                    subject=str(folder.path),
                    remedy="Run `muniment build`.",
                )
            return checkpoints.parse(folder.checkpoint.read_bytes())
    except MalformedError as error:
        raise IntegrityError(
            "is no checkpoint", subject=str(folder.checkpoint), remedy="Run `muniment verify`."
        ) from error


@contextmanager
def open_writer(
    folder: CaseFolder,
    agent: SigningKey,
    *,
    person: PersonKey | None = None,
    opening: dict[str, Any] | None = None,
    keys: Path | None = None,
    on_commit: AckCallback | None = None,
) -> Iterator[LogWriter]:
    """The case's one writer, until the block ends; closing seals.

    Moves aside what stands beyond the checkpoint (an unfinished batch, or what somebody without a
    key added) and finishes erasures a crash interrupted. Writes entry 0 into a case that has none
    yet (`opening` are its private fields, signed by `person`), and lets `person` certify the agent
    key when it is new here. With `keys`, the folder of key files, it refuses a case that is no
    continuation of the checkpoint this machine signed last. What may have been sealed by another
    machine is not moved aside: it refuses (custody/tail.py). Leaving the block commits, also when
    an error ends it.

    Raises:
        LockedError, IntegrityError, SignatureError, StorageError.
    """
    with WriterLock(folder):
        data, root = read_root(folder)
        memory = Memory(keys, root.case) if keys else None
        _settle(folder)
        _drop_needless_kept(folder)
        remembered = memory.size_and_root() if memory else None
        state = scan(folder, root, remembered[0] if remembered else 0)
        if memory and remembered and state.wanted_root != remembered[1]:
            raise memory.refuse(state.frontier.size)
        sealed = state.frontier.size
        whole = refuse_what_was_sealed(folder, root, state, agent.public.id)
        moved = _move_tail_aside(folder, sealed)
        log = LogWriter(folder, root, state, agent, memory=memory, on_commit=on_commit)
        log.moved_aside, log.moved_entries = moved, whole
        finish_erasures(log)
        if log.size == 0:
            _open_case(log, data, person, opening)
        _certify(log, person)
        _log_recovery(log, sealed, moved)
        try:
            yield log
        except BaseException:
            # Also after Ctrl-C what was done so far is covered; but after a failed sync nobody
            # knows what reached the disk, and only the next opening may look.
            if not log.is_stopped:
                log.commit()
            raise
        log.commit()


def prepare(folder: CaseFolder, person: SigningKey, case: str) -> None:
    """Lay down a new case's root.json and folders; `open_writer` then writes entry 0.

    A root.json left by an interrupted `init` is kept when it is exactly what this person begins
    with: one that also named another key would let that key certify agents later.

    Raises:
        SignatureError: if the root that is there is somebody else's.
        StorageError: if the disk refuses.
    """
    if not folder.root.exists():
        with disk.storage(folder.path):
            disk.make_folder(folder.path)
        root = roots.make(case, person.public)
        # Never over another's: two first builds at once must end with one root.
        disk.create(folder.root, root.encode(), temp_folder=folder.work)
    _, root = read_root(folder)
    if root != roots.make(root.case, person.public):
        raise SignatureError(
            f"root.json is there and is not the root that {person.public.name} would begin with",
            subject=str(folder.root),
            remedy="Remove it, or give another folder; look who could have put it there.",
        )
    for path in (folder.entries, folder.private, folder.objects):
        with disk.storage(path):
            disk.make_folder(path)


def _settle(folder: CaseFolder) -> None:
    """Make durable what a killed run wrote and may not have synced, before anything builds on it."""
    with disk.storage(folder.path):
        for segments in (Segments(folder.entries), Segments(folder.private)):
            for number in segments.numbers()[-2:]:
                disk.sync_file(segments.path(number))
        for path in (folder.entries, folder.private, folder.entries.parent, folder.objects):
            if path.is_dir():
                disk.sync_folder(path)
        disk.sync_folder(folder.path)
        disk.sync_folder(folder.path.parent)


def _drop_needless_kept(folder: CaseFolder) -> None:
    """Remove what a takeover left that was cut short before its own checkpoint: a kept checkpoint
    that is still the latest, or the empty folder for it."""
    if not folder.checkpoints.is_dir() or not folder.checkpoint.is_file():
        return
    with disk.storage(folder.checkpoints):
        latest = folder.checkpoint.read_bytes()
        for path in sorted(folder.checkpoints.iterdir()):
            if path.stat().st_size == len(latest) and path.read_bytes() == latest:
                path.unlink()
                disk.sync_folder(folder.checkpoints)
        if not any(folder.checkpoints.iterdir()):
            folder.checkpoints.rmdir()
            disk.sync_folder(folder.checkpoints.parent)


def _open_case(
    log: LogWriter, root_bytes: bytes, person: PersonKey | None, opening: dict[str, Any] | None
) -> None:
    if person is None or opening is None:
        raise NoCaseError(
            "the case was begun but never opened (its log is empty)",
            subject=str(log.folder.path),
            remedy="Run `muniment init` there with the person's passphrase.",
        )
    values = {"root_sha256": roots.fingerprint(root_bytes), **opening}
    log.append("case.opened", values, person=person())


def _certify(log: LogWriter, person: PersonKey | None) -> None:
    public = log.agent.public
    if public.id in log.agents:
        return
    if person is None:
        raise SignatureError(
            "this machine's agent key is not certified in this case",
            subject=public.name,
            remedy="Run once with the person's passphrase (MUNIMENT_PASSPHRASE or the prompt).",
        )
    values = {
        "key": public.id,
        "role": str(public.role),
        "name": public.name,
        "ed25519": public.ed25519,
        "mldsa44": public.mldsa44,
    }
    log.append("key.certified", values, person=person())
    log.commit()


def _move_tail_aside(folder: CaseFolder, size: int) -> list[dict[str, Any]]:
    """Copy what stands beyond the last sealed entry to work/recovered/, then cut it off."""
    moved: list[dict[str, Any]] = []
    for segments in (Segments(folder.entries), Segments(folder.private)):
        for path, offset in segments.tail(size):
            data = path.read_bytes()[offset:]
            digest = hashlib.sha256(data).hexdigest()
            name = os.fspath(path.relative_to(folder.path))
            if data:
                aside = folder.recovered / f"{name.replace('/', '-')}.{digest[:12]}"
                disk.replace(aside, data, temp_folder=folder.work)
                moved.append({"file": name, "bytes": len(data), "sha256": digest})
            segments.cut(path, offset)
    return moved


def _log_recovery(log: LogWriter, from_index: int, moved: list[dict[str, Any]]) -> None:
    for start in range(0, len(moved), MOVED_A_TIME):
        log.append(
            "log.recovered",
            {
                "from_index": from_index,
                "moved": moved[start : start + MOVED_A_TIME],
                "reason": "stood beyond the checkpoint: an unfinished batch, or added by somebody",
            },
        )
    if moved:
        log.commit()


def finish_erasures(log: LogWriter) -> None:
    """Carry out every logged erasure that is not carried out yet, or was undone; idempotent.

    Raises:
        StorageError: if the disk refuses.
    """
    by_segment: dict[int, dict[int, list[tuple[str, set[str]]]]] = {}
    for digest in sorted(log.erased_objects):
        log.objects.remove(digest)
    for erasure in log.erasures:
        for index, leaf, fields in erasure.entries:
            number, offset = divmod(index, SEGMENT_ENTRIES)
            by_segment.setdefault(number, {}).setdefault(offset, []).append((leaf, set(fields)))
    for number, wanted in sorted(by_segment.items()):
        _blank_segment(log, number, wanted)


def _blank_segment(
    log: LogWriter, number: int, wanted: dict[int, list[tuple[str, set[str]]]]
) -> None:
    public, private = Segments(log.folder.entries), Segments(log.folder.private)
    headers = public.path(number).read_bytes().split(b"\n")
    before = private.path(number).read_bytes().split(b"\n")[:-1]
    after = list(before)
    for offset, targets in wanted.items():
        for leaf, fields in targets:
            entry = entries.parse(headers[offset])
            # The leaf says which entry was meant; some kinds nobody may blank.
            if leaf_hash(headers[offset]).hex() == leaf and entry.kind not in NEVER_ERASED:
                after[offset] = entries.blank(entry, after[offset], fields)
    if after != before:
        private.rewrite(number, after, log.folder.work)
