"""A strip of blurred pictures (blob `blurred`) read back; the form stands in `examine/frames.py`.

They are raw pixels: no picture file is decoded here.
"""

from __future__ import annotations

import struct
from itertools import pairwise

import msgspec

from muniment.errors import MalformedError
from muniment.examine.frames import BLURRED_PX, FORMAT, HEADER, MAGIC, MOST_BLURRED


class Strip(msgspec.Struct, frozen=True):
    """The blurred pictures of one clip, at least one: times in ms, then rows of RGB."""

    width_px: int
    height_px: int
    times_ms: tuple[int, ...]
    pixels: bytes

    def picture(self, number: int) -> bytes | None:
        """Height x width x 3 bytes; None beyond the last."""
        size = self.width_px * self.height_px * 3
        if not 0 <= number < len(self.times_ms):
            return None
        return self.pixels[number * size : (number + 1) * size]


def unpacked(data: bytes) -> Strip:
    """The strip in a `blurred` blob.

    Raises:
        MalformedError: if it is not in its one form, or holds larger or more pictures than the
            examiner makes (what is larger may show who is on it).
    """
    if len(data) < HEADER.size:
        raise MalformedError("is too short for a strip of pictures")
    magic, version, channels, count, width, height = HEADER.unpack_from(data)
    if (magic, version, channels) != (MAGIC, FORMAT, 3):
        raise MalformedError("is no strip of pictures this program made")
    if not (1 <= width <= BLURRED_PX and 1 <= height <= BLURRED_PX and 1 <= count <= MOST_BLURRED):
        raise MalformedError(
            f"a strip of {count} pictures of {width} x {height} pixels: made are 1 to"
            f" {MOST_BLURRED}, at most {BLURRED_PX} pixels wide and high"
        )
    start = HEADER.size + 4 * count
    if len(data) != start + count * width * height * 3:
        raise MalformedError(f"{len(data)} bytes are not {count} pictures of {width} x {height}")
    times = struct.unpack_from(f"<{count}I", data, HEADER.size)
    if any(later < earlier for earlier, later in pairwise(times)):
        raise MalformedError("the times of a strip of pictures are out of order")
    return Strip(width, height, times, data[start:])
