"""Other shifts in time at which what moves looks alike too: then it cannot tell two moments apart.

Near ones repeat within seconds (a machine, a gait). Far ones are other things on the same way (a road,
a belt, a corridor), elsewhere in either clip and at any of the speeds that are tried.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.align import Line
from muniment.trace.residual import Floats, Shown, at, basis, less, moving, still

_RIVAL_FROM_S: Final = 0.8
_FAR_FROM_S: Final = 1.5
#: the least room beside a stretch, as a share of it, in which a rival is sought
_LEAST_ROOM: Final = 0.8
#: the least share of a stretch that must lie inside a clip at another shift
_LEAST_INSIDE: Final = 0.6
_SPEEDS: Final = (0.8, 0.87, 0.93, 1.0, 1.07, 1.15, 1.25)


def near_rival(
    one: Floats, b: Shown, times: NDArray[np.float64], line: Line, steady: Floats, step_s: float
) -> float:
    """The highest correlation within some seconds that rises again after a fall; 0 when none.

    `steady` is what stands still in b, as `basis` gives it.
    """
    count = len(times)
    reach = min(count // 2, round(8.0 / step_s))
    grid = times[0] + np.arange(-reach, count + reach) * step_s
    mapped = grid * line.speed + line.offset_s
    held = (mapped >= b.times_s[0]) & (mapped <= b.times_s[-1])
    other = less(at(b, mapped), steady) * held[:, None]
    table = one @ other.T
    row, column = table.strides
    along = np.lib.stride_tricks.as_strided(
        table, (2 * reach + 1, count), (column, row + column), writeable=False
    )
    parts = np.lib.stride_tricks.sliding_window_view(held, count)
    own = parts @ (one**2).sum(axis=1)
    theirs = np.convolve((other**2).sum(axis=1), np.ones(count, np.float32), "valid")
    found = along.sum(axis=1) / np.maximum(np.sqrt(own * theirs), 1.0)
    found = np.where(parts.mean(axis=1) < 0.6, 0.0, found)
    rival = 0.0
    for side in (found[reach:], found[reach::-1]):
        fallen = np.minimum.accumulate(side)
        far = np.arange(len(side)) * step_s >= _RIVAL_FROM_S
        stands = far & (side - fallen > 0.4 * max(side[0], 0.1))
        rival = max(rival, float(side[stands].max()) if stands.any() else 0.0)
    return rival


def far_rival(a: Shown, b: Shown, line: Line) -> float:
    """The highest correlation of the stretch of either clip with any other place of the other one.

    0 where the other clip has no room for another place.
    """
    in_b = line.from_s * line.speed + line.offset_s, line.to_s * line.speed + line.offset_s
    of_b = _elsewhere(b, in_b, a, ((line.from_s + line.to_s) / 2))
    of_a = _elsewhere(a, (line.from_s, line.to_s), b, (in_b[0] + in_b[1]) / 2)
    return max(of_a, of_b)


def _elsewhere(seen: Shown, stretch_s: tuple[float, float], other: Shown, known_s: float) -> float:
    """The highest correlation of a stretch of one clip with the other, not around `known_s`."""
    held = (seen.times_s >= stretch_s[0] - 1e-6) & (seen.times_s <= stretch_s[1] + 1e-6)
    count, step = int(held.sum()), seen.step_s
    length_s = float(other.times_s[-1] - other.times_s[0])
    if count < 5 or length_s < (1.0 + _LEAST_ROOM) * count * step:
        return 0.0
    one = moving(seen.pictures[held])
    steady = basis(still(other.pictures))
    best = 0.0
    for speed in _SPEEDS:
        grid = np.arange(other.times_s[0], other.times_s[-1] + 1e-6, step * speed)
        found, middles_s = _slid(one, less(at(other, grid), steady), grid)
        far = np.abs(middles_s - known_s) >= _FAR_FROM_S
        best = max(best, float(found[far].max()) if far.any() else 0.0)
    return best


def _slid(
    one: Floats, other: Floats, grid: NDArray[np.float64]
) -> tuple[Floats, NDArray[np.float64]]:
    """Correlation of a run of motion with every place of another, and the places' middles."""
    count, many = len(one), len(other)
    spare = count - int(np.ceil(_LEAST_INSIDE * count))
    padded = np.zeros((many + 2 * spare, other.shape[1]), np.float32)
    padded[spare : spare + many] = other
    table = one @ padded.T
    row, column = table.strides
    places = len(padded) - count + 1
    if places < 1:
        return np.zeros(0, np.float32), np.zeros(0)
    along = np.lib.stride_tricks.as_strided(
        table, (places, count), (column, row + column), writeable=False
    )
    power = np.convolve((padded**2).sum(axis=1), np.ones(count, np.float32), "valid")
    norms = np.sqrt(float((one**2).sum()) * power)
    middles_s = grid[0] + (np.arange(places) - spare + (count - 1) / 2) * (grid[1] - grid[0])
    return along.sum(axis=1) / np.maximum(norms, 1.0), middles_s
