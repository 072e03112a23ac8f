"""Reading the log before writing to it: what is sealed, and what must stop the writer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from muniment.custody import checkpoint as checkpoints
from muniment.custody import entry as entries
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.keys import PublicKey
from muniment.custody.root import Root
from muniment.custody.rules import (
    OPENING_ENTRIES,
    Erasure,
    certified_key,
    chain_problem,
    erasure_of,
    refuse_certified,
    signing_problem,
)
from muniment.custody.tree import Frontier, leaf_hash
from muniment.errors import IntegrityError, MalformedError
from muniment.model.entries import Entry
from muniment.store import disk
from muniment.store.layout import CHECKPOINT, MAX_LOG_FILE_BYTES, CaseFolder
from muniment.store.segments import Segments

_REMEDY: Final = "Run `muniment verify` to see all that differs; restore it from a second copy."


class LogState:
    """What a writer carries from entry to entry."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.last_leaf: dict[str, str] = {}
        self.last_at: str | None = None
        self.agents: dict[str, PublicKey] = {}
        #: every erasure; any may not be carried out yet, or be undone with bytes of an older copy
        self.erasures: list[Erasure] = []
        #: objects that must be gone: erased, and named by no later entry
        self.erased_objects: set[str] = set()
        self.checkpoint: Checkpoint | None = None
        self.checkpoint_agent: str | None = None
        #: root of the tree at the size that `scan` was asked for, None when it has fewer entries
        self.wanted_root: bytes | None = None

    def note(self, kind: str, author: str, at: str, leaf: bytes, values: dict[str, Any]) -> None:
        """Take in one more entry, with its private values as they are stored."""
        index = self.frontier.size
        self.frontier.append(leaf)
        self.last_leaf[author] = leaf.hex()
        self.last_at = at
        if kind == "key.certified":
            key = certified_key(values)
            self.agents[key.id] = key
        if kind == "object.erased":
            erasure = erasure_of(index, values)
            self.erasures.append(erasure)
            self.erased_objects.update(erasure.objects)
        elif self.erased_objects:
            # The same bytes came in again.
            self.erased_objects.difference_update(entries.object_references(kind, values))


def scan(folder: CaseFolder, root: Root, wanted_size: int = 0) -> LogState:
    """Read the log up to its checkpoint, for a writer.

    Args:
        wanted_size: also note the tree's root at this size.

    A batch counts when a checkpoint covers it: what stands beyond is for the caller to move aside.

    Raises:
        IntegrityError: if the log is not what its checkpoint says, or has lost its checkpoint.
    """
    state = LogState()
    head = _load_checkpoint(folder)
    if head is None:
        if not may_be_opened(folder):
            raise IntegrityError(
                "is missing, and the log holds more than the opening of a case",
                subject=str(folder.checkpoint),
                remedy=_REMEDY,
            )
        return state
    state.checkpoint = head
    for index, line, private in _both(folder):
        if index >= head.size:
            break
        try:
            if index != state.frontier.size:
                raise MalformedError("is missing")
            _take_in(state, root, line, private)
        except MalformedError as error:
            raise _damaged(folder, state.frontier.size, error.what) from error
        if state.frontier.size == wanted_size:
            state.wanted_root = state.frontier.root()
    if state.frontier.size < head.size:
        raise _damaged(folder, state.frontier.size, f"is missing: {head.size} were sealed")
    _compare_root(folder, root, state, head)
    return state


def whole_entries(
    folder: CaseFolder, start: int = 0
) -> Iterator[tuple[int, Entry, str, dict[str, Any]]]:
    """(index, entry, leaf hash in hex, private values) of every entry from `start` on.

    Raises:
        IntegrityError: at the first that is not whole.
    """
    public, private = Segments(folder.entries), Segments(folder.private)
    disk.refuse_odd_files(*folder.files(), most_bytes=MAX_LOG_FILE_BYTES)
    index = start
    try:
        for (index, line), (_, other) in zip(
            public.lines(start), private.lines(start), strict=False
        ):
            entry = entries.parse(line)
            yield index, entry, leaf_hash(line).hex(), entries.open_private(entry, other)
    except MalformedError as error:
        raise _damaged(folder, index, error.what) from error


def _load_checkpoint(folder: CaseFolder) -> Checkpoint | None:
    try:
        with disk.reading(folder.checkpoint):
            if not folder.checkpoint.exists():
                return None
            return checkpoints.parse(folder.checkpoint.read_bytes())
    except MalformedError as error:
        raise IntegrityError(error.what, subject=str(folder.checkpoint), remedy=_REMEDY) from error


def may_be_opened(folder: CaseFolder) -> bool:
    """Whether a case without a checkpoint holds no more than an opening cut short by a crash."""
    segments = Segments(folder.entries)
    has_kept = folder.checkpoints.is_dir() and any(folder.checkpoints.iterdir())
    has_more = len(segments.numbers()) > 1 or sum(1 for _ in segments.lines()) > OPENING_ENTRIES
    has_objects = folder.objects.is_dir() and any(folder.objects.iterdir())
    return not has_kept and not has_more and not has_objects


def _both(folder: CaseFolder) -> Iterator[tuple[int, bytes, bytes | None]]:
    public, private = Segments(folder.entries).lines(), Segments(folder.private).lines()
    for one, other in zip_longest(public, private):
        if one is None:
            return
        yield one[0], one[1], other[1] if other is not None and other[0] == one[0] else None


def _take_in(state: LogState, root: Root, line: bytes, private: bytes | None) -> None:
    """Take in a sealed entry by the same rules as the verifier: a writer must not act on less."""
    entry = entries.parse(line)
    if private is None:
        raise MalformedError("has no private line")
    problem = chain_problem(entry, root.case, state.last_leaf.get(entry.author)) or signing_problem(
        entry, root, state.agents
    )
    if problem:
        raise MalformedError(problem)
    values = entries.open_private(entry, private)
    if entry.kind == "key.certified":
        refuse_certified(certified_key(values), root, state.agents)
    state.note(entry.kind, entry.author, entry.at, leaf_hash(line), values)


def _compare_root(folder: CaseFolder, root: Root, state: LogState, head: Checkpoint) -> None:
    if state.frontier.root() != head.root or head.origin != checkpoints.origin_of(root.case):
        raise IntegrityError(
            "the entries do not hash to the checkpoint's root",
            subject=str(folder.entries),
            remedy=_REMEDY,
        )
    signer, _ = checkpoints.problems(head, list(state.agents.values()))
    if signer is None:
        raise IntegrityError(
            "no certified agent signed it", subject=str(folder.path / CHECKPOINT), remedy=_REMEDY
        )
    state.checkpoint_agent = signer.id


def _damaged(folder: CaseFolder, index: int, what: str) -> IntegrityError:
    return IntegrityError(f"entry {index} {what}", subject=str(folder.path), remedy=_REMEDY)
