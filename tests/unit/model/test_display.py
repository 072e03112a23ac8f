"""What could deceive a reader is shown as an escape; what only looks foreign is not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.model.display import visible


@pytest.mark.parametrize("text", ["שלום", "مرحبا", "наука", "汉字", "é", "📷", "👩‍💻", "a b"])
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
