"""The same footage, or the same camera at another moment? What moves decides, locked in time.

Both clips' shared part is laid moment on moment along a line of time; what stands still over the
window is taken away from both, and what is left is correlated. Where too little moves, or what
moves repeats itself, there is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.align import FASTEST, SLOWEST, Line
from muniment.trace.register import correlations
from muniment.trace.residual import SAMPLES, Floats, Shown, at, basis, less, shots, unsteady

_BLOCK: Final = 4
#: grey levels (root mean square in a block) from which a block counts as moving
_MOVING_LEVELS: Final = 4.0
_LOCAL_S: Final = 0.8
_RIVAL_FROM_S: Final = 0.8
_LEAST_LOCAL: Final = 0.2
_LIVELY: Final = 6.0
#: grey levels squared a pixel that compression and rounding move
_NOISE: Final = 1.5
_AGREE: Final = 0.4
_COVERED: Final = 0.5
_STILL_NOISE: Final = 9.0
#: pictures of which the median is taken, and moments on which a line is fitted: so many or up to
#: twice as many
_MEDIAN_OF: Final = 32
_FIT_ON: Final = 24
#: moments by which the ends of a stretch may move without a new fit
_SAME_ENDS: Final = 2.5


@dataclass(frozen=True)
class Evidence:
    """What was measured along a line.

    Attributes:
        line: with offset and speed refined, and the stretch of a that b shows too.
        motion: correlation of what moves, -1 to 1.
        steady: share of the moving seconds in which the motion agrees, 0 to 1.
        everywhere: mean agreement of all moving blocks, each as heavy as any other, -1 to 1.
        moving_a_s, moving_b_s: seconds in which anything moves.
        cells: moving blocks counted over all moments, the fewer of the two clips.
        variety: how many different pictures of motion there are (participation ratio).
        rival: the correlation at another time shift that stands out, 0 when none does.
        picture: correlation of the pictures as they are, median over the stretch.
    """

    line: Line
    motion: float
    steady: float
    everywhere: float
    moving_a_s: float
    moving_b_s: float
    cells: int
    variety: float
    rival: float
    picture: float


def moving(pictures: Floats) -> Floats:
    """What is left of pictures (n x 24 x 24) without their median over time (n x 576)."""
    return unsteady(pictures, still(pictures))


def still(pictures: Floats) -> Floats:
    """What stands still in pictures (n x 24 x 24): their median, of many that of some."""
    some = pictures[:: max(1, len(pictures) // _MEDIAN_OF)]
    columns = np.sort(some.reshape(len(some), -1).T.copy(), axis=1)
    half = len(some) // 2
    middle = (columns[:, half] + columns[:, -1 - half]) / 2
    return np.asarray(middle, np.float32).reshape(SAMPLES, SAMPLES)


def _own(a: Shown, times: NDArray[np.float64]) -> Floats:
    """The pictures at times that are a run of a clip's own."""
    first = int(np.searchsorted(a.times_s, times[0]))
    return a.pictures[first : first + len(times)]


def correlation(one: Floats, other: Floats) -> float:
    """Correlation of two runs of motion as a whole."""
    norm = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / norm if norm > 1.0 else 0.0


def _window(a: Shown, b: Shown, line: Line, whole: bool) -> NDArray[np.float64]:
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
    times = _window(a, b, line, whole=False)
    if len(times) < 5:
        return line, 0.0
    one = moving(_own(a, times))
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

    speed, shift, best = line.speed, 0.0, tried(line.speed, 0.0)
    for step in (0.12, 0.06, 0.03):
        options = [(speed, shift + step), (speed, shift - step)]
        if step < 0.12:
            options += [(speed + step / 6, shift), (speed - step / 6, shift)]
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


def variety(motion: Floats) -> float:
    """How many different pictures of motion there are: 1 when each is a multiple of one."""
    if not len(motion):
        return 0.0
    units = motion / np.maximum(np.linalg.norm(motion, axis=1, keepdims=True), 1.0)
    return len(units) ** 2 / max(float(((units @ units.T) ** 2).sum()), 1.0)


