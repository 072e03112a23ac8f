"""What people decided of pairs, read back from the log, and in words where it is contradicted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from muniment.case.index import Index
from muniment.errors import IntegrityError
from muniment.model.ids import short
from muniment.model.trace import Cluster, Decided, Decision

#: A decision in words, after "decided that they are".
WORDS: Final = {
    Decision.SAME_FOOTAGE: "the same footage",
    Decision.NOT_SAME_FOOTAGE: "not the same footage",
    Decision.SAME_CAMERA_OTHER_MOMENT: "the same camera at another moment",
}


def latest(index: Index) -> list[Decided]:
    """The latest decision on each pair, with those it superseded; erased ones are left out.

    Raises:
        IntegrityError: if an entry holds no decision of ours.
    """
    sql = (
        "SELECT leaf, min(a, b) AS a, max(a, b) AS b, decision, because, by, at_utc FROM decision"
        " WHERE a <> b AND decision IS NOT NULL ORDER BY idx"
    )
    found: dict[tuple[str, str], Decided] = {}
    for row in index.each(sql):
        one = _decided(row)
        before = found.pop((one.a, one.b), None)
        if before is not None:
            earlier = (msgspec.structs.replace(before, earlier=()), *before.earlier)
            one = msgspec.structs.replace(one, earlier=earlier)
        found[one.a, one.b] = one
    return list(found.values())


def _decided(row: tuple[Any, ...]) -> Decided:
    names = ("leaf", "a", "b", "decision", "because", "by", "at_utc")
    try:
        return msgspec.convert(dict(zip(names, row, strict=True)), Decided)
    except msgspec.ValidationError as error:
        raise IntegrityError(
            f"holds no decision ({error})",
            subject=short("decision", row[0]),
            remedy="Another program wrote this entry; see docs/format.md.",
        ) from error


def as_json(one: Decided | None) -> dict[str, Any] | None:
    """A decision as docs/trace.md has it."""
    if one is None:
        return None
    return {
        "id": short("decision", one.leaf),
        "decision": str(one.decision),
        "by": one.by,
        "at_utc": one.at_utc,
        "because": one.because,
        "earlier": [as_json(before) for before in one.earlier],
    }


def warnings(clusters: Iterable[Cluster], name: Callable[[str], str]) -> list[str]:
    """A line for each decision that keeps apart what a cluster joins.

    Args:
        name: what to call an object.
    """
    return [
        f"warning: {one.decided.by} decided on {one.decided.at_utc[:10]} that"
        f" {name(one.decided.a)} and {name(one.decided.b)} are {WORDS[one.decided.decision]}, but"
        f" they are joined by way of {' and '.join(name(item) for item in one.by_way)}"
        f"{_others(one.more)}: decide on what joins them, or anew on these two"
        " (`muniment trace decide`)"
        for cluster in clusters
        for one in cluster.contradictions
    ]


def _others(more: int) -> str:
    return f" (and of {more} more item{'s' if more > 1 else ''})" if more else ""


def namer(index: Index) -> Callable[[str], str]:
    """What to call an object in a line: its item id and the name it came in with first."""
    names = dict(index.rows("SELECT object, path FROM item ORDER BY idx DESC"))

    def called(digest: str) -> str:
        name = (names.get(digest) or "").rpartition("/")[2]
        return f"{short('item', digest)} ({name})" if name else short("item", digest)

    return called
