"""The projection: tables derived from the log, deletable, rebuildable, never authoritative.

It remembers the tree size it has applied, and after any erasure it is built anew, so that nothing
erased stays in it. Equality is logical: each table ordered by its key and hashed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from muniment.case import database
from muniment.custody import entry as entries
from muniment.errors import IntegrityError
from muniment.model.entries import Entry

SCHEMA_VERSION: Final = "4"
#: table -> the columns that order it.
TABLES: Final = {
    "entry": "idx",
    "reference": "object",
    "kept": "idx, field",
    "key": "idx",
    "acquisition": "idx",
    "item": "idx",
    "miss": "idx",
    "post": "idx",
    "observation": "idx",
    "decision": "idx",
    "event": "idx",
    "erased": "object",
}
_SCHEMA: Final = Path(__file__).with_name("schema.sql")
#: More tables, indexes, views and triggers than any version of ours defines.
_MOST_DEFINED: Final = 200
#: Tables whose rows no later entry changes.
_APPEND_ONLY: Final = ("entry", "kept", "item", "miss", "post", "observation", "decision", "event")
Values = dict[str, Any]


class Index:
    """An open projection.

    Args:
        path: the SQLite file, or None to build one in memory.
        read_only: change nothing on disk, not even to create it.
    Raises:
        IntegrityError: if the file is no projection of this version (`muniment rebuild` mends it).
    """

    def __init__(self, path: Path | None, *, read_only: bool = False) -> None:
        self.path = path
        self._folded: dict[str, Any] = {}
        is_new = path is None or database.is_blank(path)
        self.db = database.connect(path, read_only=read_only)
        try:
            if is_new:
                self._create()
            # Before anything is read from it: a view under one of our names could run for ever.
            elif self._shape() != _own_shape():
                raise sqlite3.DatabaseError("its tables are not ours")
            self.db.execute("PRAGMA synchronous=FULL")
            if self._meta("schema") != SCHEMA_VERSION:
                raise sqlite3.DatabaseError("another version")
            self.size = int(self._meta("tree_size") or 0)
            if not 0 <= self.size < 2**53:
                raise ValueError("impossible size")
        except sqlite3.Error as error:
            self.db.close()
            raise database.refused(path, error) from error
        except ValueError as error:
            self.db.close()
            raise database.damaged(path, str(error)) from error
        self._is_writing = False

    def _create(self) -> None:
        schema = _SCHEMA.read_text("utf-8")
        values = f"INSERT INTO meta VALUES ('schema', '{SCHEMA_VERSION}'), ('tree_size', '0');"
        # One transaction: a killed run leaves a whole projection or an empty file.
        self.db.executescript(f"BEGIN;{schema}{values}COMMIT;")

    def _shape(self) -> list[tuple[Any, ...]]:
        """Everything the file defines: tables, indexes, and what must not be there (views,
        triggers), which could run code of somebody else's making."""
        sql = "SELECT type, name, tbl_name, sql FROM sqlite_master"
        return sorted(self.db.execute(sql).fetchmany(_MOST_DEFINED), key=repr)

    def _meta(self, name: str) -> str | None:
        row = self.db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        return str(row[0]) if row else None

    def apply(self, index: int, entry: Entry, leaf: str, values: Values) -> None:
        """Take in entry `index`; entries come in order, those already applied are passed over.

        Args:
            leaf: its leaf hash, hex.
            values: its private values; erased ones are left out and become NULL.
        Raises:
            IntegrityError: if the values are not of the form their kind has.
        """
        if index != self.size:
            return
        row = (index, entry.kind, entry.author, entry.at, leaf)
        try:
            if not self._is_writing:
                self.db.execute("BEGIN IMMEDIATE")
                self._is_writing = True
            self.db.execute("INSERT INTO entry VALUES (?,?,?,?,?)", row)
            for digest in entries.object_references(entry.kind, values):
                self.db.execute("INSERT OR IGNORE INTO reference VALUES (?,?)", (digest, index))
            for field, value in values.items():
                if kept := entries.kept_object(value):
                    self.db.execute("INSERT INTO kept VALUES (?,?,?)", (index, field, kept))
            handler = _HANDLERS.get(entry.kind)
            if handler:
                handler(self.db, index, entry, leaf, values)
        except sqlite3.OperationalError as error:
            raise database.refused(self.path, error) from error
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise IntegrityError(
                f"the private values of {entry.kind} are not of its form ({error})",
                subject=f"entry {index}",
                remedy="Another program wrote this entry; see docs/format.md.",
            ) from error
        self.size += 1

    def save(self) -> None:
        """Make what was applied visible to the next opening.

        Raises:
            StorageError: if the disk refuses.
        """
        if not self._is_writing:
            return
        try:
            sql = "UPDATE meta SET value=? WHERE name='tree_size'"
            self.db.execute(sql, (str(self.size),))
            self.db.execute("COMMIT")
            self._is_writing = False
        except sqlite3.Error as error:
            raise database.refused(self.path, error) from error

    def close(self) -> None:
        """Close without saving what was not saved."""
        self.db.close()

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            IntegrityError: if the file is damaged.
        """
        try:
            return self.db.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise database.refused(self.path, error) from error

    def each(self, sql: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one by one.

        Raises:
            IntegrityError: if the file is damaged.
        """
        try:
            yield from self.db.execute(sql, parameters)
        except sqlite3.Error as error:
            raise database.refused(self.path, error) from error

    def table_digests(self) -> dict[str, str]:
        """{table: SHA-256 over its rows in key order}: two projections are equal when these are.

        Raises:
            IntegrityError: if the file is damaged.
        """
        try:
            # Pages of a forged file may lead to each other many times; no row takes under a byte.
            left = self.path.stat().st_size if self.path else 2**63
            digests: dict[str, str] = {}
            for table in TABLES:
                before = self._folded.get(table)
                sha = before.copy() if before else hashlib.sha256()
                left -= self._fold(table, sha, left)
                digests[table] = sha.hexdigest()
        except sqlite3.Error as error:
            raise database.refused(self.path, error) from error
        except OSError as error:
            raise database.damaged(self.path, str(error)) from error
        return digests

    def _fold(self, table: str, sha: Any, most: int) -> int:
        """Take a table's rows into a digest, in key order; how many there were."""
        number = 0
        for row in self.db.execute(f"SELECT * FROM {table} ORDER BY {TABLES[table]}"):
            sha.update(repr(row).encode("utf-8", "surrogatepass"))
            number += 1
            if number > most:
                raise sqlite3.DatabaseError("it holds more rows than bytes")
        return number

    def drain(self) -> None:
        """Keep of rows that no later entry changes only what `table_digests` needs, so that a
        comparison takes little memory however long the log is. They can be read no more."""
        for table in _APPEND_ONLY:
            self._fold(table, self._folded.setdefault(table, hashlib.sha256()), 2**63)
            self.db.execute(f"DELETE FROM {table}")


