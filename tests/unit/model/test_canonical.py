"""Canonical JSON: msgspec with sorted keys against the rfc8785 package, and what is refused."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import MalformedError
from muniment.model import canonical

ASCII_KEYS = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=8)
NFC_TEXT = st.text(st.characters(exclude_categories=["Cs"])).map(
    lambda text: unicodedata.normalize("NFC", text)
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | NFC_TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ASCII_KEYS, inner, max_size=4),
)


@given(VALUES)
def test_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(VALUES)
def test_every_canonical_form_is_read_back(value: Any) -> None:
    canonical.check(value)
    assert canonical.decode(canonical.encode(value)) == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"[1.5]",
        b"[1e3]",
        b"[9007199254740992]",
        b'["\\u0041"]',
        b'["\\/"]',
        '{"\u00e9":1}'.encode(),
        b"[1]\n",
        b"",
        b"\xff",
        b'["\\ud800"]',
        b"[NaN]",
        b"[" * 100_000,
        b"[" * 40 + b"]" * 40,
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        canonical.decode(data)


@given(st.text())
def test_any_text_can_be_made_to_fit(text: str) -> None:
    canonical.decode(canonical.encode(canonical.text(text)))


def test_writers_must_normalise_and_readers_do_not_ask() -> None:
    with pytest.raises(MalformedError, match="NFC"):
        canonical.check("e\u0301")
    assert canonical.decode('["e\u0301"]'.encode()) == ["e\u0301"]
