"""Near-duplicate clusters: items joined by the same footage, or by a person's decision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from muniment.model.trace import Cluster, Pair
from muniment.trace.decided import contradictions
from muniment.trace.lineage import Appearance, claimed, containments, earliest


def groups(pairs: Iterable[Pair]) -> list[tuple[str, ...]]:
    """Sets of items that pairs join, each sorted, by their first member."""
    parent: dict[str, str] = {}

    def root(item: str) -> str:
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for pair in pairs:
        if pair.joins and pair.a != pair.b:
            one, other = sorted((root(pair.a), root(pair.b)))
            parent[other] = one
    members: dict[str, list[str]] = {}
    for item in sorted(parent):
        members.setdefault(root(item), []).append(item)
    return [tuple(found) for found in members.values() if len(found) > 1]


def clusters(
    pairs: Sequence[Pair],
    durations_s: Mapping[str, float],
    appearances: Sequence[Appearance] = (),
) -> list[Cluster]:
    """Clusters with their lineage edges and the earliest copy found online, each with its reason."""
    found: list[Cluster] = []
    for members in groups(pairs):
        inside = set(members)
        own = [one for one in appearances if one.item in inside]
        shared = [pair for pair in pairs if pair.a in inside and pair.b in inside]
        first, basis = earliest(own)
        against = contradictions(members, shared)
        apart = [frozenset((one.decided.a, one.decided.b)) for one in against]
        edges = (*claimed(own, apart), *containments(shared, durations_s))
        found.append(Cluster(members, tuple(edges), first, basis, against))
    return found
