"""One entry: its public line, its private line, and the strict reading of both. Pure.

The public line is canonical JSON with eight keys and nothing private. The private line has the same
line number and holds, for each field of the kind in alphabetical order, `[salt,value]` (null once
erased); `_sd` in the public line holds the SHA-256 of those exact bytes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from muniment.custody.keys import PublicKey, SigningKey
from muniment.custody.tree import leaf_hash
from muniment.errors import MalformedError
from muniment.model import canonical
from muniment.model.entries import FORMAT_VERSION, KINDS, Entry, Kind
from muniment.model.times import parse_utc

SIGNED_PREFIX: Final = b"muniment-entry/1\n"
MAX_VALUE_BYTES: Final = 16 * 1024
SALT_HEX: Final = 32
#: Keys of a value that stands for one kept as an object because it is over 16 kB.
OBJECT_KEY: Final = "_object"
BYTES_KEY: Final = "_bytes"

#: Stands where `[salt,value]` was erased.
ERASED: Final = b"null"

_SORTED_FIELDS: Final = {
    kind.name: tuple(sorted(field.name for field in kind.fields)) for kind in KINDS.values()
}
_OBJECT_FIELDS: Final = {
    kind.name: tuple(field.name for field in kind.fields if field.is_object)
    for kind in KINDS.values()
}
_HEX64: Final = re.compile(r"[0-9a-f]{64}")
_HEX32: Final = re.compile(r"[0-9a-f]{32}")
_SALT: Final = re.compile(rb'\["[0-9a-f]{32}",')

_entry_decoder = msgspec.json.Decoder(Entry)
_private_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Built(msgspec.Struct, frozen=True):
    """An entry ready to be appended: both lines (no newline) and its leaf hash (32 bytes)."""

    public: bytes
    private: bytes
    leaf: bytes


def encode_value(value: Any) -> bytes:
    """Canonical bytes of a private value.

    Raises:
        MalformedError: if it is outside the profile.
    """
    canonical.check(value)
    return canonical.encode(value)


def build(
    *,
    case: str,
    kind: str,
    author: str,
    at: str,
    prev: str | None,
    values: Mapping[str, bytes],
    signer: SigningKey | None = None,
    salt: Callable[[int], str] = secrets.token_hex,
) -> Built:
    """An entry from the canonical bytes of its private values.

    Args:
        values: field -> canonical bytes, exactly the fields of the kind, none over 16 kB.
        signer: the person whose entry it is; None for an agent's.
        salt: makes a salt of n random bytes in hex; only the worked example passes its own.
    Raises:
        MalformedError: if the fields are not the kind's.
    """
    fields = _SORTED_FIELDS[kind]
    if len(values) != len(fields) or any(name not in values for name in fields):
        raise MalformedError(f"{kind} needs exactly {', '.join(fields)}")
    salts = salt(16 * len(fields))
    parts: list[bytes] = []
    digests: dict[str, str] = {}
    for number, name in enumerate(fields):
        one = salts[SALT_HEX * number : SALT_HEX * (number + 1)].encode()
        stored = b'["' + one + b'",' + values[name] + b"]"
        digests[name] = hashlib.sha256(stored).hexdigest()
        parts.append(b'"' + name.encode() + b'":' + stored)
    entry = Entry(
        v=FORMAT_VERSION,
        case=case,
        kind=kind,
        author=author,
        at=at,
        prev=prev,
        sd=digests,
        sig=None,
    )
    public = canonical.encode(entry)
    if signer is not None:
        signature = signer.sign(SIGNED_PREFIX + public).hex()
        public = canonical.encode(msgspec.structs.replace(entry, sig=signature))
    return Built(public, b"{" + b",".join(parts) + b"}", leaf_hash(public))


def parse(line: bytes) -> Entry:
    """The entry whose exact public line is `line`.

    Raises:
        MalformedError: if it is anything but one canonical entry of a kind of this version.
    """
    try:
        entry = _entry_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"is no entry ({error})") from error
    if canonical.encode(entry) != line:
        raise MalformedError("is not in its one exact form")
    if entry.v != FORMAT_VERSION or entry.kind not in KINDS:
        raise MalformedError(
            f"has a kind or version this program does not know ({entry.kind[:40]})"
        )
    if tuple(entry.sd) != _SORTED_FIELDS[entry.kind]:
        raise MalformedError(f"does not have the private fields of {entry.kind}")
    parse_utc(entry.at)
    if not _HEX32.fullmatch(entry.author) or (entry.prev and not _HEX64.fullmatch(entry.prev)):
        raise MalformedError("has an author or prev that is no hash")
    return entry


def signature_holds(entry: Entry, key: PublicKey) -> bool:
    """Whether a person entry's signature holds."""
    if entry.sig is None or len(entry.sig) != 128 or entry.sig != entry.sig.lower():
        return False
    message = SIGNED_PREFIX + canonical.encode(msgspec.structs.replace(entry, sig=None))
    try:
        return key.verify(bytes.fromhex(entry.sig), message)
    except ValueError:
        return False


