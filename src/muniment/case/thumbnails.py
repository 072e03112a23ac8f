"""The blurred pictures of items, as the frames examiner packed them (see `examine/frames.py`).

They are raw pixels: a picture file is never decoded here.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from functools import lru_cache
from typing import Final

import msgspec

from muniment.custody.derived import read_derived
from muniment.errors import MalformedError
from muniment.model.report_seen import FrameView, Thumbnail
from muniment.store.layout import CaseFolder

_HEADER: Final = struct.Struct("<4sHHIHH")
_MAGIC: Final = b"MNBL"
_FORMAT: Final = 1
#: Packed objects held at once: each a few hundred kB.
_HELD: Final = 8


class Strip(msgspec.Struct, frozen=True):
    """The blurred pictures of one clip: times in ms, then rows of RGB."""

    width_px: int
    height_px: int
    times_ms: tuple[int, ...]
    pixels: bytes

    def thumbnail(self, number: int) -> Thumbnail | None:
        """One picture; None beyond the last."""
        size = self.width_px * self.height_px * 3
        if not 0 <= number < len(self.times_ms):
            return None
        rgb = self.pixels[number * size : (number + 1) * size]
        return Thumbnail(rgb, self.width_px, self.height_px)


def unpacked(data: bytes) -> Strip:
    """The strip in a `blurred` blob.

    Raises:
        MalformedError: if it is not in its one form.
    """
    if len(data) < _HEADER.size:
        raise MalformedError("is too short for a strip of pictures")
    magic, version, channels, count, width, height = _HEADER.unpack_from(data)
    start = _HEADER.size + 4 * count
    if (magic, version, channels) != (_MAGIC, _FORMAT, 3) or len(data) != start + (
        count * width * height * 3
    ):
        raise MalformedError("is no strip of pictures this program made")
    times = struct.unpack_from(f"<{count}I", data, _HEADER.size)
    return Strip(width, height, times, data[start:])


class PictureBook:
    """Fetches thumbnails of one case by key: `<object>#<number>`."""

    def __init__(self, folder: CaseFolder) -> None:
        self._folder = folder
        self.strip = lru_cache(_HELD)(self._read)

    def _read(self, digest: str) -> Strip:
        return unpacked(read_derived(self._folder, digest))

    def fetch(self, key: str) -> Thumbnail | None:
        """See `model.report_seen.Thumbnails`."""
        digest, _, number = key.partition("#")
        return self.strip(digest).thumbnail(int(number))

    def evenly(self, digest: str, most: int) -> tuple[FrameView, ...]:
        """At most `most` frames, evenly over the clip."""
        times = self.strip(digest).times_ms
        picked = sorted({round(n * (len(times) - 1) / max(1, most - 1)) for n in range(most)})
        return tuple(self._view(digest, n) for n in picked if n < len(times))

    def at(self, digest: str, time_s: float) -> FrameView:
        """The frame shown at that time of the clip."""
        times = self.strip(digest).times_ms
        return self._view(digest, max(0, bisect_right(times, time_s * 1000) - 1))

    def _view(self, digest: str, number: int) -> FrameView:
        times = self.strip(digest).times_ms
        is_still = len(times) == 1
        return FrameView(f"{digest}#{number}", None if is_still else times[number] / 1000)
