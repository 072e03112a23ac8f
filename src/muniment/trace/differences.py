"""What each copy of a cluster shows that others do not, seen from its fullest version.

All of it rests on what the examiners found and on the pairs that tracing made: nothing is decoded
again, and nothing here says which copy came first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from msgspec.structs import replace as replaced

from muniment.examine.hashing import Box
from muniment.model.differences import (
    Added,
    ClusterDifferences,
    Covered,
    Difference,
    Making,
    Missing,
)
from muniment.model.trace import Pair, Segment, Transform
from muniment.trace.clip import Clip
from muniment.trace.composite import compose
from muniment.trace.fullest import (
    LOOSE,
    Member,
    Read,
    Sides,
    both_ways,
    fullest,
    is_framed,
    members,
    reaches_beyond,
)
from muniment.trace.heard import heard
from muniment.trace.making import beside
from muniment.trace.overlays import Laid, differing, laid, regions
from muniment.trace.stretches import LEAST_S, Span, left_out, length_s, runs_on
from muniment.trace.through import through
from muniment.trace.turning import turned_box, upright

#: a speed nearer to 1 than this is the grid of the comparison
STEADY: Final = 0.03
#: share of a side that bars must take, and that a crop must take away
_LEAST_SIDE: Final = 0.02
#: share of the cells that may differ in seconds that look alike
_ALIKE: Final = 0.35
#: share of a stretch that another copy must show to be said to have it too
_MOST: Final = 0.5
_MOST_GAPS: Final = 40
#: other copies it takes to say whose picture is covered
_TOLD: Final = 2


def differences(
    items: Mapping[str, Making],
    loudest: Mapping[str, int | None],
    pairs: Sequence[Pair],
    read: Read,
) -> ClusterDifferences:
    """How the copies of one cluster differ.

    Args:
        items: the cluster's members and how each file was made.
        loudest: the loudest sample of each member; None where it has no sound track.
        pairs: any pairs; those of the same footage with segments among the members are used.
        read: fetches a clip; None where it cannot be read.
    """
    used = [
        one for one in pairs if one.a in items and one.b in items and one.segments and one.joins
    ]
    sides = both_ways(items, used)
    found = members(sides, items, read)
    best, why = fullest(found, sides, read)
    rest = sorted(item for item in items if item != best)
    each = told_by_others([_difference(best, item, found, loudest, sides, read) for item in rest])
    weighed = found | {
        one.copy: replace(found[one.copy], covered=_covered_share(one)) for one in each
    }
    return ClusterDifferences(best, why, items[best], each, compose(best, weighed, sides))


def told_by_others(each: Sequence[Difference]) -> tuple[Difference, ...]:
    """Where it cannot be told from two copies whose picture is covered, the others often tell: the
    one that differs from most of those that show the part is the covered one."""
    return tuple(
        replaced(one, covered=tuple(_settled(part, one, each) for part in one.covered))
        if any(part.in_copy is None for part in one.covered)
        else one
        for one in each
    )


def _settled(part: Covered, one: Difference, each: Sequence[Difference]) -> Covered:
    others = [
        other
        for other in each
        if other is not one and other.laid and _holds(other.crop, part.reference_box)
    ]
    differ = sum(
        any(_overlap(part.reference_box, its.reference_box) for its in other.covered)
        for other in others
    )
    agree = len(others) - differ
    if part.in_copy is not None or max(differ, agree) < _TOLD or differ == agree:
        return part
    return replaced(part, in_copy=agree > differ)


def _holds(crop: Box | None, box: Box) -> bool:
    if crop is None:
        return True
    return crop[0] <= box[0] and crop[1] <= box[1] and box[2] <= crop[2] and box[3] <= crop[3]


def _overlap(one: Box, other: Box) -> bool:
    """Whether two boxes have half of the smaller one in common."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    least = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide > 0 and high > 0 and wide * high >= 0.5 * least


def _laid_on(reference: str, item: str, sides: Sides) -> tuple[Pair | None, bool]:
    """The pair (reference, item), and whether by way of a third; None when there is none."""
    direct = sides[reference].get(item)
    if direct is not None:
        return direct, False
    ways = [
        way
        for middle, first in sides[reference].items()
        if (second := sides[middle].get(item)) is not None
        and (way := through(first, second, reference, item)) is not None
    ]
    if not ways:
        return None, False
    return max(ways, key=lambda one: (length_s(_spans(one.segments)[0]), one.score)), True


