"""What people decided, laid beside what was measured: which pairs join, and which decisions are
contradicted.

A verdict is never changed. A decision says whether its pair joins; where a person kept two clips
apart, pairs that were only inferred by way of that pair join no more either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from muniment.model.trace import Contradiction, Decided, Pair, Verdict
from muniment.trace.through import middle

_Key = tuple[str, str]


def settled(
    pairs: Iterable[Pair], decisions: Iterable[Decided], clips: Collection[str]
) -> list[Pair]:
    """The pairs with the decisions on them, then a pair for each decision on two items that were
    found to share nothing.

    Args:
        decisions: the latest of each pair.
        clips: items that were traced; of others it is said that they were not compared.
    """
    open_decisions = {(one.a, one.b): one for one in decisions}
    found: dict[_Key, Pair] = {}
    for pair in pairs:
        key = _key(pair.a, pair.b)
        found[key] = msgspec.structs.replace(pair, decision=open_decisions.pop(key, None))
    for (a, b), decided in open_decisions.items():
        is_known = a in clips and b in clips
        verdict = Verdict.NO_MATCH if is_known else Verdict.NOT_COMPARED
        found[a, b] = Pair(a, b, verdict, 0.0, decision=decided)
    _fell(found)
    return list(found.values())


def _key(a: str, b: str) -> _Key:
    return (a, b) if a < b else (b, a)


def _fell(found: dict[_Key, Pair]) -> None:
    """Mark the pairs that rest on one that a person kept apart, directly or through others."""
    inferred = [
        (key, (_key(pair.a, third), _key(third, pair.b)))
        for key, pair in found.items()
        if pair.joins and pair.decision is None and (third := middle(pair)) is not None
    ]
    more = any(pair.decision is not None and not pair.joins for pair in found.values())
    while more:
        more = False
        for key, legs in inferred:
            if found[key].falls_with is None and (refusal := _refusal(found, legs)) is not None:
                found[key] = msgspec.structs.replace(found[key], falls_with=refusal)
                more = True


def _refusal(found: dict[_Key, Pair], legs: tuple[_Key, _Key]) -> Decided | None:
    """The decision for which one of two pairs does not join."""
    for leg in (found[one] for one in legs if one in found):
        if not leg.joins and (leg.decision or leg.falls_with) is not None:
            return leg.decision or leg.falls_with
    return None


def contradictions(members: Sequence[str], pairs: Sequence[Pair]) -> tuple[Contradiction, ...]:
    """The decisions that keep two members of one cluster apart, each with what joins them.

    Args:
        pairs: those among the members.
    """
    refused = [one.decision for one in pairs if one.decision is not None and not one.joins]
    if not refused:
        return ()
    joining = [one for one in pairs if one.joins]
    # What was measured or decided carries the rest: a decision on such a pair is what settles it.
    bearing = _near(members, (one for one in joining if one.decision or middle(one) is None))
    every = _near(members, joining)
    refused.sort(key=lambda one: (one.at_utc, one.leaf))
    found = (_contradiction(one, bearing) or _contradiction(one, every) for one in refused)
    return tuple(one for one in found if one is not None)


def _near(members: Sequence[str], pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """Each member's neighbours, sorted."""
    near: dict[str, list[str]] = {member: [] for member in members}
    for pair in pairs:
        near[pair.a].append(pair.b)
        near[pair.b].append(pair.a)
    return {member: sorted(others) for member, others in near.items()}


def _contradiction(decided: Decided, near: Mapping[str, list[str]]) -> Contradiction | None:
    """The decision with a shortest chain of pairs that joins its items; None when none does."""
    came_from: dict[str, str] = {decided.a: ""}
    queue = deque([decided.a])
    while queue and decided.b not in came_from:
        item = queue.popleft()
        for other in near[item]:
            if other not in came_from:
                came_from[other] = item
                queue.append(other)
    if decided.b not in came_from:
        return None
    chain = []
    item = came_from[decided.b]
    while item != decided.a:
        chain.append(item)
        item = came_from[item]
    more = len({*near[decided.a]} & {*near[decided.b]}) - 1
    return Contradiction(decided, tuple(reversed(chain)), max(0, more))
