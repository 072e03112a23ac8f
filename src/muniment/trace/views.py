"""Which parts of a picture are looked at, so that a crop is found: boxes, and hashes of them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine import hashing
from muniment.examine.hashing import Box
from muniment.trace.clip import Clip, pictures_at, words

#: frames whose hash says less than this (share of bits above noise) are not compared
LEAST_TELLING: Final = 0.2
#: hash distance, in bits of 255, up to which two frames may show the same
RADIUS: Final = 80


def _grid(kept: float, steps: int) -> list[Box]:
    starts = np.linspace(0.0, 1.0 - kept, steps).tolist()
    return [(x, y, x + kept, y + kept) for x in starts for y in starts]


def _strips(kept: float, steps: int) -> list[Box]:
    starts = np.linspace(0.0, 1.0 - kept, steps).tolist()
    return [(x, 0.0, x + kept, 1.0) for x in starts] + [(0.0, y, 1.0, y + kept) for y in starts]


#: the whole first; then what is left after cropping by 10, 20, 30 %, and strips
VIEWS: Final[tuple[Box, ...]] = (
    hashing.WHOLE,
    *_grid(0.9, 3),
    *_grid(0.8, 3),
    *_grid(0.7, 4),
    *_strips(0.75, 3),
    *_strips(0.5625, 3),
)
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


def view_hashes(clip: Clip, frames: NDArray[np.intp]) -> NDArray[np.uint64]:
    """Hashes (views x frames x 4 words) of every view of some frames; the first is the stored one."""
    if not len(frames):
        return np.zeros((len(VIEWS), 0, 4), np.uint64)
    pictures = pictures_at(clip, frames).astype(np.float32)
    cropped = [words(hashing.hashes(hashing.spectra(pictures, box))) for box in VIEWS[1:]]
    return np.stack([clip.hashes[frames], *cropped])


def distances(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.int16]:
    """Bits that differ, for every hash of `one` (n x 4) and of `other` (m x 4): n x m."""
    total = np.zeros((len(one), len(other)), np.int16)
    for word in range(4):
        total += np.bitwise_count(one[:, word, None] ^ other[None, :, word])
    return total
