"""Pictures to look at: key pictures, and a strip of pictures too small to know anyone by.

Blobs `key-00` ...: rgb24, upright, the long side at most 640 px, at most 24 spread evenly over the
clip; clear pictures, to be kept apart from what can be forwarded.

Blob `blurred`: for display, at most 600 pictures of the long side 16 px (area average), evenly
thinned for longer clips. Little endian: magic `MNBL`, version u16, channels u16 (3), count u32,
width u16, height u16; then count times u32 in ms; then count x height x width x 3 bytes.

Why 16 px: looked at beside 24 and 32 with a real face of a third, three fifths and nearly all of
the picture's height. At 32 eyes and mouth show from three fifths on; people know familiar faces
from 7 x 10 pixels (Sinha and others, Proceedings of the IEEE 94, 2006), which a third of 32 is. At
16 a face of a third is 5 x 4 pixels. A close-up that fills the picture is still 9 rows high.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine import registry
from muniment.examine.interface import Source
from muniment.examine.streams import KEYS
from muniment.model.examine import Blob, Finding

MAGIC: Final = b"MNBL"
FORMAT: Final = 1
HEADER: Final = struct.Struct("<4sHHIHH")
MOST_BLURRED: Final = 600
BLURRED_PX: Final = 16

_BLURRED: Final = f"rgb{BLURRED_PX}@1fps"


class Frames:
    """Key pictures and blurred pictures of one object."""

    name = "frames"
    version = registry.VERSIONS["frames"]
    streams: tuple[str, ...] = (KEYS, _BLURRED)

    def begin(self, source: Source) -> None:
        """Forget what was before."""
        self._keys: list[tuple[float, NDArray[np.uint8]]] = []
        self._small: list[tuple[int, NDArray[np.uint8]]] = []
        self._every = 1
        self._met = 0

    def frame(
        self, stream: str, time_s: float, data: NDArray[np.uint8] | NDArray[np.int16]
    ) -> None:
        """A key picture or a small one."""
        picture = data.astype(np.uint8, copy=False)
        if stream == KEYS:
            self._keys.append((time_s, picture))
            return
        if self._small and picture.shape != self._small[0][1].shape:
            picture = _fitted(picture, self._small[0][1].shape)
        if self._met % self._every == 0:
            self._small.append((round(time_s * 1000), picture))
        self._met += 1
        if len(self._small) > MOST_BLURRED:
            self._small = self._small[::2]
            self._every *= 2

    def end(self) -> Finding:
        """Facts: counts; blobs as in the module's docstring."""
        blobs = [
            Blob(
                name=f"key-{at:02d}",
                form="rgb24",
                data=picture.tobytes(),
                width_px=picture.shape[1],
                height_px=picture.shape[0],
                time_s=f"{time_s:.3f}",
            )
            for at, (time_s, picture) in enumerate(self._keys)
        ]
        facts = {
            "key_pictures": len(self._keys),
            "key_times_ms": [round(time_s * 1000) for time_s, _ in self._keys],
            "blurred_pictures": len(self._small),
            "blurred_every_s": self._every,
        }
        if self._small:
            blobs.append(Blob("blurred", "bytes", self._packed()))
        return Finding(self.name, self.version, facts, tuple(blobs))

    def _packed(self) -> bytes:
        height, width, channels = self._small[0][1].shape
        head = HEADER.pack(MAGIC, FORMAT, channels, len(self._small), width, height)
        times = np.array([at for at, _ in self._small], "<u4").tobytes()
        return head + times + b"".join(one.tobytes() for _, one in self._small)


def _fitted(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Another resolution in mid-stream: nearest samples, so that all pictures have one shape."""
    rows = np.arange(shape[0]) * picture.shape[0] // shape[0]
    columns = np.arange(shape[1]) * picture.shape[1] // shape[1]
    return np.ascontiguousarray(picture[rows][:, columns])
