"""Witnesses of a case: named by a person, asked over HTTP or by file, and what they say kept.

Asked for a checkpoint, a witness finds out what the machine itself may not know: that the case was
rolled back, or that another copy of it has gone another way.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from muniment.case import left_over, looking, projecting, reporting
from muniment.case.asking import StatusError, all_at_once, ask, check_url
from muniment.case.building import whole_set_aside, writing
from muniment.case.index import Index
from muniment.case.progress import Progress
from muniment.case.signing import Secrets, person_key
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody import checkpoint as checkpoints
from muniment.custody import cosignature
from muniment.custody.checkpoint import Checkpoint, NoteSignature
from muniment.custody.cosignature import MAX_BYTES, Request, VKey, cosigned_at, read_vkey
from muniment.custody.judged import refuse_odd_time
from muniment.custody.keyring import KeyFolder
from muniment.custody.log import LogWriter
from muniment.custody.opening import read_checkpoint
from muniment.custody.tree import Tree
from muniment.errors import (
    InputError,
    IntegrityError,
    MunimentError,
    SignatureError,
    UsageError,
)
from muniment.model.ids import short
from muniment.model.times import format_utc, now_utc
from muniment.store import disk
from muniment.store.layout import STAMPS, CaseFolder

PATIENT_S: Final = 30.0


class Pinned(msgspec.Struct, frozen=True):
    """A witness as it is named in a case; `cosigned` is how many entries its latest line covers."""

    id: str
    leaf: str
    vkey: str
    organisation: str
    url: str | None
    quorum: int
    cosigned: int
    time_utc: str | None


class Witnessed(msgspec.Struct, frozen=True):
    """What came of asking.

    Attributes:
        made: (organisation, entries covered, time stated) of each cosignature that was kept.
        alarms: what a witness says that must not be: a rollback, another history.
        waiting: a line for each witness that gave nothing of use.
        notices: what was moved aside.
    """

    made: tuple[tuple[str, int, str], ...]
    alarms: tuple[str, ...]
    waiting: tuple[str, ...]
    notices: tuple[str, ...]


def pinned(index: Index) -> tuple[Pinned, ...]:
    """The witnesses of the case, in the order they were named."""
    sql = (
        "SELECT entry.leaf, details FROM event JOIN entry USING (idx)"
        " WHERE event.kind='witness.pinned' ORDER BY idx"
    )
    found: dict[str, dict[str, Any]] = {}
    for leaf, text in index.rows(sql):
        details = json.loads(text)
        found.pop(details["supersedes"] or "", None)
        if not details["dropped"]:
            found[leaf] = details
    reach = _reach(index)
    return tuple(
        Pinned(
            short("entry", leaf),
            leaf,
            one["vkey"],
            one["organisation"],
            one["url"],
            one["quorum"],
            *reach.get(leaf, (0, None)),
        )
        for leaf, one in found.items()
    )


def _reach(index: Index) -> dict[str, tuple[int, str | None]]:
    """Leaf hash of a witness -> (entries its latest cosignature covers, the time it states)."""
    rows = index.rows("SELECT details FROM event WHERE kind='checkpoint.cosigned' ORDER BY idx")
    reach: dict[str, tuple[int, str | None]] = {}
    for (text,) in rows:
        one = json.loads(text)
        reach[one["witness"]] = (int(one["checkpoint"].partition(":")[0]), one["time_utc"])
    return reach


def add(
    folder: CaseFolder,
    vkey: str,
    *,
    organisation: str,
    url: str | None,
    quorum: int,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> Pinned:
    """Name a witness. Named anew, by the same key, it gets a new address or quorum.

    Raises:
        MalformedError: if the key is none of a witness.
        UsageError: if the quorum is below one, or the address none.
        SignatureError: if that person may not sign this in this case.
    """
    key = read_vkey(vkey)
    if not 1 <= quorum <= 99:
        raise UsageError("is no quorum", subject=str(quorum), remedy="Give a number from 1 on.")
    values = {
        "vkey": key.encode(),
        "organisation": told(organisation, "--organisation", NAME_CHARACTERS),
        "url": check_url(url) if url else None,
        "quorum": quorum,
        "dropped": False,
    }
    leaf = _sign(folder, key.encode(), values, by, why, secrets, progress)
    index = projecting.reading(folder)
    try:
        return next(one for one in pinned(index) if one.leaf == leaf)
    finally:
        index.close()


def drop(
    folder: CaseFolder, name: str, *, by: str, why: str, secrets: Secrets, progress: Progress
) -> str:
    """Ask a witness no more; what it cosigned still holds. Its organisation is returned.

    Raises:
        UsageError: if none is meant.
    """
    index = projecting.reading(folder)
    try:
        found = [one for one in pinned(index) if name in (one.vkey, one.id)]
    finally:
        index.close()
    if not found:
        raise UsageError(
            "is no witness of this case",
            subject=name[:80],
            remedy="`muniment witness list` names them.",
        )
    one = found[0]
    values = {
        "vkey": one.vkey,
        "organisation": one.organisation,
        "url": one.url,
        "quorum": one.quorum,
        "dropped": True,
    }
    _sign(folder, one.vkey, values, by, why, secrets, progress)
    return one.organisation


def _sign(
    folder: CaseFolder,
    vkey: str,
    values: dict[str, Any],
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> str:
    """Log a witness.pinned by the person; its leaf hash."""
    keys = KeyFolder()
    person = person_key(keys, secrets, by, create=False)
    with _writing(folder, by, why, keys, secrets, progress) as log:
        index = projecting.catch_up(folder)
        try:
            before = next((one.leaf for one in pinned(index) if one.vkey == vkey), None)
        finally:
            index.close()
        more = {"supersedes": before, "by": person.public.name, "why": told(why, "--why")}
        leaf: str = log.append("witness.pinned", values | more, person=person)
    return leaf


def _writing(
    folder: CaseFolder, by: str, why: str, keys: KeyFolder, secrets: Secrets, progress: Progress
) -> Any:
    return writing(
        folder,
        by=by,
        why=why,
        title=None,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=False,
    )


# ---------------------------------------------------------------- asking


def request(folder: CaseFolder, name: str | None, old: int | None) -> Request:
    """What to give to a witness that cosigns by file: the latest checkpoint, and that it continues what
    the witness cosigned before.

    Args:
        name: id or key of the witness; None for one that has cosigned nothing yet.
        old: how many entries it cosigned, when the witness says another number than the log.
    Raises:
        UsageError: if no such witness is named in the case, or it would be a rollback.
    """
    head = read_checkpoint(folder)
    index = projecting.reading(folder)
    try:
        known = next((one for one in pinned(index) if name in (one.vkey, one.id)), None)
        if name is not None and known is None:
            raise UsageError("is no witness of this case", subject=name[:80])
        size = old if old is not None else known.cosigned if known else 0
        if not 0 <= size <= head.size:
            raise UsageError(
                f"the checkpoint covers {head.size} entries, no more", subject=f"--old {size}"
            )
        return _request(_tree(index), head, size)
    finally:
        index.close()


def log_key(folder: CaseFolder, head: Checkpoint) -> str:
    """The verifier key of the agent that signed a checkpoint: by it a witness knows this log.

    Raises:
        SignatureError: if no certified agent did.
    """
    index = projecting.reading(folder)
    try:
        rows = index.rows("SELECT idx FROM entry WHERE kind='key.certified' ORDER BY idx DESC")
    finally:
        index.close()
    for (number,) in rows:
        values = next(looking.read(folder, number)).values
        key = cosignature.log_vkey(head.origin, str(values.get("ed25519")))
        if any(line.key_id == key.key_id() for line in head.signatures):
            return key.encode()
    raise SignatureError("is not signed by an agent of this case", subject="log/checkpoint")


def _tree(index: Index) -> Tree:
    return Tree(
        bytes.fromhex(leaf) for (leaf,) in index.rows("SELECT leaf FROM entry ORDER BY idx")
    )


def _request(tree: Tree, head: Checkpoint, old: int) -> Request:
    return Request(old, tuple(tree.consistency_path(old, head.size)), head)


def run(folder: CaseFolder, *, secrets: Secrets, progress: Progress) -> Witnessed:
    """Seal, and ask every witness that has an address to cosign the checkpoint.

    Raises:
        UsageError: if none is named.
    """
    keys = KeyFolder()
    with _writing(folder, "witness run", "witnesses", keys, secrets, progress) as log:
        head = log.commit()
        index = projecting.catch_up(folder)
        try:
            known = [one for one in pinned(index) if one.url]
            tree, aside = _tree(index), left_over.clear(folder, index)
        finally:
            index.close()
        if not known:
            raise UsageError(
                "no witness with an address is named in this case",
                remedy="Name one with `muniment witness add VKEY --url URL --organisation NAME`.",
            )
        last_at = log.last_at_utc or now_utc()
        tasks: dict[Pinned, Any] = {
            one: (lambda one=one: _ask(one, tree, head, last_at)) for one in known
        }
        results = all_at_once(tasks, deadline_s=2 * PATIENT_S + 1)
        made, alarms, waiting = [], [], []
        for one, got in results.items():
            whose = f"{one.organisation} ({one.url})"
            if isinstance(got, IntegrityError):
                alarms.append(f"{whose}: {got.what}. {got.remedy}")
            elif isinstance(got, MunimentError):
                waiting.append(f"{whose}: {got.what}; `muniment witness run` asks again")
            else:
                made.append((one.organisation, head.size, _keep(folder, log, one, head, got)))
        aside += whole_set_aside(log)
    if made and folder.report.exists():
        reporting.write(folder)
    return Witnessed(tuple(made), tuple(alarms), tuple(waiting), tuple(aside))


def _ask(one: Pinned, tree: Tree, head: Checkpoint, last_at: str) -> NoteSignature:
    """The line of one witness.

    Raises:
        IntegrityError: if it has seen what must not be.
        InputError, SignatureError: if it sends nothing of use.
    """
    url, old, key = (
        f"{(one.url or '').rstrip('/')}/add-checkpoint",
        one.cosigned,
        read_vkey(one.vkey),
    )
    for is_last in (False, True):
        body = _request(tree, head, old).encode()
        try:
            data = ask(url, body, most_bytes=MAX_BYTES, timeout_s=PATIENT_S, headers={})
        except StatusError as error:
            if error.status not in (409, 422):
                raise
            said = error.body.strip()
            size = int(said) if error.status == 409 and said.isdigit() else old
            if size > head.size:
                raise IntegrityError(
                    f"rolled back: it has cosigned {size} entries of this case, and here are"
                    f" {head.size}",
                    remedy="Find the newer copy, and out who has gone on with an older one.",
                ) from error
            if size == old or is_last:
                raise IntegrityError(
                    f"split view: the first {old} entries it cosigned are not those of this case",
                    remedy="Another copy of this case has gone another way: find it.",
                ) from error
            old = size
            continue
        return _own_line(cosignature.read_lines(data), head, key, last_at)
    raise InputError("gave no answer of use", subject=url)


def _own_line(
    lines: list[NoteSignature], head: Checkpoint, key: VKey, last_at: str
) -> NoteSignature:
    for line in lines:
        moment = cosigned_at(head, line, key)
        if moment is not None:
            refuse_odd_time(moment, last_at, now_utc())
            return line
    raise SignatureError("sent no cosignature of the key that is pinned")


def _keep(
    folder: CaseFolder,
    log: LogWriter,
    one: Pinned,
    head: Checkpoint,
    line: NoteSignature,
) -> str:
    """Write the cosigned checkpoint, durable before the entry that names it; the time it states."""
    note = msgspec.structs.replace(head, signatures=(*head.signatures, line))
    data = note.encode()
    name = f"{head.size:012d}.{one.leaf[:12]}.cosigned"
    disk.replace(folder.stamps / name, data, temp_folder=folder.work)
    moment = cosigned_at(head, line, read_vkey(one.vkey)) or datetime.now(UTC)
    time_utc = format_utc(moment)
    values = {
        "witness": one.leaf,
        "checkpoint": head.short(),
        "time_utc": time_utc,
        "file": {"file": f"{STAMPS}/{name}", "sha256": hashlib.sha256(data).hexdigest()},
    }
    log.append("checkpoint.cosigned", values)
    return time_utc


def take(
    folder: CaseFolder, data: bytes, *, secrets: Secrets, progress: Progress
) -> tuple[str, int, str]:
    """Keep a cosigned checkpoint that came by file: organisation, entries covered, time stated.

    Raises:
        MalformedError: if it is none.
        IntegrityError: if it is of another history of this case.
        SignatureError: if no witness of the case has cosigned it.
    """
    note = checkpoints.parse(data)
    own, lines = cosignature.apart(note)
    with _writing(folder, "witness take", "witnesses", KeyFolder(), secrets, progress) as log:
        log.commit()
        index = projecting.catch_up(folder)
        try:
            tree, known = _tree(index), pinned(index)
            left_over.clear(folder, index)
        finally:
            index.close()
        if note.size > tree.size:
            raise IntegrityError(f"rolled back: it is of {note.size} entries, here are {tree.size}")
        if tree.root(note.size) != note.root:
            raise IntegrityError("split view: it is of another history of this case")
        for one in known:
            for line in lines:
                if cosigned_at(own, line, read_vkey(one.vkey)) is not None:
                    moment = _keep(folder, log, one, own, line)
                    return one.organisation, note.size, moment
    raise SignatureError("holds no cosignature of a witness of this case")
