"""`muniment search`: words in names, posts and documents, by SQLite's full-text index.

The index is made in memory for each search, from the projection the report too is drawn from: there
is nothing to go stale, nothing an erasure must reach, nothing anybody could plant. Texts stand in it
as passages: what SQLite does with one row can take the square of its words, and no Ctrl-C reaches it
there. It looks the words up in a thread of its own, so that Ctrl-C is answered meanwhile.
"""

from __future__ import annotations

import heapq
import re
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from muniment.case import observed, projecting
from muniment.case.damage import Damage
from muniment.case.index import Index
from muniment.custody.keyring import KeyFolder
from muniment.custody.memory import Memory
from muniment.custody.opening import read_checkpoint, read_root
from muniment.errors import IntegrityError, MalformedError, MunimentError, UsageError
from muniment.model.display import visible
from muniment.model.ids import short
from muniment.store.layout import CaseFolder

#: Marks around what was found in a snippet.
OPEN, CLOSE = "[", "]"
#: Words of all terms together: what SQLite does for a phrase grows with its words.
MOST_WORDS: Final = 100
#: A passage is at least this long; a text up to twice as long is one passage.
PASSAGE_CHARACTERS: Final = 2_000
SNIPPET_CHARACTERS: Final = 160
_WORDS: Final = re.compile(r'"([^"]+)"|(\S+)')
#: What the tokenizer takes for one word; of a longer run, parts.
_TOKEN: Final = re.compile(r"[^\W_]{1,256}(?:[\u0300-\u036f]{1,8}[^\W_]{0,256}){0,16}")
_BEGIN, _END = "\2", "\3"
#: Our own marks, what ends a string in C, and private use, which only the tokenizer takes for words.
_NO_WORD: Final = re.compile("[\0\2\3\ue000-\uf8ff\U000f0000-\U0010ffff]")
_BATCH: Final = 500
_TOKENIZER: Final = 'tokenize="unicode61 remove_diacritics 2"'
_TABLE: Final = (
    f"CREATE VIRTUAL TABLE words USING fts5(body, start UNINDEXED, {_TOKENIZER});"
    "CREATE TABLE chosen(passage INTEGER PRIMARY KEY)"
)
_COUNTING: Final = (
    f"CREATE VIRTUAL TABLE terms USING fts5(term, {_TOKENIZER});"
    "CREATE VIRTUAL TABLE counted USING fts5vocab(terms, instance)"
)
_ASK_AGAIN_S: Final = 0.05
Unread = Callable[[str], None]
_Result = TypeVar("_Result")


def _refuse(line: str) -> None:
    raise IntegrityError(line)


class Hit(msgspec.Struct, frozen=True):
    """A text that holds the words. `where` is `name`, `post` or `document`.

    `places` counts where any of the words stands in it; `snippet` shows the characters from
    `start_char` up to `end_char` of the text as examined, white space made one.
    """

    where: str
    id: str
    title: str
    snippet: str
    places: int
    start_char: int
    end_char: int


class _Text(msgspec.Struct, frozen=True):
    """What can be found; its words stand in the index alone, from the passage `first` on."""

    where: str
    id: str
    title: str
    characters: int
    first: int


def open_index(folder: CaseFolder, keys: Path | None = None) -> Index:
    """The projection at the checkpoint, ours or derived in memory.

    Raises:
        IntegrityError: if the log cannot be read up to there.
    """
    return projecting.at_size(folder, read_checkpoint(folder).size, memory_of(folder, keys))


def memory_of(folder: CaseFolder, keys: Path | None = None) -> Memory:
    """What this machine remembers of the case.

    Raises:
        IntegrityError: if its root cannot be read.
    """
    _, root = read_root(folder)
    return Memory(keys or KeyFolder().path, root.case)


def search(folder: CaseFolder, text: str, *, most: int = 50, unread: Unread = _refuse) -> list[Hit]:
    """Texts that hold all the words of `text` (each may be the beginning of a word; "..." is a phrase).

    Args:
        unread: is told, in a line, of each text that is damaged or gone; the others are searched.
    Returns:
        the best `most`, best first (by SQLite's bm25 of their best passage), ties in the order of
        the log.
    Raises:
        UsageError: if `text` holds no word, or more than `MOST_WORDS`.
        IntegrityError: if a text is damaged or gone, and nobody is told.
    """
    terms = _terms(text)
    longest = _longest(terms)
    kept: list[_Text] = []
    with (
        closing(open_index(folder)) as index,
        # Before the index, whose rows it may be amidst when Ctrl-C comes.
        closing(_texts(folder, index, unread)) as texts,
        closing(sqlite3.connect(":memory:", check_same_thread=False)) as words,
    ):
        words.executescript(_TABLE)
        rows = _rows(texts, longest, kept)
        # Many at a time: a quarter less CPU than one by one while the texts are read.
        while batch := list(islice(rows, _BATCH)):
            words.executemany("INSERT INTO words (rowid, body, start) VALUES (?,?,?)", batch)
        return _interruptibly(words, lambda: _hits(words, terms, kept, most))


