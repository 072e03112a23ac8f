"""Brightness and contrast fitted between pictures laid on each other."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
#: points that are fitted
_POINTS: Final = 4000
#: the least and the most that contrast may differ
_CONTRASTS: Final = (0.3, 3.0)


def fitted(first: Floats, second: Floats) -> tuple[np.float32, np.float32]:
    """Contrast and brightness that make pictures `first` most like `second` (same shape), the worse
    half of their points left out: what covers less than half of a picture has no say."""
    step = max(1, first.size // _POINTS) | 1
    x = first.ravel()[::step].astype(np.float64)
    y = second.ravel()[::step].astype(np.float64)
    if float(x.var()) < 1.0 or float(y.var()) < 1.0:
        return np.float32(1.0), np.float32(np.median(y - x))
    shared = float(((x - x.mean()) * (y - y.mean())).mean())
    starts = [1.0, shared / float(x.var())]
    if shared > 0:
        starts.append(float(y.var()) / shared)
    _, gain, level = min(_trimmed(x, y, start) for start in starts)
    return np.float32(gain), np.float32(level)


def _trimmed(
    x: NDArray[np.float64], y: NDArray[np.float64], gain: float
) -> tuple[float, float, float]:
    """A line fitted to the better half of the points, again and again: what is left, gain, level."""
    level = 0.0
    for _ in range(6):
        gain = min(max(gain, _CONTRASTS[0]), _CONTRASTS[1])
        level = float(np.median(y - gain * x))
        off = np.abs(y - gain * x - level)
        kept = off <= np.median(off)
        spread = float(x[kept].var())
        if spread < 1.0:
            break
        gain = float(((x[kept] - x[kept].mean()) * (y[kept] - y[kept].mean())).mean()) / spread
    gain = min(max(gain, _CONTRASTS[0]), _CONTRASTS[1])
    level = float(np.median(y - gain * x))
    return float(np.median(np.abs(y - gain * x - level))), gain, level
