"""Reading the log before writing to it: what is whole, what a crash left, what must stop the writer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import msgspec

from muniment.custody import checkpoint as checkpoints
from muniment.custody import entry as entries
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.keys import PublicKey
from muniment.custody.root import Root
from muniment.custody.rules import (
    Erasure,
    certified_key,
    chain_problem,
    erasure_of,
    signing_problem,
)
from muniment.custody.tree import Frontier, leaf_hash
from muniment.errors import IntegrityError, MalformedError
from muniment.model.entries import Entry
from muniment.store.layout import CHECKPOINT, CaseFolder
from muniment.store.segments import Segments

#: Kinds whose private values the writer itself must know.
_NEEDED = frozenset({"key.certified", "object.erased"})


class LogState:
    """What a writer carries from entry to entry."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.last_leaf: dict[str, str] = {}
        self.last_at: str | None = None
        self.agents: dict[str, PublicKey] = {}
        self.erasures: list[Erasure] = []
        self.checkpoint: Checkpoint | None = None
        self.checkpoint_agent: str | None = None

    def note(self, kind: str, author: str, at: str, leaf: bytes, values: dict[str, Any]) -> None:
        """Take in one more entry; `values` may be empty but for kinds the writer must know."""
        index = self.frontier.size
        self.frontier.append(leaf)
        self.last_leaf[author] = leaf.hex()
        self.last_at = at
        if kind == "key.certified":
            key = certified_key(values)
            self.agents[key.id] = key
        elif kind == "object.erased":
            self.erasures.append(erasure_of(index, values))


class Tail(msgspec.Struct, frozen=True):
    """Where the whole entries end, and why the next one is not whole."""

    from_index: int
    reason: str


class Scan(msgspec.Struct, frozen=True):
    """What `scan` found. `foreign` is the [first, last] run of whole entries beyond the checkpoint
    by an agent other than `agent_id`, or None."""

    state: LogState
    tail: Tail | None
    foreign: tuple[int, int] | None


def scan(folder: CaseFolder, root: Root, agent_id: str) -> Scan:
    """Read the whole log for a writer with that agent key.

    Below the checkpoint the entries must hash to its root; beyond it each entry is checked in full
    and the first that is not whole starts the tail.

    Raises:
        IntegrityError: if the log is not what its checkpoint says.
        MalformedError: if the checkpoint is none.
    """
    state = LogState()
    sealed = _load_checkpoint(folder, state)
    foreign: list[int] = []
    tail: Tail | None = None
    expected = 0
    for index, line, private in _both(folder):
        try:
            if index != expected:
                raise MalformedError("is missing" if index > expected else "is there twice")
            entry = _read_one(line, private, index < sealed, root, state)
        except MalformedError as error:
            if expected < sealed:
                raise _damaged(folder, expected, error.what) from error
            tail = Tail(expected, error.what)
            break
        if index >= sealed and entry.author in state.agents and entry.author != agent_id:
            foreign.append(index)
        expected += 1
        if expected == sealed:
            _compare_root(folder, state)
    if expected < sealed:
        raise _damaged(folder, expected, f"is missing: the checkpoint covers {sealed}")
    if tail is None and (
        Segments(folder.entries).tail(expected) or Segments(folder.private).tail(expected)
    ):
        tail = Tail(expected, "torn line, or private lines whose entries were not written")
    return Scan(state, tail, (foreign[0], foreign[-1]) if foreign else None)


def _load_checkpoint(folder: CaseFolder, state: LogState) -> int:
    if not folder.checkpoint.exists():
        return 0
    try:
        state.checkpoint = checkpoints.parse(folder.checkpoint.read_bytes())
    except MalformedError as error:
        raise IntegrityError(
            error.what,
            subject=str(folder.checkpoint),
            remedy="Run `muniment verify`; restore the case from a second copy.",
        ) from error
    return state.checkpoint.size


def _both(folder: CaseFolder) -> Iterator[tuple[int, bytes, bytes | None]]:
    public, private = Segments(folder.entries).lines(), Segments(folder.private).lines()
    for one, other in zip_longest(public, private):
        if one is None:
            return
        yield one[0], one[1], other[1] if other is not None and other[0] == one[0] else None


def _read_one(
    line: bytes, private: bytes | None, is_sealed: bool, root: Root, state: LogState
) -> Entry:
    entry = entries.parse(line)
    values: dict[str, Any] = {}
    if not is_sealed or entry.kind in _NEEDED:
        if private is None:
            raise MalformedError("has no private line")
        values = entries.open_private(entry, private)
    if not is_sealed:
        problem = chain_problem(
            entry, root.case, state.last_leaf.get(entry.author)
        ) or signing_problem(entry, root, state.agents)
        if problem:
            raise MalformedError(problem)
    state.note(entry.kind, entry.author, entry.at, leaf_hash(line), values)
    return entry


def _compare_root(folder: CaseFolder, state: LogState) -> None:
    head = state.checkpoint
    if head is None or state.frontier.root() != head.root:
        raise IntegrityError(
            "the entries do not hash to the checkpoint's root",
            subject=str(folder.entries),
            remedy="Run `muniment verify`; restore the case from a second copy.",
        )
    signer, _ = checkpoints.problems(head, list(state.agents.values()))
    if signer is None:
        raise IntegrityError(
            "no certified agent signed it",
            subject=str(folder.path / CHECKPOINT),
            remedy="Run `muniment verify`; restore the case from a second copy.",
        )
    state.checkpoint_agent = signer.id


def _damaged(folder: CaseFolder, index: int, what: str) -> IntegrityError:
    return IntegrityError(
        f"entry {index} {what}",
        subject=str(folder.path),
        remedy="Run `muniment verify` to see all that differs; restore from a second copy.",
    )
