"""Fingerprints of picture and sound.

Picture: at 2 frames a second, the part inside borders as a 256-bit hash (signs of the lowest
16 x 16 cosine terms, see `hashing.hashes`), how much that hash says, and the same part as a small
grey picture, from which hashes of crops are made when clips are compared. Sound: landmarks.

Blob `pictures` (`kept.Kept`, magic `MNFP`, version 1, side 48), columns of a row: quality (1),
border box left, top, right, bottom in 1/255 of the picture (4), hash (32).
Blob `sound` (little endian): magic `MNFS`, version u16, 0 u16, count u32; then count hashes u32 and
count times u32 in ms.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine import hashing
from muniment.examine.interface import Source
from muniment.examine.kept import Kept
from muniment.examine.landmarks import Listening
from muniment.examine.limits import MAX_TOLD_MS
from muniment.model.examine import Blob, Finding

PICTURES_MAGIC: Final = b"MNFP"
SOUND_MAGIC: Final = b"MNFS"
FORMAT: Final = 1
SIDE: Final = 48
COLUMNS: Final = 1 + 4 + hashing.HASH_BYTES
SOUND_HEADER: Final = struct.Struct("<4sHHI")
MOST_FRAMES: Final = 32_768
#: mean difference of two samples, in grey levels, that is taken for a cut
_CUT_LEVELS: Final = 24.0
_LONGEST_RUN: Final = 40
_LOOKED_AT: Final = 8

_PICTURES: Final = "gray128@2fps"
_SOUND: Final = "pcm16k"


class Fingerprint:
    """Picture and sound fingerprint of one object."""

    name = "fingerprint"
    version = "3"
    streams: tuple[str, ...] = (_PICTURES, _SOUND)

    def begin(self, source: Source) -> None:
        """Forget what was before."""
        self._source = source
        self._run: list[tuple[float, NDArray[np.uint8]]] = []
        self._kept = Kept(SIDE, COLUMNS, MOST_FRAMES, tolerance=2)
        self._sound = Listening()
        self._telling = 0
        self._until_s = 0.0

    def frame(
        self, stream: str, time_s: float, data: NDArray[np.uint8] | NDArray[np.int16]
    ) -> None:
        """A picture of 128 x 128, or a run of samples."""
        if stream == _SOUND:
            self._sound.hear(time_s, data.astype(np.int16, copy=False))
            return
        shown = data.astype(np.uint8, copy=True)
        if self._run and (len(self._run) == _LONGEST_RUN or _cut(self._run[-1][1], shown)):
            self._close()
        self._run.append((time_s, shown))
        self._until_s = max(self._until_s, time_s)

    def _close(self) -> None:
        """Take in the pictures since the last cut, with one border box for all of them."""
        times = [time for time, _ in self._run]
        stack = np.stack([shown for _, shown in self._run])
        self._run = []
        steps = np.unique(np.linspace(0, len(stack) - 1, _LOOKED_AT).round().astype(int))
        box = hashing.borders(stack[steps])
        terms = hashing.spectra(stack, box)
        qualities, hashed = hashing.quality(terms), hashing.hashes(terms)
        small = np.clip(hashing.resampled(stack, box, SIDE) + 0.5, 0, 255).astype(np.uint8)
        sides = bytes(round(side * 255) for side in box)
        for at, time_s in enumerate(times):
            row = bytes([int(qualities[at])]) + sides + hashed[at].tobytes()
            self._kept.add(time_s, row, small[at])
            self._telling += int(qualities[at]) > 0

    def end(self) -> Finding:
        """Facts: counts and rates; blobs `pictures` and `sound`, each only when there is any."""
        if self._run:
            self._close()
        blobs: list[Blob] = []
        if len(self._kept):
            blobs.append(Blob("pictures", "bytes", self._kept.encode(PICTURES_MAGIC, FORMAT)))
        heard, times = self._sound.end()
        if len(heard):
            blobs.append(Blob("sound", "bytes", _sound(heard, times)))
        source = self._source
        facts = {
            "still": source.is_still,
            "width_px": source.width_px,
            "height_px": source.height_px,
            "duration_ms": min(max(0, round((source.duration_s or 0.0) * 1000)), MAX_TOLD_MS),
            "pictures": len(self._kept),
            "telling_pictures": self._telling,
            "last_picture_ms": round(self._until_s * 1000),
            "every_ms": 500 * self._kept.every,
            "landmarks": len(heard),
            "heard_ms": round(self._sound.heard_s * 1000),
            "loudest_sample": self._sound.loudest,
        }
        return Finding(self.name, self.version, facts, tuple(blobs))


def _cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    apart = before[::4, ::4].astype(np.int16) - after[::4, ::4].astype(np.int16)
    return float(np.abs(apart).mean()) > _CUT_LEVELS


def _sound(heard: NDArray[np.uint32], times_ms: NDArray[np.uint32]) -> bytes:
    head = SOUND_HEADER.pack(SOUND_MAGIC, FORMAT, 0, len(heard))
    return head + heard.astype("<u4").tobytes() + times_ms.astype("<u4").tobytes()
