"""Which parts of two aligned runs of pictures move: in one alone, and how much of the picture.

A machine that does its round again moves alike in two moments, but other people pass before it: they
move in one clip where nothing moves in the other. And what moves in one small part of the picture
alone (a screen on a wall, a clock that is burnt in) may move there again at another moment.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.residual import SAMPLES, Floats, still, unsteady

#: grey levels squared from which a block moves, and so many times what is usual in the picture
_LEAST: Final = 16.0
_OF_USUAL: Final = 8.0
#: a block moves alone where all blocks and moments around it move less than this share of it
_ALONE: Final = 0.2
#: grey levels squared beyond which a block counts no more
_ENOUGH: Final = 900.0
#: the share of what moves that is looked for in as few blocks as hold it
_NEARLY_ALL: Final = 0.9
#: every so many samples of a picture are looked at for its level
_SOME: Final = 5
#: moments that are looked at for how much of the picture moves: so many or up to twice as many
_MOMENTS: Final = 30
#: how much stronger or weaker contrast is taken to be in one of two clips, at most
_MOST_GAIN: Final = 2.5


def alone(one: Floats, other: Floats, told: Floats) -> float:
    """The share of moving blocks and moments that move in one of two runs only, 0 to 1.

    Args:
        one, other: pictures moment on moment (n x 24 x 24).
        told: 0 where something covers a picture all the time (24 x 24).
    """
    rests = still(one), still(other)
    gain = _gain(rests[0] * told, rests[1] * told)
    counted = _power(told[None])[0] == 1.0
    first = _power(unsteady(one, rests[0]).reshape(-1, SAMPLES, SAMPLES))
    second = _power(unsteady(other, rests[1]).reshape(-1, SAMPLES, SAMPLES)) * gain**2
    if not counted.any():
        return 0.0
    usual = max(float(np.median(power[:, counted])) for power in (first, second))
    least = max(_LEAST, _OF_USUAL * usual)
    moves = [(power > least) & counted for power in (first, second)]
    lone = (moves[0] & (_around(second) < _ALONE * first)).sum()
    lone += (moves[1] & (_around(first) < _ALONE * second)).sum()
    return float(lone / max(int(moves[0].sum() + moves[1].sum()), 1))


def extent(pictures: Floats) -> tuple[float, float]:
    """How much of the picture what moves takes up, and whether it stays there.

    Args:
        pictures: n x 24 x 24.
    Returns:
        the share of the picture that holds nine tenths of what moves, and how far it moves at the same
        places in the first third of the time as in the last: much for a screen, little for people
        who walk through; 0 to 1, both 0 when nothing moves.
    """
    pictures = pictures[:: max(1, len(pictures) // _MOMENTS)]
    some = pictures.reshape(len(pictures), -1)[:, ::_SOME]
    level = pictures - np.median(some, axis=1)[:, None, None]
    power = _power(level - still(level)).reshape(len(pictures), -1)
    over = np.clip(power - 2.0 * float(np.median(power)), 0.0, _ENOUGH)
    held = np.cumsum(np.sort(over.sum(axis=0))[::-1])
    if held[-1] <= 0:
        return 0.0, 0.0
    third = max(1, len(over) // 3)
    first, last = (part.sum(axis=0) for part in (over[:third], over[-third:]))
    both = np.minimum(first / max(first.sum(), 1.0), last / max(last.sum(), 1.0))
    return float((held < _NEARLY_ALL * held[-1]).mean()), float(both.sum())


def _gain(one: Floats, other: Floats) -> float:
    """The contrast of the first still picture beside the second."""
    first, second = one - one.mean(), other - other.mean()
    found = float((first * second).sum()) / max(float((second**2).sum()), 1.0)
    return min(max(found, 1 / _MOST_GAIN), _MOST_GAIN)


def _power(pictures: Floats) -> Floats:
    """Mean square of each block of 2 x 2 samples (n x 12 x 12)."""
    squared = pictures * pictures
    rows = squared[:, 0::2] + squared[:, 1::2]
    return np.asarray((rows[..., 0::2] + rows[..., 1::2]) * np.float32(0.25), np.float32)


def _around(power: Floats) -> NDArray[np.float32]:
    """The most power in a block, those around it, and the moments before and after."""
    found = power.copy()
    for axis in range(3):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        before, after = found[tuple(low)].copy(), found[tuple(high)].copy()
        np.maximum(found[tuple(low)], after, out=found[tuple(low)])
        np.maximum(found[tuple(high)], before, out=found[tuple(high)])
    return found
