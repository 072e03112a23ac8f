"""Compare two clips: find where one lies in the other, and say what they are to each other.

The rule, in short (figures in `Rule`). *same_footage*: what moves in both, laid moment on moment,
is the same in most of the moving seconds, there is enough of it, it is varied, and no other shift
in time fits nearly as well. *same_camera_other_moment*: the pictures lie on each other, enough
moves, and no shift makes what moves the same. *undetermined*: the pictures lie on each other, but
too little moves, or the figures lie between. *no_match*: the pictures do not lie on each other.
Sound is reported and never decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import Box
from muniment.model.trace import Pair, Segment, Transform, Verdict
from muniment.trace.align import Line, lines
from muniment.trace.anchors import anchors
from muniment.trace.clip import Clip
from muniment.trace.register import Guess, Looked, Placing, guesses, realigned, refined
from muniment.trace.residual import STEP_S
from muniment.trace.same_footage import Evidence, evidence, motion_of, strongest
from muniment.trace.sound import heard_alike
from muniment.trace.through import turned
from muniment.trace.windows import Two, found_in_windows, too_long


@dataclass(frozen=True)
class Rule:
    """Thresholds of the verdict; set on the development half of benchmarks/trace, then frozen."""

    motion: float = 0.55
    steady: float = 0.7
    everywhere: float = 0.65
    everywhere_if_alike: float = 0.2
    everywhere_if_other_speed: float = 0.05
    everywhere_if_much_less: float = 0.1
    much_cells: int = 100
    much_variety: float = 4.0
    moving_s: float = 1.2
    moving_for_choices: float = 1.0
    cells: int = 60
    few_cells: int = 16
    few_agree: float = 0.9
    few_speed: float = 0.03
    variety: float = 1.3
    rival: float = 0.85
    picture: float = 0.5
    other_motion: float = 0.3
    other_steady: float = 0.4
    other_moving_s: float = 3.0
    other_picture: float = 0.75
    placed: float = 0.6


RULE: Final = Rule()
_GUESSES: Final = 3
_LINES: Final = 3
_CLEAR_BITS: Final = 45.0
#: Up to so many shifts (seconds of one clip times seconds of the other) are few.
_FEW_CHOICES_S2: Final = 200.0
_SURE: Final = 0.93
#: agreement of pictures from which the placing is not refined further
_WELL_PLACED: Final = 0.985
_LEAST_MOMENTS: Final = 3
#: what hashes propose is taken at once when motion agrees so well, at so nearly speed 1, over all
#: but so many seconds of the shorter clip, and that is no very short one
_CLEARLY: Final = 0.8
_STEADILY: Final = 0.006
_ENDS_S: Final = 1.0
_SHORTEST_S: Final = 2.5


@dataclass(frozen=True)
class Laid:
    """b laid on a, and the evidence.

    Attributes:
        swapped: whether a is the second clip that was given.
        moving_a_s, moving_b_s: seconds in which anything moves; counted where nothing is the same.
        single: whether one of the clips is a single picture.
        in_windows: whether the clips were too long for every shift in time to be tried.
    """

    two: Two
    found: tuple[Evidence, ...]
    swapped: bool = False
    moving_a_s: float = 0.0
    moving_b_s: float = 0.0
    single: bool = False
    in_windows: bool = False


def compare(a: Clip, b: Clip) -> Pair:
    """What two clips are to each other; see the module."""
    return compared(Looked(a), Looked(b))


def compared(a: Looked, b: Looked) -> Pair:
    """As `compare`, with the hashes of both clips' views made once.

    Either way round it is the same comparison: of the longer clip with the shorter.
    """
    if (-b.clip.duration_s, b.clip.id) < (-a.clip.duration_s, a.clip.id):
        return turned(_compared(b, a, True))
    return _compared(a, b, False)


def _compared(a: Looked, b: Looked, swapped: bool) -> Pair:
    sound = heard_alike(a.clip, b.clip)
    likely = guesses(a, b, _GUESSES)
    if not likely:
        return _unmatched(a.clip, b.clip, sound, "no pictures of the two are near each other")
    guess, placing = _placed(a.clip, b.clip, likely)
    if placing.agreement < RULE.placed:
        why = f"pictures near each other by hash agree by {placing.agreement:.2f} of 1 when laid on"
        return _unmatched(a.clip, b.clip, sound, f"{why} each other, under {RULE.placed:.2f}")
    return judged(a.clip, b.clip, laid(a, b, guess, placing, swapped), sound)


def _unmatched(a: Clip, b: Clip, sound: bool, why: str) -> Pair:
    return Pair(a.id, b.id, Verdict.NO_MATCH, 0.0, sound=sound, reasons=(why, *_heard(sound)))


def _placed(a: Clip, b: Clip, likely: list[Guess]) -> tuple[Guess, Placing]:
    """The guess whose pictures agree best once refined; one pair of frames may agree by chance."""
    best = (likely[0], refined(a, b, likely[0]))
    for guess in likely[1:]:
        if _weighed(*best) > _SURE or best[0].bits < min(_CLEAR_BITS, guess.bits - 15):
            break
        placing = refined(a, b, guess)
        if _weighed(guess, placing) > _weighed(*best):
            best = (guess, placing)
    return best


def _weighed(guess: Guess, placing: Placing) -> float:
    return placing.agreement - 0.06 / len(guess.pairs)


def laid(a: Looked, b: Looked, guess: Guess, placing: Placing, swapped: bool = False) -> Laid:
    """Lay b on a in time, refine the placing on the pictures so aligned, and measure.

    Pictures without motion are not measured. Where hashes already tell how the whole of one clip
    lies in the other and what moves agrees there, no other line is sought.
    """
    inside_a = _inside(a.clip, [one for one, _ in guess.pairs])
    inside_b = _inside(b.clip, [two for _, two in guess.pairs])
    two = Two(a.clip, b.clip, placing, inside_a, inside_b)
    if min(_moments(a.clip), _moments(b.clip)) < _LEAST_MOMENTS:
        return Laid(two, (), swapped, single=True)
    if too_long(a.clip, b.clip):
        found = found_in_windows(two, anchors(a, b, guess, two), same, RULE.moving_s)
        return Laid(two, found, swapped, in_windows=True)
    return _straight(two, guess, swapped) or _searched(two, swapped)


def _moments(clip: Clip) -> int:
    return 0 if clip.still else len(clip.motion_s)


def _straight(two: Two, guess: Guess, swapped: bool) -> Laid | None:
    """The line of speed 1 that hashes propose, when one clip wholly lies on it; else None."""
    shifts = [two.b.times_s[y] - two.a.times_s[x] for x, y in guess.pairs]
    shift = float(np.median(shifts))
    low, high = max(0.0, -shift), min(two.a.duration_s, two.b.duration_s - shift)
    whole_s = min(two.a.duration_s, two.b.duration_s) - _ENDS_S
    if high - low < max(whole_s, _SHORTEST_S):
        return None
    if two.placing.agreement < _WELL_PLACED:
        again = realigned(two.a, two.b, two.placing, 1.0, shift, (low, high))
        two = replace(two, placing=again)
    found = evidence(*two.parts(), Line(1.0, shift, low, high, 1.0), _CLEARLY)
    line = found.line
    covered = line.to_s - line.from_s + STEP_S >= whole_s and abs(line.speed - 1.0) < _STEADILY
    if not (covered and found.motion >= _CLEARLY and same(found)):
        return None
    return Laid(two, (found,), swapped)


def _searched(two: Two, swapped: bool) -> Laid:
    """Every line of time, and the placing refined along the best."""
    parts = two.parts()
    found = lines(*parts, _LINES)
    if found and two.placing.agreement < _WELL_PLACED:
        top = found[0][0]
        stretch = (top.from_s, top.to_s)
        again = realigned(two.a, two.b, two.placing, top.speed, top.offset_s, stretch)
        moved = max(abs(x - y) for x, y in zip(again.box, two.placing.box, strict=True))
        two = replace(two, placing=again)
        if moved > 0.012:
            parts = two.parts()
            found = lines(*parts, _LINES)
    measured = tuple(strongest(*parts, rivals) for rivals in found)
    if any(same(one) for one in measured):
        return Laid(two, measured, swapped)
    return Laid(two, measured, swapped, motion_of(parts[0]), motion_of(parts[1]))


def _inside(clip: Clip, frames: list[int]) -> Box:
    """The part inside borders, where the clip matches."""
    sides: NDArray[np.float32] = np.median(clip.boxes[frames], axis=0)
    return (float(sides[0]), float(sides[1]), float(sides[2]), float(sides[3]))


def same(found: Evidence) -> bool:
    """Whether the evidence along one line shows the same footage."""
    return (
        found.motion >= RULE.motion
        and found.steady >= RULE.steady
        and found.everywhere >= needed(found)
        and not too_little(found)
        and found.picture >= RULE.picture
        and found.rival < RULE.rival * found.motion
    )


def needed(found: Evidence) -> float:
    """The agreement that all moving blocks must reach: more where few different things move.

    One thing on one path may well look alike in two moments; many things do not.
    """
    other_speed = abs(found.line.speed - 1.0) > 0.03
    much = found.cells >= RULE.much_cells and found.variety >= RULE.much_variety
    return (
        RULE.everywhere
        + RULE.everywhere_if_alike / max(found.variety, 1.0)
        + (RULE.everywhere_if_other_speed if other_speed else 0.0)
        - (RULE.everywhere_if_much_less if much else 0.0)
    )


def too_little(found: Evidence) -> bool:
    """Whether too little moves along a line to tell two moments apart.

    One small thing on a path that others take too can look alike in two moments, the more so when
    the speed may be chosen: where so little moves, only near equality at speed 1 counts.
    """
    if min(found.moving_a_s, found.moving_b_s) < RULE.moving_s or found.variety < RULE.variety:
        return True
    if found.cells >= RULE.cells:
        return False
    alike = min(found.motion, found.everywhere) >= RULE.few_agree
    own_speed = abs(found.line.speed - 1.0) <= RULE.few_speed
    return found.cells < RULE.few_cells or not (alike and own_speed)


def moving_wanted_s(a_s: float, b_s: float) -> float:
    """Seconds in which something must move alike: more the more shifts in time there are to choose
    from, since among many one may fit by chance.

    Args:
        a_s, b_s: seconds of the clips.
    Example:
        >>> moving_wanted_s(14.0, 14.0), round(moving_wanted_s(3600.0, 3600.0), 1)
        (1.2, 20.4)
    """
    choices = max(1.0, a_s * b_s / _FEW_CHOICES_S2)
    return RULE.moving_s * (1.0 + RULE.moving_for_choices * math.log2(choices))


def _moves_s(found: Evidence) -> float:
    return min(found.moving_a_s, found.moving_b_s)


def judged(a: Clip, b: Clip, laid: Laid, sound: bool) -> Pair:
    """The verdict on clips laid on each other, with its reasons."""
    wanted_s = moving_wanted_s(a.duration_s, b.duration_s)
    good = sorted(
        (one for one in laid.found if same(one) and _moves_s(one) >= wanted_s),
        key=lambda one: one.line.from_s,
    )
    best = max(laid.found, key=lambda one: one.motion * one.line.weight, default=None)
    reasons = [_where(laid.two.placing)]
    if good:
        verdict, kept = Verdict.SAME_FOOTAGE, _apart(good)
        reasons += [_moves(one, laid.swapped) for one in kept]
    else:
        verdict, why = _otherwise(laid, sound)
        kept = [best] if best is not None and verdict is Verdict.UNDETERMINED else []
        reasons += ([_moves(best, laid.swapped)] if best is not None else []) + [why]
    motion = max((one.motion for one in good), default=best.motion if best else None)
    return Pair(
        a=a.id,
        b=b.id,
        verdict=verdict,
        score=_score(verdict, laid.two.placing.agreement, motion or 0.0),
        segments=tuple(_segment(one, a, b) for one in kept),
        transform=_transform(laid),
        sound=sound,
        motion_correlation=None if motion is None else round(motion, 4),
        reasons=(*reasons, *_heard(sound)),
    )


def _otherwise(laid: Laid, sound: bool) -> tuple[Verdict, str]:
    """The verdict where nothing shows the same footage, and why."""
    if laid.single:
        what = "a single picture cannot be told from the same scene at another moment"
        return Verdict.UNDETERMINED, what
    if laid.in_windows:
        what = "the clips are too long to try every shift in time; none that was tried shows it"
        return Verdict.UNDETERMINED, what
    if min(laid.moving_a_s, laid.moving_b_s) < RULE.other_moving_s:
        return Verdict.UNDETERMINED, "too little moves to tell one moment from another"
    if any(found.rival >= RULE.rival * found.motion > 0 for found in laid.found if _half(found)):
        return Verdict.UNDETERMINED, "what moves repeats itself: other shifts in time fit as well"
    if any(_half(found) for found in laid.found):
        return Verdict.UNDETERMINED, "the figures lie between those of copies and of other moments"
    if sound:
        what = "what moves is not the same at any shift in time, yet the sound is alike"
        return Verdict.UNDETERMINED, what
    if laid.two.placing.agreement < RULE.other_picture:
        return Verdict.UNDETERMINED, "the pictures lie on each other too loosely to compare motion"
    what = "the pictures lie on each other and at no shift in time does the same move"
    return Verdict.SAME_CAMERA_OTHER_MOMENT, what


def _half(found: Evidence) -> bool:
    """Whether a line is neither that of a copy nor chance."""
    return found.motion >= RULE.other_motion and found.steady >= RULE.other_steady


def _apart(good: list[Evidence]) -> list[Evidence]:
    """Evidence whose stretches do not lie over each other, in either clip; the strongest first."""
    kept: list[Evidence] = []
    for one in sorted(good, key=lambda found: -found.line.weight):
        if all(_over(one, other) < 0.3 for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda found: found.line.from_s)


def _over(one: Evidence, other: Evidence) -> float:
    """The share of the shorter stretch that lies over the other, in a or in b (the larger)."""
    shares = []
    for first, second in ((_in_a(one), _in_a(other)), (_in_b(one), _in_b(other))):
        both = min(first[1], second[1]) - max(first[0], second[0])
        shares.append(both / max(0.1, min(first[1] - first[0], second[1] - second[0])))
    return max(shares)


def _in_a(found: Evidence) -> tuple[float, float]:
    return found.line.from_s, found.line.to_s


def _in_b(found: Evidence) -> tuple[float, float]:
    line = found.line
    return (
        line.from_s * line.speed + line.offset_s,
        line.to_s * line.speed + line.offset_s,
    )


def _segment(found: Evidence, a: Clip, b: Clip) -> Segment:
    """A stretch, to the end of its last sampled picture, inside both clips."""
    line = found.line
    low = max(line.from_s, -line.offset_s / line.speed, 0.0)
    high = min(line.to_s + STEP_S, (b.duration_s - line.offset_s) / line.speed, a.duration_s)
    return Segment(
        a_start_s=round(low, 3),
        a_end_s=round(high, 3),
        b_start_s=round(low * line.speed + line.offset_s, 3),
        b_end_s=round(high * line.speed + line.offset_s, 3),
        speed=round(line.speed, 4),
        score=round(max(0.0, min(1.0, found.motion)), 4),
    )


def _score(verdict: Verdict, agreement: float, motion: float) -> float:
    """0.5 to 1 for the same footage, at most 0.5 for anything else."""
    product = max(0.0, min(1.0, agreement)) * max(0.0, min(1.0, motion))
    return round(0.5 + product / 2 if verdict is Verdict.SAME_FOOTAGE else product / 2, 4)


def _transform(laid: Laid) -> Transform:
    box = laid.two.placing.box
    whole = max(abs(box[0]), abs(box[1]), abs(box[2] - 1), abs(box[3] - 1)) < 0.02
    return Transform(
        mirrored=laid.two.placing.mirrored,
        crop=None if whole else _rounded(box),
        borders_a=_borders(laid.two.inside_a),
        borders_b=_borders(laid.two.inside_b),
    )


def _rounded(box: Box) -> Box:
    return (round(box[0], 3), round(box[1], 3), round(box[2], 3), round(box[3], 3))


def _borders(inside: Box) -> Box | None:
    """The part inside borders; None when that is the whole."""
    return None if inside == (0.0, 0.0, 1.0, 1.0) else _rounded(inside)


def _where(placing: Placing) -> str:
    mirrored = ", one of them mirrored" if placing.mirrored else ""
    return f"the pictures agree by {placing.agreement:.2f} of 1 when laid on each other{mirrored}"


def _moves(found: Evidence, swapped: bool) -> str:
    low_s, high_s = _in_b(found) if swapped else _in_a(found)
    moving_s = (found.moving_a_s, found.moving_b_s)[:: -1 if swapped else 1]
    return (
        f"from {low_s:.1f} s to {high_s:.1f} s of the first clip, what moves correlates by "
        f"{found.motion:.2f} of 1; the same moves in {found.steady * 100:.0f} % of the moving time "
        f"({moving_s[0]:.1f} s in the first, {moving_s[1]:.1f} s in the second)"
    )


def _heard(sound: bool) -> tuple[str, ...]:
    return ("the sound is alike; this does not decide",) if sound else ()
