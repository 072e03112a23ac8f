"""What a person has done with originals: checks, copies, exports, transfers, and what is told of the
time before intake."""

from __future__ import annotations

import os
import secrets as randomness
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from muniment.case import projecting
from muniment.case.building import whole_set_aside, writing
from muniment.case.chain import originals
from muniment.case.progress import Progress
from muniment.case.signing import Secrets, person_key
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody.keyring import KeyFolder
from muniment.custody.log import LogWriter
from muniment.custody.vault import Checked, Vault, sample
from muniment.errors import UsageError
from muniment.model.custody_events import TOLD
from muniment.model.ids import short
from muniment.store.layout import CaseFolder

#: Seeds, references and the like.
_SHORT_CHARACTERS = 300


class Person(msgspec.Struct, frozen=True):
    """Who does something, and why, as told."""

    name: str
    why: str


class Copied(msgspec.Struct, frozen=True):
    """Where the copy lies, and a line for each thing to look at: what was moved aside."""

    path: str
    notices: tuple[str, ...] = ()


class Swept(msgspec.Struct, frozen=True):
    """A fixity check: which it was, and what it found. `seed` is null for a full one."""

    seed: str | None
    of: int
    result: Checked
    notices: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True):
    """Id of the entry that was written, and the lines to look at."""

    id: str
    notices: tuple[str, ...] = ()


@contextmanager
def _writing(
    folder: CaseFolder, who: Person, secrets: Secrets, progress: Progress
) -> Iterator[LogWriter]:
    with writing(
        folder,
        by=who.name,
        why=who.why,
        title=None,
        keys=KeyFolder(),
        secrets=secrets,
        progress=progress,
        make=False,
    ) as log:
        yield log


def _person(name: str, why: str) -> Person:
    return Person(told(name, "--by", NAME_CHARACTERS), told(why, "--why"))


def copy_out(
    folder: CaseFolder,
    identity: str,
    target: Path,
    *,
    to: str | None,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> Copied:
    """Write an item's bytes to a new file: a working copy, or an export when it is `to` somebody.

    Raises:
        StorageError: if the target exists or cannot be written.
        IntegrityError: if the object is not what its name says.
        UsageError: if the target lies in the case, or the id names no item.
    """
    if target.resolve().is_relative_to(folder.path.resolve()):
        raise UsageError(
            "lies in the case itself", subject=str(target), remedy="Copy it to another folder."
        )
    who, (digest,) = _person(by, why), originals(folder, [identity])
    details = {"to": told(to, "--to", NAME_CHARACTERS)} if to is not None else {}
    event = "working_copy_made" if to is None else "exported"
    place = target.absolute()
    with _writing(folder, who, secrets, progress) as log:
        vault = Vault(log)
        vault.copy(digest, place, event=event, by=who.name, why=who.why, details=details)
        notices = whole_set_aside(log)
    return Copied(os.fspath(place), notices)


def check(
    folder: CaseFolder,
    *,
    number: int | None,
    seed: str | None,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> Swept:
    """Compare originals with their digests: all of them, or a random sample.

    Args:
        number: how many to draw; None for all.
        seed: draws the same sample again; None draws one at random.
    Raises:
        UsageError: if a seed is given for a full check, or the case holds no original.
    """
    if number is None and seed is not None:
        raise UsageError("--seed needs --sample", remedy="A full check draws nothing.")
    who = _person(by, why)
    if number is not None:
        seed = told(seed, "--seed", _SHORT_CHARACTERS) if seed else randomness.token_hex(16)
    with _writing(folder, who, secrets, progress) as log:
        index = projecting.catch_up(folder)
        try:
            sql = (
                "SELECT DISTINCT object FROM item WHERE object IS NOT NULL"
                " AND object NOT IN (SELECT object FROM erased)"
            )
            held = [digest for (digest,) in index.rows(sql)]
        finally:
            index.close()
        if not held:
            raise UsageError("the case holds no original", subject=str(folder.path))
        drawn = held if number is None else sample(held, number, str(seed))
        mode = "full" if number is None else "sample"
        details = {"mode": mode, "seed": seed, "of": len(held)}
        result = Vault(log).check(drawn, by=who.name, why=who.why, details=details)
        notices = whole_set_aside(log)
    return Swept(seed, len(held), result, notices)


def transfer(
    folder: CaseFolder,
    identities: list[str],
    *,
    giver: str | None,
    to: str,
    channel: str,
    receipt: str | None,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> Recorded:
    """Record that items went from one holder to another.

    Args:
        giver: who gave them; None for the person who records it.
        channel: how they went.
        receipt: how it was acknowledged, as told.
    """
    who = _person(by, why)
    details = {
        "from": told(giver, "--from", NAME_CHARACTERS) if giver else who.name,
        "to": told(to, "--to", NAME_CHARACTERS),
        "channel": told(channel, "--channel"),
        "receipt": told(receipt, "--receipt") if receipt else None,
    }
    digests = originals(folder, identities)
    return _sign(folder, "transferred", digests, who, "success", details, secrets, progress)


def tell(
    folder: CaseFolder,
    identity: str,
    *,
    event: str,
    what: str,
    source: str,
    when: str | None,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> Recorded:
    """Record what is told of an item before its intake.

    Args:
        event: one of `TOLD`.
        source: who or what says so.
        when: the time, in the source's words.
    Raises:
        UsageError: if that is no such event.
    """
    if event not in TOLD:
        raise UsageError(
            "is no event that can be told", subject=event[:80], remedy=f"Use {', '.join(TOLD)}."
        )
    details = {
        "before_intake": True,
        "told": told(what, "--what"),
        "source": told(source, "--source"),
        "when": told(when, "--when", _SHORT_CHARACTERS) if when else None,
    }
    digests = originals(folder, [identity])
    return _sign(folder, event, digests, _person(by, why), None, details, secrets, progress)


def _sign(
    folder: CaseFolder,
    event: str,
    digests: list[str],
    who: Person,
    outcome: str | None,
    details: Mapping[str, object],
    secrets: Secrets,
    progress: Progress,
) -> Recorded:
    """Record an event that a person answers for, signed with their key."""
    person = person_key(KeyFolder(), secrets, who.name, create=False)
    with _writing(folder, who, secrets, progress) as log:
        leaf = Vault(log).record(
            event,
            digests,
            by=who.name,
            why=who.why,
            outcome=outcome,
            details=details,
            person=person,
        )
        notices = whole_set_aside(log)
    return Recorded(short("entry", leaf), notices)