@functools.cache
def _own_shape() -> list[tuple[Any, ...]]:
    memory = Index(None)
    try:
        return memory._shape()
    finally:
        memory.close()


def _text(value: Any) -> str | None:
    """A value for a column of text: a string as it is; None for one that an object holds, which
    `kept` names. So whatever the text, it is never taken for the name of an object."""
    if value is None or isinstance(value, str):
        return value
    return None if entries.kept_object(value) else _json(value)


def _json(value: Any) -> str | None:
    """A value for a column of JSON. One that an object holds stays what the log has in its place:
    there is no other value of that form (docs/format.md, private values)."""
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _part(value: Any, name: str) -> Any:
    """One member of a structured value; None when the value is erased or kept as an object."""
    return value.get(name) if isinstance(value, dict) else None


def _opened(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    _event(db, index, entry, leaf, values)
    opened_by = values.get("opened_by")
    db.execute(
        "INSERT INTO key VALUES (?,?,?,?)", (index, entry.author, "person", _text(opened_by))
    )


def _certified(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    kept = {name: value for name, value in values.items() if name not in {"ed25519", "mldsa44"}}
    _event(db, index, entry, leaf, kept | {"has_mldsa44": values.get("mldsa44") is not None})
    row = (index, *(_text(values.get(name)) for name in ("key", "role", "name")))
    db.execute("INSERT INTO key VALUES (?,?,?,?)", row)


def _started(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    source, method, clock = values.get("source"), values.get("method"), values.get("clock")
    row = (
        index,
        leaf,
        _part(source, "path"),
        _part(source, "kind"),
        *(_text(values.get(name)) for name in ("stated_source", "collector", "why")),
        values.get("attempted"),
        _part(method, "tool"),
        _part(method, "version"),
        _part(clock, "set_back_s"),
        values.get("resumes"),
        entry.at,
    )
    marks = ",".join("?" * len(row))
    db.execute(f"INSERT INTO acquisition VALUES ({marks},NULL,NULL,NULL,NULL)", row)


def _finished(db: sqlite3.Connection, _: int, entry: Entry, leaf: str, values: Values) -> None:
    row = (
        entry.at,
        values.get("outcome"),
        _json(values.get("counts")),
        _text(values.get("reason")),
        values.get("acquisition"),
    )
    sql = "UPDATE acquisition SET finished_utc=?, outcome=?, counts=?, reason=? WHERE leaf=?"
    db.execute(sql, row)


def _acquired(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    name, media = values.get("name"), values.get("media_type")
    row = (
        index,
        values.get("acquisition"),
        values.get("object"),
        values.get("size_bytes"),
        _part(name, "path"),
        _part(name, "raw_hex"),
        values.get("outcome"),
        _part(media, "by_content"),
        _part(media, "by_name"),
        _part(media, "mismatch"),
        _part(media, "tool"),
        values.get("modified_utc"),
        entry.at,
    )
    db.execute(f"INSERT INTO item VALUES ({','.join('?' * len(row))})", row)


def _missed(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    row = (
        index,
        values.get("acquisition"),
        _part(values.get("name"), "path"),
        values.get("outcome"),
        _text(values.get("reason")),
        _text(values.get("remedy")),
    )
    db.execute("INSERT INTO miss VALUES (?,?,?,?,?,?)", row)


def _recorded(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    channel, post = values.get("channel"), values.get("post")
    published = _part(values.get("time"), "published")
    links = values.get("links")
    span = values.get("bytes") or (None, None)
    row = (
        index,
        leaf,
        values.get("acquisition"),
        values.get("export"),
        *span,
        *(_part(channel, part) for part in ("name", "id", "type", "ordinal")),
        *(_part(post, part) for part in ("id", "kind", "action", "author")),
        *(_part(published, part) for part in ("earliest_utc", "latest_utc", "basis")),
        _json(_part(values.get("time"), "edited")),
        _text(values.get("text")),
        _json(values.get("media")),
        *(_part(links, part) for part in ("forwarded_from", "reply_to", "album_of")),
    )
    db.execute(f"INSERT INTO post VALUES ({','.join('?' * len(row))})", row)


def _observed(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    before = ("object", "step", "step_version")
    after = ("outcome", "result", "derived", "tool")
    row = (
        index,
        leaf,
        *(_text(values.get(name)) for name in before),
        _json(values.get("parameters")),
        _part(values.get("outcome"), "status"),
        *(_json(values.get(name)) for name in after),
    )
    db.execute(f"INSERT INTO observation VALUES ({','.join('?' * len(row))})", row)


def _decided(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    _event(db, index, entry, leaf, values)
    names = ("a", "b", "decision", "because", "by")
    row = (index, leaf, *(_text(values.get(name)) for name in names), entry.at)
    db.execute(f"INSERT INTO decision VALUES ({','.join('?' * len(row))})", row)


def _erased(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    _event(db, index, entry, leaf, values)
    for digest in values.get("objects") or ():
        db.execute("INSERT OR IGNORE INTO erased VALUES (?,?)", (digest, index))


def _event(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    row = (index, entry.at, entry.kind, _json(values))
    db.execute("INSERT INTO event VALUES (?,?,?,?)", row)


_HANDLERS: Final[dict[str, Callable[[sqlite3.Connection, int, Entry, str, Values], None]]] = {
    "case.opened": _opened,
    "key.certified": _certified,
    "acquisition.started": _started,
    "acquisition.finished": _finished,
    "item.acquired": _acquired,
    "item.missed": _missed,
    "post.recorded": _recorded,
    "observation.made": _observed,
    "match.decided": _decided,
    "object.viewed": _event,
    "custody.recorded": _event,
    "object.erased": _erased,
    "log.recovered": _event,
    "authority.pinned": _event,
    "checkpoint.stamped": _event,
    "copy.made": _event,
    "witness.pinned": _event,
    "checkpoint.cosigned": _event,
}
