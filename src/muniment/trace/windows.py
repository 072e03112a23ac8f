"""Two clips too long to hold every moment of one against every moment of the other.

Places where they may be the same are proposed (`anchors`), each is measured in a window of a minute, and
what holds there is followed along its line of time. Memory is that of a window; time grows with the
clips' lengths, not with their product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from muniment.examine.hashing import Box
from muniment.trace.align import SPEEDS, Line, lines
from muniment.trace.anchors import Anchor
from muniment.trace.clip import Clip
from muniment.trace.placing import Placing
from muniment.trace.residual import Shown, shown, step_s
from muniment.trace.rule import RULE, held, same
from muniment.trace.same_footage import Evidence, evidence, strongest

#: cells of a table of all moments of a by all of b that is still held whole: 4 minutes by 4
MOST_CELLS: Final = 1_500_000
#: moments of one clip that are still held whole: 2 hours
MOST_MOMENTS_WHOLE: Final = 36_000
#: proposed places that are measured, at most
_MOST_TRIED: Final = 48
#: places that hold and are followed, at most
_MOST_FOUND: Final = 24
_HALF_S: Final = 30.0
#: how much further b is looked at, so that other speeds and a loose proposal fit
_SLACK_S: Final = 10.0
#: what is known of a line when it is followed, and the least it must then grow by
_KNOWN_S: Final = 10.0
_LEAST_GROWTH_S: Final = 2.0
_ALL_SPEEDS_FIRST: Final = 12


def too_long(a: Clip, b: Clip) -> bool:
    """Whether the clips are compared in windows."""
    step = max(step_s(a.motion_s), step_s(b.motion_s))
    one, other = (_moments(clip, step) for clip in (a, b))
    return one * other > MOST_CELLS or max(one, other) > MOST_MOMENTS_WHOLE


def _moments(clip: Clip, step: float) -> float:
    """Moments of a clip's grid, also where it has no pictures for a long time."""
    return 1.0 + float(clip.motion_s[-1] - clip.motion_s[0]) / step if len(clip.motion_s) else 0.0


@dataclass(frozen=True)
class Two:
    """Two clips, b placed in a, and the parts of both inside their borders."""

    a: Clip
    b: Clip
    placing: Placing
    inside_a: Box
    inside_b: Box

    @cached_property
    def step_s(self) -> float:
        """Seconds between moments, of both: those of the clip that was thinned out more."""
        return max(step_s(self.a.motion_s), step_s(self.b.motion_s))

    def parts(
        self,
        stretch_a: tuple[float, float] = (float("-inf"), float("inf")),
        stretch_b: tuple[float, float] = (float("-inf"), float("inf")),
    ) -> tuple[Shown, Shown]:
        """What both show, over stretches of seconds of each."""
        in_a, in_b = self.placing.shared()
        return (
            shown(self.a, self.inside_a, in_a, False, self.step_s, stretch_a),
            shown(self.b, self.inside_b, in_b, self.placing.mirrored, self.step_s, stretch_b),
        )


def found_in_windows(two: Two, proposed: list[Anchor]) -> tuple[Evidence, ...]:
    """Evidence for each place that holds, over all of its length; else for the best place tried.

    A line is followed through windows in which little moves, as far as pictures agree.
    """
    found: list[Evidence] = []
    best: Evidence | None = None
    tried: list[Anchor] = []
    for anchor in proposed:
        if len(tried) == _MOST_TRIED or len(found) == _MOST_FOUND:
            break
        if _known(anchor, found, tried):
            continue
        tried.append(anchor)
        measured = _measured(two, anchor, len(tried) <= _ALL_SPEEDS_FIRST)
        if measured is None:
            continue
        if same(measured):
            found.append(_followed(two, measured))
        elif best is None or measured.motion > best.motion:
            best = measured
    return tuple(found) or ((best,) if best is not None else ())


def _known(anchor: Anchor, found: list[Evidence], tried: list[Anchor]) -> bool:
    """Whether a place lies in a stretch that was found, or next to one that was tried."""
    if any(one.line.from_s - 1 <= anchor.a_s <= one.line.to_s + 1 for one in found):
        return True
    shift = anchor.b_s - anchor.a_s
    return any(
        abs(one.a_s - anchor.a_s) < _HALF_S / 2 and abs(one.b_s - one.a_s - shift) < _SLACK_S / 2
        for one in tried
    )