def _covered_share(one: Difference) -> float:
    """The share of a copy's frame and time that is known to be covered."""
    end_s = max((part.end_s for part in one.covered), default=0.0)
    return sum(
        (part.box[2] - part.box[0])
        * (part.box[3] - part.box[1])
        * (part.end_s - part.start_s)
        / max(end_s, 1e-3)
        for part in one.covered
        if part.in_copy
    )


def _spans(segments: Sequence[Segment]) -> tuple[list[Span], list[Span]]:
    first = [(one.a_start_s, one.a_end_s) for one in segments]
    return first, [(one.b_start_s, one.b_end_s) for one in segments]


def _difference(
    best: str,
    item: str,
    found: Mapping[str, Member],
    loudest: Mapping[str, int | None],
    sides: Sides,
    read: Read,
) -> Difference:
    """One copy against the fullest version."""
    own = beside(found[item].making, found[best].making)
    pair, by_way = _laid_on(best, item, sides)
    a, b = read(best), read(item)
    if pair is None or a is None or b is None:
        return Difference(item, laid=False, by_way=by_way, making=own)
    pair, b, quarters = upright(pair, b)
    missing, added, alike = _gaps(pair, found, sides, a, b)
    sound, shift_s = heard(a, b, pair.segments, (loudest.get(best), loudest.get(item)))
    shown = laid(a, b, pair.segments, pair.transform)
    framed, seen = _framing(pair, shown, b)
    found_so = Difference(
        copy=item,
        by_way=by_way,
        shared_s=round(length_s(_spans(pair.segments)[0]), 2),
        missing=missing,
        added=added,
        alike=alike,
        mirrored=pair.transform is not None and pair.transform.mirrored,
        speed=_speed(pair.segments),
        crop=_cropped(pair.transform, shown),
        around=seen,
        framed=framed,
        bars=_bars(pair.transform.borders_b if pair.transform else None),
        covered=_covered(shown) if pair.score >= LOOSE else (),
        sound=sound,
        sound_shift_s=shift_s,
        making=own,
    )
    return _as_it_is(found_so, quarters)


def _as_it_is(one: Difference, quarters: int) -> Difference:
    """A difference told of a copy turned clockwise by quarters, with the boxes of its own picture."""
    if not quarters:
        return one
    return replaced(
        one,
        rotated_deg=90 * quarters,
        around=_back(one.around, quarters),
        bars=_back(one.bars, quarters),
        covered=tuple(
            replaced(part, box=_rounded(turned_box(part.box, -quarters))) for part in one.covered
        ),
    )


def _back(box: Box | None, quarters: int) -> Box | None:
    return None if box is None else _rounded(turned_box(box, -quarters))


def _speed(segments: Sequence[Segment]) -> float:
    first, second = _spans(segments)
    shown = sum(end - start for start, end in second)
    speed = sum(end - start for start, end in first) / shown if shown > 0 else 1.0
    return round(speed, 2) if abs(speed - 1) >= STEADY else 1.0


def _bars(borders: Box | None) -> Box | None:
    if borders is None:
        return None
    taken = max(borders[0], borders[1], 1 - borders[2], 1 - borders[3])
    return _rounded(borders) if taken >= _LEAST_SIDE else None


def _cropped(transform: Transform | None, shown: Laid | None) -> Box | None:
    """The part of the fullest version's frame that the copy shows; None when nearly all."""
    if transform is None or transform.crop is None or shown is None:
        return None
    left, top, right, bottom = transform.crop
    taken = max(left, top, 1 - right, 1 - bottom)
    return _rounded(shown.frame_a) if taken >= _LEAST_SIDE else None


def _framing(pair: Pair, shown: Laid | None, b: Clip) -> tuple[bool, Box | None]:
    """Whether a frame stands around what both show, and where that lies in the copy's frame."""
    crop = pair.transform.crop if pair.transform else None
    if crop is None or shown is None or not reaches_beyond(crop):
        return False, None
    return is_framed(b, pair), _rounded(shown.frame_b)


