"""When what moves alike along lines of time shows the same footage: the thresholds and their use."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from muniment.trace.residual import STEP_S, Shown
from muniment.trace.rivals import far_rival
from muniment.trace.same_footage import Evidence, looked_at


@dataclass(frozen=True)
class Rule:
    """Thresholds of the verdict; set on the development half of benchmarks/trace, then frozen.

    Attributes:
        motion: (correlation of what stands still, least correlation of what moves): the better a
            copy keeps the still picture, the better it keeps what moves.
        gain: by what factor what moves may be stronger or weaker in one clip than what stands still
            is: in general, and where that correlates by at least `gain_still`.
        unlike, unlike_by_noise: the share of blocks at which the pictures may differ where they else
            agree to under `clean` grey levels squared, and how much more for each such level.
        alone: the share of what moves that may move in one clip only.
        extent, staying: the least share of the picture that nine tenths of what moves must take up
            where so much of it stays at its places.
        stays, stays_variety: how far what moves may stay at its places, however large it is, where
            it is so little varied.
        against: the most of the moving time of a line that may speak against it.
        moving_s: seconds of moving alike that are wanted between short clips.
        moving_for_choices: by what share of it more for each doubling of the shifts to choose from.
        much_moves, much_motion: what share of it, and of the correlation, is wanted where much
            moves: at each moment `much_cells_each` blocks of 36, in `much_variety`.
        other_picture: from which agreement of pictures that lie wholly on each other, and of others,
            another moment is told.
        long_times, long_motion: where it moves alike for so many times what is wanted, that share
            of the correlation is wanted.
        band_spread, band_rest: where less than this share of what the pictures show agrees, and the
            rest does not, a caption is all they share.
        opening, most_of_it: how many times more is wanted where the clips share only their beginnings
            or only their ends, and the share of either that is more than that.
        other_speed, crossing: how many times more is wanted at another speed than 1, and where the
            clips share only the end of one and the beginning of the other.
    """

    motion: tuple[tuple[float, float], ...] = (
        (0.9, 0.55),
        (0.985, 0.8),
        (0.995, 0.82),
        (0.9995, 0.91),
        (1.0, 0.93),
    )
    gain: tuple[float, float] = (1.45, 1.25)
    gain_still: float = 0.99
    steady: float = 0.7
    everywhere: float = 0.65
    everywhere_if_alike: float = 0.2
    everywhere_if_other_speed: float = 0.05
    everywhere_if_much_less: float = 0.1
    much_cells: int = 100
    much_variety: float = 4.0
    unlike: float = 0.0025
    unlike_by_noise: float = 0.005
    clean: float = 1.0
    alone: float = 0.06
    extent: float = 0.115
    staying: float = 0.38
    stays: float = 0.85
    stays_variety: float = 2.5
    against: float = 0.25
    least_moving_s: float = 1.2
    moving_s: float = 3.6
    moving_for_choices: float = 0.5
    much_moves: float = 0.7
    much_motion: float = 0.85
    long_times: float = 3.0
    long_motion: float = 0.85
    much_cells_each: float = 9.0
    other_speed: float = 1.4
    crossing: float = 2.0
    opening: float = 3.0
    most_of_it: float = 0.8
    cells: int = 45
    few_cells: int = 16
    few_agree: float = 0.86
    few_speed: float = 0.03
    variety: float = 1.7
    rival: float = 0.8
    picture: float = 0.5
    other_motion: float = 0.3
    other_motion_alone: float = 0.6
    other_steady: float = 0.4
    other_moving_s: float = 3.0
    other_picture: tuple[float, float] = (0.9, 0.97)
    other_spread: float = 0.6
    band_spread: float = 0.45
    band_rest: float = 0.2
    placed: float = 0.6


RULE: Final = Rule()
#: up to so many shifts (seconds of the longer clip times those that look alike at one) are few
_FEW_CHOICES_S2: Final = 60.0
#: seconds by which a stretch may miss the end of a clip, or the stretch that follows it
_ENDS_S: Final = 1.0
#: seconds around a stretch in which it explains why another line does not agree
_AROUND_S: Final = 0.4
#: the share of a stretch that may lie over another
_OVER: Final = 0.3


def held(a: Shown, b: Shown, found: Evidence, clean: tuple[Shown, Shown] | None = None) -> Evidence:
    """Where it holds so far: with its rivals anywhere in both clips, and how the pictures differ.

    Rivals are sought in the clips without noise where that is what was measured (`clean`).
    """
    if not same(found):
        return found
    rival = far_rival(*(clean or (a, b)), found.line)
    return looked_at(a, b, replace(found, rival=max(found.rival, rival)))


def same(found: Evidence) -> bool:
    """Whether the stretch of one line, by itself, shows the same footage."""
    return (
        found.motion >= RULE.motion[0][1]
        and _as_strong(found)
        and found.steady >= RULE.steady
        and found.everywhere >= needed(found)
        and not too_little(found)
        and found.picture >= RULE.picture
        and found.rival < RULE.rival * found.motion
    )


def _as_strong(found: Evidence) -> bool:
    """Whether what moves is as much stronger in one clip as what stands still is.

    Another thing on the same path is seldom as dark or bright, and as large.
    """
    most = RULE.gain[int(found.still >= RULE.gain_still and not _much(found))]
    return 1 / most <= found.gain <= most


def motion_needed(still: float) -> float:
    """The least correlation of what moves, by that of what stands still (-1 to 1).

    Where a copy keeps the still picture nearly exactly, another thing on the same path shows.

    Example:
        >>> round(motion_needed(0.8), 2), round(motion_needed(1.0), 2)
        (0.55, 0.93)
    """
    known, least = RULE.motion[0]
    for at, then in RULE.motion[1:]:
        if still < at:
            return least + (then - least) * max(0.0, still - known) / (at - known)
        known, least = at, then
    return least


def needed(found: Evidence) -> float:
    """The agreement that all moving blocks must reach: more where few different things move.

    One thing on one path may well look alike in two moments; many things do not.
    """
    much = found.cells >= RULE.much_cells and _varied(found)
    return (
        RULE.everywhere
        + RULE.everywhere_if_alike / max(found.variety, 1.0)
        + (RULE.everywhere_if_other_speed if _other_speed(found) else 0.0)
        - (RULE.everywhere_if_much_less if much else 0.0)
    )


def _much(found: Evidence) -> bool:
    """Whether much of the picture moves all the time, and variously: then it is no single passing."""
    return found.cells * STEP_S >= RULE.much_cells_each * found.moving_s and _varied(found)


def _varied(found: Evidence) -> bool:
    return found.variety >= RULE.much_variety


def _other_speed(found: Evidence) -> bool:
    return abs(found.line.speed - 1.0) > RULE.few_speed


def too_little(found: Evidence) -> bool:
    """Whether too little moves along a line to tell two moments apart.

    One small thing on a path that others take too can look alike in two moments, the more so when
    the speed may be chosen: where so little moves, only near equality at speed 1 counts.
    """
    if found.moving_s < RULE.least_moving_s or found.variety < RULE.variety:
        return True
    if found.cells >= RULE.cells:
        return False
    alike = min(found.motion, found.everywhere) >= RULE.few_agree
    return found.cells < RULE.few_cells or not alike or _other_speed(found)


def moving_wanted_s(found: Evidence, a_s: float, b_s: float) -> float:
    """Seconds in which something must move alike along a line.

    More the more shifts in time there are to choose from, since among many one may fit by chance;
    that both clips lie on each other from beginning to end is no choice among many.

    Args:
        a_s, b_s: seconds of the clips.
    """
    many = max(a_s, b_s) * found.seen_s / _FEW_CHOICES_S2
    choices = 1.0 if _wholly(found, a_s, b_s) else max(1.0, many)
    wanted_s = RULE.moving_s * (1.0 + RULE.moving_for_choices * math.log2(choices))
    if _much(found):
        wanted_s *= RULE.much_moves
    if _other_speed(found):
        wanted_s *= RULE.other_speed
    if _crosses(found, a_s, b_s):
        wanted_s *= RULE.crossing
    return wanted_s


def _reaches(found: Evidence, a_s: float, b_s: float) -> tuple[tuple[bool, bool], ...]:
    """For each clip, whether the stretch reaches its beginning and its end."""
    return tuple(
        (stretch[0] <= _ENDS_S, stretch[1] >= length_s - STEP_S - _ENDS_S)
        for stretch, length_s in ((found.in_a, a_s), (found.in_b, b_s))
    )


def _wholly(found: Evidence, a_s: float, b_s: float) -> bool:
    """Whether both clips lie on each other from beginning to end."""
    return all(begun and ended for begun, ended in _reaches(found, a_s, b_s))


def _crosses(found: Evidence, a_s: float, b_s: float) -> bool:
    """Whether the stretch runs from the beginning of one clip to the end of the other."""
    one, other = _reaches(found, a_s, b_s)
    whole = all(one) or all(other)
    return not whole and ((one[0] and other[1]) or (other[0] and one[1]))


def opens_both(one: Evidence, group: Sequence[Evidence], a_s: float, b_s: float) -> bool:
    """Whether a stretch begins both clips or ends both, and both go on without each other.

    So do clips that share a title: it is the same, but what they show is not.

    Args:
        group: the stretch with those that adjoin it.
        a_s, b_s: seconds of the clips.
    """
    in_a, in_b = _reaches(one, a_s, b_s)
    if not ((in_a[0] and in_b[0]) or (in_a[1] and in_b[1])):
        return False
    shares = (
        sum(stretch[1] - stretch[0] for stretch in stretches) / max(length_s, STEP_S)
        for stretches, length_s in (
            ([each.in_a for each in group], a_s),
            ([each.in_b for each in group], b_s),
        )
    )
    return max(shares) < RULE.most_of_it


def covers_enough(found: Evidence, against: int) -> bool:
    """Whether the stretch holds nearly all of the line's moving time.

    Args:
        against: so many moments of the line speak against it.
    """
    return against <= RULE.against * (found.agreed + against)


def standing(found: tuple[Evidence, ...], a_s: float, b_s: float) -> tuple[Evidence, ...]:
    """The lines that together show the same footage, in order of time; none when none do.

    Where a line goes on beyond its stretch and other things move there, it does not hold: two
    moments of one camera can look alike for a while. Unless a stretch that adjoins it explains
    that, as where a part was cut out.
    """
    kept = _apart([one for one in found if same(one)])
    while kept:
        groups = {id(one): _adjoining(one, kept) for one in kept}
        bad = [one for one in kept if not covers_enough(one, _unexplained(one, groups[id(one)]))]
        bad += [one for one in kept if not _enough(one, groups[id(one)], a_s, b_s)]
        if not bad:
            break
        worst = min(bad, key=lambda one: one.agreed)
        kept = [one for one in kept if one is not worst]
    return tuple(kept)


def _enough(one: Evidence, group: list[Evidence], a_s: float, b_s: float) -> bool:
    """Whether it moves alike for long enough, and well enough for how long it does."""
    wanted_s = moving_wanted_s(one, a_s, b_s)
    if opens_both(one, group, a_s, b_s):
        wanted_s *= RULE.opening
    times = sum(each.moving_s for each in group) / wanted_s
    needed = motion_needed(one.still) * one.sampled
    if _much(one):
        needed *= RULE.much_motion
    if times >= RULE.long_times:
        needed *= RULE.long_motion
    return times >= 1.0 and one.motion >= needed and not differs(one) and not narrow(one)


def differs(found: Evidence) -> bool:
    """Whether the pictures show other things, though what moves agrees: the two signs together."""
    more = RULE.unlike_by_noise * found.noise if found.noise >= RULE.clean else 0.0
    return found.unlike / (RULE.unlike + more) + found.alone / RULE.alone > 1.0


def narrow(found: Evidence) -> bool:
    """Whether what moves lies in one small part of the picture and stays, like a screen or a clock;
    or stays wholly at its places, like the edges of all things where the camera sways."""
    small = found.extent < RULE.extent and found.staying > RULE.staying
    return small or (found.staying > RULE.stays and found.variety < RULE.stays_variety)


def _unexplained(one: Evidence, group: list[Evidence]) -> int:
    """How many moments speak against a line that lie in no other stretch of its group."""
    others = [other for other in group if other is not one]
    line = one.line
    count = 0
    for at_s in one.against:
        there_s = at_s * line.speed + line.offset_s
        count += not any(_in(other.in_a, at_s) or _in(other.in_b, there_s) for other in others)
    return count


def _in(stretch: tuple[float, float], at_s: float) -> bool:
    return stretch[0] - _AROUND_S <= at_s <= stretch[1] + _AROUND_S


def _adjoining(one: Evidence, kept: list[Evidence]) -> list[Evidence]:
    """A line with those whose stretches follow each other in either clip without a gap."""
    group, left = [one], [other for other in kept if other is not one]
    grown = True
    while grown:
        near = [other for other in left if any(_touch(other, each) for each in group)]
        group += near
        left = [other for other in left if all(other is not each for each in near)]
        grown = bool(near)
    return group


def _touch(one: Evidence, other: Evidence) -> bool:
    return any(
        min(abs(x[1] - y[0]), abs(y[1] - x[0])) <= _ENDS_S
        for x, y in ((one.in_a, other.in_a), (one.in_b, other.in_b))
    )


def _apart(good: list[Evidence]) -> list[Evidence]:
    """Evidence whose stretches do not lie over each other, in either clip; the strongest first."""
    kept: list[Evidence] = []
    for one in sorted(good, key=lambda found: -found.line.weight):
        if all(_over(one, other) < _OVER for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda found: found.line.from_s)


def _over(one: Evidence, other: Evidence) -> float:
    """The share of the shorter stretch that lies over the other, in a or in b (the larger)."""
    shares = []
    for first, second in ((one.in_a, other.in_a), (one.in_b, other.in_b)):
        both = min(first[1], second[1]) - max(first[0], second[0])
        shares.append(both / max(0.1, min(first[1] - first[0], second[1] - second[0])))
    return max(shares)
