"""What stands beyond the checkpoint, told before it is moved aside: whose whole entries they seem.

Agents' entries carry no signature, so nobody can tell a crash's leavings from sealed entries over
which an older checkpoint was put back. This machine knows its own last checkpoint (custody/memory.py).
Of another machine's it knows nothing, so it moves no whole entry of another agent aside.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Final

from muniment.custody import entry as entries
from muniment.custody.keys import PublicKey
from muniment.custody.log import BATCH_ENTRIES
from muniment.custody.root import Root
from muniment.custody.rules import certified_key, chain_problem, refuse_certified, signing_problem
from muniment.custody.scan import LogState
from muniment.custody.tree import leaf_hash
from muniment.errors import IntegrityError, MalformedError
from muniment.store.layout import SEGMENT_ENTRIES, CaseFolder, segment_file
from muniment.store.segments import Segments

_NEWER: Final = "Find the newer checkpoint, in a second copy or on the machine that signed it"


def whole_entries_beyond(folder: CaseFolder, root: Root, state: LogState) -> list[str]:
    """Authors (key ids) of the entries that go on from the sealed ones, up to the first that is
    torn, out of order, or by nobody of this case.

    Args:
        state: as of the checkpoint; not changed.
    """
    sealed = state.frontier.size
    agents, last_leaf, authors = dict(state.agents), dict(state.last_leaf), list[str]()
    public = Segments(folder.entries).lines(sealed)
    private = Segments(folder.private).lines(sealed)
    for index, (one, other) in enumerate(zip_longest(public, private), sealed):
        if one is None or other is None or (one[0], other[0]) != (index, index):
            break
        author = _author(one[1], other[1], root, agents, last_leaf)
        if author is None:
            break
        authors.append(author)
    return authors


def _author(
    line: bytes,
    private: bytes,
    root: Root,
    agents: dict[str, PublicKey],
    last_leaf: dict[str, str],
) -> str | None:
    """Author of an entry by the rules for sealed ones, None when it keeps them not; what it
    certifies counts for those behind it."""
    try:
        entry = entries.parse(line)
        values = entries.open_private(entry, private)
        if chain_problem(entry, root.case, last_leaf.get(entry.author)):
            return None
        if signing_problem(entry, root, agents):
            return None
        if entry.kind == "key.certified":
            key = certified_key(values)
            refuse_certified(key, root, agents)
            agents[key.id] = key
    except MalformedError:
        return None
    last_leaf[entry.author] = leaf_hash(line).hex()
    return entry.author


def refuse_what_was_sealed(folder: CaseFolder, root: Root, state: LogState, own: str) -> int:
    """Refuse to go on when what stands beyond the checkpoint seems to have been sealed once.

    Args:
        own: key id of this machine's agent, whose unfinished batch may be moved aside.
    Returns:
        how many whole entries of this case stand there.
    Raises:
        IntegrityError: if it is more than one batch, or holds whole entries of another agent.
    """
    sealed = state.frontier.size
    beyond = sum(1 for _ in Segments(folder.entries).lines(sealed))
    if beyond > BATCH_ENTRIES:
        raise IntegrityError(
            f"{beyond} entries stand beyond the checkpoint, more than one batch: "
            "an older checkpoint was put back",
            subject=str(folder.checkpoint),
            remedy=f"{_NEWER}; nothing was changed.",
        )
    authors = whole_entries_beyond(folder, root, state)
    others = {author for author in authors if author != own and root.person(author) is None}
    if others:
        number, lines = divmod(sealed, SEGMENT_ENTRIES)
        name = segment_file(number)
        raise IntegrityError(
            f"{len(authors)} whole entries stand beyond the checkpoint, by another machine's agent "
            f"{', '.join(sorted(others))}: an older checkpoint was put back, or that machine was "
            "stopped in the middle of a batch",
            subject=str(folder.checkpoint),
            remedy=f"{_NEWER}, or run `muniment build` on that machine, which clears its own batch. "
            f"To go on without those entries, keep a copy of the case, then shorten log/entries/{name} "
            f"and log/private/{name} to their first {lines} lines and remove later segments.",
        )
    return len(authors)
