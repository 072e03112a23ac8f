"""Small grey pictures in time order, kept in bounded memory, each picture once while it repeats.

Their bytes (little endian)::

    magic     4 bytes, given by the examiner
    version   u16      side   u16      pictures of side x side
    frames    u32      kept   u32      moments, and pictures kept (a repeated one is kept once)
    then, one after the other, arrays of `frames` rows (time_ms u32, which u32, further columns of
    u8 as the examiner says), and at last kept x side x side grey levels (u8)
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.errors import MalformedError

HEADER: Final = struct.Struct("<4sHHII")
Bytes = NDArray[np.uint8]


class Kept:
    """Moments with a small picture and a row of bytes each.

    At most `most` moments are held: when full, every other one is let go, and from then on only
    every other one is taken, so that a film of any length fits.
    """

    def __init__(self, side: int, columns: int, most: int, tolerance: int) -> None:
        self._side = side
        self._most = most
        self._tolerance = tolerance
        self._columns = columns
        self._times: list[int] = []
        self._rows: list[bytes] = []
        self._pictures: list[Bytes] = []
        self._seen = 0
        self.every = 1

    def add(self, time_s: float, row: bytes, picture: Bytes) -> None:
        """Take a moment; `picture` is side x side."""
        self._seen += 1
        if (self._seen - 1) % self.every:
            return
        if len(self._times) == self._most:
            self._times, self._rows = self._times[::2], self._rows[::2]
            self._pictures = self._pictures[::2]
            self.every *= 2
        last = self._pictures[-1] if self._pictures else None
        if last is not None and self._repeats(last, picture):
            picture = last
        self._times.append(max(0, min(round(time_s * 1000), 0xFFFFFFFF)))
        self._rows.append(row)
        self._pictures.append(picture)

    def _repeats(self, last: Bytes, picture: Bytes) -> bool:
        apart = np.abs(picture.astype(np.int16) - last.astype(np.int16))
        return int(apart.max()) <= self._tolerance

    def __len__(self) -> int:
        return len(self._times)

    def encode(self, magic: bytes, version: int) -> bytes:
        """The bytes described above."""
        which, kept = np.zeros(len(self._times), "<u4"), list[Bytes]()
        for at, picture in enumerate(self._pictures):
            if not kept or kept[-1] is not picture:
                kept.append(picture)
            which[at] = len(kept) - 1
        return b"".join(
            (
                HEADER.pack(magic, version, self._side, len(self._times), len(kept)),
                np.array(self._times, "<u4").tobytes(),
                which.tobytes(),
                b"".join(self._rows),
                b"".join(picture.tobytes() for picture in kept),
            )
        )


class Moments:
    """Moments read back: `times_ms`, `rows` (frames x columns), `which`, `kept` pictures."""

    def __init__(
        self, times_ms: NDArray[np.int64], which: NDArray[np.int64], rows: Bytes, kept: Bytes
    ) -> None:
        self.times_ms = times_ms
        self.which = which
        self.rows = rows
        self.kept = kept


def moments(data: bytes, magic: bytes, version: int, side: int, columns: int) -> Moments:
    """Read what `Kept.encode` wrote.

    Raises:
        MalformedError: not these bytes, another version, or a length or an order that is not right.
    """
    if len(data) < HEADER.size:
        raise MalformedError(f"{len(data)} bytes are too few for a header", subject=magic.decode())
    head = HEADER.unpack_from(data)
    if head[:3] != (magic, version, side):
        raise MalformedError(f"unknown header {head[:3]!r}", subject=magic.decode())
    frames, count = int(head[3]), int(head[4])
    wanted = HEADER.size + frames * (8 + columns) + count * side * side
    if len(data) != wanted:
        what = f"{len(data)} bytes, where the header asks for {wanted}"
        raise MalformedError(what, subject=magic.decode())
    at = HEADER.size
    times = np.frombuffer(data, "<u4", frames, at).astype(np.int64)
    which = np.frombuffer(data, "<u4", frames, at + 4 * frames).astype(np.int64)
    rows = np.frombuffer(data, np.uint8, frames * columns, at + 8 * frames)
    pictures = np.frombuffer(data, np.uint8, count * side * side, at + frames * (8 + columns))
    if frames and (int(which.max()) >= count or bool((np.diff(times) < 0).any())):
        raise MalformedError("times or picture numbers are out of order", subject=magic.decode())
    return Moments(times, which, rows.reshape(frames, columns), pictures.reshape(count, side, side))
