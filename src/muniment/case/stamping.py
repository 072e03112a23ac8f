"""Time stamps of a case: what the log says of them, asking for what is lacking, keeping what is sent.

What waits is never a file that could be lost: it is what the log shows to be unstamped. A later
checkpoint covers every earlier one, so only the latest is asked for; what could not be had now is
asked for by the next run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from muniment.case import left_over, projecting
from muniment.case.index import Index
from muniment.case.openssl import OpenSsl
from muniment.case.progress import Progress
from muniment.custody.log import LogWriter
from muniment.errors import MalformedError, MunimentError
from muniment.model.display import count
from muniment.model.ids import short
from muniment.model.stamps import PARTS, Authority, Covered, Got, Method, State
from muniment.model.times import now_utc
from muniment.model.vocabulary import bitcoin_blocks
from muniment.store import disk
from muniment.store.layout import STAMPS, CaseFolder

#: How long an authority may take at the end of other work.
HASTY_S: Final = 5.0
#: Entries that need no stamp of their own: else every stamp would ask for another.
_OWN: Final = (
    "checkpoint.stamped",
    "authority.pinned",
    "witness.pinned",
    "checkpoint.cosigned",
)


class Made(msgspec.Struct, frozen=True):
    """A stamp that was made or upgraded."""

    organisation: str
    method: Method
    state: State
    covers: int
    time_utc: str | None


class Stamped(msgspec.Struct, frozen=True):
    """What came of asking.

    Attributes:
        waiting: a line for each authority that gave nothing of use; the next run asks again.
        pending: proofs that a calendar still owes.
        notices: what was moved aside.
    """

    made: tuple[Made, ...] = ()
    waiting: tuple[str, ...] = ()
    pending: int = 0
    notices: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True):
    """An authority and how far its stamps reach, as the log has it."""

    id: str
    organisation: str
    url: str
    method: Method
    covers: int
    time_utc: str | None
    waiting_entries: int
    pending: int


# ---------------------------------------------------------------- what the log says


def pinned(index: Index) -> tuple[Authority, ...]:
    """The authorities that are to be asked, in the order they were named."""
    sql = (
        "SELECT entry.leaf, details FROM event JOIN entry USING (idx)"
        " WHERE event.kind='authority.pinned' ORDER BY idx"
    )
    found: dict[str, Authority] = {}
    for leaf, text in index.rows(sql):
        details = json.loads(text)
        found.pop(details["supersedes"] or "", None)
        if not details["dropped"]:
            found[leaf] = Authority(
                leaf,
                details["url"],
                details["organisation"],
                Method(details["method"]),
                details["pem"],
                bool((details["probe"] or {}).get("with_certificates")),
            )
    return tuple(found.values())


def _heirs(index: Index) -> dict[str, Authority]:
    """Each authority's leaf hash, also of one that was named anew since -> whom to ask now."""
    sql = (
        "SELECT entry.leaf, details FROM event JOIN entry USING (idx)"
        " WHERE event.kind='authority.pinned' ORDER BY idx DESC"
    )
    heirs = {one.leaf: one for one in pinned(index)}
    for leaf, text in index.rows(sql):
        before = json.loads(text)["supersedes"]
        if before and leaf in heirs:
            heirs[before] = heirs[leaf]
    return heirs


def _stamps(index: Index) -> list[tuple[int, dict[str, Any]]]:
    """(checkpoint size, values) of every stamp, in order."""
    rows = index.rows("SELECT details FROM event WHERE kind='checkpoint.stamped' ORDER BY idx")
    found = [json.loads(text) for (text,) in rows]
    return [(int(one["checkpoint"].partition(":")[0]), one) for one in found]


def _latest_token(index: Index) -> tuple[str, str] | None:
    """The latest time that a token states, and whose it is."""
    sql = (
        "SELECT leaf, details FROM event JOIN entry USING (idx) WHERE event.kind='authority.pinned'"
    )
    names = {leaf: json.loads(text)["organisation"] for leaf, text in index.rows(sql)}
    times = [
        (one["time_utc"], names[one["authority"]])
        for _, one in _stamps(index)
        if one["method"] == Method.RFC3161 and one["time_utc"]
    ]
    return max(times, default=None)


