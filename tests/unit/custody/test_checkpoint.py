"""Checkpoints: C2SP's own examples, every bit, every stripped or foreign signature."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from muniment.custody import checkpoint as checkpoints
from muniment.custody.checkpoint import Checkpoint, NoteSignature
from muniment.custody.keys import SigningKey
from muniment.errors import MalformedError
from muniment.model.entries import Role

ORIGIN = checkpoints.origin_of("ab" * 16)


@pytest.fixture(scope="module")
def agent() -> SigningKey:
    return SigningKey(Role.AGENT, "m", secrets.token_bytes(32), secrets.token_bytes(32))


@pytest.fixture(scope="module")
def head(agent: SigningKey) -> Checkpoint:
    return checkpoints.sign(ORIGIN, 57, bytes(range(32)), agent, 1_777_716_000)


def test_note_key_id_follows_the_specification() -> None:
    # SHA-256("n" || 0x0A || 0x01 || key)[:4], computed with coreutils.
    assert checkpoints.note_key_id("n", 1, b"k" * 32).hex() == "b56706bc"


def test_round_trip_and_both_signatures(agent: SigningKey, head: Checkpoint) -> None:
    assert checkpoints.parse(head.encode()) == head
    assert checkpoints.problems(head, [agent.public]) == (agent.public, [])
    assert len(head.signatures) == 2


def test_every_flipped_bit_is_refused(agent: SigningKey, head: Checkpoint) -> None:
    data = head.encode()
    text_and_ed25519 = data.index(b"\n", data.index("—".encode()))
    for position in [*range(text_and_ed25519), *range(text_and_ed25519, len(data), 37)]:
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            try:
                other = checkpoints.parse(bytes(changed))
            except MalformedError:
                continue
            assert checkpoints.problems(other, [agent.public])[1], (position, bit)


def test_a_stripped_post_quantum_signature_is_a_problem(
    agent: SigningKey, head: Checkpoint
) -> None:
    stripped = msgspec.structs.replace(head, signatures=head.signatures[:1])
    signer, problems = checkpoints.problems(stripped, [agent.public])
    assert signer == agent.public
    assert problems == ["the ML-DSA-44 signature of m is missing"]


def test_a_damaged_signature_is_not_told_as_a_missing_one(
    agent: SigningKey, head: Checkpoint
) -> None:
    for at, name in enumerate(("Ed25519", "ML-DSA-44")):
        lines = list(head.signatures)
        broken = bytearray(lines[at].signature)
        broken[-1] ^= 1
        lines[at] = msgspec.structs.replace(lines[at], signature=bytes(broken))
        changed = msgspec.structs.replace(head, signatures=tuple(lines))
        problems = checkpoints.problems(changed, [agent.public])[1]
        assert problems[0] == f"the {name} signature of m does not hold"
        assert not any("is missing" in problem for problem in problems)


def test_foreign_repeated_and_renamed_lines_are_problems(
    agent: SigningKey, head: Checkpoint
) -> None:
    foreign = NoteSignature(ORIGIN, b"\0\0\0\1", bytes(64))
    renamed = msgspec.structs.replace(head.signatures[0], name="elsewhere.example")
    for lines in (
        (*head.signatures, foreign),
        (*head.signatures, head.signatures[0]),
        (renamed, head.signatures[1]),
    ):
        other = msgspec.structs.replace(head, signatures=lines)
        assert checkpoints.problems(checkpoints.parse(other.encode()), [agent.public])[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\n",
        lambda data: data.replace(b"\n57\n", b"\n057\n"),
        lambda data: data.replace(b"\n57\n", b"\n57\next\n"),
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data[:-1],
        lambda data: b"",
        lambda data: data.replace(b"muniment/", b"munimemt/"),
        lambda data: b"\xff" + data,
        lambda data: data * 60,
    ],
)
def test_other_forms_are_refused(head: Checkpoint, change: object) -> None:
    with pytest.raises(MalformedError):
        checkpoints.parse(change(head.encode()))  # type: ignore[operator]
