"""Codes of 256 bits, added at the end and searched exactly within a radius.

This is the one interface to the search among fingerprints: `Codes.add` and `Codes.near`. What was
there before may lie in a file mapped into memory; it is read and never written. Nothing is built, so
adding costs a copy. Two ways find the same: faiss's, and for larger searches our own compiled one
(`kernel`), which is some three times as fast a code and finds mirror images at little more, but
takes half a second to load.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine import hashing

Words = NDArray[np.uint64]
#: Pairs of a query and a stored code after which the compiled search is loaded; faiss takes 0.6 s.
COMPILED_FROM: Final = 400_000_000
MIRROR: Final[Words] = hashing.MIRROR.view(np.uint64)
_ROOM: Final = 1 << 20


class Near:
    """Stored codes near those asked for, in no order.

    Attributes:
        queries, places: number of the query, and of the stored code.
        mirrored: whether it is near the query's mirror image.
        apart: bits that differ.
    """

    def __init__(
        self,
        queries: NDArray[np.intp],
        mirrored: NDArray[np.bool_],
        places: NDArray[np.int64],
        apart: NDArray[np.int64],
    ) -> None:
        self.queries, self.mirrored = queries, mirrored
        self.places, self.apart = places, apart

    def __len__(self) -> int:
        return len(self.places)


class Codes:
    """Codes of four words each, numbered in the order in which they came.

    Args:
        before: those that are there already (n x 4), for instance mapped from a file.
    """

    def __init__(self, before: Words | None = None) -> None:
        self._before = np.zeros((0, 4), np.uint64) if before is None else before
        self._added = np.zeros((256, 4), np.uint64)
        self._count = 0
        self._compared = 0

    def __len__(self) -> int:
        return len(self._before) + self._count

    @property
    def added(self) -> Words:
        """Those that came since."""
        return self._added[: self._count]

    def add(self, codes: Words) -> None:
        """Take codes in (n x 4)."""
        end = self._count + len(codes)
        if end > len(self._added):
            more = np.zeros((max(end, 2 * len(self._added)), 4), np.uint64)
            more[: self._count] = self.added
            self._added = more
        self._added[self._count : end] = codes
        self._count = end

    def near(self, asked: Words, radius: int, mirrored: bool = False) -> Near:
        """All codes at most `radius` bits from those asked for (m x 4), found exactly.

        Args:
            mirrored: also those near their mirror images.
        """
        asked = np.ascontiguousarray(asked, np.uint64)
        self._compared += len(asked) * len(self) * (1 + mirrored)
        way = by_kernel if self._compared >= COMPILED_FROM else by_faiss
        found: list[_Found] = []
        for stored, start in ((self._before, 0), (self.added, len(self._before))):
            if len(stored) and len(asked):
                keys, places, apart = way(stored, asked, radius, mirrored)
                found.append((keys, places + start, apart))
        none = np.zeros(0, np.int64)
        keys, places, apart = (
            np.concatenate([none, *(one[column] for one in found)]) for column in range(3)
        )
        return Near((keys >> 1).astype(np.intp), (keys & 1).astype(bool), places, apart)


#: 2 x number of the query (one more: of its mirror image), number of the stored code, distance
_Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def by_faiss(stored: Words, asked: Words, radius: int, mirrored: bool) -> _Found:
    """The search by faiss, over the codes where they lie."""
    import faiss as library

    faiss: Any = library
    if mirrored:
        asked = np.stack([asked, asked ^ MIRROR], axis=1).reshape(-1, 4)
    asked, held = (np.ascontiguousarray(one, np.uint64) for one in (asked, stored))
    result = faiss.RangeSearchResult(len(asked))
    pointers = [faiss.swig_ptr(one.view(np.uint8).reshape(-1)) for one in (asked, held)]
    faiss.hamming_range_search(*pointers, len(asked), len(held), radius + 1, 32, result)
    limits = faiss.rev_swig_ptr(result.lims, len(asked) + 1).copy()
    total = int(limits[-1])
    places = faiss.rev_swig_ptr(result.labels, total).copy() if total else np.zeros(0)
    apart = faiss.rev_swig_ptr(result.distances, total).copy() if total else np.zeros(0)
    counts = limits[1:].astype(np.int64) - limits[:-1].astype(np.int64)
    keys = np.repeat(np.arange(len(asked)), counts)
    keys = keys if mirrored else 2 * keys
    return keys.astype(np.int64), places.astype(np.int64), apart.astype(np.int64)


def by_kernel(stored: Words, asked: Words, radius: int, mirrored: bool) -> _Found:
    """The search compiled for this processor."""
    from muniment.trace import kernel

    room = _ROOM
    while True:
        keys, places, apart = (np.empty(room, np.int64) for _ in range(3))
        most, turns = np.uint64(radius), np.int64(mirrored)
        count = int(kernel.search(stored, asked, most, turns, keys, places, apart))
        if count <= room:
            return keys[:count], places[:count], apart[:count]
        room = count
