"""What earlier acquisitions of a source did: what need not be collected again, what must not be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from muniment.case.index import Index
from muniment.collect.files import Listed
from muniment.collect.names import from_bytes
from muniment.model import canonical
from muniment.model.collect import Name
from muniment.model.display import visible


class Kept(msgspec.Struct, frozen=True):
    """A file an earlier acquisition of this source acquired."""

    size_bytes: int
    modified_utc: str | None
    object: str


def source_path(source: Path) -> str:
    """The source's absolute path as text the record can hold."""
    return visible(canonical.text(os.fsdecode(os.fsencode(source.absolute()))))


class Earlier:
    """What the projection tells of a source.

    Args:
        has: whether the case still holds an object; what it has lost is collected again.
        again: whether everything is to be collected anew whatever was done before.
    """

    def __init__(
        self, index: Index, source: Path, has: Callable[[str], bool], *, again: bool
    ) -> None:
        sql = "SELECT leaf, outcome FROM acquisition WHERE source_path=? ORDER BY idx"
        chain = [] if again else index.rows(sql, source_path(source))
        #: leaf hash of the last acquisition of this source
        self.last: str | None = chain[-1][0] if chain else None
        #: whether that one ended by itself, its exports read to the end
        self.is_finished = bool(chain) and chain[-1][1] in {"complete", "partly"}
        self._has = has
        self._kept: dict[str, Kept] = {}
        for leaf, _ in chain:
            self._kept |= _acquired(index, leaf)

    def kept(self, one: Listed) -> Kept | None:
        """What an earlier acquisition kept of a listed file, if it has not changed since."""
        kept = None if one.problem else self._kept.get(_key(from_bytes(one.raw)))
        if kept is None:
            return None
        is_same = (kept.size_bytes, kept.modified_utc) == (one.size_bytes, one.modified_utc)
        return kept if is_same and self._has(kept.object) else None


def _acquired(index: Index, leaf: str) -> dict[str, Kept]:
    sql = "SELECT path, raw_hex, size_bytes, modified_utc, object FROM item WHERE acquisition=?"
    return {
        raw_hex or path: Kept(size, modified, digest)
        for path, raw_hex, size, modified, digest in index.rows(sql, leaf)
        if path is not None and digest is not None
    }


def _key(name: Name) -> str:
    return name.raw_hex or name.path
