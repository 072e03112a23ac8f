"""`muniment trace decide`: what a person decided of two items, signed with that person's key.

A verdict stands as it was measured. A decision is an entry of its own beside it; a later one on the
same pair supersedes it, and both stay in the log.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from muniment.case import decisions, observed, projecting, reporting, searching, traced
from muniment.case.building import whole_set_aside, writing
from muniment.case.damage import Damage
from muniment.case.index import Index
from muniment.case.progress import Progress
from muniment.case.signing import Secrets, person_key
from muniment.case.told import NAME_CHARACTERS, told
from muniment.case.trace_results import STEP
from muniment.collect.content_type import category
from muniment.custody.keyring import KeyFolder
from muniment.errors import InputError, UsageError
from muniment.examine import registry
from muniment.model import canonical
from muniment.model.ids import parse, short
from muniment.model.trace import Decided, Decision
from muniment.store.layout import CaseFolder

#: A reason of so many characters is under 16 kB, whatever they are.
BECAUSE_CHARACTERS: Final = 2000
_ITEM: Final = "item:"


class Made(msgspec.Struct, frozen=True):
    """A decision that stands in the log, and what tracing had found of the pair.

    Attributes:
        a, b: the items' ids, as named.
        program: {verdict, score, step}; null where the results cannot be read.
        supersedes: ids of the earlier decisions on this pair, the latest first.
        warnings: a line for each decision of the case that the clusters now contradict.
        notices: a line for each piece that was moved aside, whole entries among it, and for each
            derived object that could not be read.
    """

    id: str
    a: str
    b: str
    a_name: str
    b_name: str
    decision: Decision
    program: dict[str, Any] | None
    supersedes: tuple[str, ...]
    warnings: tuple[str, ...]
    notices: tuple[str, ...]


def decide(
    folder: CaseFolder,
    items: tuple[str, str],
    decision: Decision,
    *,
    because: str,
    by: str,
    secrets: Secrets,
    progress: Progress,
) -> Made:
    """Record what a person decided of two items, under the writer's lock; the report is written anew.

    Args:
        items: each an item's id, or the name of its file.
    Raises:
        InputError: if one is not in the case or is no clip.
        UsageError: if one names several items, or both are one; if the reason is empty.
        KeyFileError: if the person's key is not here or the passphrase is wrong.
        SignatureError: if that key may not decide in this case.
    """
    because, by = told(because, "--because", BECAUSE_CHARACTERS), told(by, "--by", NAME_CHARACTERS)
    # Before any passphrase is asked: most errors are a wrong name.
    index = searching.open_index(folder)
    try:
        pair = _pair(folder, index, items)
    finally:
        index.close()
    keys = KeyFolder()
    person = person_key(keys, secrets, by, create=False)
    with writing(
        folder,
        by=by,
        why=because,
        title=None,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=False,
    ) as log:
        index = projecting.catch_up(folder)
        try:
            pair = _pair(folder, index, items)
            program, earlier = _before(folder, index, pair)
        finally:
            index.close()
        values = {
            "a": min(pair),
            "b": max(pair),
            "decision": str(decision),
            "because": because,
            "by": person.public.name,
            "program": program,
            "supersedes": earlier[0].leaf if earlier else None,
        }
        leaf = log.append("match.decided", values, person=person)
        aside = whole_set_aside(log)
    made = _made(folder, pair, decision, leaf, program, earlier)
    if folder.report.exists():
        reporting.write(folder)
    return msgspec.structs.replace(made, notices=(*aside, *made.notices))


def _before(
    folder: CaseFolder, index: Index, pair: tuple[str, str]
) -> tuple[dict[str, Any] | None, tuple[Decided, ...]]:
    """What tracing found of a pair, and the decisions on it, the latest first."""
    damage = Damage(folder, index)
    found = traced.read(folder, index, {}, (), damage) or traced.NOTHING
    verdict, score = found.program(*pair)
    sql = "SELECT step_version FROM observation WHERE step=? ORDER BY idx DESC LIMIT 1"
    version = next((version for (version,) in index.rows(sql, STEP)), None)
    step = f"{STEP} {version}" if version else None
    program = {"verdict": str(verdict), "score": f"{score:.4f}", "step": step}
    latest = [one for one in decisions.latest(index) if {one.a, one.b} == set(pair)]
    earlier = tuple(before for one in latest for before in (one, *one.earlier))
    return None if damage.lines else program, earlier


def _made(
    folder: CaseFolder,
    pair: tuple[str, str],
    decision: Decision,
    leaf: str,
    program: dict[str, Any] | None,
    earlier: tuple[Decided, ...],
) -> Made:
    index = searching.open_index(folder)
    try:
        damage = Damage(folder, index)
        found = traced.read(folder, index, {}, (), damage) or traced.NOTHING
        warnings = decisions.warnings(found.clusters, decisions.namer(index))
        names = dict(index.rows("SELECT object, path FROM item ORDER BY idx DESC"))
    finally:
        index.close()
    a, b = pair
    return Made(
        short("decision", leaf),
        short("item", a),
        short("item", b),
        names.get(a) or a,
        names.get(b) or b,
        decision,
        program,
        tuple(short("decision", one.leaf) for one in earlier),
        tuple(warnings),
        damage.lines,
    )


# ---------------------------------------------------------------- which two items


def _pair(folder: CaseFolder, index: Index, items: tuple[str, str]) -> tuple[str, str]:
    """The two objects, both clips.

    Raises:
        InputError: naming the one that is not.
    """
    a, b = (_object(index, one) for one in items)
    if a == b:
        raise UsageError(
            "both are one item: files of the same bytes are one, and need no decision",
            subject=" ".join(items),
            remedy="Name two different items.",
        )
    for digest, name in zip((a, b), items, strict=True):
        _refuse_no_clip(folder, index, digest, name)
    return a, b


def _object(index: Index, name: str) -> str:
    """The object of the item that an id, or a file's name, names."""
    if name.startswith(_ITEM):
        sql = "SELECT DISTINCT object FROM item WHERE object GLOB ? || '*'"
        rows = index.rows(sql, parse(name)[1])
    else:
        sql = (
            "SELECT DISTINCT object FROM item WHERE object IS NOT NULL"
            " AND (path=?1 OR substr(path, -length(?1) - 1)='/' || ?1)"
        )
        rows = index.rows(sql, canonical.text(name))
    if not rows:
        raise InputError(
            "no item of this id or file name is in this case",
            subject=name,
            remedy="Take the ids from `muniment trace run` or the report.",
        )
    if len(rows) > 1:
        ids = ", ".join(short("item", digest) for (digest,) in rows[:4])
        more = f" and {len(rows) - 4} more" if len(rows) > 4 else ""
        raise UsageError(
            f"fits more than one item: {ids}{more}", subject=name, remedy="Give the id of one."
        )
    digest: str = rows[0][0]
    return digest


def _refuse_no_clip(folder: CaseFolder, index: Index, digest: str, name: str) -> None:
    """Refuse what has no moving picture: nobody can tell from it one moment from another."""
    ((content, promised),) = index.rows(
        "SELECT by_content, by_name FROM item WHERE object=? ORDER BY idx LIMIT 1", digest
    )
    asked = {one for _, names in registry.passes(content, promised) for one in names}
    is_still = category(content or "") == "image" and "fingerprint" in asked
    if "motion" in asked:
        found = observed.each(folder, index, "fingerprint")
        is_still = any(one.facts.get("still") is True for one in found if one.object == digest)
    if is_still:
        raise InputError(
            "is a still: one picture cannot be told from the same scene a moment later",
            subject=name,
            remedy="Decide on two clips.",
        )
    if "motion" not in asked:
        raise InputError(
            f"is {content or 'of unknown content'}, no footage",
            subject=name,
            remedy="Decide on two clips that show pictures.",
        )
