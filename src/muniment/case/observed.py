"""What examiners found, read back from the projection and the derived objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from muniment.case.damage import Damage, called
from muniment.case.index import Index
from muniment.custody.derived import read_derived
from muniment.custody.entry import kept_object
from muniment.errors import MalformedError
from muniment.model import canonical
from muniment.model.examine import Note
from muniment.store.layout import CaseFolder

PREFIX: Final = "examine."


class KeptBlob(msgspec.Struct, frozen=True):
    """One derived object of an observation."""

    name: str
    object: str
    media_type: str
    width_px: int
    height_px: int
    time_s: str | None


class Observed(msgspec.Struct, frozen=True):
    """One examiner's observation of one object.

    `damaged` says that facts and blobs are kept as an object that could not be read.
    """

    leaf: str
    object: str
    examiner: str
    version: str
    status: str
    problem: str | None
    detail: str
    notes: tuple[tuple[str, str], ...]
    facts: dict[str, Any]
    blobs: tuple[KeptBlob, ...]
    tool: dict[str, Any]
    damaged: bool = False

    def blob(self, name: str) -> KeptBlob | None:
        """The first derived object of that name."""
        return next((one for one in self.blobs if one.name == name), None)


_COLUMNS = "leaf, object, step, step_version, status, outcome, result, derived, tool"


def outcome(
    status: str, problem: str | None = None, detail: str = "", notes: Iterable[Note] = ()
) -> dict[str, Any]:
    """The `outcome` of an observation.made; texts are in the log's profile already."""
    told = [{"what": one.what, "detail": one.detail} for one in notes]
    return {"status": status, "problem": problem, "detail": detail, "notes": told}


def each(
    folder: CaseFolder, index: Index, *steps: str, damage: Damage | None = None
) -> Iterator[Observed]:
    """The latest observation of each object by each examiner, erased ones left out.

    Args:
        steps: only these examiners (names without the prefix) [default: all].
        damage: is told of results that cannot be read; they come without facts and blobs.
    Raises:
        IntegrityError: if a result kept as an object is gone or changed, and nobody is told.
    """
    latest = (
        "SELECT max(idx) FROM observation WHERE step GLOB 'examine.*' AND status IS NOT NULL"
        " AND object NOT IN (SELECT object FROM erased) GROUP BY object, step"
    )
    for row in index.each(
        f"SELECT {_COLUMNS} FROM observation WHERE idx IN ({latest}) ORDER BY idx"
    ):
        name = row[2].removeprefix(PREFIX)
        if not steps or name in steps:
            yield _observed(folder, row, damage)


def _observed(folder: CaseFolder, row: tuple[Any, ...], damage: Damage | None) -> Observed:
    leaf, digest, step, version, status, outcome_text, result_text, derived_text, tool_text = row
    outcome = json.loads(outcome_text)
    result = json.loads(result_text) if result_text else None
    is_kept = result is not None
    if is_kept and damage is not None:
        result = damage.value(digest, called(step.removeprefix(PREFIX)), result)
    elif is_kept:
        result = value(folder, result)
    objects = json.loads(derived_text) if derived_text else []
    blobs = () if result is None else zip(result["blobs"], objects, strict=True)
    return Observed(
        leaf,
        digest,
        step.removeprefix(PREFIX),
        version,
        status,
        outcome["problem"],
        outcome["detail"],
        tuple((note["what"], note["detail"]) for note in outcome["notes"]),
        result["facts"] if result else {},
        tuple(
            KeptBlob(
                one["name"],
                kept,
                one["media_type"],
                one["width_px"],
                one["height_px"],
                one["time_s"],
            )
            for one, kept in blobs
        ),
        json.loads(tool_text) if tool_text else {},
        is_kept and result is None,
    )


def text(one: Observed, damage: Damage) -> str | None:
    """The text of a document as it was read; None when there is none or it cannot be read."""
    kept = one.blob("text")
    data = damage.read(one.object, called(one.examiner, "text"), kept.object) if kept else None
    return None if data is None else data.decode("utf-8", "replace")


def value(folder: CaseFolder, found: Any) -> Any:
    """A private value; one kept as an object because it is long is read from there.

    Raises:
        IntegrityError: if that object is gone or changed.
    """
    digest = kept_object(found)
    return found if digest is None else canonical.decode(read_derived(folder, digest))


def long_text(folder: CaseFolder, digest: str) -> str:
    """A text that an object holds because it is long, as `kept` of the projection names it.

    Raises:
        IntegrityError: if the object is gone or changed.
        MalformedError: if it holds no text.
    """
    found = canonical.decode(read_derived(folder, digest))
    if not isinstance(found, str):
        raise MalformedError("it holds no text", subject=f"object {digest}")
    return found
