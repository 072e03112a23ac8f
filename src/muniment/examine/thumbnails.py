"""Pictures inside files that stand for the whole: do they show what the file shows?

An embedded thumbnail is often left as it was when the picture was cut or painted over.
"""

from __future__ import annotations

from typing import Any, Final

import av.error
import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from muniment.examine.declared import size_px
from muniment.examine.interface import Source
from muniment.examine.pictures import UPRIGHT, Scaler
from muniment.model.examine import Finding

#: Mean difference in grey levels, brightness and contrast evened out, from which two small
#: pictures are said to differ; re-compression alone stays below 4.
DIFFERS_LEVELS: Final = 12.0
_SIDE: Final = 24
_MOST_SIDE_PX: Final = 4_096
_CODECS: Final = {b"\xff\xd8": ("mjpeg", "image/jpeg"), b"\x89P": ("png", "image/png")}
_STREAM: Final = "gray24@5fps"
_LOOKED_AT: Final = 1_500


class Watcher:
    """Keeps the grey pictures of the clip, to hold thumbnails against; fed like an examiner."""

    name = "thumbnails"
    version = ""
    streams: tuple[str, ...] = (_STREAM,)

    def begin(self, source: Source) -> None:
        """Forget what was before."""
        self.pictures: list[NDArray[np.uint8]] = []

    def frame(
        self, stream: str, time_s: float, data: NDArray[np.uint8] | NDArray[np.int16]
    ) -> None:
        """One picture; no more are kept than five minutes give."""
        if len(self.pictures) < _LOOKED_AT:
            self.pictures.append(data.astype(np.uint8, copy=True))

    def end(self) -> Finding:
        """Nothing of its own."""
        return Finding(self.name, self.version, {})


def small(data: bytes) -> tuple[int, int, NDArray[np.uint8]] | None:
    """Width, height and the grey picture of an embedded JPEG or PNG; None if it cannot be."""
    codec, kind = _CODECS.get(data[:2], ("", ""))
    declared = size_px(kind, data) if codec else None
    if declared is None or not all(1 <= side <= _MOST_SIDE_PX for side in declared):
        return None
    context = CodecContext.create(codec, "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    try:
        frames = [*context.decode(Packet(data)), *context.decode(None)]
    except (av.error.FFmpegError, ValueError, EOFError):
        return None
    if not frames:
        return None
    return declared[0], declared[1], Scaler(True, _SIDE).picture(frames[0], UPRIGHT, 1.0)


def compared(
    source: str, data: bytes, pictures: list[NDArray[np.uint8]], quarters: int
) -> dict[str, Any]:
    """Facts about one thumbnail: its size, and how far it is from the nearest picture.

    Args:
        pictures: of the clip, or the one of a still, upright.
        quarters: clockwise quarter turns by which the still is shown turned; embedded thumbnails
            are stored unturned.
    """
    facts: dict[str, Any] = {"source": source, "bytes": len(data)}
    found = small(data)
    if found is None:
        facts["compared"] = "no: it cannot be decoded"
        return facts
    facts["width_px"], facts["height_px"] = found[0], found[1]
    if not pictures:
        facts["compared"] = "no: no picture to hold it against"
        return facts
    turned = np.rot90(found[2], -quarters)
    apart = min(min(_apart(one, turned), _apart(one, found[2])) for one in pictures)
    facts["difference_levels"] = f"{apart:.1f}"
    facts["differs"] = bool(apart >= DIFFERS_LEVELS)
    return facts


def _apart(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Mean absolute difference after evening out brightness and contrast."""
    first, second = a.astype(np.float64), b.astype(np.float64)
    spread = second.std()
    scaled = (second - second.mean()) * (first.std() / spread if spread > 1.0 else 1.0)
    return float(np.abs(first - first.mean() - scaled).mean())
