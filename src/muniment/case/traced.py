"""What tracing found and people decided, read back from the log: pairs, clusters, lineage, earliest
copies."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from muniment.case import appearing, decisions, differing, searching, trace_results
from muniment.case.damage import Damage
from muniment.case.index import Index
from muniment.case.trace_results import STEP
from muniment.case.tracing import RESULT, fingerprinted
from muniment.model.differences import ClusterDifferences
from muniment.model.display import visible
from muniment.model.ids import short
from muniment.model.times import format_utc
from muniment.model.trace import Cluster, Edge, Pair, Verdict
from muniment.store.layout import CaseFolder
from muniment.trace.clusters import clusters
from muniment.trace.decided import settled
from muniment.trace.inherited import inherited, posted, weighed
from muniment.trace.lineage import Appearance
from muniment.trace.spread import curve

_HASH: Final = re.compile(r"\b[0-9a-f]{64}\b")
#: Verdicts of pairs that share no picture, as far as is known: only a decision names them.
NOT_ALIKE: Final = (Verdict.NO_MATCH, Verdict.NOT_COMPARED)


class Traced(msgspec.Struct, frozen=True):
    """All pairs that share picture or that a person decided, the clusters, and how much was
    compared."""

    clips: tuple[str, ...]
    compared: int
    pairs: tuple[Pair, ...]
    clusters: tuple[Cluster, ...]

    def verdicts(self) -> dict[str, int]:
        """Pairs compared by the program's verdict, all of them."""
        counts = Counter(one.verdict for one in self.pairs)
        alike = [one for one in Verdict if one not in NOT_ALIKE]
        found = {str(one): counts[one] for one in alike}
        found[str(Verdict.NO_MATCH)] = self.compared - sum(found.values())
        return found

    def program(self, a: str, b: str) -> tuple[Verdict, float]:
        """What the program found of a pair, whatever people decided: verdict and score."""
        for one in self.pairs:
            if {one.a, one.b} == {a, b}:
                return one.verdict, one.score
        is_compared = a in self.clips and b in self.clips
        return (Verdict.NO_MATCH if is_compared else Verdict.NOT_COMPARED), 0.0

    def counts(self) -> dict[str, int]:
        """For the summary: clips, clusters, copies in them, pairs decided, pairs by verdict."""
        return {
            "clips": len(self.clips),
            "clusters": len(self.clusters),
            "in_clusters": sum(len(one.members) for one in self.clusters),
            "decided": sum(one.decision is not None for one in self.pairs),
            **self.verdicts(),
        }


NOTHING = Traced((), 0, (), ())


def read(
    folder: CaseFolder,
    index: Index,
    durations_s: Mapping[str, float],
    appearances: Sequence[Appearance] = (),
    damage: Damage | None = None,
) -> Traced | None:
    """What stands in the log; None when nothing was traced or decided.

    Args:
        durations_s: of each clip.
        appearances: of items in posts; for lineage and the earliest copy.
        damage: is told of results that cannot be read; what they hold is left out.
    Raises:
        IntegrityError: if a result is none of ours.
    """
    damage = damage or Damage(folder, index)
    latest = (
        "SELECT max(idx) FROM observation WHERE step=? AND status IS NOT NULL AND result IS NOT NULL"
        " AND object NOT IN (SELECT object FROM erased) GROUP BY object"
    )
    sql = f"SELECT object, result FROM observation WHERE idx IN ({latest}) ORDER BY idx"
    objects: list[str] = []
    pairs: list[Pair] = []
    compared = 0
    for digest, text in index.each(sql, STEP):
        value = damage.value(digest, RESULT, json.loads(text))
        objects.append(digest)
        if value is None:
            continue
        compared += value["compared"]
        pairs += trace_results.pairs(value)
    decided = decisions.latest(index)
    if not objects and not decided:
        return None
    held = set(objects)
    pairs = settled([one for one in pairs if one.a in held and one.b in held], decided, held)
    found = clusters(pairs, durations_s, appearances)
    return Traced(tuple(objects), compared, tuple(pairs), tuple(found))


def durations_s(folder: CaseFolder, index: Index, damage: Damage) -> dict[str, float]:
    """Seconds of each clip, as its fingerprint has it."""
    return _durations_s(_facts(folder, index, damage))


def _facts(folder: CaseFolder, index: Index, damage: Damage) -> dict[str, dict[str, Any]]:
    """What the fingerprint of each clip says besides its hashes."""
    return {
        digest: kept["fingerprint"].facts if "fingerprint" in kept else {}
        for digest, kept in fingerprinted(folder, index, damage).items()
    }


