"""The members of one message, taken one by one; what nobody takes stays for `extra`."""

from __future__ import annotations

import re
from typing import Any, Final

from muniment.collect.telegram_record import MAX_STRING_BYTES, bounded
from muniment.errors import MalformedError
from muniment.model.canonical import MAX_INT, text
from muniment.model.collect import Trouble
from muniment.model.times import Interval, from_local, from_unix

BASIS_UNIX: Final = "date_unixtime, exporter's claim"
BASIS_EDITED_UNIX: Final = "edited_unixtime, exporter's claim"
BASIS_LOCAL: Final = "local date without zone, exporter's claim"
BASIS_NONE: Final = "no time given"

_UNIX: Final = re.compile(r"-?[0-9]{1,12}")
_REMEDY: Final = "Compare with the raw record, which the byte range cites."


class Fields:
    """A message's members not yet taken, and the troubles met while taking them.

    A member of the wrong type is not taken: it gives a trouble and stays.

    Attributes:
        left: the members not taken, as decoded.
        start: offset of the message in the export file.
        place: the chat and message as troubles name them.
        cut: member -> characters of each string that was cut; the raw record has it whole.
    """

    def __init__(self, members: dict[str, Any], start: int, place: str) -> None:
        self.left = members
        self.start = start
        self.place = place
        self.troubles: list[Trouble] = []
        self.cut: dict[str, int] = {}

    def tell(self, reason: str, remedy: str = _REMEDY) -> None:
        """Note a trouble, `reason` standing as it is."""
        self.troubles.append(Trouble(self.start, reason, remedy))

    def malformed(self, what: str) -> None:
        """Note that the message holds `what` and is kept without it."""
        self.tell(f"malformed at byte {self.start}: {self.place}: {what}")

    def bounded(self, key: str, value: str, most: int = MAX_STRING_BYTES) -> str:
        """The string of a member as the record holds it: cut beyond `most` bytes, which is noted."""
        kept = bounded(value, most)
        if kept != text(value):
            self.cut[key] = len(value)
        return kept

    def string(self, key: str, most: int = MAX_STRING_BYTES) -> str | None:
        """Take a string, cut beyond `most` bytes; null when absent, null or no string."""
        if key not in self.left:
            return None
        value = self.left[key]
        if type(value) is str:
            del self.left[key]
            return self.bounded(key, value, most)
        if value is None:
            del self.left[key]
        else:
            self.malformed(f"`{key}` is not a string")
        return None

    def integer(self, key: str) -> int | None:
        """Take an integer of any size; null when absent, null or no integer."""
        if key not in self.left:
            return None
        value = self.left[key]
        if type(value) is int:
            del self.left[key]
            return value
        if value is None:
            del self.left[key]
        else:
            self.malformed(f"`{key}` is not an integer")
        return None

    def small_integer(self, key: str) -> int | None:
        """Take an integer that canonical JSON can hold; larger ones stay."""
        value = self.left.get(key)
        if type(value) is int and abs(value) > MAX_INT:
            self.malformed(f"`{key}` is too large")
            return None
        return self.integer(key)

    def time(self, unix_key: str, local_key: str, unix_basis: str) -> Interval | None:
        """Take a time: the Unix time when usable, else the local reading; null when neither is."""
        unix = self.left.get(unix_key)
        if unix is not None:
            moment = _unix_interval(unix, unix_basis)
            if moment:
                del self.left[unix_key]
                return moment
            self.malformed(f"`{unix_key}` is not a Unix time")
        reading = self.left.get(local_key)
        if reading is None:
            return None
        if type(reading) is str:
            try:
                moment = from_local(reading, BASIS_LOCAL)
            except MalformedError:
                moment = None
            if moment:
                del self.left[local_key]
                return moment
        self.malformed(f"`{local_key}` is not a local time")
        return None


def _unix_interval(value: Any, basis: str) -> Interval | None:
    if type(value) is str and _UNIX.fullmatch(value):
        value = int(value)
    if type(value) is not int:
        return None
    try:
        return from_unix(value, basis)
    except MalformedError:
        return None