def _covered(shown: Laid | None) -> tuple[Covered, ...]:
    if shown is None:
        return ()
    return tuple(
        Covered(
            _rounded(one.box),
            _rounded(one.box_a),
            round(one.start_s, 1),
            round(one.end_s, 1),
            one.throughout,
            one.in_b,
        )
        for one in regions(shown)
    )


def _gaps(
    pair: Pair, found: Mapping[str, Member], sides: Sides, a: Clip, b: Clip
) -> tuple[tuple[Missing, ...], tuple[Added, ...], tuple[Missing, ...]]:
    """What the copy lacks and adds, and the seconds of both that look alike and are not told."""
    first, second = _spans(pair.segments)
    end_a, end_b = found[pair.a].duration_s, found[pair.b].duration_s
    lacking = [_missing(gap, pair, end_a, end_b) for gap in left_out(first, end_a)]
    adding = left_out(second, end_b)
    alike = [one for one in lacking[:_MOST_GAPS] if _looks_alike(one, pair, a, b)]
    for one in alike:
        assert one.instead is not None
        adding = [gap for gap in adding if not _within(gap, one.instead)]
    own = found[pair.b]
    added = tuple(
        Added(
            round(gap[0], 2),
            round(gap[1], 2),
            _also_in(gap, sides[pair.b], pair.a),
            length_s(runs_on(gap, own.cut_s, end_b)) >= _MOST * (gap[1] - gap[0]),
        )
        for gap in adding[:_MOST_GAPS]
    )
    return tuple(one for one in lacking if one not in alike), added, tuple(alike)


def _missing(gap: Span, pair: Pair, end_a: float, end_b: float) -> Missing:
    """A gap of the fullest version, and the seconds of the copy that stand in its place."""
    before = [one for one in pair.segments if one.a_end_s <= gap[0] + 1e-6]
    after = [one for one in pair.segments if one.a_start_s >= gap[1] - 1e-6]
    start = max(before, key=lambda one: one.a_end_s).b_end_s if before else 0.0
    end = min(after, key=lambda one: one.a_start_s).b_start_s if after else end_b
    where = "beginning" if not before else "end" if not after else "middle"
    instead = (round(start, 2), round(end, 2)) if end - start >= LEAST_S else None
    return Missing(where, round(gap[0], 2), round(gap[1], 2), instead)


def _looks_alike(gap: Missing, pair: Pair, a: Clip, b: Clip) -> bool:
    """Whether the seconds in a gap's place show the same pictures, so far as they reach: too little
    moves in them to tell one moment from another, so they were not counted as shared."""
    if gap.instead is None:
        return False
    near = min(
        pair.segments,
        key=lambda one: min(abs(one.a_start_s - gap.end_s), abs(one.a_end_s - gap.start_s)),
    )
    start = near.b_start_s + (gap.start_s - near.a_start_s) * near.speed
    end = near.b_start_s + (gap.end_s - near.a_start_s) * near.speed
    shared = min(end, gap.instead[1]) - max(start, gap.instead[0])
    if shared < max(LEAST_S, 0.8 * max(end - start, gap.instead[1] - gap.instead[0])):
        return False
    along = Segment(gap.start_s, gap.end_s, start, end, near.speed, near.score)
    shown = laid(a, b, (along,), pair.transform, least=2)
    return shown is not None and float(differing(shown).mean()) <= _ALIKE


def _within(inner: Span, outer: Span) -> bool:
    return inner[0] >= outer[0] - LEAST_S and inner[1] <= outer[1] + LEAST_S


def _also_in(gap: Span, own: Mapping[str, Pair], reference: str) -> tuple[str, ...]:
    """Other copies that show most of a stretch of the one whose pairs are given."""
    also: list[str] = []
    for item, pair in own.items():
        inside = [
            (max(start, gap[0]), min(end, gap[1]))
            for start, end in _spans(pair.segments)[0]
            if min(end, gap[1]) > max(start, gap[0])
        ]
        if item != reference and length_s(inside) >= _MOST * (gap[1] - gap[0]):
            also.append(item)
    return tuple(also)


def _rounded(box: Box) -> Box:
    left, top, right, bottom = (round(min(max(side, 0.0), 1.0), 3) for side in box)
    return left, top, right, bottom
