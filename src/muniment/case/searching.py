"""`muniment search`: words in names, posts and documents, by SQLite's full-text index.

The index is made in memory for each search, from the projection the report too is drawn from: there
is nothing to go stale, nothing an erasure must reach, nothing anybody could plant.
"""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from muniment.case import observed, projecting
from muniment.case.index import Index
from muniment.custody.derived import read_derived
from muniment.custody.keyring import KeyFolder
from muniment.custody.memory import Memory
from muniment.custody.opening import read_checkpoint, read_root
from muniment.errors import UsageError
from muniment.model.ids import short
from muniment.store.layout import CaseFolder

#: Marks around what was found in a snippet.
OPEN, CLOSE = "[", "]"
_SNIPPET_TOKENS: Final = 24
MOST_WORDS: Final = 100
_WORDS: Final = re.compile(r'"([^"]+)"|(\S+)')


class Hit(msgspec.Struct, frozen=True):
    """One place the words stand in. `where` is `name`, `post` or `document`."""

    where: str
    id: str
    title: str
    snippet: str


def open_index(folder: CaseFolder, keys: Path | None = None) -> Index:
    """The projection at the checkpoint, ours or derived in memory.

    Raises:
        IntegrityError: if the log cannot be read up to there.
    """
    head, (_, root) = read_checkpoint(folder), read_root(folder)
    return projecting.at_size(folder, head.size, Memory(keys or KeyFolder().path, root.case))


def search(folder: CaseFolder, text: str, *, most: int = 50) -> list[Hit]:
    """Where all the words of `text` stand (each may be the beginning of a word; "..." is a phrase).

    Returns:
        the best `most`, best first (SQLite's bm25), ties in the order of the log.
    Raises:
        UsageError: if `text` holds no word.
    """
    query = _query(text)
    index = open_index(folder)
    try:
        words = sqlite3.connect(":memory:")
        words.execute(
            "CREATE VIRTUAL TABLE words USING fts5(place UNINDEXED, id UNINDEXED, title UNINDEXED,"
            ' body, tokenize="unicode61 remove_diacritics 2")'
        )
        words.executemany("INSERT INTO words VALUES (?,?,?,?)", _rows(folder, index))
        sql = (
            f"SELECT place, id, title, snippet(words, 3, '{OPEN}', '{CLOSE}', '…', {_SNIPPET_TOKENS})"
            " FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?"
        )
        found = words.execute(sql, (query, most))
        return [
            Hit(place, name, title, " ".join(snippet.split()))
            for place, name, title, snippet in found
        ]
    finally:
        index.close()


def _query(text: str) -> str:
    found = list(dict.fromkeys(_WORDS.findall(text.replace("\0", " "))))
    if len(found) > MOST_WORDS:
        raise UsageError(f"holds {len(found)} words", remedy=f"Give at most {MOST_WORDS}.")
    parts = [
        f'"{phrase}"' if phrase else f'"{word.replace(chr(34), "")}"*' for phrase, word in found
    ]
    if not any(any(letter.isalnum() for letter in part) for part in parts):
        raise UsageError("holds no word to look for", subject=text, remedy="Give a word.")
    return " ".join(parts)


def _rows(folder: CaseFolder, index: Index) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = []
    names: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    sql = (
        "SELECT object, path FROM item WHERE object IS NOT NULL AND path IS NOT NULL"
        " AND object NOT IN (SELECT object FROM erased) ORDER BY idx"
    )
    for digest, path in index.rows(sql):
        names.setdefault(digest, path)
        if (digest, path) not in seen:
            seen.add((digest, path))
            # A path is one token to the tokenizer's eye only where it has no separators.
            rows.append(("name", short("item", digest), path, path.replace("_", " ")))
    sql = "SELECT leaf, channel_name, post_id, text FROM post WHERE text IS NOT NULL ORDER BY idx"
    for leaf, channel, number, body in index.rows(sql):
        long = observed.value(folder, _stand_in(body))
        rows.append(("post", short("post", leaf), f"{channel or '?'} #{number}", str(long)))
    for one in observed.each(folder, index, "document"):
        kept = one.blob("text")
        if kept is not None:
            body = read_derived(folder, kept.object).decode("utf-8", "replace")
            title = names.get(one.object, one.object)
            rows.append(("document", short("item", one.object), title, body))
    return rows


def _stand_in(text: str) -> object:
    """A post's text as the projection keeps it: itself, or JSON of the object that holds it."""
    if text.startswith("{") and '"_object"' in text:
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text
