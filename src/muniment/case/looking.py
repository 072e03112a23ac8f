"""Looking at a case without changing it: the log's entries, one thing by its id, an entry's proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from muniment.case import projecting
from muniment.case.index import Index
from muniment.custody import proof as proofs
from muniment.custody.opening import read_checkpoint
from muniment.custody.scan import whole_entries
from muniment.custody.tree import Tree, leaf_hash
from muniment.errors import InputError, IntegrityError, StorageError, UsageError
from muniment.model.ids import parse, short
from muniment.store.layout import CaseFolder
from muniment.store.segments import Segments

#: What an id's kind stands for: entry kinds whose leaf hash it is; `item` is told by its object.
ENTRY_KINDS = {
    "acquisition": "acquisition.started",
    "post": "post.recorded",
    "observation": "observation.made",
    "decision": "match.decided",
}


class Shown(msgspec.Struct, frozen=True):
    """One entry with its private values."""

    index: int
    id: str
    kind: str
    author: str
    at_utc: str
    leaf: str
    values: dict[str, Any]


def read(folder: CaseFolder, start: int = 0) -> Iterator[Shown]:
    """Entries from `start` on, in order.

    Raises:
        IntegrityError: at the first that is not whole.
    """
    for number, entry, leaf, values in whole_entries(folder, start):
        identity = _id(entry.kind, leaf, values)
        yield Shown(number, identity, entry.kind, entry.author, entry.at, leaf, values)


def _id(kind: str, leaf: str, values: dict[str, Any]) -> str:
    if kind == "item.acquired" and values.get("object"):
        return short("item", values["object"])
    word = next((word for word, name in ENTRY_KINDS.items() if name == kind), "entry")
    return short(word, leaf)


def find(folder: CaseFolder, identity: str) -> list[int]:
    """Indexes of the entries that an id names (an item may have several acquisitions).

    Raises:
        UsageError: if it is no id, or names more than one thing.
        InputError: if nothing has it.
    """
    word, prefix = parse(identity)
    # What the projection on disk finds is held against the log; that it finds nothing is not
    # believed, anybody may have written it.
    rows = _rows(projecting.reading(folder), word, prefix) or _rows(
        projecting.derived(folder), word, prefix
    )
    if not rows:
        raise InputError(
            "nothing in this case has this id",
            subject=identity,
            remedy="`muniment log` lists every id, `muniment search` finds one by a name or text.",
        )
    if len({digest for digest, _ in rows}) > 1:
        raise UsageError(
            "fits more than one", subject=identity, remedy="Give more digits of the hash."
        )
    return [number for _, number in rows]


def _rows(index: Index, word: str, prefix: str) -> list[tuple[Any, ...]]:
    """(hash, entry) of what has an id; nothing when the projection cannot be read."""
    try:
        if word == "item":
            sql = "SELECT object, idx FROM item WHERE object GLOB ? ORDER BY idx"
            return index.rows(sql, prefix + "*")
        if word in ENTRY_KINDS:
            sql = "SELECT leaf, idx FROM entry WHERE kind=? AND leaf GLOB ? ORDER BY idx"
            return index.rows(sql, ENTRY_KINDS[word], prefix + "*")
        return index.rows("SELECT leaf, idx FROM entry WHERE leaf GLOB ?", prefix + "*")
    except (IntegrityError, StorageError):
        return []
    finally:
        index.close()


def show(folder: CaseFolder, identity: str) -> list[Shown]:
    """The entries an id names."""
    word, prefix = parse(identity)
    found: list[Shown] = []
    for number in find(folder, identity):
        shown = next(read(folder, number), None) if type(number) is int else None
        # The projection only says where to look; the log says what stands there.
        named = shown and (shown.values.get("object") if word == "item" else shown.leaf)
        if shown is None or shown.index != number or not str(named).startswith(prefix):
            raise IntegrityError(
                f"the projection leads to entry {number}, which is another",
                subject=identity,
                remedy="Run `muniment rebuild`.",
            )
        found.append(shown)
    return found


def proof(folder: CaseFolder, identity: str, *, with_mldsa: bool = False) -> bytes:
    """The `.tlog-proof` of the first entry that an id names, under the latest checkpoint.

    Raises:
        IntegrityError: if the log is not the one that was sealed.
    """
    number, head = find(folder, identity)[0], read_checkpoint(folder)
    tree = Tree(leaf_hash(line) for _, line in Segments(folder.entries).lines())
    if tree.size < head.size or tree.root(head.size) != head.root:
        raise IntegrityError(
            "the log is not the one that was sealed",
            subject=str(folder.path),
            remedy="Run `muniment verify`.",
        )
    if number >= head.size:
        raise InputError(
            "no checkpoint covers it yet", subject=identity, remedy="Run `muniment build`."
        )
    return proofs.make(tree, number, head, with_mldsa=with_mldsa).encode()