def _measured(two: Two, anchor: Anchor, every_speed: bool) -> Evidence | None:
    """The strongest line in the window around a proposed place."""
    stretch_a = anchor.a_s - _HALF_S, anchor.a_s + _HALF_S
    reach = _HALF_S + _SLACK_S
    parts = two.parts(stretch_a, (anchor.b_s - reach, anchor.b_s + reach))
    best: Evidence | None = None
    for speeds in ((1.0,), SPEEDS)[: 2 if every_speed else 1]:
        for rivals in lines(*parts, 1, speeds):
            measured = strongest(*parts, rivals)
            if best is None or measured.motion > best.motion:
                best = measured
        best = None if best is None else held(*parts, best)
        if best is not None and same(best):
            break
    return best


def _followed(two: Two, start: Evidence) -> Evidence:
    """One piece of evidence for the whole stretch of a line, from what holds in one window of it."""
    pieces, ends = [start], list[Evidence]()
    for forward in (True, False):
        last: Evidence | None = start
        while last is not None:
            grown = _next(two, last, forward)
            last = grown if grown is not None and _goes_on(last, grown, forward) else None
            if last is not None:
                pieces.append(last)
            elif grown is not None:
                ends.append(grown)
    return _joined(pieces, ends)


def _next(two: Two, last: Evidence, forward: bool) -> Evidence | None:
    """The evidence in the next window along a line; None where either clip ends."""
    line = last.line
    if forward:
        core = max(line.from_s, line.to_s - _KNOWN_S), line.to_s
        stretch = core[0], core[0] + 2 * _HALF_S
    else:
        core = line.from_s, min(line.to_s, line.from_s + _KNOWN_S)
        stretch = core[1] - 2 * _HALF_S, core[1]
    in_b = [at * line.speed + line.offset_s for at in stretch]
    parts = two.parts(stretch, (in_b[0] - 2.0, in_b[1] + 2.0))
    if min(len(part.times_s) for part in parts) < 5:
        return None
    grown = evidence(*parts, replace(line, from_s=core[0], to_s=core[1]))
    if not _quiet(grown):
        return grown
    return replace(grown, line=replace(grown.line, speed=line.speed, offset_s=line.offset_s))


def _quiet(found: Evidence) -> bool:
    return found.moving_s < RULE.least_moving_s


def _goes_on(last: Evidence, grown: Evidence, forward: bool) -> bool:
    """Whether the next window carries a line further."""
    growth_s = grown.line.to_s - last.line.to_s if forward else last.line.from_s - grown.line.from_s
    return growth_s >= _LEAST_GROWTH_S and (_quiet(grown) or same(grown))


def _joined(pieces: list[Evidence], ends: list[Evidence]) -> Evidence:
    """Pieces of one line as one; its figures are those of the piece that agrees least.

    `ends` are the windows beyond: what moves there may speak against the line.
    """
    held_by_itself = [one for one in pieces if same(one)]
    first = min(pieces, key=lambda one: one.line.from_s).line
    last = max(pieces, key=lambda one: one.line.to_s).line
    begin = first.from_s * first.speed + first.offset_s
    end = last.to_s * last.speed + last.offset_s
    speed = (end - begin) / max(last.to_s - first.from_s, 1e-6)
    weight = sum(one.line.weight for one in pieces)
    line = Line(speed, begin - speed * first.from_s, first.from_s, last.to_s, weight)
    return replace(
        min(held_by_itself, key=lambda one: one.motion),
        line=line,
        moving_a_s=sum(one.moving_a_s for one in pieces),
        moving_b_s=sum(one.moving_b_s for one in pieces),
        cells=sum(one.cells for one in pieces),
        unlike=sum(one.unlike for one in held_by_itself) / len(held_by_itself),
        noise=sum(one.noise for one in held_by_itself) / len(held_by_itself),
        alone=max(one.alone for one in held_by_itself),
        extent=max(one.extent for one in held_by_itself),
        staying=min(one.staying for one in held_by_itself),
        seen_s=sum(one.seen_s for one in (*pieces, *ends)),
        agreed=sum(one.agreed for one in pieces),
        against=_against(pieces, ends),
    )


def _against(pieces: list[Evidence], ends: list[Evidence]) -> tuple[float, ...]:
    """Moments that speak against a line in one window and lie in no other window's stretch."""
    found: set[float] = set()
    for one in (*pieces, *ends):
        others = [other.in_a for other in pieces if other is not one]
        found |= {
            at_s for at_s in one.against if not any(begin <= at_s <= end for begin, end in others)
        }
    return tuple(sorted(found))
