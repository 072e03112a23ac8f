"""What two clips that were laid on each other are to each other, and why.

The rule, in short (figures in `rule.Rule`). *same_footage*: what moves in both, laid moment on moment,
is the same in most of the moving seconds, there is enough of it, it is varied, no other shift
in time fits nearly as well, and nowhere else on that line does anything else move where the
pictures still agree. *same_camera_other_moment*: the pictures lie on each other, enough
moves, and no shift makes what moves the same. *undetermined*: the pictures lie on each other, but
too little moves, or the figures lie between. *no_match*: the pictures do not lie on each other.
Sound is reported and never decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from muniment.examine.hashing import Box
from muniment.model.trace import Pair, Segment, Transform, Verdict
from muniment.trace.clip import Clip
from muniment.trace.placing import Placing
from muniment.trace.residual import STEP_S
from muniment.trace.rule import (
    RULE,
    covers_enough,
    differs,
    moving_wanted_s,
    narrow,
    opens_both,
    same,
    standing,
)
from muniment.trace.same_footage import Evidence
from muniment.trace.windows import Two

#: by so much of the picture a side may be off where the same part is shown
_WHOLE: Final = 0.02


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


def judged(a: Clip, b: Clip, laid: Laid, sound: bool) -> Pair:
    """The verdict on clips laid on each other, with its reasons."""
    good = standing(laid.found, a.duration_s, b.duration_s)
    best = max(laid.found, key=lambda one: one.motion * one.line.weight, default=None)
    reasons = [_where(laid.two.placing)]
    if good:
        verdict, kept = Verdict.SAME_FOOTAGE, list(good)
        reasons += [_moves(one, laid.swapped) for one in kept]
    else:
        verdict, why = _otherwise(a, b, laid, sound)
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


def _otherwise(a: Clip, b: Clip, laid: Laid, sound: bool) -> tuple[Verdict, str]:
    """The verdict where nothing shows the same footage, and why."""
    if laid.single:
        what = "a single picture cannot be told from the same scene at another moment"
        return Verdict.UNDETERMINED, what
    if alike := [one for one in laid.found if same(one)]:
        return Verdict.UNDETERMINED, _not_standing(alike, a, b)
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
    if laid.two.placing.spread < RULE.other_spread:
        what = f"only {laid.two.placing.spread * 100:.0f} % of what the pictures show agrees"
        return Verdict.UNDETERMINED, f"{what}, such as a caption that both carry"
    if laid.two.placing.agreement < RULE.other_picture[int(not _is_whole(laid.two.placing))]:
        return Verdict.UNDETERMINED, "the pictures lie on each other too loosely to compare motion"
    what = "the pictures lie on each other and at no shift in time does the same move"
    return Verdict.SAME_CAMERA_OTHER_MOMENT, what


def _not_standing(alike: list[Evidence], a: Clip, b: Clip) -> str:
    """Why lines that hold by themselves do not make the same footage: told of the strongest."""
    best = max(alike, key=lambda one: one.agreed)
    if not covers_enough(best, len(best.against)):
        return (
            "elsewhere on the same line of time, where the pictures still agree, other things move"
        )
    wanted_s = moving_wanted_s(best, a.duration_s, b.duration_s)
    if best.moving_s < wanted_s:
        return (
            "it moves alike for too short a time: of many shifts in time one may fit by chance, "
            f"and {wanted_s:.1f} s of moving would be wanted"
        )
    if opens_both(best, (best,), a.duration_s, b.duration_s):
        return (
            "only their beginnings or their ends are alike for a short time, as of a shared title"
        )
    if differs(best):
        return "what moves agrees, but the pictures show other things besides"
    if narrow(best):
        return (
            f"what moves stays in {best.extent * 100:.0f} % of the picture, as of a screen, a clock "
            "or a machine, which may move so again at another moment"
        )
    return "what moves agrees less than what stands still would let expect of a copy"


def _half(found: Evidence) -> bool:
    """Whether a line is neither that of a copy nor chance."""
    return found.motion >= RULE.other_motion and (
        found.steady >= RULE.other_steady or found.motion >= RULE.other_motion_alone
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
    placing = laid.two.placing
    return Transform(
        mirrored=placing.mirrored,
        crop=None if _is_whole(placing) else _rounded(placing.box),
        borders_a=_borders(laid.two.inside_a),
        borders_b=_borders(laid.two.inside_b),
    )


def _is_whole(placing: Placing) -> bool:
    """Whether both pictures show the same part."""
    box = placing.box
    return max(abs(box[0]), abs(box[1]), abs(box[2] - 1), abs(box[3] - 1)) < _WHOLE


def _rounded(box: Box) -> Box:
    return (round(box[0], 3), round(box[1], 3), round(box[2], 3), round(box[3], 3))


def _borders(inside: Box) -> Box | None:
    """The part inside borders; None when that is the whole."""
    return None if inside == (0.0, 0.0, 1.0, 1.0) else _rounded(inside)


def _where(placing: Placing) -> str:
    mirrored = ", one of them mirrored" if placing.mirrored else ""
    return f"the pictures agree by {placing.agreement:.2f} of 1 when laid on each other{mirrored}"


def _moves(found: Evidence, swapped: bool) -> str:
    low_s, high_s = found.in_b if swapped else found.in_a
    moving_s = (found.moving_a_s, found.moving_b_s)[:: -1 if swapped else 1]
    return (
        f"from {low_s:.1f} s to {high_s:.1f} s of the first clip, what moves correlates by "
        f"{found.motion:.2f} of 1; the same moves in {found.steady * 100:.0f} % of the moving time "
        f"({moving_s[0]:.1f} s in the first, {moving_s[1]:.1f} s in the second)"
    )


def _heard(sound: bool) -> tuple[str, ...]:
    return ("the sound is alike; this does not decide",) if sound else ()


def unmatched(a: Clip, b: Clip, sound: bool, why: str) -> Pair:
    """The pair of clips whose pictures do not lie on each other."""
    return Pair(a.id, b.id, Verdict.NO_MATCH, 0.0, sound=sound, reasons=(why, *_heard(sound)))
