"""What examining found, as the report's item views want it."""

from __future__ import annotations

from typing import Any

import msgspec

from muniment.case import observed
from muniment.case.damage import Damage, called
from muniment.case.index import Index
from muniment.case.observed import Observed
from muniment.case.report_facts import fact_views
from muniment.case.thumbnails import PictureBook
from muniment.examine import registry
from muniment.model.report import ItemView
from muniment.model.report_seen import (
    MOST_FRAMES,
    MOST_LINES,
    MOST_NOTES,
    ConfinementView,
    ExaminedView,
    NoteView,
    TextView,
)
from muniment.store.layout import CaseFolder

_LINE_CHARACTERS = 200


class SeenItems:
    """Everything the examiners found in the items of a case.

    Args:
        damage: is told of derived objects that cannot be read; the report goes on without them.
    """

    def __init__(self, folder: CaseFolder, index: Index, book: PictureBook, damage: Damage) -> None:
        self._book, self._damage = book, damage
        self._found: dict[str, dict[str, Observed]] = {}
        self._confinements: dict[str, ConfinementView] = {}
        for one in observed.each(folder, index, damage=damage):
            self._found.setdefault(one.object, {})[one.examiner] = one

    def of(self, digest: str) -> dict[str, Observed]:
        """Examiner -> its latest observation of an object."""
        return self._found.get(digest, {})

    def duration_s(self, digest: str) -> float | None:
        """Seconds of the clip, as its fingerprint and container have it; None for all else."""
        found = self.of(digest).get("fingerprint")
        milliseconds = found.facts.get("duration_ms") if found else None
        return milliseconds / 1000 if isinstance(milliseconds, int) and milliseconds else None

    def strip(self, digest: str) -> str | None:
        """The object that holds the clip's blurred pictures; None also if it cannot be read."""
        found = self.of(digest).get("frames")
        kept = found.blob("blurred") if found else None
        if kept is None:
            return None
        if self._book.strip(kept.object) is None:
            error = self._book.broken[kept.object]
            self._damage.tell(digest, called("frames", "blurred"), kept.object, error)
            return None
        return kept.object

    def filled(self, item: ItemView) -> ItemView:
        """The view with all that examining found of the item."""
        found = self.of(item.sha256)
        names: list[str] = []
        if not item.erased and item.category != "export":
            for _, asked in registry.passes(item.media_type.by_content, item.media_type.by_name):
                names += [name for name in asked if name not in names]
        if not names:
            return item
        strip = self.strip(item.sha256)
        container = found.get("container")
        first = next(iter(found.values()), None)
        return msgspec.structs.replace(
            item,
            duration_s=self.duration_s(item.sha256),
            examined=tuple(_examined(name, found.get(name)) for name in names),
            confinement=self._confinement(first.tool) if first else None,
            facts=fact_views(container.facts) if container else (),
            frames=self._book.evenly(strip, MOST_FRAMES) if strip else (),
            frames_total=self._book.count(strip) if strip else 0,
            notes=_notes(found),
            text=self._text(found.get("document")),
        )

    def noted(self, item: ItemView) -> ItemView:
        """The view, saying first what of it could not be read; call it last."""
        lacking = tuple(
            NoteView(f"{what} cannot be read", why) for what, why in self._damage.of(item.sha256)
        )
        return msgspec.structs.replace(item, notes=lacking + item.notes) if lacking else item

    def _confinement(self, tool: dict[str, Any]) -> ConfinementView | None:
        told = tool.get("confinement")
        if not isinstance(told, dict):
            return None
        key = repr(told)
        if key not in self._confinements:
            self._confinements[key] = ConfinementView(
                confined=bool(told.get("seccomp")),
                seccomp=bool(told.get("seccomp")),
                landlock_abi=int(told.get("landlock_abi") or 0),
                no_new_privs=bool(told.get("no_new_privs")),
                limits=bool(told.get("rlimits")),
                namespaces=", ".join(told.get("namespaces") or ()),
                reason=str(told.get("reason") or ""),
            )
        return self._confinements[key]

    def _text(self, found: Observed | None) -> TextView | None:
        text = observed.text(found, self._damage) if found else None
        if found is None or text is None:
            return None
        lines = [line.strip()[:_LINE_CHARACTERS] for line in text.splitlines() if line.strip()]
        pages = found.facts.get("pages")
        return TextView(
            len(text),
            tuple(lines[:MOST_LINES]),
            f"{found.examiner} {found.version}",
            pages if isinstance(pages, int) else None,
        )


def _examined(name: str, found: Observed | None) -> ExaminedView:
    if found is None:
        return ExaminedView(name, "not_tried", problem="not examined in this case yet")
    return ExaminedView(name, found.status, found.version, found.problem or "", found.detail)


def _notes(found: dict[str, Observed]) -> tuple[NoteView, ...]:
    """The notes of one pass stand with each of its examiners: said once."""
    notes = {(what, detail): None for one in found.values() for what, detail in one.notes}
    return tuple(NoteView(*one) for one in list(notes)[:MOST_NOTES])
