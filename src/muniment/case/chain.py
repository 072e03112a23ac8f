"""The chain of custody of one item: every entry that says what was done with it, with PREMIS codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from muniment.case import looking, observed
from muniment.case.looking import Shown, read
from muniment.errors import UsageError
from muniment.model.custody_events import OF_KIND, PREMIS, code
from muniment.model.display import count
from muniment.model.ids import short
from muniment.store.layout import CaseFolder

Values = dict[str, Any]


class Link(msgspec.Struct, frozen=True):
    """One event in the life of an item.

    Attributes:
        entry: index of its entry in the log.
        event: the event in the words of vocab.yaml; `premis` and `premis_label` its PREMIS code.
        by: the person, as recorded; `agent` is the key that wrote the entry, by its name.
        instrument: with what it was done.
        why: the reason; `outcome` what came of it, null where none is recorded.
        before_intake: whether it is only told, of the time before the case had the item.
    """

    entry: int
    id: str
    at_utc: str
    kind: str
    event: str
    premis: str
    premis_label: str
    by: str | None
    agent: str
    instrument: str | None
    why: str | None
    outcome: str | None
    told: str
    before_intake: bool


class Chain(msgspec.Struct, frozen=True):
    """An item's whole chain of custody, in the order of the log."""

    item: str
    sha256: str
    links: tuple[Link, ...]


def originals(folder: CaseFolder, identities: list[str]) -> list[str]:
    """SHA-256 of each item, in the order given.

    Raises:
        UsageError: if an id names no item.
        InputError: if nothing has it.
    """
    found: list[str] = []
    for identity in identities:
        shown = looking.show(folder, identity)[0]
        digest = shown.values.get("object") if shown.kind == "item.acquired" else None
        if not digest:
            raise UsageError("is no item", subject=identity, remedy="`muniment log` lists them.")
        if digest not in found:
            found.append(digest)
    return found


def chain(folder: CaseFolder, identity: str) -> Chain:
    """What was done with an item, from the log alone.

    Raises:
        UsageError: if the id names no item.
        InputError: if nothing has it.
        IntegrityError: if the log is not whole.
    """
    (digest,) = originals(folder, [identity])
    acquisitions = {
        one.values.get("acquisition")
        for one in read(folder)
        if one.kind == "item.acquired" and one.values.get("object") == digest
    }
    agents: dict[str, str] = {}
    links: list[Link] = []
    is_held = False
    for one in read(folder):
        values = {name: observed.value(folder, value) for name, value in one.values.items()}
        if one.kind in ("case.opened", "key.certified"):
            named = (
                (one.author, "opened_by") if one.kind == "case.opened" else (values["key"], "name")
            )
            agents[named[0]] = str(values[named[1]])
        is_held = is_held or (one.kind == "item.acquired" and values.get("object") == digest)
        if _speaks_of(one, values, digest, acquisitions, is_held=is_held):
            links.append(_link(one, values, agents.get(one.author, one.author)))
    return Chain(short("item", digest), digest, tuple(links))


def _speaks_of(
    one: Shown, values: Values, digest: str, acquisitions: set[Any], *, is_held: bool
) -> bool:
    if one.kind == "acquisition.started":
        return one.leaf in acquisitions
    if one.kind == "acquisition.finished":
        return values.get("acquisition") in acquisitions
    if one.kind in ("custody.recorded", "object.erased"):
        return digest in (values.get("objects") or ())
    if one.kind == "match.decided":
        return digest in (values.get("a"), values.get("b"))
    if one.kind in ("copy.made", "checkpoint.stamped"):
        return is_held  # these are of the whole case
    return one.kind in OF_KIND and values.get("object") == digest


def _link(one: Shown, values: Values, agent: str) -> Link:
    event = str(values.get("event")) if one.kind == "custody.recorded" else OF_KIND[one.kind]
    details = values.get("details")
    premis, label = PREMIS.get(event, (str(values.get("premis") or ""), ""))
    by = values.get("by") or values.get("collector")
    why = values.get("why") or values.get("purpose") or values.get("because")
    outcome = values.get("outcome")
    if isinstance(outcome, dict):
        outcome = outcome.get("status")
    return Link(
        one.index,
        one.id,
        one.at_utc,
        one.kind,
        event,
        premis,
        label,
        by if isinstance(by, str) else None,
        agent,
        _instrument(one.kind, values),
        why if isinstance(why, str) else None,
        outcome if isinstance(outcome, str) else None,
        _TOLD[one.kind](values) if one.kind in _TOLD else "",
        isinstance(details, dict) and details.get("before_intake") is True,
    )


