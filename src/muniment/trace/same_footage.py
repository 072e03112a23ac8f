"""The same footage, or the same camera at another moment? What moves decides, locked in time.

Both clips' shared part is laid moment on moment along a line of time; what stands still over the
window is taken away from both, and what is left is correlated. Where too little moves, or what
moves repeats itself, there is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.trace.align import Line
from muniment.trace.covered import PARTLY, seen_alike, uncovered
from muniment.trace.differing import cut_in_blocks, differing
from muniment.trace.fitting import correlation, fitted, own, window
from muniment.trace.movers import alone, extent
from muniment.trace.placing import correlations
from muniment.trace.residual import (
    SAMPLES,
    Floats,
    Shown,
    at,
    basis,
    less,
    moving,
    shots,
    still,
    unsteady,
)
from muniment.trace.rivals import near_rival

_BLOCK: Final = 4
#: grey levels (root mean square in a block) from which a block counts as moving
_MOVING_LEVELS: Final = 4.0
_LOCAL_S: Final = 0.8
_LEAST_LOCAL: Final = 0.2
#: moments that agree less than this share of what is usual in the stretch are against it
_LEAST_OF_USUAL: Final = 0.5
_LIVELY: Final = 6.0
#: grey levels squared a pixel that compression and rounding move
_NOISE: Final = 1.5
_AGREE: Final = 0.4
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
        still: correlation of what stands still in both.
        sampled: the correlation that the same motion would reach, pictures of the one clip falling
            between those of the other, 0 to 1: things that move fast then do not look alike.
        gain: how much stronger what moves is in b than in a, beside what stands still.
        unlike: share of all blocks and moments at which the pictures themselves differ by more than
            what compression, placing and sampling explain; 0 where it was not looked at.
        noise: median difference of the pictures, in grey levels squared.
        alone: share of moving blocks and moments that move in one clip only; 0 where not looked at.
        extent, staying: share of the picture that holds nine tenths of what moves, and how far
            that stays at its places; 1 and 0 where not looked at.
        seen_s: seconds of the whole line, not only its stretch, in which the pictures agree.
        agreed: moments of the stretch at which the same moves.
        against: moments of a on the whole line, not only its stretch, at which the pictures agree
            and what moves does not.
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
    still: float = 0.0
    sampled: float = 1.0
    gain: float = 1.0
    unlike: float = 0.0
    noise: float = 0.0
    alone: float = 0.0
    extent: float = 1.0
    staying: float = 0.0
    seen_s: float = 0.0
    agreed: int = 0
    against: tuple[float, ...] = ()

    @property
    def moving_s(self) -> float:
        """Seconds in which anything moves, in the clip in which that is less."""
        return min(self.moving_a_s, self.moving_b_s)

    @property
    def in_a(self) -> tuple[float, float]:
        """The stretch, in seconds of a."""
        return self.line.from_s, self.line.to_s

    @property
    def in_b(self) -> tuple[float, float]:
        """The stretch, in seconds of b."""
        line = self.line
        return (
            line.from_s * line.speed + line.offset_s,
            line.to_s * line.speed + line.offset_s,
        )


def variety(motion: Floats) -> float:
    """How many different pictures of motion there are: 1 when each is a multiple of one."""
    if not len(motion):
        return 0.0
    units = motion / np.maximum(np.linalg.norm(motion, axis=1, keepdims=True), 1.0)
    return len(units) ** 2 / max(float(((units @ units.T) ** 2).sum()), 1.0)


def _mean(alike: Floats, moves: NDArray[np.bool_]) -> float:
    """Mean correlation of the blocks that move in either clip, moment by moment.

    One large thing that happens to move alike in two moments weighs no more than all else.
    """
    return float(alike[moves].mean()) if moves.any() else 0.0


def block_by_block(one: Floats, other: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Correlation of each block at each moment, and which blocks move in either (n x 36 each)."""
    cuts = [cut_in_blocks(motion) for motion in (one, other)]
    power = [(cut**2).mean(axis=-1) for cut in cuts]
    alike = (cuts[0] * cuts[1]).mean(axis=-1) / np.sqrt((power[0] + _NOISE) * (power[1] + _NOISE))
    return alike, np.maximum(*power) > _MOVING_LEVELS**2


