"""All seconds of a cluster's footage on one axis: which copy shows which, and the best source.

The axis is the fullest version's seconds. Seconds of its footage that only others show - they run on
from shared seconds without a cut, or another copy shows them too - are put in where they stand.
The best source of a second is, of the copies that show it, the one that shows most of the picture,
then the one of most pixels, then of the highest bit rate.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from muniment.model.differences import Best, Composite, Piece, Shown
from muniment.model.trace import Segment
from muniment.trace.fullest import Member, Sides
from muniment.trace.stretches import LEAST_S, Span, left_out, length_s, runs_on

#: a shorter stretch with a best source of its own is the grid of the segments
_LEAST_BEST_S: Final = 0.5
#: pieces put into an axis, and copies looked at for them
_MOST_PIECES: Final = 60
_MOST: Final = 0.5


def compose(reference: str, found: Mapping[str, Member], sides: Sides) -> Composite:
    """The composite of a cluster, beginning with all of `reference`.

    Args:
        found: the members, with what is known to cover them.
        sides: pairs of the same footage, with segments, among them.
    """
    pieces = [Piece(0.0, found[reference].duration_s, reference, 0.0)]
    order = sorted(found.values(), key=lambda one: (-one.footage_s, one.item))
    for member in order:
        if member.item == reference:
            continue
        owners = {piece.clip for piece in pieces}
        for gap in _further(member, owners, sides):
            at = _place(member.item, gap, pieces, sides)
            if at is not None and len(pieces) < _MOST_PIECES:
                pieces = _inserted(pieces, Piece(at, gap[1] - gap[0], member.item, gap[0]))
    length = pieces[-1].at_s + pieces[-1].length_s
    shown = tuple(part for item in found for part in _shown(item, pieces, sides))
    return Composite(round(length, 2), tuple(map(_rounded, pieces)), shown, _best(shown, found))


def _further(member: Member, owners: set[str], sides: Sides) -> list[Span]:
    """Seconds of the footage in a copy that no clip already used shows."""
    own = sides[member.item]
    used = [
        (part.a_start_s, part.a_end_s)
        for item, pair in own.items()
        if item in owners
        for part in pair.segments
    ]
    if not used:
        return []
    found: list[Span] = []
    for gap in left_out(used, member.duration_s):
        others = [
            (max(part.a_start_s, gap[0]), min(part.a_end_s, gap[1]))
            for item, pair in own.items()
            if item not in owners
            for part in pair.segments
            if min(part.a_end_s, gap[1]) - max(part.a_start_s, gap[0]) > 0
        ]
        if length_s(others) >= _MOST * (gap[1] - gap[0]):
            found.append(gap)
        else:
            on = runs_on(gap, member.cut_s, member.duration_s)
            found += [one for one in on if one[1] - one[0] >= LEAST_S]
    return found


def _place(item: str, gap: Span, pieces: Sequence[Piece], sides: Sides) -> float | None:
    """Where on the axis a copy's further seconds stand; None where the axis has seconds of its own
    there: then it shows something else, or the same unrecognised."""
    own = _shown(item, pieces, sides)
    before = [one for one in own if one.clip_end_s <= gap[0] + 0.05]
    after = [one for one in own if one.clip_start_s >= gap[1] - 0.05]
    ends = [piece.at_s + piece.length_s for piece in pieces]
    starts = [piece.at_s for piece in pieces]
    if before:
        at = max(before, key=lambda one: one.clip_end_s).end_s
        if after:
            following = min(after, key=lambda one: one.clip_start_s).start_s
            return at if abs(following - at) < LEAST_S else None
        return next((end for end in ends if abs(end - at) < LEAST_S), None)
    if after:
        at = min(after, key=lambda one: one.clip_start_s).start_s
        return next((start for start in starts if abs(start - at) < LEAST_S), None)
    return None


def _inserted(pieces: Sequence[Piece], new: Piece) -> list[Piece]:
    """The pieces with a new one at its place; a piece it falls into is split."""
    found: list[Piece] = []
    for one in pieces:
        end = one.at_s + one.length_s
        if one.at_s < new.at_s - 1e-6 and end > new.at_s + 1e-6:
            head = new.at_s - one.at_s
            found.append(Piece(one.at_s, head, one.clip, one.start_s))
            found.append(Piece(new.at_s, one.length_s - head, one.clip, one.start_s + head))
        else:
            found.append(one)
    number = next((at for at, one in enumerate(found) if one.at_s >= new.at_s - 1e-6), len(found))
    found.insert(number, new)
    at_s, out = 0.0, list[Piece]()
    for one in found:
        out.append(Piece(at_s, one.length_s, one.clip, one.start_s))
        at_s += one.length_s
    return out


def _shown(item: str, pieces: Sequence[Piece], sides: Sides) -> list[Shown]:
    """Seconds of the axis that a clip shows, in the order of the axis."""
    found: list[Shown] = []
    for piece in pieces:
        end_s = piece.start_s + piece.length_s
        if piece.clip == item:
            found.append(Shown(item, *_on(piece, piece.start_s, end_s), piece.start_s, end_s))
            continue
        pair = sides[piece.clip].get(item)
        mirrored = pair is not None and pair.transform is not None and pair.transform.mirrored
        for part in pair.segments if pair is not None else ():
            low, high = max(part.a_start_s, piece.start_s), min(part.a_end_s, end_s)
            if high - low > 1e-3:
                start, end = _in_copy(part, low), _in_copy(part, high)
                on = _on(piece, low, high)
                found.append(Shown(item, *on, start, end, part.speed, mirrored))
    found.sort(key=lambda one: (one.start_s, one.end_s))
    return [_rounded_shown(one) for one in found]


def _on(piece: Piece, low: float, high: float) -> tuple[float, float]:
    return piece.at_s + low - piece.start_s, piece.at_s + high - piece.start_s


def _in_copy(part: Segment, at_s: float) -> float:
    return part.b_start_s + (at_s - part.a_start_s) * part.speed


def _best(shown: Sequence[Shown], found: Mapping[str, Member]) -> tuple[Best, ...]:
    """For each stretch of the axis the best of the clips that show it."""
    items = sorted(found)
    order = {
        item: rank
        for rank, item in enumerate(
            sorted(
                items,
                key=lambda one: (-found[one].area, *(-value for value in found[one].quality), one),
            )
        )
    }
    steps: dict[float, list[tuple[str, int]]] = {}
    for one in shown:
        steps.setdefault(one.start_s, []).append((one.clip, 1))
        steps.setdefault(one.end_s, []).append((one.clip, -1))
    now: dict[str, int] = {}
    ranked: list[tuple[int, str]] = []
    stretches: list[Best] = []
    moments = sorted(steps)
    for start, end in pairwise(moments):
        for item, change in steps[start]:
            now[item] = now.get(item, 0) + change
            if change > 0:
                heapq.heappush(ranked, (order[item], item))
        while ranked and now.get(ranked[0][1], 0) <= 0:
            heapq.heappop(ranked)
        if ranked:
            stretches.append(Best(start, end, ranked[0][1]))
    return _joined(stretches)


def _joined(stretches: Sequence[Best]) -> tuple[Best, ...]:
    """Adjoining stretches of one source as one; those too short to be told join the one before."""
    found: list[Best] = []
    for one in stretches:
        last = found[-1] if found and abs(found[-1].end_s - one.start_s) < 1e-6 else None
        short = one.end_s - one.start_s < _LEAST_BEST_S
        if last is not None and (short or last.clip == one.clip):
            found[-1] = Best(last.start_s, one.end_s, last.clip)
        elif last is not None and last.end_s - last.start_s < _LEAST_BEST_S:
            found[-1] = Best(last.start_s, one.end_s, one.clip)
        else:
            found.append(one)
    return tuple(found)


def _rounded(one: Piece) -> Piece:
    return Piece(round(one.at_s, 2), round(one.length_s, 2), one.clip, round(one.start_s, 2))


def _rounded_shown(one: Shown) -> Shown:
    return msgspec.structs.replace(
        one,
        start_s=round(one.start_s, 2),
        end_s=round(one.end_s, 2),
        clip_start_s=round(one.clip_start_s, 2),
        clip_end_s=round(one.clip_end_s, 2),
    )
