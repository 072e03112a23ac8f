"""The blurred pictures of items, as the frames examiner packed them (see `examine/frames.py`).

They are raw pixels: a picture file is never decoded here.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import lru_cache
from typing import Final

from muniment.custody.derived import read_derived
from muniment.errors import IntegrityError, MalformedError
from muniment.examine.strips import Strip, unpacked
from muniment.model.report_seen import FrameView, Thumbnail
from muniment.store.layout import CaseFolder

#: Packed objects held at once: each a few hundred kB.
_HELD: Final = 8


class PictureBook:
    """Fetches thumbnails of one case by key: `<object>#<number>`.

    `broken` holds the strips that could not be read, and why; they have no pictures.
    """

    def __init__(self, folder: CaseFolder) -> None:
        self._folder = folder
        self.strip = lru_cache(_HELD)(self._read)
        self.broken: dict[str, IntegrityError | MalformedError] = {}

    def _read(self, digest: str) -> Strip | None:
        try:
            return unpacked(read_derived(self._folder, digest))
        except (IntegrityError, MalformedError) as error:
            self.broken[digest] = error
            return None

    def fetch(self, key: str) -> Thumbnail | None:
        """See `model.report_seen.Thumbnails`."""
        digest, _, number = key.partition("#")
        strip = self.strip(digest)
        rgb = strip.picture(int(number)) if strip else None
        return Thumbnail(rgb, strip.width_px, strip.height_px) if strip and rgb else None

    def count(self, digest: str) -> int:
        """How many pictures a strip holds."""
        strip = self.strip(digest)
        return len(strip.times_ms) if strip else 0

    def evenly(self, digest: str, most: int) -> tuple[FrameView, ...]:
        """At most `most` frames, evenly over the clip."""
        count = self.count(digest)
        picked = sorted({round(n * (count - 1) / max(1, most - 1)) for n in range(most)})
        return tuple(_view(self.strip(digest), digest, n) for n in picked if 0 <= n < count)

    def at(self, digest: str, time_s: float) -> FrameView | None:
        """The frame shown at that time of the clip; None where the strip cannot be read."""
        strip = self.strip(digest)
        if strip is None:
            return None
        return _view(strip, digest, max(0, bisect_right(strip.times_ms, time_s * 1000) - 1))


def _view(strip: Strip | None, digest: str, number: int) -> FrameView:
    times = strip.times_ms if strip else ()
    return FrameView(f"{digest}#{number}", None if len(times) < 2 else times[number] / 1000)
