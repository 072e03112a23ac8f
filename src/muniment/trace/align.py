"""How two clips lie to each other in time: the line time_b = speed * time_a + offset.

Motion of both clips is compared moment by moment; along each line of speed and offset the stretch
with the most agreement is sought.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from muniment.trace.residual import Floats, Shown

SLOWEST: Final = 0.79
FASTEST: Final = 1.26
SPEEDS: Final = tuple(float(one) for one in np.round(np.arange(0.8, 1.2501, 0.025), 3))
#: agreement along a line counts as far as it is above this share of what moves
_TOLL: Final = 0.3
#: grey levels squared a pixel that compression and rounding move
NOISE: Final = 0.5
#: pictures correlated under this share of the best are of something else
_SEEN: Final = 0.6
_ELSEWHERE: Final = -0.6
#: grey levels squared beyond which a moment counts no more
_ENOUGH: Final = 30.0
_LEAST_S: Final = 1.0
_NEARLY: Final = 0.5
_NEXT: Final = 0.1


@dataclass(frozen=True)
class Line:
    """A line and the stretch of a on it with the most agreement; `weight` is how much there is."""

    speed: float
    offset_s: float
    from_s: float
    to_s: float
    weight: float


def likeness(a: Shown, b: Shown) -> tuple[Floats, Floats]:
    """Of every moment of a with every one of b: how alike they move, and how much (n x m each).

    Where the pictures themselves do not lie on each other, nothing is alike.
    """
    one, other = a.passing, b.passing
    alike = one @ other.T / np.float32(one.shape[1])
    power_a = np.sqrt((one**2).mean(axis=1) + NOISE)
    power_b = np.sqrt((other**2).mean(axis=1) + NOISE)
    power = power_a[:, None] * power_b
    seen = _units(a.pictures) @ _units(b.pictures).T
    least = _SEEN * float(np.quantile(seen.max(axis=1), 0.8))
    return np.where(seen >= least, alike / power, _ELSEWHERE), np.minimum(power, _ENOUGH)


def _units(pictures: Floats) -> Floats:
    """Pictures as vectors of length 1, without their mean."""
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1.0))


def lines(a: Shown, b: Shown, most: int, speeds: tuple[float, ...] = SPEEDS) -> list[list[Line]]:
    """Up to `most` stretches of agreement, strongest first, none over an earlier one.

    For each: the best line, and the best of those at speed 1 and at other speeds that explain
    nearly as much; which of them holds is decided on the pictures.
    """
    if len(a.times_s) < 3 or len(b.times_s) < 3:
        return []
    alike, counted = likeness(a, b)
    gains = (alike - np.float32(_TOLL)) * counted
    found: list[list[Line]] = []
    for _ in range(most):
        rivals = _best(gains, a, b, speeds)
        if not rivals or (found and rivals[0].weight < _NEXT * found[0][0].weight):
            break
        found.append(rivals)
        inside = (a.times_s >= rivals[0].from_s) & (a.times_s <= rivals[0].to_s)
        gains[inside] = -_TOLL * counted[inside]
    return found


def _best(gains: Floats, a: Shown, b: Shown, speeds: tuple[float, ...]) -> list[Line]:
    """The best line of any speed and, when it weighs enough, the best at speed 1.

    Lines are followed along the shorter clip, so that the table is no larger than needed.
    """
    of_speed: list[Line] = []
    for speed in speeds:
        if len(b.times_s) < len(a.times_s):
            line = _turned(_along(gains.T, b, a, 1 / speed))
        else:
            line = _along(gains, a, b, speed)
        if line is not None:
            of_speed.append(replace(line, speed=speed))
    if not of_speed:
        return []
    best = max(of_speed, key=lambda line: line.weight)
    plain = [line for line in of_speed if line.speed == 1.0 and line is not best]
    return [best, *(line for line in plain if line.weight >= _NEARLY * best.weight)]


def _along(gains: Floats, a: Shown, b: Shown, speed: float) -> Line | None:
    """The best line of one speed."""
    count, other = gains.shape
    rows = np.round(np.arange(count) * speed).astype(int).tolist()
    along = np.zeros((count + 1, rows[-1] + other), np.float32)
    for at, row in enumerate(rows):
        along[at + 1, rows[-1] - row : rows[-1] - row + other] = gains[at]
    return _stretch(along, -rows[-1], speed, a, b)


def _turned(line: Line | None) -> Line | None:
    """A line from b to a as one from a to b."""
    if line is None:
        return None
    from_s, to_s = (at_s * line.speed + line.offset_s for at_s in (line.from_s, line.to_s))
    return Line(1 / line.speed, -line.offset_s / line.speed, from_s, to_s, line.weight)


def _stretch(along: Floats, lowest_shift: int, speed: float, a: Shown, b: Shown) -> Line | None:
    """The stretch with the largest sum, over all shifts (Kadane's, for all columns at once).

    `along` is one row of zeros and then gains, moments of a by shifts of b.
    """
    sums = np.cumsum(along, axis=0, out=along)
    lowest = np.minimum.accumulate(sums, axis=0)
    rows = np.arange(len(sums), dtype=np.int32)[:, None]
    begins = np.maximum.accumulate(np.where(sums <= lowest, rows, 0), axis=0)
    gain = np.subtract(sums, lowest, out=lowest)
    gain[(rows - begins) < _LEAST_S / a.step_s - 1e-6] = 0.0
    end, column = np.unravel_index(int(gain.argmax()), gain.shape)
    weight = float(gain[end, column])
    if weight <= 0:
        return None
    first, last = int(begins[end, column]), int(end) - 1
    base = b.times_s[0] + (lowest_shift + int(column)) * b.step_s
    offset = float(base - speed * a.times_s[0])
    return Line(speed, offset, float(a.times_s[first]), float(a.times_s[last]), weight)
