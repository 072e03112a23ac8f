"""What moves: 48 x 48 grey pictures at 5 a second, from which two clips' motion is compared.

They are kept as they are; what stands still is taken away when two clips are compared, over the
time that both show. Blob `frames`: `kept.Kept`, magic `MNMO`, version 1, side 48, no columns.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.interface import Source
from muniment.examine.kept import Kept
from muniment.model.examine import Blob, Finding

MAGIC: Final = b"MNMO"
FORMAT: Final = 1
SIDE: Final = 48
MOST_FRAMES: Final = 65_536


class Motion:
    """Small grey pictures of one object, for the same-footage test."""

    name = "motion"
    version = "2"
    streams: tuple[str, ...] = ("gray48@5fps",)

    def begin(self, source: Source) -> None:
        """Forget what was before."""
        self._kept = Kept(SIDE, 0, MOST_FRAMES, tolerance=0)

    def frame(
        self, stream: str, time_s: float, data: NDArray[np.uint8] | NDArray[np.int16]
    ) -> None:
        """A picture of 48 x 48."""
        self._kept.add(time_s, b"", data.astype(np.uint8, copy=True))

    def end(self) -> Finding:
        """Facts: how many and how often; blob `frames`."""
        facts = {"pictures": len(self._kept), "every_ms": 200 * self._kept.every}
        data = self._kept.encode(MAGIC, FORMAT)
        blobs = (Blob("frames", "bytes", data),) if len(self._kept) else ()
        return Finding(self.name, self.version, facts, blobs)
