"""One entry: exactly its fields, exactly its bytes, signed as it must be."""

from __future__ import annotations

import json
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.custody import entry as entries
from muniment.custody.entry import Built
from muniment.custody.keys import SigningKey
from muniment.errors import MalformedError
from muniment.model import canonical
from muniment.model.entries import KINDS, Role

PERSON = SigningKey(Role.PERSON, "A. Example", secrets.token_bytes(32), None)


def viewed(signer: SigningKey | None = PERSON, **changes: object) -> Built:
    values = {"object": None, "by": "A. Example", "purpose": "a test"} | changes
    return entries.build(
        case="ab" * 16,
        kind="object.viewed",
        author=PERSON.public.id,
        at="2026-01-02T03:04:05.678Z",
        prev=None,
        values={name: entries.encode_value(value) for name, value in values.items()},
        signer=signer,
    )


def test_round_trip() -> None:
    built = viewed(by="Ünï \u2028 \x7f")
    entry = entries.parse(built.public)
    assert entries.open_private(entry, built.private)["by"] == "Ünï \u2028 \x7f"
    assert entries.signature_holds(entry, PERSON.public)
    other = SigningKey(Role.PERSON, "B. Example", secrets.token_bytes(32), None)
    assert not entries.signature_holds(entry, other.public)
    assert not entries.signature_holds(entries.parse(viewed(None).public), PERSON.public)


def test_nothing_private_stands_in_the_public_line() -> None:
    built = viewed(purpose="the north gate")
    assert b"north gate" not in built.public
    assert set(json.loads(built.public)) == {
        "v",
        "case",
        "kind",
        "author",
        "at",
        "prev",
        "_sd",
        "sig",
    }


def test_equal_values_have_different_digests() -> None:
    first, second = entries.parse(viewed().public), entries.parse(viewed().public)
    assert set(first.sd.values()).isdisjoint(second.sd.values())
    assert len(set(first.sd.values())) == len(first.sd)


def test_every_flipped_bit_is_refused() -> None:
    built = viewed()
    entry = entries.parse(built.public)
    for position in range(len(built.public)):
        changed = bytearray(built.public)
        changed[position] ^= 1 << position % 8
        try:
            other = entries.parse(bytes(changed))
        except MalformedError:
            continue
        assert not entries.signature_holds(other, PERSON.public), position
    for position in range(len(built.private)):
        changed = bytearray(built.private)
        changed[position] ^= 1 << position % 8
        with pytest.raises(MalformedError):
            entries.open_private(entry, bytes(changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace(b'"v":1', b'"v":2'),
        lambda line: line.replace(b'"v":1', b'"v":1.0'),
        lambda line: line.replace(b'"v":1', b'"v":1,"x":1'),
        lambda line: line.replace(b"object.viewed", b"object.erased"),
        lambda line: line.replace(b"object.viewed", b"nothing.known"),
        lambda line: line.replace(b"2026-01-02T", b"2026-13-02T"),
        lambda line: line.replace(b".678Z", b"+00:00"),
        lambda line: b" " + line,
        lambda line: line + b"\r",
        lambda line: line.replace(b'"sig":', b'"sig": '),
        lambda line: b"",
        lambda line: b"[]",
        lambda line: b"\xff" * 40,
        lambda line: b"[" * 100_000,
        lambda line: b"\x00" * 4096,
    ],
)
def test_other_public_lines_are_refused(change: object) -> None:
    with pytest.raises(MalformedError):
        entries.parse(change(viewed().public))  # type: ignore[operator]


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    entry = entries.parse(viewed().public)
    with pytest.raises(MalformedError):
        entries.parse(data)
    with pytest.raises(MalformedError):
        entries.open_private(entry, data)


def test_missing_and_surplus_fields_are_refused() -> None:
    good = dict.fromkeys(("object", "by", "purpose"), b"null")
    for values in ({**good, "more": b"null"}, {"object": b"null"}):
        with pytest.raises(MalformedError):
            entries.build(
                case="ab" * 16,
                kind="object.viewed",
                author=PERSON.public.id,
                at="2026-01-02T03:04:05.678Z",
                prev=None,
                values=values,
            )


def test_a_blanked_field_takes_value_and_salt_and_leaves_the_rest() -> None:
    built = viewed(purpose="the north gate")
    entry = entries.parse(built.public)
    line = entries.blank(entry, built.private, {"purpose"})
    assert b"north gate" not in line
    assert json.loads(line)["purpose"] is None
    assert entries.open_private(entry, line) == {"object": None, "by": "A. Example"}
    assert entries.blank(entry, line, {"purpose"}) == line


def test_object_references() -> None:
    digest = "cd" * 32
    values = {"object": digest, "by": {entries.OBJECT_KEY: "ef" * 32, entries.BYTES_KEY: 20000}}
    assert entries.object_references("object.viewed", values) == [digest, "ef" * 32]
    assert entries.object_references("object.viewed", {"object": None, "by": "sha"}) == []


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        {"_object": "a" * 64},
        {"_object": "A" * 64, "_bytes": 1},
        {"_object": "a" * 64 + "\n", "_bytes": 1},
        {"_object": "../" * 21 + "a", "_bytes": 1},
        {"_object": 5, "_bytes": 1},
        {"_object": ["a" * 64], "_bytes": 1},
        {"_object": "a" * 64, "_bytes": 1, "more": 2},
    ],
)
def test_what_has_not_the_exact_form_stands_for_itself(value: object) -> None:
    assert entries.kept_object(value) is None
    assert entries.object_references("post.recorded", {"text": value}) == []


def test_kinds_are_well_formed() -> None:
    for kind in KINDS.values():
        names = [field.name for field in kind.fields]
        assert len(set(names)) == len(names)
        assert all(name.isascii() and name.islower() for name in names)
        assert kind.roles
        canonical.check(kind.name)