def _unstamped(index: Index, size: int) -> int:
    """How many entries from `size` on are more than stamps' own."""
    marks = ",".join("?" * len(_OWN))
    sql = f"SELECT count(*) FROM entry WHERE idx>=? AND kind NOT IN ({marks})"
    ((number,),) = index.rows(sql, size, *_OWN)
    return int(number)


def _owed(index: Index) -> list[dict[str, Any]]:
    """Pending proofs that no later entry upgrades."""
    done: set[tuple[str, str]] = set()
    pending: dict[tuple[str, str], dict[str, Any]] = {}
    for _, one in _stamps(index):
        key = (one["authority"], one["checkpoint"])
        if one["state"] == State.PENDING:
            pending[key] = one
        elif one["state"] == State.UPGRADED:
            done.add(key)
    return [one for key, one in pending.items() if key not in done]


def standing(index: Index) -> tuple[Standing, ...]:
    """Every authority that is asked, and how far its stamps reach."""
    stamps, owed, found = _stamps(index), _owed(index), []
    for one in pinned(index):
        own = [
            (size, values["time_utc"]) for size, values in stamps if values["authority"] == one.leaf
        ]
        covers, time_utc = max(own, default=(0, None), key=lambda pair: pair[0])
        found.append(
            Standing(
                short("entry", one.leaf),
                one.organisation,
                one.url,
                one.method,
                covers,
                time_utc,
                _unstamped(index, covers),
                sum(values["authority"] == one.leaf for values in owed),
            )
        )
    return tuple(found)


class Anchor(msgspec.Struct, frozen=True):
    """The stamp that reaches furthest, and what it does not reach (see `model.report.CustodyView`)."""

    told: str
    time_utc: str
    covers: int
    beyond: int
    beyond_utc: str | None


def anchor(index: Index) -> Anchor | None:
    """The stamp or cosignature with a time that covers the most entries; None when none has a time."""
    sql = (
        "SELECT entry.leaf, details FROM event JOIN entry USING (idx)"
        " WHERE event.kind IN ('authority.pinned', 'witness.pinned')"
    )
    whose = {leaf: json.loads(text)["organisation"] for leaf, text in index.rows(sql)}
    known = [(size, one["time_utc"], whose[one["authority"]]) for size, one in _stamps(index)]
    rows = index.rows("SELECT details FROM event WHERE kind='checkpoint.cosigned' ORDER BY idx")
    for one in (json.loads(text) for (text,) in rows):
        size = int(one["checkpoint"].partition(":")[0])
        known.append((size, one["time_utc"], f"{whose[one['witness']]} (witness)"))
    known = [one for one in known if one[1]]
    if not known:
        return None
    covers = max(size for size, _, _ in known)
    latest = [one for one in known if one[0] == covers]
    first = min(time_utc for _, time_utc, _ in latest)
    names = ", ".join(sorted({name for _, _, name in latest}))
    marks = ",".join("?" * len(_OWN))
    sql = f"SELECT max(at_utc) FROM entry WHERE idx>=? AND kind NOT IN ({marks})"
    ((beyond_utc,),) = index.rows(sql, covers, *_OWN)
    told = f"time stamp of {first} by {names}"
    return Anchor(told, first, covers, _unstamped(index, covers), beyond_utc)


def queued(index: Index) -> tuple[str, ...]:
    """A line for each authority that has not stamped the end of the log, or still owes a proof."""
    lines = []
    for one in standing(index):
        if one.waiting_entries or not one.covers:
            since = count(one.waiting_entries, "entry", "entries")
            lines.append(f"queued for {one.organisation}: {since} not stamped yet")
        if one.pending:
            lines.append(
                f"pending at {one.organisation}: {count(one.pending, 'proof')} not in a block yet"
            )
    return tuple(lines)


# ---------------------------------------------------------------- stamping