def _blocks(motion: Floats) -> NDArray[np.bool_]:
    """Which blocks move (n x 16)."""
    return np.asarray(np.sqrt((cut_in_blocks(motion) ** 2).mean(axis=2)) > _MOVING_LEVELS)


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


@dataclass(frozen=True)
class _Along:
    """Both clips' pictures at all times of a line, what stands still in its stretch (`core`), where
    nothing covers it (`told`), and how alike the pictures are there, of `least` on."""

    times: NDArray[np.float64]
    core: NDArray[np.bool_]
    first: Floats
    second: Floats
    still_a: Floats
    still_b: Floats
    told: Floats
    alike: Floats
    least: Floats


def _laid(a: Shown, b: Shown, line: Line, least: int) -> _Along | None:
    """The line's pictures; None where its stretch has under `least` moments."""
    times = window(a, b, line, whole=True)
    core = (times >= line.from_s) & (times <= line.to_s)
    if core.sum() < least:
        return None
    first, second = own(a, times), at(b, times * line.speed + line.offset_s)
    still_a, still_b = still(first[core]), still(second[core])
    told = uncovered(still_a, still_b)
    return _Along(
        times, core, first, second, still_a, still_b, told, *seen_alike(first, second, told, core)
    )


def _extended(a: Shown, line: Line, seen: _Along) -> Line:
    """The line with its stretch grown or cut to where pictures, and what moves, agree."""
    times, core = seen.times, seen.core
    reach = max(1, round(_LOCAL_S / a.step_s))
    shown = (seen.alike >= seen.least)[:, None] * seen.told
    one = unsteady(seen.first, seen.still_a) * shown
    other = unsteady(seen.second, seen.still_b) * shown
    locally, power = _local(one, other, reach)
    good = (seen.alike >= seen.least) & ~((power > _LIVELY) & (locally < _LEAST_LOCAL))
    kept = np.flatnonzero(good)
    if not (good & core).any():
        return line
    gap = max(1, round(0.5 / a.step_s))
    runs = np.split(kept, np.flatnonzero(np.diff(kept) > gap) + 1)
    run = max(runs, key=lambda one: int(core[one].sum()))
    low, high = int(run[0]), int(run[-1])
    return Line(line.speed, line.offset_s, float(times[low]), float(times[high]), line.weight)


def looked_at(a: Shown, b: Shown, found: Evidence) -> Evidence:
    """The evidence with how far the pictures differ along its stretch, and where they move."""
    line = found.line
    times = window(a, b, line, whole=False)
    first, second = own(a, times), at(b, times * line.speed + line.offset_s)
    told = uncovered(still(first), still(second), PARTLY).reshape(SAMPLES, SAMPLES)
    unlike, noise = differing(first, second, told)
    moved = extent(first), extent(second)
    return replace(
        found,
        unlike=unlike,
        noise=noise,
        alone=alone(first, second, told),
        extent=min(parts[0] for parts in moved),
        staying=max(parts[1] for parts in moved),
    )


def _nothing(line: Line) -> Evidence:
    return Evidence(line, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0, 0.0)


def evidence(a: Shown, b: Shown, line: Line, least: float = -1.0) -> Evidence:
    """Measure a line: refine it, find its stretch, and correlate what moves there.

    Not further than the first correlation where that is under `least`.
    """
    first_fit, agreed = fitted(a, b, line)
    if agreed < least:
        return _nothing(first_fit)
    seen = _laid(a, b, first_fit, 3)
    near = first_fit if seen is None else _extended(a, first_fit, seen)
    ends_s = abs(near.from_s - first_fit.from_s), abs(near.to_s - first_fit.to_s)
    if max(ends_s) > _SAME_ENDS * a.step_s:
        near = fitted(a, b, near)[0]
    if seen is None or not _same_moments(seen, first_fit, near):
        seen = _laid(a, b, near, 5)
    if seen is None or seen.core.sum() < 5:
        return _nothing(near)
    return _measured(a, b, near, seen)


