"""Erasure: logged first and sealed, then carried out, then the projection is built anew."""

from __future__ import annotations

import msgspec

from muniment.case import looking, projecting, reporting
from muniment.case.building import writing
from muniment.case.progress import Progress
from muniment.case.signing import Secrets, person_key
from muniment.custody import entry as entries
from muniment.custody.keyring import KeyFolder
from muniment.custody.keys import SigningKey
from muniment.custody.log import LogWriter
from muniment.custody.opening import finish_erasures
from muniment.errors import UsageError
from muniment.model import canonical
from muniment.model.entries import KINDS
from muniment.store.layout import CaseFolder

#: Kinds without whose private values the rest could not be checked.
NEVER_ERASED = frozenset({"case.opened", "key.certified", "object.erased", "log.recovered"})


class Erased(msgspec.Struct, frozen=True):
    """What an erasure destroyed: entries whose private values are gone, objects that are gone."""

    entries: tuple[int, ...]
    objects: tuple[str, ...]


def erase(
    folder: CaseFolder,
    log: LogWriter,
    person: SigningKey,
    identities: list[str],
    *,
    why: str,
    out_of_reach: str,
) -> Erased:
    """Destroy the private values of what the ids name, and the bytes of items.

    The proofs of all entries still hold. Copies elsewhere are out of reach; the entry says so.

    Raises:
        UsageError: if an id names an entry that must stay.
    """
    found = {shown.index: shown for one in identities for shown in looking.show(folder, one)}
    for shown in found.values():
        if shown.kind in NEVER_ERASED:
            raise UsageError(
                f"{shown.kind} entries cannot be erased: the rest is checked against them",
                subject=shown.id,
            )
    objects = sorted(
        {
            digest
            for shown in found.values()
            if shown.kind == "item.acquired"
            for digest in entries.object_references(shown.kind, shown.values)
        }
        | {
            value[entries.OBJECT_KEY]
            for shown in found.values()
            for value in shown.values.values()
            if isinstance(value, dict) and entries.OBJECT_KEY in value
        }
    )
    targets = [
        [number, list(entries.fields_of(KINDS[found[number].kind]))] for number in sorted(found)
    ]
    log.append(
        "object.erased",
        {
            "entries": targets,
            "objects": objects,
            "why": canonical.text(why),
            "by": person.public.name,
            "out_of_reach": canonical.text(out_of_reach),
        },
        person=person,
    )
    log.seal()
    finish_erasures(log)
    projecting.rebuild(folder)[0].close()
    return Erased(tuple(sorted(found)), tuple(objects))


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
    if folder.report.exists():
        reporting.write(folder)
    return result
