"""Rules an entry must keep: its place, its author, what it certifies or erases. Pure.

The writer's scan and the verifier both judge by these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from muniment.custody import entry as entries
from muniment.custody.keys import PublicKey
from muniment.custody.root import Root
from muniment.errors import MalformedError
from muniment.model.entries import KINDS, Entry, Role

#: case.opened and key.certified: all that may stand in a log before its first checkpoint.
OPENING_ENTRIES: Final = 2

#: Kinds without whose private values the rest could not be checked.
NEVER_ERASED: Final = frozenset(
    {
        "case.opened",
        "key.certified",
        "object.erased",
        "log.recovered",
        "authority.pinned",
        "checkpoint.stamped",
        "witness.pinned",
        "checkpoint.cosigned",
    }
)


class Erasure(msgspec.Struct, frozen=True):
    """An object.erased entry: what must be gone.

    `entries` are (index, leaf hash in hex, fields); the leaf binds the erasure to that very entry.
    """

    index: int
    entries: tuple[tuple[int, str, tuple[str, ...]], ...]
    objects: tuple[str, ...]


def certified_key(values: dict[str, Any]) -> PublicKey:
    """The key that a key.certified entry certifies.

    Raises:
        MalformedError: if it is no usable agent key.
    """
    try:
        key = msgspec.convert(
            {
                "id": values["key"],
                "role": values["role"],
                "name": values["name"],
                "ed25519": values["ed25519"],
                "mldsa44": values["mldsa44"],
            },
            PublicKey,
        )
    except (msgspec.ValidationError, KeyError) as error:
        raise MalformedError(f"certifies no usable key ({error})") from error
    if key.role is not Role.AGENT or not key.is_consistent():
        raise MalformedError("certifies a key that is not what it says")
    return key


def erasure_of(index: int, values: dict[str, Any]) -> Erasure:
    """What an object.erased entry names.

    Raises:
        MalformedError: if its values are not in their form.
    """
    try:
        erasure = msgspec.convert(
            {"index": index, "entries": values["entries"], "objects": values["objects"]}, Erasure
        )
    except (msgspec.ValidationError, KeyError) as error:
        raise MalformedError(f"names nothing that can be erased ({error})") from error
    if any(not 0 <= target < index for target, _, _ in erasure.entries):
        raise MalformedError("names an entry that does not stand before it")
    return erasure


def refuse_certified(key: PublicKey, root: Root, agents: Mapping[str, PublicKey]) -> None:
    """Refuse to take in an agent key that is a person's, or that was certified as another before.

    Raises:
        MalformedError: saying which.
    """
    if root.person(key.id) is not None:
        raise MalformedError("certifies a person's key as an agent's")
    if agents.get(key.id, key) != key:
        raise MalformedError("certifies a key again with another content")


def chain_problem(entry: Entry, case: str, last_leaf: str | None) -> str | None:
    """What is wrong with an entry's place: another case's, or not linked to its author's last."""
    if entry.case != case:
        return "belongs to another case"
    if entry.prev != last_leaf:
        return "does not follow its author's previous entry (removed, reordered or forked)"
    return None


def signing_problem(entry: Entry, root: Root, agents: dict[str, PublicKey]) -> str | None:
    """What is wrong with who wrote an entry: unknown key, a kind it may not author, no signature."""
    in_root = root.person(entry.author)
    if in_root is not None:
        if entry.kind not in in_root.signs or Role.PERSON not in KINDS[entry.kind].roles:
            return f"key of {in_root.key.name} may not sign {entry.kind}"
        if not entries.signature_holds(entry, in_root.key):
            return f"signature of {in_root.key.name} does not hold"
        return None
    if entry.author not in agents:
        return f"author key {entry.author} is neither in the root nor certified"
    if Role.AGENT not in KINDS[entry.kind].roles:
        return f"an agent key may not author {entry.kind}"
    if entry.sig is not None:
        return "an agent's entry carries a signature"
    return None
