"""A second look at two clips: without what covers a picture all the time, and without noise.

A caption with a running line, or the bands and grids of a screen that is filmed, move too, and hide
that the rest moves alike. What they cover is found in pictures of one moment; what is no more than
noise beside the still picture is taken for still. Whether the pictures show other things is still
judged on all of them but bands of text.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.residual import SAMPLES, Floats, Shown, basis, less, still

#: grey levels by which pictures of one moment differ where something covers one of them
_COVERED: Final = 14.0
_OF_USUAL_APART: Final = 2.5
#: samples around one that must differ too
_LEAST_AROUND: Final = 3
#: the most of the picture that may be covered, and the least that is worth a second look
_MOST_COVERED: Final = 0.45
_LEAST_COVERED: Final = 0.02
#: grey levels squared from which a block of 2 x 2 samples moves, and so many times what is usual
_LEAST_POWER: Final = 16.0
_OF_USUAL: Final = 8.0
#: what is usual, in grey levels squared, from which it is worth a second look
_NOISY: Final = 2.0
#: what is usual where the camera moves, so that nothing stands still: then that is no noise
_ALL_MOVES: Final = 40.0
_MOST_GAIN: Final = 2.5
#: rows of which less than this share is uncovered are a band of text
_LEAST_OF_ROW: Final = 0.4
_SIDE: Final = SAMPLES // 2


def uncovered(first: Floats, second: Floats, a: Shown, b: Shown) -> Floats:
    """1 where two clips agree, 0 where one is covered all the time (24 x 24).

    There both some pictures of the same moments (`first`, `second`: n x 24 x 24 each) and what stands
    still in each differ: what only passes differs in one of the two alone. All 1 where so much differs
    that it is no caption.
    """
    differs = _apart(first, second) & _apart(still(a.pictures)[None], still(b.pictures)[None])
    covered = differs & (_around(differs) >= _LEAST_AROUND)
    told = (_around(covered) == 0).astype(np.float32)
    return told if told.mean() >= 1 - _MOST_COVERED else np.ones_like(told)


def _apart(first: Floats, second: Floats) -> NDArray[np.bool_]:
    """Where pictures (n x 24 x 24 each) differ in the middle of all; brightness and contrast are fitted
    to where they agree."""
    agree = np.ones((SAMPLES, SAMPLES), bool)
    for _ in range(3):
        one, other = first[:, agree], second[:, agree]
        centred = one - one.mean()
        gain = float((centred * (other - other.mean())).sum()) / max(float((centred**2).sum()), 1.0)
        over = np.abs(second - other.mean() - gain * (first - one.mean()))
        apart = np.median(over, axis=0)
        agree = apart < max(_COVERED, _OF_USUAL_APART * float(np.median(apart)))
        if not agree.any():
            break
    return ~agree


def cleaned(a: Shown, b: Shown, told: Floats) -> tuple[Shown, Shown] | None:
    """Both runs with what is covered and what hardly moves taken for still; None where a second look
    would see the same as the first."""
    rests = [still(one.pictures) for one in (a, b)]
    moved = [
        less(one.pictures, basis(rest)).reshape(-1, SAMPLES, SAMPLES) * told
        for one, rest in zip((a, b), rests, strict=True)
    ]
    powers = [_power(one) for one in moved]
    counted = told.reshape(_SIDE, 2, _SIDE, 2).min(axis=(1, 3)) > 0
    usual = [float(np.median(power[:, counted])) for power in powers]
    if told.mean() > 1 - _LEAST_COVERED and max(usual) < _NOISY:
        return None
    gain = _gain(rests[0], rests[1], told)
    least = max(_LEAST_POWER, _OF_USUAL * usual[0], _OF_USUAL * usual[1] * gain**2)
    out: list[Shown] = []
    for one, rest, moves, power, limit in zip(
        (a, b), rests, moved, powers, (least, least / gain**2), strict=True
    ):
        moving = (_near(power) > limit) | (max(usual) > _ALL_MOVES)
        kept = np.repeat(np.repeat(moving, 2, axis=1), 2, axis=2)
        pictures = (rest + moves * kept) * told + np.float32(128) * (1 - told)
        out.append(Shown(one.times_s, pictures.astype(np.float32), one.step_s))
    return out[0], out[1]


def without_bands(seen: Shown, told: Floats) -> Shown:
    """A run without the rows of which most is covered, as by a band of text with a line that runs.

    What covers less may be a person who sits there at another moment: it stays.
    """
    pictures = seen.pictures.copy()
    pictures[:, told.mean(axis=1) < _LEAST_OF_ROW] = 128.0
    return Shown(seen.times_s, pictures, seen.step_s)


def _gain(one: Floats, other: Floats, told: Floats) -> float:
    """The contrast of the first still picture beside the second."""
    first, second = (one - one.mean()) * told, (other - other.mean()) * told
    found = float((first * second).sum()) / max(float((second**2).sum()), 1.0)
    return min(max(found, 1 / _MOST_GAIN), _MOST_GAIN)


def _around(flags: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many of each sample and the eight around it are set."""
    wide = np.pad(flags.astype(np.intp), 1)
    rows = wide[:-2] + wide[1:-1] + wide[2:]
    return np.asarray(rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:])


def _power(moved: Floats) -> Floats:
    """Mean square of each block of 2 x 2 samples (n x 12 x 12)."""
    return np.asarray(
        (moved**2).reshape(len(moved), _SIDE, 2, _SIDE, 2).mean(axis=(2, 4)), np.float32
    )


def _near(power: Floats) -> Floats:
    """The most power in a block and those beside it."""
    wide = np.pad(power, ((0, 0), (1, 1), (1, 1)))
    rows = np.maximum.reduce([wide[:, at : at + _SIDE] for at in range(3)])
    near = np.maximum.reduce([rows[:, :, at : at + _SIDE] for at in range(3)])
    return np.asarray(near, np.float32)
