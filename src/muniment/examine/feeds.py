"""From decoded frames to the pictures each examiner asked for."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from muniment.examine.limits import KEY_PICTURES, KEY_SIDE_PX, MAX_HOLD_S
from muniment.examine.pictures import Scaler, Turn
from muniment.examine.streams import Spec

Give = Callable[[str, float, NDArray[np.uint8]], None]

_SHORT_CLIP_KEYS: Final = 5
_USUAL_STEP_S: Final = 3.0


class Feed:
    """One stream on a grid: the first picture of each cell is scaled and handed on.

    Where pictures are held on (variable frame rate), the held one is handed on again for the cells
    it fills, up to `MAX_HOLD_S` after it began.
    """

    def __init__(self, spec: Spec, time_base: Fraction, give: Give) -> None:
        self.spec = spec
        self._give = give
        self._step = spec.rate_fps * time_base.numerator
        self._den = time_base.denominator
        self._scaler = Scaler(spec.gray, spec.size_px)
        self._cell = -1
        #: whether a picture stands for the empty cells after it
        self.holds = True
        self._held: NDArray[np.uint8] | None = None

    def wants(self, ticks: int) -> bool:
        """Whether a picture at `ticks` is the first of its cell."""
        return ticks * self._step // self._den > self._cell

    def offer(
        self, frame: VideoFrame, ticks: int, time_s: float, turn: Turn, aspect: float
    ) -> None:
        """Take the frame; call only when wanted."""
        cell = ticks * self._step // self._den
        if self._held is not None and self.holds:
            until = min(cell, self._cell + 1 + MAX_HOLD_S * self.spec.rate_fps)
            for empty in range(self._cell + 1, until):
                self._give(self.spec.name, empty / self.spec.rate_fps, self._held)
        self._cell = cell
        self._held = self._scaler.picture(frame, turn, aspect)
        self._give(self.spec.name, time_s, self._held)


class Keys:
    """Key pictures: evenly spread over the time the clip claims; when it lasts longer than twice
    that, every other one is let go and the step doubles."""

    def __init__(self, duration_s: float | None, rate_fps: int) -> None:
        claimed = duration_s or 0.0
        step = max(claimed / KEY_PICTURES, min(_USUAL_STEP_S, claimed / _SHORT_CLIP_KEYS))
        # on the densest grid, so that it asks for no frame that is not decoded anyway
        self._cells = max(1, round(min(step, 1e6) * rate_fps))
        self._rate = rate_fps
        self._scaler = Scaler(False, KEY_SIDE_PX)
        self._last = -1
        self.pictures: list[tuple[int, float, NDArray[np.uint8]]] = []

    def wants(self, time_s: float) -> bool:
        """Whether a picture at `time_s` is the first of its step."""
        return int(time_s * self._rate + 1e-6) // self._cells > self._last

    def offer(self, frame: VideoFrame, time_s: float, turn: Turn, aspect: float) -> None:
        """Take the frame; call only when wanted."""
        self._last = int(time_s * self._rate + 1e-6) // self._cells
        picture = self._scaler.picture(frame, turn, aspect)
        self.pictures.append((self._last, time_s, picture))
        if len(self.pictures) >= 2 * KEY_PICTURES:
            self.pictures = [
                (slot // 2, time, one) for slot, time, one in self.pictures if slot % 2 == 0
            ]
            self._cells *= 2
            self._last //= 2

    def chosen(self) -> list[tuple[float, NDArray[np.uint8]]]:
        """At most `KEY_PICTURES`, evenly thinned."""
        count = len(self.pictures)
        keep = min(count, KEY_PICTURES)
        picks = sorted({at * count // keep for at in range(keep)}) if keep else []
        return [self.pictures[at][1:] for at in picks]
