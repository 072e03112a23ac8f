"""The differences within each cluster, from findings that the log and its objects hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from muniment.case import observed
from muniment.case.damage import Damage
from muniment.case.index import Index
from muniment.case.tracing import Kept, clip_of, fingerprinted
from muniment.model.differences import ClusterDifferences, Making
from muniment.model.ids import short
from muniment.model.trace import Cluster, Pair
from muniment.report.differing import made, said
from muniment.store.layout import CaseFolder
from muniment.trace.clip import Clip
from muniment.trace.differences import differences
from muniment.trace.making import making

#: Clips held at once: a minute is some 400 kB.
_HELD: Final = 32


class Differing:
    """Reads clips and container facts of a case as differences need them.

    Args:
        damage: is told of findings that cannot be read; their items are then not compared.
    """

    def __init__(self, folder: CaseFolder, index: Index, damage: Damage) -> None:
        self._kept: Kept = fingerprinted(folder, index, damage)
        self._containers: dict[str, dict[str, Any]] = {
            one.object: one.facts
            for one in observed.each(folder, index, "container", damage=damage)
        }
        self._damage = damage
        self._read = lru_cache(_HELD)(self._clip)

    def of(self, cluster: Cluster, pairs: Sequence[Pair]) -> ClusterDifferences:
        """The differences within one cluster."""
        items: dict[str, Making] = {}
        for item in cluster.members:
            clip = self._read(item)
            facts = self._containers.get(item)
            items[item] = making(clip, facts) if clip is not None else Making()
        loudest = {item: self._loudest(item) for item in cluster.members}
        return differences(items, loudest, pairs, self._read)

    def _clip(self, item: str) -> Clip | None:
        found = self._kept.get(item)
        return clip_of(item, found, self._damage) if found else None

    def _loudest(self, item: str) -> int | None:
        """The loudest sample; None where the file has no sound track."""
        tracks = self._containers.get(item, {}).get("tracks")
        if isinstance(tracks, list) and not any(_is_sound(one) for one in tracks):
            return None
        found = self._kept.get(item, {}).get("fingerprint")
        value = found.facts.get("loudest_sample") if found is not None else None
        return value if isinstance(value, int) else None


def _is_sound(track: Any) -> bool:
    return isinstance(track, Mapping) and track.get("type") == "audio"


def as_json(found: ClusterDifferences, source: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A cluster's differences as docs/trace.md has them.

    Args:
        source: `item` and `name` of each member.
    """
    names = {item: one["name"].rpartition("/")[2] for item, one in source.items()}
    return {
        "fullest": source[found.fullest],
        "why": found.why,
        "making": _plain(found.making),
        "copies": [
            _plain(one)
            | {"copy": source[one.copy], "says": [*said(one, names), *made(one.making)]}
            | {"added": [_plain(part) | {"also_in": _ids(part.also_in)} for part in one.added]}
            for one in found.differences
        ],
        "composite": _composite(found, source),
    }


def _composite(
    found: ClusterDifferences, source: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    line = found.composite
    return {
        "length_s": line.length_s,
        "pieces": [_plain(one) | {"clip": source[one.clip]["item"]} for one in line.pieces],
        "shown": [_plain(one) | {"clip": source[one.clip]["item"]} for one in line.shown],
        "best": [_plain(one) | {"clip": source[one.clip]["item"]} for one in line.best],
    }


def _ids(items: Sequence[str]) -> list[str]:
    return [short("item", one) for one in items]


def _plain(record: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(record)
    return found


def each(
    clusters: Sequence[Cluster], pairs: Sequence[Pair], reader: Differing
) -> Iterator[ClusterDifferences]:
    """The differences of each cluster, one at a time."""
    for one in clusters:
        inside = set(one.members)
        yield reader.of(one, [pair for pair in pairs if pair.a in inside and pair.b in inside])
