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
from importlib import resources
from pathlib import Path
from typing import Any, Final

from muniment.custody import entry as entries
from muniment.errors import IntegrityError, LockedError, MunimentError, StorageError
from muniment.model.entries import Entry

SCHEMA_VERSION: Final = "1"
#: table -> the column that orders it.
TABLES: Final = {
    "entry": "idx",
    "reference": "object",
    "key": "idx",
    "acquisition": "idx",
    "item": "idx",
    "miss": "idx",
    "post": "idx",
    "observation": "idx",
    "event": "idx",
    "erased": "object",
}
_MOST_BYTES: Final = 64 * 1024 * 1024
_DISK_ERRORS: Final = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
}
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
        is_new = path is None or not path.exists() or not path.stat().st_size
        self.db = _connect(path, read_only)
        try:
            self.db.execute("PRAGMA synchronous=FULL")
            if is_new:
                self._create()
            if self._meta("schema") != SCHEMA_VERSION:
                raise sqlite3.DatabaseError("another version")
            if path is not None and self._shape() != _own_shape():
                raise sqlite3.DatabaseError("its tables are not ours")
            self.size = int(self._meta("tree_size") or 0)
            if not 0 <= self.size < 2**53:
                raise ValueError("impossible size")
        except sqlite3.Error as error:
            self.db.close()
            raise _refused(path, error) from error
        except ValueError as error:
            self.db.close()
            raise _damaged(path, error) from error
        self._is_writing = False

    def _create(self) -> None:
        schema = (resources.files("muniment.case") / "schema.sql").read_text("utf-8")
        values = f"INSERT INTO meta VALUES ('schema', '{SCHEMA_VERSION}'), ('tree_size', '0');"
        # One transaction: a killed run leaves a whole projection or an empty file.
        self.db.executescript(f"BEGIN;{schema}{values}COMMIT;")

    def _shape(self) -> list[tuple[Any, ...]]:
        """Everything the file defines: tables, indexes, and what must not be there (views,
        triggers), which could run code of somebody else's making."""
        sql = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        return self.db.execute(sql).fetchall()

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
            handler = _HANDLERS.get(entry.kind)
            if handler:
                handler(self.db, index, entry, leaf, values)
        except sqlite3.OperationalError as error:
            raise _refused(self.path, error) from error
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
            raise _refused(self.path, error) from error

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
            raise _refused(self.path, error) from error

    def each(self, sql: str, *parameters: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a query one by one.

        Raises:
            IntegrityError: if the file is damaged.
        """
        try:
            yield from self.db.execute(sql, parameters)
        except sqlite3.Error as error:
            raise _refused(self.path, error) from error

    def table_digests(self) -> dict[str, str]:
        """{table: SHA-256 over its rows in key order}: two projections are equal when these are.

        Raises:
            IntegrityError: if the file is damaged.
        """
        digests: dict[str, str] = {}
        try:
            for table, key in TABLES.items():
                sha = hashlib.sha256()
                for row in self.db.execute(f"SELECT * FROM {table} ORDER BY {key}"):
                    sha.update(repr(row).encode("utf-8", "surrogatepass"))
                digests[table] = sha.hexdigest()
        except sqlite3.Error as error:
            raise _refused(self.path, error) from error
        return digests


@functools.cache
def _own_shape() -> list[tuple[Any, ...]]:
    memory = Index(None)
    try:
        return memory._shape()
    finally:
        memory.close()


def _connect(path: Path | None, read_only: bool) -> sqlite3.Connection:
    if path is None:
        return sqlite3.connect(":memory:", isolation_level=None)
    if read_only:
        # as_uri escapes what a path may hold and a URI may not.
        target, options = f"{path.as_uri()}?mode=ro", {"uri": True}
    else:
        target, options = str(path), {}
    try:
        db = sqlite3.connect(target, isolation_level=None, **options)
    except sqlite3.Error as error:
        raise _refused(path, error) from error
    # The file may be somebody else's: no value of ours is larger.
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)
    return db


def _refused(path: Path | None, error: sqlite3.Error) -> MunimentError:
    """What SQLite's error means: in use, a full or failing disk, or a file that is no projection."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LockedError(
            "another process is bringing the projection up to date",
            subject=str(path),
            remedy="Run again in a moment.",
        )
    if code in _DISK_ERRORS:
        return StorageError(
            str(error),
            subject=str(path),
            remedy="Free space on that disk or make it writable, and run again.",
        )
    return _damaged(path, error)


def _damaged(path: Path | None, error: Exception) -> IntegrityError:
    return IntegrityError(
        f"is no projection this program can use ({error})",
        subject=str(path),
        remedy="Run `muniment rebuild`: it is derived from the log and holds no evidence.",
    )


def _text(value: Any) -> str | None:
    """A value for a TEXT column: strings as they are, other values as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


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
        _text(values.get("counts")),
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
        _text(_part(values.get("time"), "edited")),
        _text(values.get("text")),
        _text(values.get("media")),
        *(_part(links, part) for part in ("forwarded_from", "reply_to", "album_of")),
    )
    db.execute(f"INSERT INTO post VALUES ({','.join('?' * len(row))})", row)


def _observed(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    names = ("object", "step", "step_version", "parameters", "result")
    row = (index, *(_text(values.get(name)) for name in names))
    db.execute("INSERT INTO observation VALUES (?,?,?,?,?,?)", row)


def _erased(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    _event(db, index, entry, leaf, values)
    for digest in values.get("objects") or ():
        db.execute("INSERT OR IGNORE INTO erased VALUES (?,?)", (digest, index))


def _event(db: sqlite3.Connection, index: int, entry: Entry, leaf: str, values: Values) -> None:
    row = (index, entry.at, entry.kind, _text(values))
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
    "object.viewed": _event,
    "object.erased": _erased,
    "log.recovered": _event,
}