def stamp(
    folder: CaseFolder,
    log: LogWriter,
    timeout_s: float,
    *,
    headers: bytes | None = None,
    blocks: Mapping[int, bytes] | None = None,
) -> Stamped | None:
    """Seal, and have the checkpoint stamped by every authority that has not stamped what it covers;
    None when none is named.

    Raises:
        StorageError: if the disk refuses; what an authority does is never an error here.
    """
    head = log.commit()
    index = projecting.catch_up(folder)
    try:
        known, heirs, owed = pinned(index), _heirs(index), _owed(index)
        if not known and not owed:
            return None
        aside = left_over.clear(folder, index)
        latest = _latest_token(index)
        due = [
            one
            for one, at in zip(known, standing(index), strict=True)
            if at.waiting_entries or not at.covers
        ]
    finally:
        index.close()
    # Only here: they take longer to load than a small case to build.
    from muniment.case import authorities
    from muniment.case.asking import all_at_once

    covered = Covered(head.encode(), log.last_at_utc or now_utc(), latest)
    cross = OpenSsl()
    asked = {(one.leaf, head.short()): one for one in due}
    tasks: dict[tuple[str, str], Any] = {
        key: (lambda one=one: authorities.stamp(one, covered, cross, timeout_s))
        for key, one in asked.items()
    }
    pins = blocks if blocks is not None else bitcoin_blocks()
    for values in owed:
        key = (values["authority"], values["checkpoint"])
        if key[0] in heirs:
            asked[key] = one = msgspec.structs.replace(heirs[key[0]], leaf=key[0])
            tasks[key] = lambda one=one, values=values: _upgraded(
                folder, one, values, headers, pins, timeout_s
            )
    results = all_at_once(tasks, deadline_s=timeout_s + 1)
    made, waiting = _record(folder, log, asked, results)
    log.commit()
    owes = sum(one.state is State.PENDING for one in made)
    owes += sum(results.get((one["authority"], one["checkpoint"])) is None for one in owed)
    return Stamped(tuple(made), tuple(waiting), owes, tuple(aside))


def _upgraded(
    folder: CaseFolder,
    authority: Authority,
    values: dict[str, Any],
    headers: bytes | None,
    blocks: Mapping[int, bytes],
    timeout_s: float,
) -> Got | None:
    from muniment.case import authorities

    kept: dict[str, bytes] = {}
    for part in ("checkpoint", "proof"):
        path = folder.path / values["files"][part]["file"]
        with disk.reading(path):
            kept[part] = path.read_bytes()
        if hashlib.sha256(kept[part]).hexdigest() != values["files"][part]["sha256"]:
            raise MalformedError("is not the file its entry names", subject=path.name)
    return authorities.upgrade(
        authority, kept["checkpoint"], kept["proof"], headers, blocks, timeout_s
    )


def _record(
    folder: CaseFolder,
    log: LogWriter,
    asked: Mapping[tuple[str, str], Authority],
    results: Mapping[tuple[str, str], Got | MunimentError | None],
) -> tuple[list[Made], list[str]]:
    made: list[Made] = []
    waiting: list[str] = []
    for key, got in results.items():
        if isinstance(got, MunimentError):
            waiting.append(
                f"{asked[key].told}: {got.what}; it stays queued, `muniment stamp run` asks again"
            )
        elif got is not None:
            authority, size = asked[key], int(key[1].partition(":")[0])
            values = {
                "authority": authority.leaf,
                "checkpoint": key[1],
                "method": str(authority.method),
                "state": str(got.state),
                "time_utc": got.time_utc,
                "files": _keep(folder, authority, size, got),
                "checked_with": got.checked_with,
            }
            log.append("checkpoint.stamped", values)
            made.append(
                Made(authority.organisation, authority.method, got.state, size, got.time_utc)
            )
    return made, waiting


def _keep(folder: CaseFolder, authority: Authority, size: int, got: Got) -> dict[str, Any]:
    """Write a stamp's files, durable before the entry that names them."""
    files: dict[str, Any] = {}
    for part, data in got.parts.items():
        ending = PARTS[authority.method][part]
        middle = ".upgraded" if got.state is State.UPGRADED else ""
        whose = "" if part == "checkpoint" else f"{authority.leaf[:12]}{middle}."
        name = f"{size:012d}.{whose}{ending}"
        disk.replace(folder.stamps / name, data, temp_folder=folder.work)
        files[part] = {"file": f"{STAMPS}/{name}", "sha256": hashlib.sha256(data).hexdigest()}
    return files


def at_the_end(folder: CaseFolder, log: LogWriter, progress: Progress) -> Stamped | None:
    """Stamp what other work has sealed, with little patience; what is not had is told and asks for no
    exit code: that work is done, and the next run asks again."""
    done = stamp(folder, log, HASTY_S)
    for line in (*done.waiting, *done.notices) if done else ():
        progress.notice(line)
    return done
