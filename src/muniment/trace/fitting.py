"""A line of time refined: offset and speed at which what moves in two clips agrees most."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.align import FASTEST, SLOWEST, Line
from muniment.trace.residual import Floats, Shown, at, basis, less, moving, still

#: moments on which a line is fitted: so many or up to twice as many
_FIT_ON: Final = 24
#: by how much a line is moved in time; its speed so that its ends move as much
_FIT_STEPS_S: Final = (0.12, 0.06, 0.03)
#: shifts that are tried besides at first: hashes are half a second apart, and slow things look alike
_FIT_FAR_S: Final = (-0.5, -0.3, 0.3, 0.5)
_SHORT_HALF_S: Final = 6.0


def own(a: Shown, times: NDArray[np.float64]) -> Floats:
    """The pictures at times that are a run of a clip's own."""
    first = int(np.searchsorted(a.times_s, times[0]))
    return a.pictures[first : first + len(times)]


def correlation(one: Floats, other: Floats) -> float:
    """Correlation of two runs of motion as a whole."""
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / norm if norm > 1.0 else 0.0


def window(a: Shown, b: Shown, line: Line, whole: bool) -> NDArray[np.float64]:
    """The times of a on the line that b reaches; only its stretch unless `whole`."""
    times = a.times_s
    mapped = times * line.speed + line.offset_s
    slack = b.step_s / 2
    held = (mapped >= b.times_s[0] - slack) & (mapped <= b.times_s[-1] + slack)
    if not whole:
        held &= (times >= line.from_s) & (times <= line.to_s)
    inside: NDArray[np.float64] = times[held]
    return inside


def fitted(a: Shown, b: Shown, line: Line) -> tuple[Line, float]:
    """The line with offset and speed at the highest correlation near it, and that correlation."""
    times = window(a, b, line, whole=False)
    if len(times) < 5:
        return line, 0.0
    one = moving(own(a, times))
    every = max(1, len(times) // _FIT_ON)
    one, times = one[::every], times[::every]
    middle = float(times.mean())
    steady = basis(still(at(b, times * line.speed + line.offset_s)))
    size = float((one**2).sum())

    def tried(speed: float, shift: float) -> float:
        mapped = (times - middle) * speed + middle * line.speed + line.offset_s + shift
        other = less(at(b, mapped), steady)
        norm = float(np.sqrt(size * float((other**2).sum())))
        return float((one * other).sum()) / norm if norm > 1.0 else 0.0

    half_s = max(_SHORT_HALF_S, float(times[-1] - times[0]) / 2)
    speed, shift, best = line.speed, 0.0, tried(line.speed, 0.0)
    for step in _FIT_STEPS_S:
        options = [(speed, shift + step), (speed, shift - step)]
        if step == _FIT_STEPS_S[0]:
            options += [(speed, shift + far) for far in _FIT_FAR_S]
        else:
            options += [(speed + step / half_s, shift), (speed - step / half_s, shift)]
        for _ in range(3):
            options = [one for one in options if SLOWEST <= one[0] <= FASTEST]
            scores = [tried(*option) for option in options]
            top = int(np.argmax(scores))
            if scores[top] <= best + 1e-4:
                break
            best, (speed, shift) = scores[top], options[top]
            options = [(speed, shift + step), (speed, shift - step)]
    offset = middle * line.speed + line.offset_s + shift - speed * middle
    return Line(speed, offset, line.from_s, line.to_s, line.weight), best
