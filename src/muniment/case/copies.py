"""What the log knows of second copies, and how that stands to the rule of three, two and one."""

from __future__ import annotations

import json
from typing import Any, Final

from muniment.case.index import Index
from muniment.model.copies import KnownCopy, Standing
from muniment.model.display import count

#: Entries that need no copy of their own.
_OWN: Final = (
    "copy.made",
    "checkpoint.stamped",
    "authority.pinned",
    "witness.pinned",
    "checkpoint.cosigned",
)
WANTED_COPIES: Final = 3
WANTED_KINDS: Final = 2


def known(index: Index) -> tuple[KnownCopy, ...]:
    """Each place that copies were made to, as its latest copying left it, in order of place."""
    sql = "SELECT at_utc, details FROM event WHERE kind='copy.made' ORDER BY idx"
    latest: dict[str, tuple[str, dict[str, Any]]] = {}
    read_back: dict[str, str] = {}
    for at_utc, text in index.rows(sql):
        details = json.loads(text)
        place = details["target"]["place"]
        latest[place] = (at_utc, details)
        counts = details["counts"]
        if counts["read_back"] == counts["files"] and not counts["failed"]:
            read_back[place] = at_utc
    return tuple(
        _known(index, place, at_utc, details, read_back.get(place))
        for place, (at_utc, details) in sorted(latest.items())
    )


def _known(
    index: Index, place: str, at_utc: str, details: dict[str, Any], read_back: str | None
) -> KnownCopy:
    covers = int(details["checkpoint"].partition(":")[0])
    marks = ",".join("?" * len(_OWN))
    sql = f"SELECT count(*) FROM entry WHERE idx>=? AND kind NOT IN ({marks})"
    ((behind,),) = index.rows(sql, covers, *_OWN)
    return KnownCopy(
        details["target"]["kind"],
        place,
        details["off_site"],
        covers,
        behind,
        at_utc,
        read_back,
        details["put_if_absent"],
        details["outcome"],
        details["target"]["same_device"],
    )


def standing(index: Index) -> Standing:
    """How many copies there are, on how many kinds of storage, and how many off site as told."""
    found = known(index)
    good = [one for one in found if one.outcome == "complete" and not one.same_device]
    copies, kinds = 1 + len(good), len({"folder", *(one.kind for one in good)})
    # A folder on another disk is another storage, though of the same kind.
    storages = max(kinds, min(WANTED_KINDS, 1 + len(good)))
    off_site = sum(one.off_site is True for one in good)
    behind = sum(bool(one.behind) for one in good)
    lacks = []
    if copies < WANTED_COPIES:
        lacks.append(f"{count(WANTED_COPIES - copies, 'copy', 'copies')} more")
    if storages < WANTED_KINDS:
        lacks.append("a second storage")
    if not off_site:
        lacks.append("one off site")
    says = f"{count(copies, 'copy', 'copies')} with the case itself, {off_site} off site as told"
    if lacks:
        says += f"; for three copies on two storages, one off site, there lack: {', '.join(lacks)}"
    else:
        says += ": three copies on two storages, one off site"
    if behind:
        says += f"; {count(behind, 'copy lacks', 'copies lack')} what was entered since"
    return Standing(copies, storages, off_site, says, found)


def lines(index: Index) -> tuple[str, ...]:
    """A line for each known copy, for people."""
    return tuple(_line(one) for one in known(index))


def _line(one: KnownCopy) -> str:
    where = {True: "off site as told", False: "on site as told", None: "off site or not: not told"}
    since = f", {count(one.behind, 'entry', 'entries')} behind" if one.behind else ""
    read = f"all read back {one.read_back_utc}" if one.read_back_utc else "never read back whole"
    parts = [
        f"{one.place} ({one.kind})",
        f"the first {count(one.covers, 'entry', 'entries')}{since}, {one.outcome}, {one.at_utc}",
        read,
        where[one.off_site],
    ]
    if one.same_device:
        parts.append("on the same disk as the case: it counts for nothing")
    if one.put_if_absent != "proved":
        parts.append("that place overwrites what it holds")
    return "; ".join(parts)
