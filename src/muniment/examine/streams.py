"""The names of decoded streams, and which frames of a clip fall on their sampling grids.

A grid of r frames a second cuts time into cells [k/r, (k+1)/r), counted from the clip's first
frame; the first picture that begins in a cell is its sample. So a clip of any frame rate, constant
or not, gives at most one picture a cell.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

import msgspec

#: Packets read ahead of the decoder, so that the order of display is known: more than the 16
#: frames H.264 and HEVC may reorder.
LOOKAHEAD: Final = 20

_NAME: Final = re.compile(r"(gray|rgb)([1-9][0-9]{0,2})@([1-9][0-9]?)fps")
#: The rates there are. What is decoded depends on all of them and not on who asks.
RATES_FPS: Final = (1, 2, 5)
SOUND: Final = "pcm16k"
KEYS: Final = "rgb@keyframe"


class Spec(msgspec.Struct, frozen=True):
    """One stream of pictures on a grid: `gray` is squeezed to size x size, `rgb` keeps its shape
    with the long side `size_px`."""

    name: str
    gray: bool
    size_px: int
    rate_fps: int


def spec(name: str) -> Spec:
    """The stream of this name.

    Raises:
        ValueError: if no such stream can be made; a defect of the examiner that asked.
    Example:
        >>> spec("gray24@5fps")
        Spec(name='gray24@5fps', gray=True, size_px=24, rate_fps=5)
    """
    found = _NAME.fullmatch(name)
    if found is None or int(found[3]) not in RATES_FPS:
        raise ValueError(f"no stream is called {name!r}")
    return Spec(name, found[1] == "gray", int(found[2]), int(found[3]))


class Grids:
    """The cells of several rates at once, in a stream's own ticks."""

    def __init__(self, rates_fps: Iterable[int], time_base: Fraction) -> None:
        self.rates = tuple(sorted(set(rates_fps)))
        self._steps = tuple(rate * time_base.numerator for rate in self.rates)
        self._den = time_base.denominator

    def cells(self, ticks: int) -> tuple[int, ...]:
        """The cell of each rate in which `ticks` (from the first frame) lies."""
        return tuple([ticks * step // self._den for step in self._steps])


class Order:
    """Presentation times known so far, to tell which packet begins a cell before decoding it."""

    def __init__(self, grids: Grids) -> None:
        self._grids = grids
        self._known: list[int] = []

    def add(self, pts: int) -> None:
        """A packet with this presentation time was read."""
        insort(self._known, pts)
        if len(self._known) > 4 * LOOKAHEAD:
            del self._known[: 2 * LOOKAHEAD]

    def begins_cell(self, pts: int, origin: int) -> bool:
        """Whether the picture at `pts` is the first of a cell of any rate."""
        at = bisect_left(self._known, pts)
        if at == 0:
            return True
        before = self._known[at - 1]
        return self._grids.cells(before - origin) != self._grids.cells(pts - origin)
