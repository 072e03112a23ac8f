"""What a caption or a logo covers of two clips' pictures: there, nothing can be told of either."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.differing import BLOCK, SIDE_BLOCKS, cut_in_blocks
from muniment.trace.placing import correlations
from muniment.trace.residual import SAMPLES, Floats

#: correlation of a block of both still pictures under which something covers it
_COVERED: Final = 0.5
#: the same of blocks beside covered ones, which may be covered in part, and how far apart (grey
#: levels squared) they are then
PARTLY: Final = 0.99
_APART: Final = 36.0
_STILL_NOISE: Final = 9.0
#: pictures correlated under this share of those in the stretch are of something else
_STILL_SEEN: Final = 0.8


def uncovered(still_a: Floats, still_b: Floats, partly: float = 0.0) -> Floats:
    """1 where the clips' still pictures agree, 0 in blocks that something covers in one (576).

    Captions and logos hide what moves behind them. Where more than a third of the blocks differ,
    it is no caption, and all count. Beside covered blocks those under `partly` are left out too.
    """
    cuts = [cut_in_blocks(still.reshape(1, -1))[0] for still in (still_a, still_b)]
    centred = [cut - cut.mean(axis=1, keepdims=True) for cut in cuts]
    power = [(cut**2).mean(axis=1) for cut in centred]
    alike = (centred[0] * centred[1]).mean(axis=1)
    alike = (alike + _STILL_NOISE) / np.sqrt((power[0] + _STILL_NOISE) * (power[1] + _STILL_NOISE))
    side = SIDE_BLOCKS
    covered = (alike < _COVERED).reshape(side, side)
    if covered.mean() > 1 / 3:
        return np.ones(SAMPLES * SAMPLES, np.float32)
    apart = ((centred[0] - centred[1]) ** 2).mean(axis=1) > _APART
    covered |= _beside(covered) & ((alike < partly) & apart).reshape(side, side)
    wide = np.repeat(np.repeat(~covered, BLOCK, axis=0), BLOCK, axis=1)
    return np.asarray(wide.reshape(-1), dtype=np.float32)


def _beside(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The blocks next to covered ones, of which the same caption may cover a part."""
    wide = np.pad(covered, 1)
    return wide[:-2, 1:-1] | wide[2:, 1:-1] | wide[1:-1, :-2] | wide[1:-1, 2:]


def seen_alike(
    first: Floats, second: Floats, told: Floats, core: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """How alike pictures are where nothing covers them, and from when they show the same scene.

    Less is wanted where the picture turns into another from moment to moment: there a picture that
    falls between two is like neither.
    """
    one, other = (
        pictures.reshape(len(pictures), -1) - _mean_of(pictures, told)
        for pictures in (first, second)
    )
    alike = correlations(one * told, other * told)
    between = (one[:-2] + one[2:]) * np.float32(0.5)
    held = np.ones(len(one), np.float32)
    held[1:-1] = np.clip(correlations(one[1:-1] * told, between * told), 0.0, 1.0)
    return alike, np.asarray(_STILL_SEEN * np.median(alike[core]) * held, np.float32)


def _mean_of(pictures: Floats, told: Floats) -> Floats:
    """The mean of each picture where nothing covers it (n x 1)."""
    total = pictures.reshape(len(pictures), -1) @ told
    return np.asarray(total[:, None] / max(float(told.sum()), 1.0), np.float32)
