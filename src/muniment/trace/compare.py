"""Compare two clips: find where one lies in the other, and say what they are to each other.

Laid on each other here; judged in `verdict`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import Box, resampled
from muniment.model.trace import Pair, Verdict
from muniment.trace.align import Line, lines
from muniment.trace.anchors import anchors
from muniment.trace.cleaned import cleaned, uncovered, without_bands
from muniment.trace.clip import Clip, pictures_at
from muniment.trace.placing import Placing
from muniment.trace.register import (
    Guess,
    Looked,
    guesses,
    inset_guesses,
    realigned,
    refined,
)
from muniment.trace.residual import SAMPLES, STEP_S, Floats, Shown
from muniment.trace.rule import RULE, held, same, standing
from muniment.trace.same_footage import evidence, motion_of, strongest
from muniment.trace.sound import heard_alike
from muniment.trace.through import turned
from muniment.trace.turning import turned_transform
from muniment.trace.verdict import Laid, judged, unmatched
from muniment.trace.windows import Two, found_in_windows, too_long

_GUESSES: Final = 3
_LINES: Final = 3
_CLEAR_BITS: Final = 45.0
_SURE: Final = 0.93
#: agreement of pictures from which the placing is not refined further
_WELL_PLACED: Final = 0.985
#: and under which crops are tried where whole pictures were near each other
_LOOSELY_PLACED: Final = 0.9
_LEAST_MOMENTS: Final = 3
#: what hashes propose is taken at once when motion agrees so well, at so nearly speed 1, over all
#: but so many seconds of the shorter clip, and that is no very short one
_CLEARLY: Final = 0.8
_STEADILY: Final = 0.006
_ENDS_S: Final = 1.0
_SHORTEST_S: Final = 2.5


def compare(a: Clip, b: Clip) -> Pair:
    """What two clips are to each other; see the module."""
    return compared(Looked(a), Looked(b))


def compared(a: Looked, b: Looked) -> Pair:
    """As `compare`, with the hashes of both clips' views made once.

    Either way round it is the same comparison: of the longer clip with the shorter.
    """
    if (-b.clip.duration_s, b.clip.id) < (-a.clip.duration_s, a.clip.id):
        return turned(_any_way_up(b, a, True))
    return _any_way_up(a, b, False)


def _any_way_up(a: Looked, b: Looked, swapped: bool) -> Pair:
    """As they are; where they so do not lie on each other, with b turned by quarters."""
    upright = _compared(a, b, swapped)
    if upright.verdict is not Verdict.NO_MATCH:
        return upright
    for quarters, turn in b.turned:
        if not guesses(a, turn, 1, parts=False):
            continue
        pair = _compared(a, turn, swapped)
        if pair.verdict is not Verdict.NO_MATCH and pair.transform is not None:
            transform = turned_transform(pair.transform, quarters)
            return msgspec.structs.replace(pair, transform=transform)
    return upright


def _compared(a: Looked, b: Looked, swapped: bool) -> Pair:
    sound = heard_alike(a.clip, b.clip)
    likely = guesses(a, b, _GUESSES)
    if not likely:
        return unmatched(a.clip, b.clip, sound, "no pictures of the two are near each other")
    guess, placing = _placed(a.clip, b.clip, likely)
    if placing.agreement < _LOOSELY_PLACED and guess.view == 0:
        for inset in inset_guesses(a, b):
            again = inset, refined(a.clip, b.clip, inset)
            guess, placing = max((guess, placing), again, key=lambda one: _weighed(*one))
    if placing.agreement < RULE.placed:
        why = f"pictures near each other by hash agree by {placing.agreement:.2f} of 1 when laid on"
        return unmatched(a.clip, b.clip, sound, f"{why} each other, under {RULE.placed:.2f}")
    if placing.spread < RULE.band_spread and placing.rest < RULE.band_rest:
        why = (
            f"only {placing.spread * 100:.0f} % of what the pictures show agrees, the rest does not"
        )
        return unmatched(a.clip, b.clip, sound, f"{why}: a caption or a logo that both carry")
    return judged(a.clip, b.clip, laid(a, b, guess, placing, swapped), sound)


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
        found = found_in_windows(two, anchors(a, b, guess, two))
        return Laid(two, found, swapped, in_windows=True)
    first = _straight(two, guess, swapped) or _searched(two, swapped)
    lengths_s = a.clip.duration_s, b.clip.duration_s
    if standing(first.found, *lengths_s):
        return first
    parts = first.two.parts()
    told = uncovered(*_of_one_moment(first.two, guess), *parts)
    again = _looked_again(first, parts, told)
    return again if again is not None and standing(again.found, *lengths_s) else first


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
    parts = two.parts()
    found = held(*parts, evidence(*parts, Line(1.0, shift, low, high, 1.0), _CLEARLY))
    line = found.line
    covered = line.to_s - line.from_s + STEP_S >= whole_s and abs(line.speed - 1.0) < _STEADILY
    lengths_s = two.a.duration_s, two.b.duration_s
    if not (covered and found.motion >= _CLEARLY and standing((found,), *lengths_s)):
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
    measured = tuple(held(*parts, strongest(*parts, rivals)) for rivals in found)
    if any(same(one) for one in measured):
        return Laid(two, measured, swapped)
    return Laid(two, measured, swapped, motion_of(parts[0]), motion_of(parts[1]))


def _looked_again(first: Laid, parts: tuple[Shown, Shown], told: Floats) -> Laid | None:
    """As `_searched`, without what covers a picture and without noise; None where there is neither."""
    clean = cleaned(*parts, told)
    if clean is None:
        return None
    rest = max((one.still for one in first.found), default=-1.0)
    found = [
        # what stands still is judged with all there is, since by it what moves is judged
        replace(one, still=max(one.still, rest))
        for one in (strongest(*clean, rivals) for rivals in lines(*clean, _LINES))
    ]
    one, other = (without_bands(part, told) for part in parts)
    held_so = [held(one, other, line, clean) for line in found]
    return replace(first, found=tuple(held_so))


def _of_one_moment(two: Two, guess: Guess) -> tuple[Floats, Floats]:
    """The parts that both show of the pictures that hashes paired (n x 24 x 24 each)."""
    first = pictures_at(two.a, np.array([one for one, _ in guess.pairs]))
    second = pictures_at(two.b, np.array([other for _, other in guess.pairs]))
    if two.placing.mirrored:
        second = second[..., ::-1]
    in_a, in_b = two.placing.shared()
    return resampled(first, in_a, SAMPLES), resampled(second, in_b, SAMPLES)


def _inside(clip: Clip, frames: list[int]) -> Box:
    """The part inside borders, where the clip matches."""
    sides: NDArray[np.float32] = np.median(clip.boxes[frames], axis=0)
    return (float(sides[0]), float(sides[1]), float(sides[2]), float(sides[3]))