def _interruptibly(words: sqlite3.Connection, work: Callable[[], _Result]) -> _Result:
    """What `work` returns, done by a thread of its own: one step of SQLite's may take minutes, and a
    signal is answered only between two steps of Python's."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        try:
            return running.result()
        except BaseException:
            # It may stand between two statements, where being told to stop has no effect.
            while wait([running], _ASK_AGAIN_S).not_done:
                words.interrupt()
            raise


def _terms(text: str) -> list[str]:
    """The words and phrases, each as FTS5 has it."""
    found = dict.fromkeys(_WORDS.findall(_NO_WORD.sub(" ", text)))
    terms = [
        f'"{phrase}"' if phrase else f'"{word.replace(chr(34), "")}"*' for phrase, word in found
    ]
    terms = [term for term in terms if _TOKEN.search(term)]
    if not terms:
        raise UsageError("holds no word to look for", subject=text[:80], remedy="Give a word.")
    if (number := sum(_words_of(terms))) > MOST_WORDS:
        raise UsageError(f"holds {number} words", remedy=f"Give at most {MOST_WORDS}.")
    return terms


def _words_of(terms: list[str]) -> list[int]:
    """How many words SQLite finds in each term; a term of none has one place all the same."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(_COUNTING)
        db.executemany("INSERT INTO terms VALUES (?)", ((term,) for term in terms))
        counted = dict(db.execute("SELECT doc, count(*) FROM counted GROUP BY doc"))
    return [counted.get(number, 1) for number in range(1, len(terms) + 1)]


def _longest(terms: list[str]) -> int:
    """Words of the longest term."""
    return max(_words_of(terms))


def passages(text: str, longest: int) -> Iterator[tuple[int, str]]:
    """A text in passages, each with its first character's place: no word is cut, and any `longest`
    words in sequence stand together in one. All passages together are at most twice the text."""
    begin = fresh = count = 0
    if len(text) > 2 * PASSAGE_CHARACTERS:
        recent: deque[int] = deque(maxlen=longest)
        for token in _TOKEN.finditer(text):
            at = token.start()
            if at - fresh >= PASSAGE_CHARACTERS and count >= 4 * longest:
                yield begin, text[begin:at]
                begin, fresh, count = recent[0], at, 0
            recent.append(at)
            count += 1
    yield begin, text[begin:]


def _rows(
    texts: Iterator[tuple[str, str, str, str]], longest: int, kept: list[_Text]
) -> Iterator[tuple[int, str, int]]:
    """Rows of the index, numbered in a row; `kept` gets the text of each."""
    for where, name, title, body in texts:
        text = _Text(where, name, title, len(body), len(kept))
        for start, part in passages(_NO_WORD.sub(" ", body), longest):
            yield len(kept), part, start
            kept.append(text)


def _hits(words: sqlite3.Connection, terms: list[str], kept: list[_Text], most: int) -> list[Hit]:
    """The best texts that hold every term, wherever in them."""
    held: set[int] | None = None
    for term in terms if len(terms) > 1 else ():
        rows = words.execute("SELECT rowid FROM words WHERE words MATCH ?", (term,))
        texts = {kept[row].first for (row,) in rows}
        held = texts if held is None else held & texts
    any_of = " OR ".join(terms)
    found: dict[int, list[tuple[float, int]]] = {}
    for row, rank in words.execute("SELECT rowid, rank FROM words WHERE words MATCH ?", (any_of,)):
        first = kept[row].first
        if held is None or first in held:
            found.setdefault(first, []).append((rank, row))
    best = {first: min(passages) for first, passages in found.items()}
    chosen = heapq.nsmallest(most, best, key=best.__getitem__)
    wanted = ((row,) for first in chosen for _, row in found[first])
    words.executemany("INSERT INTO chosen VALUES (?)", wanted)
    sql = (
        f"SELECT rowid, start, highlight(words, 0, '{_BEGIN}', '{_END}') FROM words"
        # The + keeps SQLite from looking up the words anew for each passage.
        " WHERE words MATCH ? AND +rowid IN (SELECT passage FROM chosen) ORDER BY rowid"
    )
    counted: dict[int, tuple[int, int]] = dict.fromkeys(chosen, (0, 0))
    shown: dict[int, tuple[int, str]] = {}
    for row, start, marked in words.execute(sql, (any_of,)):
        first, spans = kept[row].first, _spans(marked)
        places, end = counted[first]
        # What two passages share is counted once.
        places += sum(start + begin >= end for begin, _ in spans)
        counted[first] = places, start + spans[-1][1]
        if best[first][1] == row:
            shown[first] = start, marked
    return [_hit(kept[first], counted[first][0], *shown[first]) for first in chosen]


