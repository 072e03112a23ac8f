"""What tracing found and people decided, read back from the log: pairs, clusters, lineage, earliest
copies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from muniment.case import decisions, differing, searching, trace_results
from muniment.case.damage import Damage
from muniment.case.index import Index
from muniment.case.trace_results import STEP
from muniment.case.tracing import RESULT, fingerprinted
from muniment.model.ids import short
from muniment.model.report import PostView
from muniment.model.trace import Cluster, Pair, Verdict
from muniment.store.layout import CaseFolder
from muniment.trace.clusters import clusters
from muniment.trace.decided import settled
from muniment.trace.lineage import Appearance

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
    found: dict[str, float] = {}
    for digest, kept in fingerprinted(folder, index, damage).items():
        milliseconds = kept["fingerprint"].facts.get("duration_ms") if "fingerprint" in kept else 0
        found[digest] = milliseconds / 1000 if isinstance(milliseconds, int) else 0.0
    return found


def appearances(posts: Sequence[PostView], objects: Mapping[str, str]) -> list[Appearance]:
    """Every post of known time that shows a held file.

    Args:
        objects: item id -> object.
    """
    found: list[Appearance] = []
    for post in posts:
        digest = objects.get(post.media_item or "")
        time = post.published
        if digest is None or time.earliest_utc is None or time.latest_utc is None:
            continue
        found.append(
            Appearance(
                item=digest,
                post=post.id,
                channel=post.channel.name or "",
                not_before_ms=_ms(time.earliest_utc),
                not_after_ms=_ms(time.latest_utc),
                forwarded_from=post.forwarded_from,
            )
        )
    return found


def _ms(utc: str) -> int:
    return round(datetime.fromisoformat(utc).timestamp() * 1000)


def listing(folder: CaseFolder) -> dict[str, Any]:
    """`muniment trace run --json`: every pair that shares picture or was decided, the clusters, and
    how the copies of each differ; in `notices` a line for each derived object that could not be read,
    in `warnings` one for each decision that is contradicted.

    Raises:
        IntegrityError: if the log cannot be read.
    """
    index = searching.open_index(folder)
    try:
        damage = Damage(folder, index)
        found = read(folder, index, durations_s(folder, index, damage), (), damage) or NOTHING
        names = dict(index.rows("SELECT object, path FROM item ORDER BY idx DESC"))
        warnings = decisions.warnings(found.clusters, decisions.namer(index))

        def source(digest: str) -> dict[str, str]:
            return {"item": short("item", digest), "name": names.get(digest) or digest}

        reader = differing.Differing(folder, index, damage)
        differ = [
            differing.as_json(one, {item: source(item) for item in cluster.members})
            for cluster, one in zip(
                found.clusters, differing.each(found.clusters, found.pairs, reader), strict=True
            )
        ]
    finally:
        index.close()

    return {
        "clips": len(found.clips),
        "compared": found.compared,
        "verdicts": found.verdicts(),
        "pairs": [
            msgspec.to_builtins(one)
            | {"a_source": source(one.a), "b_source": source(one.b)}
            | {
                "decision": decisions.as_json(one.decision),
                "falls_with": short("decision", one.falls_with.leaf) if one.falls_with else None,
            }
            for one in found.pairs
        ],
        "clusters": [[source(member) for member in one.members] for one in found.clusters],
        "differences": differ,
        "notices": list(damage.lines),
        "warnings": warnings,
    }
