"""Erasure: logged first and sealed, then carried out, then the projection is built anew."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import msgspec

from muniment.case import (
    copies,
    looking,
    observed,
    projecting,
    reporting,
    trace_index,
    trace_results,
)
from muniment.case.building import whole_set_aside, writing
from muniment.case.index import Index
from muniment.case.looking import Shown
from muniment.case.progress import Progress
from muniment.case.signing import Secrets, person_key
from muniment.case.told import told
from muniment.case.trace_results import STEP as TRACE_STEP
from muniment.custody import entry as entries
from muniment.custody.keyring import KeyFolder
from muniment.custody.keys import SigningKey
from muniment.custody.log import LogWriter
from muniment.custody.opening import finish_erasures
from muniment.custody.rules import NEVER_ERASED
from muniment.errors import UsageError
from muniment.model.entries import KINDS
from muniment.model.ids import short
from muniment.store.layout import CaseFolder

#: Fields that only link entries to each other: without them an acquisition would seem open for ever.
LINKS: Final = frozenset({"acquisition", "resumes", "outcome", "counts"})
#: Tables of the projection with a row for each such entry, and where it names the object.
_SPEAK: Final = (
    ("item", "object"),
    ("observation", "object"),
    ("post", "export"),
    ("decision", "a"),
    ("decision", "b"),
)
#: How many entries one object.erased names: its values stay below 16 kB.
ENTRIES_A_TIME: Final = 50


class Erased(msgspec.Struct, frozen=True):
    """What an erasure destroyed, and where the case may still name it.

    Attributes:
        entries: entries whose private values are gone.
        objects: objects that are gone.
        still_named_in: ids of listings and exports that may hold a name or text of it.
        notices: a line for each thing to look at: what was moved aside, what the report lacks.
        copies: second copies the log knows of: this does not reach them.
    """

    entries: tuple[int, ...]
    objects: tuple[str, ...]
    still_named_in: tuple[str, ...]
    notices: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


def erase(
    folder: CaseFolder,
    log: LogWriter,
    person: SigningKey,
    identities: list[str],
    *,
    why: str,
    out_of_reach: str,
) -> Erased:
    """Destroy the private values of what the ids name, the bytes of items, and what was drawn from
    those bytes (the posts of an export, observations, the record that it was opened).

    The proofs of all entries still hold. Copies elsewhere are out of reach; the entry says so.

    Raises:
        UsageError: if an id names an entry that must stay.
    """
    found = {shown.index: shown for one in identities for shown in looking.show(folder, one)}
    for shown in found.values():
        if shown.kind in NEVER_ERASED or shown.kind == "acquisition.finished":
            raise UsageError(
                f"{shown.kind} entries cannot be erased: the rest is checked against them",
                subject=shown.id,
            )
    index = projecting.catch_up(folder)
    try:
        originals = _originals(found.values())
        for number in _drawn_from(folder, index, originals):
            shown = next(looking.read(folder, number))
            if shown.kind not in NEVER_ERASED:
                found.setdefault(number, shown)
    finally:
        index.close()
    objects = sorted(originals | _own_objects(folder, found))
    ordered = [found[number] for number in sorted(found)]
    for start in range(0, len(ordered), ENTRIES_A_TIME):
        _log_erasure(
            log,
            person,
            ordered[start : start + ENTRIES_A_TIME],
            objects[start : start + ENTRIES_A_TIME],
            why,
            out_of_reach,
        )
    log.commit()
    projecting.forget(folder)
    trace_index.forget(folder)
    finish_erasures(log)
    index = projecting.rebuild(folder)[0]
    try:
        places = tuple(one.place for one in copies.known(index))
    finally:
        index.close()
    erased = Erased(tuple(sorted(found)), tuple(objects), _still_named_in(ordered))
    return msgspec.structs.replace(erased, copies=places)


def _log_erasure(
    log: LogWriter,
    person: SigningKey,
    targets: list[Shown],
    objects: list[str],
    why: str,
    out_of_reach: str,
) -> None:
    named = [
        [
            one.index,
            one.leaf,
            [name for name in entries.fields_of(KINDS[one.kind]) if name not in LINKS],
        ]
        for one in targets
    ]
    values = {
        "entries": named,
        "objects": objects,
        "why": why,
        "by": person.public.name,
        "out_of_reach": out_of_reach,
    }
    log.append("object.erased", values, person=person)


def _originals(found: Iterable[Shown]) -> set[str]:
    """Objects of the items, and listings of the acquisitions, to be erased."""
    kinds = {"item.acquired", "acquisition.started"}
    return {
        digest
        for shown in found
        if shown.kind in kinds
        for digest in entries.object_references(shown.kind, shown.values)
    }


def _drawn_from(folder: CaseFolder, index: Index, originals: set[str]) -> set[int]:
    """Entries that speak of those objects: acquired again, opened, observed, posts recorded, pairs
    decided."""
    numbers: set[int] = set()
    for digest in originals:
        for table, column in _SPEAK:
            rows = index.rows(f"SELECT idx FROM {table} WHERE {column}=?", digest)
            numbers |= {number for (number,) in rows}
    # The same bytes may also have been derived from another item: what says so would speak of bytes
    # that are gone. The next run examines that item again.
    sql = "SELECT idx, derived FROM observation WHERE derived IS NOT NULL AND derived != '[]'"
    for number, text in index.rows(sql):
        if originals & set(json.loads(text)):
            numbers.add(number)
    for number, details in index.rows("SELECT idx, details FROM event WHERE kind='object.viewed'"):
        if json.loads(details).get("object") in originals:
            numbers.add(number)
    sql = "SELECT idx, details FROM event WHERE kind='custody.recorded'"
    for number, details in index.rows(sql):
        # What speaks of other originals too stays: it is their custody.
        objects = json.loads(details).get("objects")
        if isinstance(objects, list) and objects and originals.issuperset(objects):
            numbers.add(number)
    return numbers | _traced_with(folder, index, originals)


def _traced_with(folder: CaseFolder, index: Index, originals: set[str]) -> set[int]:
    """Results of tracing other clips that name those objects; the next run makes them anew."""
    sql = "SELECT idx, result FROM observation WHERE step=? AND result IS NOT NULL"
    return {
        number
        for number, text in index.rows(sql, TRACE_STEP)
        if originals & trace_results.named(observed.value(folder, json.loads(text)))
    }


def _own_objects(folder: CaseFolder, found: dict[int, Shown]) -> set[str]:
    """Objects that hold only values of those entries (over 16 kB), or that those entries' step
    derived, used by no other entry."""
    own = {
        digest
        for shown in found.values()
        for name, value in shown.values.items()
        if name == "derived" or (isinstance(value, dict) and entries.OBJECT_KEY in value)
        for digest in entries.object_references(shown.kind, {name: value})
    }
    if own:
        for other in looking.read(folder):
            if other.index not in found:
                own -= set(entries.object_references(other.kind, other.values))
    return own


def _still_named_in(targets: list[Shown]) -> tuple[str, ...]:
    """Listings that hold the items' names, exports that hold the posts' raw records."""
    erased = {shown.id for shown in targets}
    named = {
        short("acquisition", shown.values["acquisition"])
        for shown in targets
        if shown.kind == "item.acquired" and shown.values.get("acquisition")
    } | {
        short("item", shown.values["export"])
        for shown in targets
        if shown.kind == "post.recorded" and shown.values.get("export")
    }
    return tuple(sorted(named - erased))


def erase_signed(
    folder: CaseFolder,
    identities: list[str],
    *,
    by: str,
    why: str,
    out_of_reach: str,
    secrets: Secrets,
    progress: Progress,
) -> Erased:
    """`erase` under the writer's lock, signed with the person's key; the report is written anew.

    Raises:
        KeyFileError: if the person's key is not here or the passphrase is wrong.
    """
    why, out_of_reach = told(why, "--why"), told(out_of_reach, "--out-of-reach")
    keys = KeyFolder()
    person = person_key(keys, secrets, by, create=False)
    with writing(
        folder,
        by=by,
        why=why,
        title=None,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=False,
    ) as log:
        result = erase(folder, log, person, identities, why=why, out_of_reach=out_of_reach)
        notices = whole_set_aside(log)
    if folder.report.exists():
        unread = reporting.write(folder).notices
        for line in unread:
            progress.notice(line)
        notices += unread
    return msgspec.structs.replace(result, notices=notices)
