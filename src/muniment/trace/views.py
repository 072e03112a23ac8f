"""Which parts of a picture are looked at, so that a crop is found: boxes, and hashes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine import hashing
from muniment.examine.hashing import Box
from muniment.trace.clip import Clip, pictures_at, words

#: frames whose hash says less than this (share of bits above noise) are not compared
LEAST_TELLING: Final = 0.2
#: hash distance, in bits of 255, up to which two frames may show the same
RADIUS: Final = 80


def _starts(kept: float, steps: int) -> list[float]:
    found: list[float] = np.linspace(0.0, 1.0 - kept, steps).tolist()
    return found


def _grid(wide: float, high: float, across: int, down: int) -> list[Box]:
    return [(x, y, x + wide, y + high) for x in _starts(wide, across) for y in _starts(high, down)]


#: (kept across, kept down, steps across, steps down) of what is left after a crop by 10, 20, 30 %
#: or of strips: every place of the grid is a view
_KINDS: Final = (
    (0.9, 0.9, 3, 3),
    (0.8, 0.8, 3, 3),
    (0.7, 0.7, 4, 4),
    (0.75, 1.0, 3, 1),
    (1.0, 0.75, 1, 3),
    (0.5625, 1.0, 3, 1),
    (1.0, 0.5625, 1, 3),
)
#: the whole first
VIEWS: Final[tuple[Box, ...]] = (
    hashing.WHOLE,
    *(box for kind in _KINDS for box in _grid(*kind)),
)
#: frames of one clip whose crops are hashed: 20 minutes; of a longer clip they are spread out
MOST_VIEWED: Final = 2400
_AT_ONCE: Final = 256
#: hash distances held in memory at once (16 bits each)
_MOST_CELLS: Final = 4_000_000
MIRROR_WORDS: Final = words(hashing.MIRROR)


def thinned(clip: Clip) -> NDArray[np.intp]:
    """Frames to compare: telling ones, and of a run of nearly equal ones only every fourth."""
    frames = np.flatnonzero(clip.telling >= LEAST_TELLING)
    kept: list[int] = []
    for at in frames.tolist():
        last = kept[-1] if kept else None
        if last is not None and clip.times_s[at] - clip.times_s[last] < 1.9:
            apart = int(np.bitwise_count(clip.hashes[at] ^ clip.hashes[last]).sum())
            if apart <= 6:
                continue
        kept.append(at)
    return np.array(kept, np.intp)


def spread(frames: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of the frames to compare those whose crops are hashed: all, or `MOST_VIEWED` evenly spread."""
    if len(frames) <= MOST_VIEWED:
        return frames
    return frames[np.linspace(0, len(frames) - 1, MOST_VIEWED).round().astype(np.intp)]


def view_hashes(
    clip: Clip, frames: NDArray[np.intp], more: Sequence[Box] = ()
) -> NDArray[np.uint64]:
    """Hashes (views x frames x 4 words) of every view of some frames, the first the stored one, and
    of `more` parts of them."""
    found = np.zeros((len(VIEWS) + len(more), len(frames), 4), np.uint64)
    for begin in range(0, len(frames), _AT_ONCE):
        part = frames[begin : begin + _AT_ONCE]
        pictures = pictures_at(clip, part).astype(np.float32)
        found[0, begin : begin + len(part)] = clip.hashes[part]
        at = 1
        for kind in _KINDS:
            terms = _terms(pictures, *kind)
            found[at : at + len(terms), begin : begin + len(part)] = words(hashing.hashes(terms))
            at += len(terms)
        for number, box in enumerate(more):
            terms = hashing.spectra(pictures, box)
            found[at + number, begin : begin + len(part)] = words(hashing.hashes(terms))
    return found


def _terms(
    pictures: NDArray[np.float32], wide: float, high: float, across: int, down: int
) -> NDArray[np.float32]:
    """The cosine terms of all views of one kind (views x frames x 16 x 16), as two products."""
    size, terms = pictures.shape[-1], hashing.FREQUENCIES
    over = [hashing.spectrum_map(size, x, x + wide) for x in _starts(wide, across)]
    under = [hashing.spectrum_map(size, y, y + high) for y in _starts(high, down)]
    rows = pictures.reshape(-1, size) @ np.concatenate(over).T
    whole = np.concatenate(under) @ rows.reshape(len(pictures), size, across * terms)
    cut = whole.reshape(len(pictures), down, terms, across, terms).transpose(3, 1, 0, 2, 4)
    return np.ascontiguousarray(cut).reshape(across * down, len(pictures), terms, terms)


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int16]:
    """Bits that differ, for every hash of `one` (n x 4) and of `other` (m x 4): n x m."""
    total = np.zeros((len(one), len(other)), np.int16)
    columns = np.ascontiguousarray(other.T)
    for word in range(4):
        total += np.bitwise_count(one[:, word, None] ^ columns[word])
    return total


def nearest(
    views: NDArray[np.uint64], whole: NDArray[np.uint64]
) -> tuple[NDArray[np.int16], NDArray[np.intp]]:
    """Of each view's hashes (views x n x 4) the nearest to each of m: distance and place (views x m)."""
    count, frames, _ = views.shape
    if count * frames * len(whole) <= _MOST_CELLS:
        table = distances(views.reshape(-1, 4), whole).reshape(count, frames, -1)
        ends = table.argmin(axis=1)
        return np.take_along_axis(table, ends[:, None], axis=1)[:, 0], ends
    best, ends = np.empty((count, len(whole)), np.int16), np.empty((count, len(whole)), np.intp)
    for view in range(count):
        index = exact_index()
        index.add(codes(views[view]))
        apart, place = index.search(codes(whole), 1)
        best[view], ends[view] = apart[:, 0], place[:, 0]
    return best, ends


def codes(hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Hashes of four words as 32 bytes each."""
    return np.ascontiguousarray(hashes.astype("<u8", copy=False)).view(np.uint8).reshape(-1, 32)


def exact_index() -> Any:
    """An index of 256-bit codes, searched exactly; its library is loaded where there is footage."""
    import faiss

    return faiss.IndexBinaryFlat(256)
