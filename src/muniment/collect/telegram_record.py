"""One message's bytes, read strictly, and its values in the form the record can hold."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple, NoReturn

from muniment.model.canonical import MAX_INT, encode, text

#: Nesting kept in a post; deeper parts are left to the raw record. Canonical JSON allows 32 levels
#: for a whole entry, and real messages need 5.
MAX_KEPT_DEPTH: Final = 20
#: Nesting beyond which a message is refused.
MAX_DEPTH: Final = 64
#: ijson's yajl2_c (3.6) answers an integer that Python refuses to convert (4,300 digits, or as few
#: as 640 where so configured) with a NULL inside a tuple: such numbers must never reach it.
LONG_NUMBER: Final = re.compile(rb"[0-9]{600}")
#: A name or another short string is cut to so many bytes of its canonical form, so that the value it
#: stands in stays below the 16 kB above which a value is kept apart and no table shows its parts.
#: Telegram allows 64 to 128 characters.
MAX_STRING_BYTES: Final = 1000
#: The key that carries members whose own key has no canonical form.
UNKNOWN: Final = "unknown_fields"

# Two faults of Telegram Desktop itself, each with one possible reading: control characters written
# as `\xNN` (tdesktop#27571), and a custom emoji's `document_id` without quotes (tdesktop#24961).
_ESCAPE: Final = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_BARE_ID: Final = re.compile(rb'("document_id": )(?!null)([A-Za-z_(][^"\\\n{}\[\]]*?)(,?\s*\n)')
_CONSTANT: Final = re.compile(r"-?Infinity|NaN")


class Fault(NamedTuple):
    """Why bytes are no message: at which of them (from 0), and what is wrong."""

    at: int
    why: str


class Record(NamedTuple):
    """A decoded message; `repaired` names a fault of the exporter's that was read around."""

    value: dict[str, Any]
    repaired: str | None


class Number(str):
    """A decimal as the export writes it, digit for digit."""

    __slots__ = ()


class _Refused(ValueError):
    pass


def decode(raw: bytes) -> Record | Fault:
    """The message in `raw`, or why there is none.

    Duplicate keys, NaN, integers of more than 4,300 digits and bad UTF-8 are faults. Decimals come
    as `Number`, so that no digit is lost.

    Example:
        >>> decode(b'{"id": 1, "x": 1.50}').value
        {'id': 1, 'x': '1.50'}
        >>> decode(b'{"id": 1, "id": 2}').why
        'the key "id" stands twice'
    """
    try:
        return Record(_load(raw.decode()), None)
    except (ValueError, RecursionError):
        pass
    mended = _ESCAPE.sub(_proper_escape, raw)
    mended = _BARE_ID.sub(rb'\1"\2"\3', mended)
    if mended != raw:
        try:
            return Record(_load(mended.decode()), "escapes or quotes that the exporter got wrong")
        except (ValueError, RecursionError):
            pass
    return find_fault(raw) or Fault(0, "no JSON")


def find_fault(raw: bytes) -> Fault | None:
    """The first reason why `raw` is no message; null when it is one.

    Example:
        >>> find_fault(b'{"id": tru}')
        Fault(at=7, why='Expecting value')
    """
    try:
        string = raw.decode()
    except UnicodeDecodeError as error:
        return Fault(error.start, "bytes that are no UTF-8")
    try:
        _load(string)
    except json.JSONDecodeError as error:
        return Fault(len(string[: error.pos].encode()), error.msg)
    except _Refused as error:
        constant = _CONSTANT.search(string)
        at = len(string[: constant.start()].encode()) if constant else 0
        return Fault(at if "number" in str(error) else 0, str(error))
    except ValueError:
        return Fault(0, "an integer of more digits than can be read")
    except RecursionError:
        return Fault(0, f"nested deeper than {MAX_DEPTH} levels")
    return None


def _load(string: str) -> dict[str, Any]:
    value = json.loads(
        string, object_pairs_hook=_members, parse_float=Number, parse_constant=_no_number
    )
    if type(value) is not dict:
        raise _Refused("not an object")
    return value


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"the key {json.dumps(twice[:60])} stands twice")
    return members


def _no_number(constant: str) -> NoReturn:
    raise _Refused(f"{constant} is no JSON number")


def _proper_escape(found: re.Match[bytes]) -> bytes:
    return b"\\u00" + found[1] if found[1] else found[0]


def bounded(value: str, most: int = MAX_STRING_BYTES) -> str:
    """`value` as the record can hold it, its end replaced by `…` beyond `most` bytes.

    Example:
        >>> bounded("Gate Watch"), bounded("\n" * 20, 10)
        ('Gate Watch', '\n\n\n…')
    """
    value = text(value)
    if len(value) <= most and _bytes(value) <= most:
        return value
    least, beyond = 0, most
    while beyond - least > 1:
        middle = (least + beyond) // 2
        least, beyond = (
            (middle, beyond) if _bytes(value[:middle] + "…") <= most else (least, middle)
        )
    return value[:least] + "…"


def _bytes(value: str) -> int:
    return len(encode(value)) - 2


class TooDeep(ValueError):
    """A value nested deeper than MAX_DEPTH."""


def canonical_value(value: Any, depth: int = 0) -> Any:
    """`value` within the profile of canonical JSON, nothing dropped down to MAX_KEPT_DEPTH.

    Decimals and integers of 2**53 and more become strings, so do ids (keys `id` and `..._id`);
    strings become NFC; members with a non-ASCII key move to `unknown_fields`, a list of pairs.

    Raises:
        TooDeep: if nested deeper than MAX_DEPTH.
    Example:
        >>> canonical_value({"user_id": 5, "n": 2**60, "é": 1})
        {'user_id': '5', 'n': '1152921504606846976', 'unknown_fields': [['é', 1]]}
    """
    kind = type(value)
    if kind is str or kind is Number:
        return text(str(value))
    if kind is bool or value is None:
        return value
    if kind is int:
        return value if -MAX_INT <= value <= MAX_INT else str(value)
    if depth >= MAX_KEPT_DEPTH:
        if _depth(value) + depth > MAX_DEPTH:
            raise TooDeep(f"nested deeper than {MAX_DEPTH} levels")
        return f"omitted: nested deeper than {MAX_KEPT_DEPTH} levels"
    if kind is list:
        return [canonical_value(part, depth + 1) for part in value]
    members: dict[str, Any] = {}
    odd: list[list[Any]] = []
    for key, part in value.items():
        if type(part) is int and (key == "id" or key.endswith("_id")):
            part = str(part)
        if key.isascii() and key != UNKNOWN:
            members[key] = canonical_value(part, depth + 1)
        else:
            odd.append([text(key), canonical_value(part, depth + 3)])
    if odd:
        members[UNKNOWN] = odd
    return members


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            part
            for outer in level
            if isinstance(outer, (list, dict))
            for part in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(part, (list, dict))
        ]
    return depth
