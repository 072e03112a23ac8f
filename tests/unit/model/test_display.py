"""What could deceive a reader is shown as an escape; what only looks foreign is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.model.display import MOST_MARKS, visible


@pytest.mark.parametrize(
    "text", ["שלום", "مرحبا", "наука", "汉字", "é", "📷", "👩‍💻", "a b", "שְׁׅ֭", "❤️", "กี้"]
)
def test_honest_text_stays(text: str) -> None:
    assert visible(text) == text


@given(st.text())
def test_nothing_that_deceives_is_left(text: str) -> None:
    shown = visible(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in shown)
    assert not any(
        char in shown for char in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200b"
    )
    shown.encode("utf-8")


def test_a_joiner_between_letters_is_shown() -> None:
    assert visible("a\u200db") == "a\\u200db"
    assert visible("x\ny", keep_newlines=True) == "x\ny"


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd", "\u0e49", "\u0f84"])
def test_accents_heaped_on_one_letter_are_shown_as_escapes(mark: str) -> None:
    shown = visible("a" + mark * 3_000 + "b" + mark)
    assert shown.count(mark) == MOST_MARKS + 1
    assert (
        shown == "a" + mark * MOST_MARKS + f"\\u{ord(mark):04x}" * (3_000 - MOST_MARKS) + "b" + mark
    )
    assert visible(mark * MOST_MARKS) == mark * MOST_MARKS
