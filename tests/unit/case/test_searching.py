"""Passages find what one index row a text would find; time grows with the text, not its square."""

from __future__ import annotations

import itertools
import random
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator

import pytest

from muniment.case import searching
from muniment.errors import UsageError

WHOLE = 'CREATE VIRTUAL TABLE words USING fts5(body, tokenize="unicode61 remove_diacritics 2")'


def found(texts: list[str], query: str, most: int = 1000) -> list[searching.Hit]:
    """What a search of these texts alone finds; ids are their numbers."""
    terms = searching._terms(query)
    longest = searching._longest(terms)
    words = sqlite3.connect(":memory:")
    words.executescript(searching._TABLE)
    kept: list[searching._Text] = []
    given: Iterator[tuple[str, str, str, str]] = (
        ("document", str(number), "", text) for number, text in enumerate(texts)
    )
    rows = searching._rows(given, longest, kept)
    words.executemany("INSERT INTO words (rowid, body, start) VALUES (?,?,?)", rows)
    return searching._hits(words, terms, kept, most)


def whole(texts: list[str], query: str) -> set[str]:
    """What SQLite finds when each text is one row."""
    words = sqlite3.connect(":memory:")
    words.execute(WHOLE)
    words.executemany("INSERT INTO words (rowid, body) VALUES (?,?)", enumerate(texts))
    match = " ".join(searching._terms(query))
    rows = words.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,))
    return {str(row) for (row,) in rows}


@pytest.mark.parametrize("seed", range(4))
def test_the_same_texts_are_found_as_in_whole_rows(seed: int) -> None:
    rng = random.Random(seed)
    words = [
        "north",
        "gate",
        "caf\u00e9",
        "cafe\u0301s",
        "a",
        "_",
        "-",
        "\u2014",
        "ver",
        "\u0434\u0432\u043e\u0440",
    ]
    spaces = [" ", "\n", "_", ", ", " " * 50, "/", "\u3002"]
    texts = [
        "".join(rng.choice(words) + rng.choice(spaces) for _ in range(rng.choice([5, 700, 2000])))
        for _ in range(12)
    ]
    for length in (1, 2, 3, 4, 7):
        for _ in range(6):
            some = [rng.choice(words) for _ in range(length)]
            for query in (" ".join(some), '"' + " ".join(some) + '"', "-".join(some)):
                try:
                    expected = whole(texts, query)
                except UsageError:
                    continue
                assert {hit.id for hit in found(texts, query)} == expected, query


@pytest.mark.parametrize("longest", [1, 3, 40])
@pytest.mark.parametrize(
    "text",
    [
        "word " * 3000,
        "a" + " " * 30_000 + "b" + " " * 30_000 + "c",
        "x" * 50_000,
        "____ " * 9000 + "end",
        "a_" * 20_000,
    ],
)
def test_passages_cover_the_text_overlap_and_stay_bounded(text: str, longest: int) -> None:
    parts = list(searching.passages(text, longest))
    end = 0
    for start, part in parts:
        assert start <= end and text[start : start + len(part)] == part
        end = start + len(part)
    assert end == len(text)
    assert sum(len(part) for _, part in parts) <= 2 * len(text)
    for (start, part), (after, _) in itertools.pairwise(parts):
        shared = part[after - start :]
        assert len(searching._TOKEN.findall(shared)) >= longest


def test_a_phrase_is_found_across_every_boundary() -> None:
    for at in range(1900, 2100):
        text = "ab " * (at // 3) + "x" * (at % 3) + " north gate " + "cd " * 1500
        (hit,) = found([text], '"north gate"')
        assert hit.places == 1 and "[north gate]" in hit.snippet
        assert (
            text[hit.start_char : hit.end_char].split()
            == hit.snippet.replace("[", "").replace("]", "").replace("\u2026", "").split()
        )


def test_words_far_apart_in_one_text_are_found_and_places_counted_once() -> None:
    text = "gate " + "cd " * 9000 + "gate north " + "ef " * 9000
    (hit,) = found([text, "gate alone", "north alone"], "north gate")
    assert (hit.id, hit.places) == ("0", 3)
    assert "[gate] [north]" in hit.snippet and len(hit.snippet) < 250
    assert text[hit.start_char : hit.end_char].strip().count("north") == 1


@pytest.mark.parametrize("words", [8, 200, 100_000])
def test_places_are_exact(words: int) -> None:
    (hit,) = found(["the " * words], "the")
    assert hit.places == words and len(hit.snippet) < 400


def test_marks_and_ends_of_strings_in_a_text_do_no_harm() -> None:
    (hit,) = found(["one\0two\2three\3four \ue000 gate\2\3"], "gate")
    assert hit.places == 1 and "[gate]" in hit.snippet


def test_a_hundred_words_are_looked_for_and_no_more() -> None:
    many = [f"w{number:03}" for number in range(100)]
    (hit,) = found([" filler ".join(many)], " ".join(many))
    assert hit.places == 100
    with pytest.raises(UsageError):
        found([""], " ".join([*many, "more"]))


def test_time_grows_with_the_text_not_with_its_square() -> None:
    spent = []
    for words in (50_000, 400_000):
        start = time.process_time()
        assert found(["a " * words], "a")[0].places == words
        spent.append(time.process_time() - start)
    assert spent[1] < 24 * spent[0], spent


def test_the_words_of_phrases_count_too() -> None:
    with pytest.raises(UsageError, match="101 words"):
        found([""], '"' + "a " * 101 + '"')
    with pytest.raises(UsageError, match="102 words"):
        found([""], " ".join(["a-" * 51, "_".join("b" * 51)]))
    (hit,) = found(["a " * 1000], '"' + "a " * 100 + '"')
    assert hit.id == "0"
    assert searching._longest(searching._terms('north "a' + " " * 5000 + 'b"')) == 2


class Stopped(BaseException):
    """As Ctrl-C."""


@pytest.fixture
def alarm() -> Iterator[Callable[[float], None]]:
    """Sends a signal, whose handler raises, after so many seconds."""

    def stop(number: int, frame: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGALRM, stop)
    yield lambda after_s: signal.setitimer(signal.ITIMER_REAL, after_s)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_ctrl_c_is_answered_while_sqlite_works(alarm: Callable[[float], None]) -> None:
    words = sqlite3.connect(":memory:", check_same_thread=False)
    words.executescript(searching._TABLE)
    kept: list[searching._Text] = []
    texts = iter([("document", "0", "", "a " * 4_000_000)])
    rows = searching._rows(texts, 100, kept)
    words.executemany("INSERT INTO words (rowid, body, start) VALUES (?,?,?)", rows)
    terms = searching._terms('"' + "a " * 100 + '"')
    alarm(0.3)
    start = time.monotonic()
    with pytest.raises(Stopped):  # 5 s of work
        searching._interruptibly(words, lambda: searching._hits(words, terms, kept, 5))
    assert time.monotonic() - start < 2