def _spans(marked: str) -> list[tuple[int, int]]:
    """Where what is marked stands in the passage without its marks."""
    before, *rest = marked.split(_BEGIN)
    at, found = len(before), []
    for one in rest:
        inside, _, after = one.partition(_END)
        found.append((at, at + len(inside)))
        at += len(inside) + len(after)
    return found


def _hit(text: _Text, places: int, start: int, marked: str) -> Hit:
    """The hit with the part of its best passage in which most of the words stand."""
    spans = _spans(marked)
    body = marked.replace(_BEGIN, "").replace(_END, "")
    first, after = _densest([body[begin:end].casefold() for begin, end in spans], spans)
    # No more of what was found than is shown: a phrase may be as long as the passage.
    end = min(spans[after - 1][1], spans[first][0] + 2 * SNIPPET_CHARACTERS)
    spare = max(0, SNIPPET_CHARACTERS - (end - spans[first][0])) // 2
    begin = _word_edge(body, spans[first][0], -spare)
    end = _word_edge(body, end, spare)
    parts, at = ["…" if start + begin else ""], begin
    for left, right in spans[first:after]:
        parts += [body[at:left], OPEN, body[left : min(right, end)], CLOSE]
        at = right
    parts += [body[at:end], "…" if start + end < text.characters else ""]
    snippet = " ".join("".join(parts).split())
    return Hit(text.where, text.id, text.title, snippet, places, start + begin, start + end)


def _densest(words: list[str], spans: list[tuple[int, int]]) -> tuple[int, int]:
    """Which of the places, from one up to another, fit a snippet and hold most different words."""
    best, window, after = (0, 0, 0), Counter[str](), 0
    for first, (begin, _) in enumerate(spans):
        while after < len(spans) and (
            after <= first or spans[after][1] <= begin + SNIPPET_CHARACTERS
        ):
            window[words[after]] += 1
            after += 1
        if len(window) > best[0]:
            best = len(window), first, after
        window[words[first]] -= 1
        if not window[words[first]]:
            del window[words[first]]
    return best[1], best[2]


def _word_edge(body: str, at: int, spare: int) -> int:
    """Up to `spare` characters further on (back, if it is negative), between two words."""
    if spare < 0:
        if at + spare <= 0:
            return 0
        space = re.search(r"\s", body[at + spare : at])
        return at + spare + space.end() if space else at
    if at + spare >= len(body):
        return len(body)
    words = re.match(r".*(?=\s)", body[at : at + spare], re.DOTALL)
    return at + words.end() if words else at


def _texts(
    folder: CaseFolder, index: Index, unread: Unread
) -> Generator[tuple[str, str, str, str], None, None]:
    """What can be found: where, id, title, text."""
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
            yield "name", short("item", digest), path, path
    sql = (
        "SELECT leaf, channel_name, post_id, text, kept.object FROM post LEFT JOIN kept"
        " ON kept.idx = post.idx AND field = 'text'"
        " WHERE text IS NOT NULL OR kept.object IS NOT NULL ORDER BY post.idx"
    )
    for leaf, channel, number, body, kept in index.rows(sql):
        name, title = short("post", leaf), f"{channel or '?'} #{number}"
        try:
            words = observed.long_text(folder, kept) if kept else body
        except (IntegrityError, MalformedError) as error:
            _tell(unread, name, title, error)
        else:
            yield "post", name, title, words
    damage = Damage(folder, index)
    for one in observed.each(folder, index, "document", damage=damage):
        name, title = short("item", one.object), names.get(one.object, one.object)
        found = observed.text(one, damage)
        if found is not None:
            yield "document", name, title, found
    for line in damage.lines:
        unread(line)


def _tell(unread: Unread, name: str, title: str, error: MunimentError) -> None:
    unread(f"the text of {name} ({visible(title)}) cannot be read: {error.diagnostics()}")
