"""Derived objects that are gone, changed or malformed: named with their item, and gone past.

They can be made again from the original, so one that is damaged costs what it holds and no more.
An original cannot; where its own bytes are what an examiner made (a plain text), that is said.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import PurePosixPath
from typing import Any, Final

from muniment.case.index import Index
from muniment.custody import entry as entries
from muniment.custody.derived import read_derived
from muniment.custody.log import LogWriter
from muniment.errors import IntegrityError, MalformedError, MunimentError
from muniment.model import canonical
from muniment.model.display import visible
from muniment.model.ids import short
from muniment.store.layout import CaseFolder

REMEDY: Final = "`muniment examine --again` makes it anew"
ORIGINALS_REMEDY: Final = "it is an original: restore it from a second copy"
#: (examiner, blob) -> what people call it; all others by the examiner's name
_WORDS: Final = {
    ("frames", "blurred"): "picture strip",
    ("frames", ""): "clear picture",
    ("container", ""): "container facts",
    ("document", "text"): "text",
    ("document", "positions"): "text's positions",
}


def called(examiner: str, blob: str = "") -> str:
    """A blob of an examiner in words.

    Example:
        >>> called("frames", "blurred"), called("frames", "key-03"), called("motion", "frames")
        ('picture strip', 'clear picture', 'motion')
    """
    return _WORDS.get((examiner, blob)) or _WORDS.get((examiner, "")) or examiner


class Damage:
    """Reads derived objects of a case, and remembers what could not be read.

    Args:
        index: the projection that says whose they are.
    """

    def __init__(self, folder: CaseFolder, index: Index) -> None:
        self._folder = folder
        sql = "SELECT object, path FROM item WHERE object IS NOT NULL ORDER BY idx DESC"
        self._names: dict[str, str | None] = dict(index.rows(sql))
        self._erased = {digest for (digest,) in index.rows("SELECT object FROM erased")}
        self._found: dict[tuple[str, str], str] = {}
        self._lines: list[str] = []

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each thing that could not be read: what, of which item, why, what to do."""
        return tuple(self._lines)

    def of(self, item: str) -> tuple[tuple[str, str], ...]:
        """What could not be read of an item: in words, and why."""
        return tuple((what, why) for (one, what), why in self._found.items() if one == item)

    def read(self, item: str, what: str, digest: str) -> bytes | None:
        """A derived object; None when it could not be read.

        Args:
            item: the object it was derived from.
            what: what it is, in words.
        """
        try:
            return read_derived(self._folder, digest)
        except IntegrityError as error:
            self.tell(item, what, digest, error)
            return None

    def value(self, item: str, what: str, found: Any) -> Any:
        """A private value, also one kept as an object because it is long; None if that object could
        not be read."""
        digest = entries.kept_object(found)
        if digest is None:
            return found
        data = self.read(item, what, digest)
        try:
            return None if data is None else canonical.decode(data)
        except MalformedError as error:
            self.tell(item, what, digest, error)
            return None

    def tell(
        self, item: str, what: str, digest: str, error: MunimentError, remedy: str = REMEDY
    ) -> None:
        """Remember that an object is damaged, once."""
        if digest in self._erased:  # gone on purpose
            return
        if digest in self._names and isinstance(error, IntegrityError):
            remedy = ORIGINALS_REMEDY
        if (item, what) in self._found:
            return
        told = f"(object {digest[:12]}…): {error.what}; {remedy}"
        self._found[item, what] = told
        name = self._names.get(item)
        whose = short("item", item) + (f" ({PurePosixPath(visible(name)).name})" if name else "")
        self._lines.append(f"the {what} of {whose} cannot be read {told}")


def make_room(log: LogWriter, data: bytes, originals: frozenset[str]) -> None:
    """Take a damaged derived object away whose sound bytes are about to be stored.

    Args:
        originals: objects that are items: those stay as they are, and storing stops there.
    """
    digest = hashlib.sha256(data).hexdigest()
    if digest in originals or not os.path.lexists(log.folder.object(digest)):
        return
    if not log.objects.is_sound(digest):
        log.objects.remove(digest)


def make_room_for_value(log: LogWriter, value: Any, originals: frozenset[str]) -> None:
    """The same for a private value, which the log keeps as an object when it is long."""
    data = entries.encode_value(value)
    if len(data) > entries.MAX_VALUE_BYTES:
        make_room(log, data, originals)


def originals(index: Index) -> frozenset[str]:
    """Objects that are items."""
    return frozenset(
        digest
        for (digest,) in index.rows("SELECT DISTINCT object FROM item WHERE object IS NOT NULL")
    )
