"""File names: nothing about the bytes is lost, whatever they are."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from muniment.collect.names import from_bytes
from muniment.model import canonical

# Bytes near the borders: backslashes, escapes in letters, cut and overlong UTF-8, decomposed é.
awkward = st.lists(
    st.sampled_from(
        [
            b"a",
            b"\\",
            b"\\x",
            b"e9",
            b"\xe9",
            b"\\xe9",
            b"e\xcc\x81",
            b"\xc3\xa9",
            b"/",
            b"\xed\xa0\x80",
        ]
    )
).map(b"".join)
raw_names = st.binary(max_size=40) | awkward


def exact(name_path: str, raw_hex: str | None) -> bytes:
    return name_path.encode() if raw_hex is None else bytes.fromhex(raw_hex)


@given(raw_names)
def test_the_exact_bytes_can_be_told(raw: bytes) -> None:
    name = from_bytes(raw)
    assert exact(name.path, name.raw_hex) == raw
    assert (name.raw_hex is None) == (name.path.encode() == raw)


@given(raw_names)
def test_the_path_is_nfc_and_canonical(raw: bytes) -> None:
    path = from_bytes(raw).path
    assert unicodedata.is_normalized("NFC", path)
    canonical.check(path)


@given(raw_names, raw_names)
def test_two_names_stay_two(one: bytes, other: bytes) -> None:
    first, second = from_bytes(one), from_bytes(other)
    assert (one == other) == ((first.path, first.raw_hex) == (second.path, second.raw_hex))


def test_an_escaped_byte_differs_from_its_letters() -> None:
    assert from_bytes(b"\xff") == type(from_bytes(b""))(r"\xff", "ff")
    assert from_bytes(rb"\xff").raw_hex is None
    assert from_bytes(rb"\xff" + b"\xff").path == r"\\xff\xff"


def test_a_decomposed_name_keeps_its_bytes() -> None:
    name = from_bytes(b"e\xcc\x81.mp4")
    assert name.path == "é.mp4"
    assert name.raw_hex == b"e\xcc\x81.mp4".hex()
