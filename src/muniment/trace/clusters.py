"""Near-duplicate clusters: items joined by the same footage, and by nothing less."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from muniment.model.trace import Cluster, Pair, Verdict
from muniment.trace.lineage import Appearance, claimed, containments, earliest


def groups(pairs: Iterable[Pair]) -> list[tuple[str, ...]]:
    """Sets of items joined by `same_footage`, each sorted, by their first member."""
    parent: dict[str, str] = {}

    def root(item: str) -> str:
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for pair in pairs:
        if pair.verdict is Verdict.SAME_FOOTAGE and pair.a != pair.b:
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
        edges = (*claimed(own), *containments(shared, durations_s))
        found.append(Cluster(members, tuple(edges), first, basis))
    return found