def _instrument(kind: str, values: Values) -> str | None:
    """The program, with its version; None where the entry names none."""
    method, used = values.get("method"), values.get("instrument")
    if isinstance(method, dict):
        return f"{method.get('tool')} {method.get('version')}"
    if isinstance(used, dict):
        return f"{used.get('name')} {used.get('version')}"
    if kind == "observation.made":
        return f"{values.get('step')} {values.get('step_version')}"
    return None


def _acquired(values: Values) -> str:
    name = values.get("name")
    path = name.get("path") if isinstance(name, dict) else None
    return f"{values.get('size_bytes')} bytes, SHA-256 {values.get('object')}, named {path}"


def _started(values: Values) -> str:
    source = values.get("source")
    path = source.get("path") if isinstance(source, dict) else None
    stated = values.get("stated_source")
    return f"to be read from {path}" + (f"; it comes from {stated}, as told" if stated else "")


def _copied(values: Values) -> str:
    target = values.get("target")
    place = target.get("place") if isinstance(target, dict) else None
    return f"the whole case, to {place}, checkpoint {values.get('checkpoint')}"


def details_line(values: Values) -> str:
    """What a custody.recorded entry says beside agent, instrument and reason, in one line."""
    details = values.get("details")
    if not isinstance(details, dict):
        return ""
    event = values.get("event")
    if details.get("before_intake"):
        when = details.get("when") or "a time not told"
        return f"{details.get('told')} ({when}; told by {details.get('source')})"
    if event == "fixity_checked":
        drawn = f", seed {details.get('seed')}" if details.get("seed") else ""
        of, bad = details.get("of"), details.get("bad")
        differing = len(bad) if isinstance(bad, list) else "some"
        return f"{details.get('mode')}: {details.get('checked')} of {of} read, {differing} differ{drawn}"
    if event in ("working_copy_made", "exported"):
        to = f" for {details.get('to')}" if details.get("to") else ""
        return f"to {details.get('place')}{to}, SHA-256 {details.get('copy_sha256') or 'not read'}"
    if event == "transferred":
        receipt = details.get("receipt") or "none told"
        return (
            f"from {details.get('from')} to {details.get('to')}, by {details.get('channel')};"
            f" receipt: {receipt}"
        )
    return ""


def summary(values: Values) -> str:
    """A custody.recorded entry in one line, for the report."""
    event = str(values.get("event")).replace("_", " ")
    objects = values.get("objects")
    which = "several items"
    if isinstance(objects, list):
        which = short("item", str(objects[0])) if len(objects) == 1 else count(len(objects), "item")
    told = details_line(values)
    outcome = f", {values['outcome']}" if values.get("outcome") else ""
    before = "told of the time before intake: " if _is_told(values) else ""
    return (
        f"{before}{event}, {which}{outcome}"
        + (f": {told}" if told else "")
        + f"; {values.get('why')}"
    )


def premis_code(kind: str, values: Values) -> str:
    """The PREMIS code of an entry; empty for one that is no event in the life of an original."""
    if kind == "custody.recorded":
        return str(values.get("premis") or "")
    return code(OF_KIND[kind]) if kind in OF_KIND else ""


def _is_told(values: Values) -> bool:
    details = values.get("details")
    return isinstance(details, dict) and details.get("before_intake") is True


_TOLD: Final[dict[str, Callable[[Values], str]]] = {
    "acquisition.started": _started,
    "acquisition.finished": lambda values: str(values.get("reason") or ""),
    "item.acquired": _acquired,
    "custody.recorded": details_line,
    "copy.made": _copied,
    "checkpoint.stamped": lambda values: f"{values.get('state')}, {values.get('time_utc')}",
    "object.erased": lambda values: f"out of reach: {values.get('out_of_reach')}",
    "match.decided": lambda values: str(values.get("decision")),
}