def _uncovered(still_a: Floats, still_b: Floats) -> Floats:
    """1 where the clips' still pictures agree, 0 in blocks that something covers in one (576).

    Captions and logos hide what moves behind them. Where more than a third of the blocks differ,
    it is no caption, and all count.
    """
    cuts = [_cut(still.reshape(1, -1))[0] for still in (still_a, still_b)]
    centred = [cut - cut.mean(axis=1, keepdims=True) for cut in cuts]
    power = [(cut**2).mean(axis=1) for cut in centred]
    alike = (centred[0] * centred[1]).mean(axis=1)
    alike = (alike + _STILL_NOISE) / np.sqrt((power[0] + _STILL_NOISE) * (power[1] + _STILL_NOISE))
    told = alike >= _COVERED
    if told.mean() < 2 / 3:
        told = np.ones_like(told)
    side = SAMPLES // _BLOCK
    wide = np.repeat(np.repeat(told.reshape(side, side), _BLOCK, axis=0), _BLOCK, axis=1)
    return np.asarray(wide.reshape(-1), dtype=np.float32)


def everywhere(one: Floats, other: Floats) -> float:
    """Mean correlation of the blocks that move in either clip, moment by moment.

    One large thing that happens to move alike in two moments weighs no more than all else.
    """
    cuts = [_cut(motion) for motion in (one, other)]
    power = [(cut**2).mean(axis=-1) for cut in cuts]
    alike = (cuts[0] * cuts[1]).mean(axis=-1) / np.sqrt((power[0] + _NOISE) * (power[1] + _NOISE))
    moves = np.maximum(*power) > _MOVING_LEVELS**2
    return float(alike[moves].mean()) if moves.any() else 0.0


def _cut(motion: Floats) -> Floats:
    """Motion (n x 576) in blocks (n x 36 x 16)."""
    side = SAMPLES // _BLOCK
    cut = motion.reshape(len(motion), side, _BLOCK, side, _BLOCK).transpose(0, 1, 3, 2, 4)
    return cut.reshape(len(motion), side * side, _BLOCK * _BLOCK)


def _blocks(motion: Floats) -> NDArray[np.bool_]:
    """Which blocks move (n x 16)."""
    return np.asarray(np.sqrt((_cut(motion) ** 2).mean(axis=2)) > _MOVING_LEVELS)


def _smooth(values: Floats, reach: int) -> Floats:
    kernel = np.ones(2 * reach + 1, np.float32)
    full = np.convolve(values, kernel)
    return np.asarray(full[reach : reach + len(values)], dtype=np.float32)


def _local(one: Floats, other: Floats, reach: int) -> tuple[Floats, Floats]:
    """Correlation of motion around each moment, and the mean power there (the larger)."""
    count = _smooth(np.ones(len(one), np.float32), reach) * one.shape[1]
    products = _smooth((one * other).sum(axis=1), reach)
    power_a = _smooth((one**2).sum(axis=1), reach) / count
    power_b = _smooth((other**2).sum(axis=1), reach) / count
    locally = products / count / np.sqrt((power_a + _NOISE) * (power_b + _NOISE))
    return locally, np.maximum(power_a, power_b)