def open_private(entry: Entry, line: bytes) -> dict[str, Any]:
    """The private values of an entry, checked against its digests.

    Erased fields are left out. Strict: the line must be exactly the fields' stored bytes.

    Raises:
        MalformedError: naming the field that does not fit.
    """
    try:
        raws = _private_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"private line is not JSON ({error})") from error
    fields = _SORTED_FIELDS[entry.kind]
    if tuple(raws) != fields:
        raise MalformedError("private line does not have the fields of its kind")
    values: dict[str, Any] = {}
    parts: list[bytes] = []
    for name in fields:
        stored = bytes(raws[name])
        parts.append(b'"' + name.encode() + b'":' + stored)
        if stored != ERASED:
            if hashlib.sha256(stored).hexdigest() != entry.sd[name]:
                raise MalformedError(f"private field {name} does not match its digest")
            values[name] = _value(name, stored)
        elif not _HEX64.fullmatch(entry.sd[name]):
            raise MalformedError(f"the digest of erased field {name} is no hash")
    if b"{" + b",".join(parts) + b"}" != line:
        raise MalformedError("private line is not in its one exact form")
    return values


def _value(name: str, stored: bytes) -> Any:
    if not _SALT.match(stored) or not stored.endswith(b"]"):
        raise MalformedError(f"private field {name} is not [salt,value]")
    encoded = stored[SALT_HEX + 4 : -1]
    if len(encoded) > MAX_VALUE_BYTES:
        raise MalformedError(f"private field {name} is over 16 kB and no object")
    try:
        return canonical.decode(encoded)
    except MalformedError as error:
        raise MalformedError(f"private field {name} is {error.what}") from error


def blank(entry: Entry, line: bytes, fields: set[str]) -> bytes:
    """The private line with the values and salts of `fields` gone (null in their place)."""
    raws = _private_decoder.decode(line)
    parts = (
        b'"' + name.encode() + b'":' + (ERASED if name in fields else bytes(raw))
        for name, raw in raws.items()
    )
    return b"{" + b",".join(parts) + b"}"


def kept_object(value: Any) -> str | None:
    """The object that a private value stands for; None when it stands for itself.

    Example:
        >>> kept_object({"_object": "ab" * 32, "_bytes": 20_000})[:6]
        'ababab'
        >>> kept_object({"_object": "../../etc/passwd", "_bytes": 5})
    """
    if type(value) is not dict or value.keys() != {OBJECT_KEY, BYTES_KEY}:
        return None
    digest = value[OBJECT_KEY]
    return digest if isinstance(digest, str) and _HEX64.fullmatch(digest) else None


def object_references(kind: Kind | str, values: Mapping[str, Any]) -> list[str]:
    """Digests of the objects that private values name: object fields, and values kept as objects."""
    name = kind if isinstance(kind, str) else kind.name
    found: list[Any] = []
    for field in _OBJECT_FIELDS[name]:
        value = values.get(field)
        found += value if isinstance(value, list) else [value]
    found += [kept_object(value) for value in values.values()]
    return [one for one in found if isinstance(one, str) and _HEX64.fullmatch(one)]


def fields_of(kind: Kind) -> tuple[str, ...]:
    """Names of a kind's private fields, in the order of the private line."""
    return _SORTED_FIELDS[kind.name]
