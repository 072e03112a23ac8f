"""Canonical JSON: the one byte form of an entry (docs/format.md, "Canonical JSON").

A profile of RFC 8785: ASCII keys, strings in Unicode NFC, integers below 2**53 in size, no floats
(decimals are strings with the unit in the key), no duplicate keys. msgspec with sorted keys writes
exactly RFC 8785's bytes inside this profile; the tests hold it against the `rfc8785` package.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import msgspec

from muniment.errors import MalformedError

MAX_INT: Final = 2**53 - 1
MAX_DEPTH: Final = 32

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_encoder = msgspec.json.Encoder(order="sorted")


def encode(value: Any) -> bytes:
    """Canonical bytes of a JSON value (or a msgspec record of such values).

    Raises:
        MalformedError: if a string holds a lone surrogate.
    Example:
        >>> encode({"b": [1, None], "a": "é"})
        b'{"a":"\\xc3\\xa9","b":[1,null]}'
    """
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError as error:
        raise MalformedError(
            "holds a lone surrogate, which has no UTF-8 form", remedy="Replace it with U+FFFD."
        ) from error


def check(value: Any, *, depth: int = 0, nfc: bool = True) -> None:
    """Refuse any value outside the profile.

    Args:
        nfc: whether strings must be in Unicode NFC: writers must, readers do not check, since
            what is NFC changes with Unicode's version.
    Raises:
        MalformedError: naming what is outside it (float, big integer, not NFC, non-ASCII key, depth).
    Example:
        >>> check({"size_bytes": 12})
        >>> check(1.5)
        Traceback (most recent call last):
        ...
        muniment.errors.MalformedError: a float stands where only decimal strings may
    """
    if value is None or value is True or value is False:
        return
    kind = type(value)
    if kind is str:
        if nfc and not value.isascii() and not unicodedata.is_normalized("NFC", value):
            raise MalformedError("a string is not in Unicode NFC")
    elif kind is int:
        if not -MAX_INT <= value <= MAX_INT:
            raise MalformedError("an integer is 2**53 or larger; 64-bit ids are strings")
    elif kind is float:
        raise MalformedError("a float stands where only decimal strings may")
    elif depth >= MAX_DEPTH:
        raise MalformedError(f"nested deeper than {MAX_DEPTH} levels")
    elif kind is list or kind is tuple:
        for part in value:
            check(part, depth=depth + 1, nfc=nfc)
    elif kind is dict:
        for key, part in value.items():
            if type(key) is not str or not key.isascii():
                raise MalformedError("an object key is not ASCII")
            check(part, depth=depth + 1, nfc=nfc)
    else:
        raise MalformedError(f"a {kind.__name__} has no canonical form")


def decode(data: bytes) -> Any:
    """The value whose canonical bytes are exactly `data`.

    Parses strictly: decodes, checks the profile, encodes again and compares, so white space, key
    order, duplicate keys and alternative escapes are all refused.

    Raises:
        MalformedError: if `data` is not the canonical form of anything.
    Example:
        >>> decode(b'{"a":1}')
        {'a': 1}
        >>> decode(b'{"a":1,"a":1}')
        Traceback (most recent call last):
        ...
        muniment.errors.MalformedError: not in canonical form
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"not JSON ({error})") from error
    check(value, nfc=False)
    if _encoder.encode(value) != data:
        raise MalformedError("not in canonical form")
    return value


def text(value: str) -> str:
    """`value` as the profile can hold it: NFC, lone surrogates replaced by U+FFFD.

    Example:
        >>> text("e\\u0301") == "\\u00e9"
        True
    """
    if value.isascii():
        return value
    if _SURROGATE.search(value):
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return unicodedata.normalize("NFC", value)
