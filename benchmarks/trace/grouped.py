"""An exact index that gains where footage repeats: fingerprints in groups around leaders.

A fingerprint within `REACH` bits of a leader joins its group, else it leads a new one. A query is
held against all leaders; by the triangle inequality a group whose leader is farther than the
radius plus the reach of its farthest member holds no neighbour, so only the other groups are
searched. What is found is what a flat search finds. Measured here as a candidate, not used yet.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint8]
Found = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
REACH: Final = 28
#: fingerprints held against each other at once, and against leaders at once
_TOGETHER: Final = 500
_MOST: Final = 20_000


def _apart(one: Codes, other: Codes) -> NDArray[np.int64]:
    words, against = (np.ascontiguousarray(codes).view(np.uint64) for codes in (one, other))
    return np.asarray(np.bitwise_count(words ^ against).sum(-1), np.int64)


class Grouped:
    """Filled by `add`, searched by `range_search`, as faiss's binary indexes are."""

    def __init__(self, reach: int = REACH) -> None:
        import faiss

        self._most_apart = reach
        self._leaders = faiss.IndexBinaryFlat(256)
        self._codes = np.zeros((0, 32), np.uint8)
        self._group = np.zeros(0, np.int64)
        self._reach = np.zeros(0, np.int64)
        self._lists: Any = None

    @property
    def leaders(self) -> int:
        """How many groups there are."""
        return int(self._leaders.ntotal)

    def add(self, codes: Codes) -> None:
        """Take fingerprints in, in order; groups that are there stay."""
        begin, groups = 0, [self._group]
        while begin < len(codes):
            step = min(_MOST, max(_TOGETHER, begin + len(self._codes)))
            groups.append(self._joined(np.ascontiguousarray(codes[begin : begin + step])))
            begin += step
        self._codes, self._group = np.concatenate([self._codes, codes]), np.concatenate(groups)
        self._fill()

    def _joined(self, codes: Codes) -> NDArray[np.int64]:
        """The group of each; new leaders where none is near."""
        groups, near = self._nearest(codes)
        left = np.flatnonzero(~near)
        for begin in range(0, len(left), _TOGETHER):
            part = left[begin : begin + _TOGETHER]
            if begin:
                groups[part], near = self._nearest(np.ascontiguousarray(codes[part]))
                part = part[~near]
            some, led = codes[part], list[int]()
            table = _apart(some[:, None], some[None])
            free = np.ones(len(part), bool)
            for at in range(len(part)):
                if free[at]:
                    joins = free & (table[at] <= self._most_apart)
                    groups[part[joins]] = self.leaders + len(led)
                    free &= ~joins
                    led.append(at)
            if led:
                self._leaders.add(np.ascontiguousarray(some[led]))
        return groups

    def _nearest(self, codes: Codes) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if not self.leaders or not len(codes):
            return np.zeros(len(codes), np.int64), np.zeros(len(codes), bool)
        apart, found = self._leaders.search(codes, 1)
        return found[:, 0].astype(np.int64), apart[:, 0] <= self._most_apart

    def _fill(self) -> None:
        """Lists of the groups' members, and how far the farthest of each is."""
        import faiss

        leading = faiss.vector_to_array(self._leaders.xb).reshape(-1, 32)
        self._reach = np.zeros(self.leaders, np.int64)
        np.maximum.at(self._reach, self._group, _apart(self._codes, leading[self._group]))
        self._lists = faiss.IndexBinaryIVF(self._leaders, 256, self.leaders)
        self._lists.is_trained = True
        codes, groups = faiss.swig_ptr(self._codes), faiss.swig_ptr(self._group)
        self._lists.add_core(len(self._codes), codes, None, groups)

    def range_search(self, asked: Codes, radius: int) -> Found:
        """All fingerprints nearer than `radius`, as faiss tells them: limits, distances, numbers."""
        from faiss.contrib.ivf_tools import range_search_preassigned

        limits, apart, groups = self._leaders.range_search(asked, radius + self._most_apart)
        held = apart < radius + self._reach[groups]
        query = np.repeat(np.arange(len(asked)), np.diff(limits.astype(np.int64)))[held]
        counts = np.bincount(query, minlength=len(asked))
        most = max(1, int(counts.max(initial=0)))
        lists = np.full((len(asked), most), -1, np.int64)
        place = np.arange(len(query)) - np.repeat(np.cumsum(counts) - counts, counts)
        lists[query, place] = groups[held]
        self._lists.nprobe = most
        found: Found = range_search_preassigned(self._lists, asked, radius, lists)
        return found