def _durations_s(facts: Mapping[str, dict[str, Any]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for digest, one in facts.items():
        milliseconds = one.get("duration_ms")
        found[digest] = milliseconds / 1000 if isinstance(milliseconds, int) else 0.0
    return found


def with_names(sentence: str, name: Callable[[str], str | None]) -> str:
    """A sentence with the item's id and file name in place of each hash.

    Args:
        name: hash -> the file's name, null when none is known.
    Example:
        >>> with_names(f"by way of {'ab' * 32}; not compared directly", lambda _: "gate.mp4")
        'by way of item:abababababab (gate.mp4); not compared directly'
    """

    def spoken(found: re.Match[str]) -> str:
        called = name(found[0])
        return short("item", found[0]) + (f" ({visible(called)})" if called else "")

    return _HASH.sub(spoken, sentence)


def lineage(
    cluster: Cluster, found: ClusterDifferences, shown: Sequence[Appearance]
) -> tuple[Edge, ...]:
    """A cluster's edges, those that copies carry among them, with what speaks for and against each.

    Args:
        shown: the posts of its items.
    """
    spans = posted(shown)
    return weighed((*cluster.edges, *inherited(found, spans)), found, spans)


def _graph(
    cluster: Cluster,
    differ: ClusterDifferences,
    posts: Sequence[Appearance],
    source: Callable[[str], dict[str, Any]],
    file_name: Callable[[str], str | None],
) -> dict[str, Any]:
    """The lineage, earliest copy and spread of a cluster as docs/trace.md has them."""
    inside = set(cluster.members)
    shown = [one for one in posts if one.item in inside]
    return {
        "edges": [
            msgspec.to_builtins(one)
            | {"source": source(one.source), "copy": source(one.copy)}
            | {"reason": with_names(one.reason, file_name)}
            for one in lineage(cluster, differ, shown)
        ],
        "earliest": source(cluster.earliest) if cluster.earliest else None,
        "earliest_basis": with_names(cluster.earliest_basis, file_name),
        "spread": [
            {"at_utc": _utc(one.at_ms), "least": one.least, "most": one.most}
            for one in curve(shown)
        ],
    }


def _utc(at_ms: int) -> str:
    return format_utc(datetime.fromtimestamp(at_ms / 1000, UTC))


def listing(folder: CaseFolder) -> dict[str, Any]:
    """`muniment trace run --json`: every pair that shares picture or was decided, copies first and the
    highest score first, the clusters, and how the copies of each differ; in `notices` a line for each
    derived object that could not be read, in `warnings` one for each decision that is contradicted.

    Raises:
        IntegrityError: if the log cannot be read.
    """
    index = searching.open_index(folder)
    try:
        damage = Damage(folder, index)
        facts = _facts(folder, index, damage)
        posts = appearing.appearances(index)
        found = read(folder, index, _durations_s(facts), posts, damage) or NOTHING
        names = dict(index.rows("SELECT object, path FROM item ORDER BY idx DESC"))
        warnings = decisions.warnings(found.clusters, decisions.namer(index))
        reader = differing.Differing(folder, index, damage)
        each = list(differing.each(found.clusters, found.pairs, reader))
    finally:
        index.close()

    def source(digest: str) -> dict[str, Any]:
        is_still = facts.get(digest, {}).get("still") is True
        name = names.get(digest) or digest
        return {"item": short("item", digest), "name": name, "still": is_still}

    def file_name(digest: str) -> str | None:
        return (names.get(digest) or "").rpartition("/")[2] or None

    def told(one: Pair) -> dict[str, Any]:
        reasons = [with_names(reason, file_name) for reason in one.reasons]
        sources = {"a_source": source(one.a), "b_source": source(one.b)}
        plain: dict[str, Any] = msgspec.to_builtins(one)
        decided = {
            "decision": decisions.as_json(one.decision),
            "falls_with": short("decision", one.falls_with.leaf) if one.falls_with else None,
        }
        return plain | sources | decided | {"reasons": reasons}

    order = list(Verdict)
    pairs = sorted(found.pairs, key=lambda one: (order.index(one.verdict), -one.score))
    return {
        "clips": len(found.clips),
        "compared": found.compared,
        "verdicts": found.verdicts(),
        "pairs": [told(one) for one in pairs],
        "clusters": [[source(member) for member in one.members] for one in found.clusters],
        "differences": [
            differing.as_json(one, {member: source(member) for member in cluster.members})
            for cluster, one in zip(found.clusters, each, strict=True)
        ],
        "lineage": [
            _graph(cluster, one, posts, source, file_name)
            for cluster, one in zip(found.clusters, each, strict=True)
        ],
        "notices": list(damage.lines),
        "warnings": warnings,
    }