def _same_moments(seen: _Along, one: Line, other: Line) -> bool:
    """Whether two lines lay the same moments on each other and have the same stretch."""
    core = (seen.times >= other.from_s) & (seen.times <= other.to_s)
    same_line = (one.speed, one.offset_s) == (other.speed, other.offset_s)
    return same_line and bool((core == seen.core).all())


def _measured(a: Shown, b: Shown, line: Line, seen: _Along) -> Evidence:
    """The figures of a line: of its stretch, and of where else on it both go on."""
    times, core, told = seen.times, seen.core, seen.told
    steady = basis(seen.still_b)
    one, other = unsteady(seen.first, seen.still_a) * told, less(seen.second, steady) * told
    covered = told.reshape(SAMPLES, SAMPLES)
    still_a, still_b = seen.still_a * covered, seen.still_b * covered
    picture = float(np.median(seen.alike[core]))
    alike = seen.alike >= seen.least
    by_block = block_by_block(one, other)
    agreed, against = _along(*by_block, alike, core, a.step_s)
    one, other = one[core], other[core]
    blocks_a, blocks_b = _blocks(one), _blocks(other)
    locally, _power = _local(one, other, max(1, round(_LOCAL_S / a.step_s)))
    lively = blocks_a.any(axis=1) | blocks_b.any(axis=1)
    return Evidence(
        line=line,
        motion=correlation(one, other),
        steady=float((locally[lively] >= _AGREE).mean()) if lively.any() else 0.0,
        everywhere=_mean(by_block[0][core], by_block[1][core]),
        moving_a_s=float(blocks_a.any(axis=1).sum() * a.step_s),
        moving_b_s=float(blocks_b.any(axis=1).sum() * a.step_s),
        cells=int(min(blocks_a.sum(), blocks_b.sum())),
        variety=variety(one[lively]),
        rival=near_rival(one, b, times[core], line, steady, a.step_s),
        picture=picture,
        still=float(correlations(still_a[None], still_b[None])[0]),
        sampled=_sampled(one, b, times[core] * line.speed + line.offset_s),
        gain=_strength(other, still_b) / max(_strength(one, still_a), 1e-6),
        seen_s=float(alike.sum() * a.step_s),
        agreed=agreed,
        against=tuple(times[against].tolist()),
    )


def _sampled(one: Floats, b: Shown, mapped_s: NDArray[np.float64]) -> float:
    """What correlation is left when b's pictures are taken between its own moments.

    A picture halfway between two is compared with their mean. What that costs is known of moments
    twice as far apart, of which the middle one is there; it grows with the square of the distance.
    """
    if len(one) < 3:
        return 1.0
    between = (one[:-2] + one[2:]) * np.float32(0.5)
    lost = 1.0 - max(0.0, correlation(one[1:-1], between))
    share = ((mapped_s - b.times_s[0]) / b.step_s) % 1.0
    return 1.0 - lost * float((share * (1.0 - share)).mean())


def _strength(motion: Floats, still_part: Floats) -> float:
    """How strong what moves is beside what stands still, which contrast changes alike."""
    return float(
        np.linalg.norm(motion) / max(float(np.linalg.norm(still_part - still_part.mean())), 1.0)
    )


def _along(
    alike: Floats,
    moves: NDArray[np.bool_],
    seen: NDArray[np.bool_],
    core: NDArray[np.bool_],
    step_s: float,
) -> tuple[int, NDArray[np.bool_]]:
    """Along the whole of a line: how many moments agree, and which speak against it.

    Only where the pictures still agree (`seen`) and something moves in either clip. Moments outside
    the stretch (`core`), which ends where motion no longer agrees, speak against it, as do those
    inside it that agree less than half as well as is usual there.
    """
    usual = _mean(alike[core], moves[core])
    moves = moves & seen[:, None]
    reach = max(1, round(_LOCAL_S / step_s))
    summed = _smooth(np.where(moves, alike, 0.0).sum(axis=1).astype(np.float32), reach)
    agree = summed / np.maximum(_smooth(moves.sum(axis=1).astype(np.float32), reach), 1.0)
    lively = moves.any(axis=1)
    against = lively & (~core | (agree < max(_LEAST_LOCAL, _LEAST_OF_USUAL * usual)))
    return int((lively & ~against).sum()), against


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