def extended(a: Shown, b: Shown, line: Line) -> Line:
    """The line with its stretch grown or cut to where pictures, and what moves, agree."""
    times = _window(a, b, line, whole=True)
    core = (times >= line.from_s) & (times <= line.to_s)
    if core.sum() < 3:
        return line
    first, second = _own(a, times), at(b, times * line.speed + line.offset_s)
    alike = correlations(first, second)
    least = 0.8 * float(np.median(alike[core]))
    still_a, still_b = still(first[core]), still(second[core])
    reach = max(1, round(_LOCAL_S / a.step_s))
    seen = (alike >= least)[:, None]
    one, other = unsteady(first, still_a) * seen, unsteady(second, still_b) * seen
    locally, power = _local(one, other, reach)
    good = (alike >= least) & ~((power > _LIVELY) & (locally < _LEAST_LOCAL))
    kept = np.flatnonzero(good)
    if not (good & core).any():
        return line
    gap = max(1, round(0.5 / a.step_s))
    runs = np.split(kept, np.flatnonzero(np.diff(kept) > gap) + 1)
    run = max(runs, key=lambda one: int(core[one].sum()))
    low, high = int(run[0]), int(run[-1])
    return Line(line.speed, line.offset_s, float(times[low]), float(times[high]), line.weight)


def _rival(
    one: Floats, b: Shown, times: NDArray[np.float64], line: Line, steady: Floats, step_s: float
) -> float:
    """The highest correlation at another shift that rises again after a fall; 0 when none.

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


def _nothing(line: Line) -> Evidence:
    return Evidence(line, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0, 0.0)


def evidence(a: Shown, b: Shown, line: Line, least: float = -1.0) -> Evidence:
    """Measure a line: refine it, find its stretch, and correlate what moves there.

    Not further than the first correlation where that is under `least`.
    """
    first_fit, agreed = fitted(a, b, line)
    if agreed < least:
        return _nothing(first_fit)
    near = extended(a, b, first_fit)
    ends_s = abs(near.from_s - first_fit.from_s), abs(near.to_s - first_fit.to_s)
    if max(ends_s) > _SAME_ENDS * a.step_s:
        near = fitted(a, b, near)[0]
    times = _window(a, b, near, whole=False)
    if len(times) < 5:
        return _nothing(near)
    first, second = _own(a, times), at(b, times * near.speed + near.offset_s)
    still_a, still_b = still(first), still(second)
    told = _uncovered(still_a, still_b)
    steady = basis(still_b)
    one, other = unsteady(first, still_a) * told, less(second, steady) * told
    motion = correlation(one, other)
    first, second = first * told.reshape(SAMPLES, SAMPLES), second * told.reshape(SAMPLES, SAMPLES)
    blocks_a, blocks_b = _blocks(one), _blocks(other)
    reach = max(1, round(_LOCAL_S / a.step_s))
    locally, _power = _local(one, other, reach)
    lively = blocks_a.any(axis=1) | blocks_b.any(axis=1)
    return Evidence(
        line=near,
        motion=motion,
        steady=float((locally[lively] >= _AGREE).mean()) if lively.any() else 0.0,
        everywhere=everywhere(one, other),
        moving_a_s=float(blocks_a.any(axis=1).sum() * a.step_s),
        moving_b_s=float(blocks_b.any(axis=1).sum() * a.step_s),
        cells=int(min(blocks_a.sum(), blocks_b.sum())),
        variety=variety(one[lively]),
        rival=_rival(one, b, times, near, steady, a.step_s),
        picture=float(np.median(correlations(first, second))),
    )


def motion_of(seen: Shown) -> float:
    """Seconds of a clip's shared part in which anything moves within its shot."""
    if not len(seen.pictures):
        return 0.0
    moved = sum(int(_blocks(moving(shot)).any(axis=1).sum()) for shot in shots(seen.pictures))
    return moved * seen.step_s


def strongest(a: Shown, b: Shown, rivals: list[Line]) -> Evidence:
    """The evidence along the line, of several over one stretch, at which most motion agrees.

    Speed 1 is kept unless another explains clearly more: a wrong speed can reach further by
    following one slow movement.
    """
    measured = [evidence(a, b, line) for line in rivals]
    best = max(measured, key=lambda found: found.motion)
    for found in measured:
        length = found.line.to_s - found.line.from_s
        enough = length >= 0.6 * (best.line.to_s - best.line.from_s)
        if abs(found.line.speed - 1.0) < 0.02 and found.motion > best.motion - 0.05 and enough:
            return found
    return best
