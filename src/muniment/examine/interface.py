"""What an examiner is. It runs inside a confined worker and touches nothing but what it is given."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from muniment.model.examine import Finding


class Source(msgspec.Struct, frozen=True):
    """What is known of the object when decoding begins.

    `duration_s` is the longest of what container and streams claim, None when nothing does.
    """

    size_bytes: int
    media_type: str | None
    has_video: bool
    has_audio: bool
    is_still: bool
    width_px: int
    height_px: int
    duration_s: float | None
    parameters: dict[str, Any] = {}


class Examiner(Protocol):
    """One examiner: it declares streams and is fed each of their frames, in time order.

    Streams are written `gray128@2fps` (pixels of 128 x 128, squeezed), `gray24@5fps`,
    `rgb16@1fps`, `rgb@keyframe` (as shown, upright), `pcm16k` (mono 16-bit samples).
    `version` changes whenever the same bytes could give another result.
    """

    name: str
    version: str
    streams: tuple[str, ...]

    def begin(self, source: Source) -> None:
        """Forget what was before."""

    def frame(
        self, stream: str, time_s: float, data: NDArray[np.uint8] | NDArray[np.int16]
    ) -> None:
        """One frame (height x width [x 3] of uint8), or a run of samples (int16); `time_s` is when
        it begins, from the start of the clip's first frame."""

    def end(self) -> Finding:
        """What was found; deterministic bytes."""
