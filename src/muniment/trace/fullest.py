"""The fullest version of a cluster: what the other copies are compared with, and nothing more.

It is the copy that shows most seconds of the cluster's footage (what at least two copies show, and
what runs on from that without a cut); of those alike in that, the one that shows most of the picture
uncovered; of those, the one of most pixels, then of the highest bit rate; at last by its id.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

import numpy as np

from muniment.examine.hashing import WHOLE, Box, resampled
from muniment.model.differences import Making
from muniment.model.trace import Pair
from muniment.trace.clip import Clip
from muniment.trace.covered import CELLS, Laid, Region, laid, outline, regions
from muniment.trace.register import Placing
from muniment.trace.stretches import Span, cuts, left_out, length_s, runs_on
from muniment.trace.through import turned

#: seconds, or share of the most, within which two copies show alike much of the footage
_ALIKE_S: Final = 1.0
_ALIKE: Final = 0.03
#: steps of the share of the picture: the placing of one on another is no finer
_STEP: Final = 0.05
#: share of the picture, covered, from which a copy is no fullest version if another will do
_COVERED: Final = 0.01
_MOST_TRIED: Final = 8
_MOST_AGAINST: Final = 5
#: share of a side by which a picture must reach beyond the other's to show more than it
BEYOND: Final = 0.03
#: grey levels of the step around a picture that stands in another, and how many times that beside it
_FRAME_LEVELS: Final = 8.0
_FRAME_RATIO: Final = 1.6


@dataclass(frozen=True)
class Member:
    """A copy as it is weighed: `place` is its picture in that of the cluster's best-joined copy,
    without what stands around it; `cut_s` are its cuts."""

    item: str
    duration_s: float
    making: Making
    cut_s: tuple[float, ...] = ()
    footage_s: float = 0.0
    place: Box = WHOLE
    filled: float = 1.0
    covered: float = 0.0

    @property
    def area(self) -> float:
        """The share of the picture that it shows, in steps; less what covers it, where that is known
        (at least one step)."""
        left, top, right, bottom = self.place
        steps = round((right - left) * (bottom - top) / _STEP) - math.ceil(self.covered / _STEP)
        return round(steps * _STEP, 2)

    @property
    def pixels(self) -> int:
        """How many pixels show the footage."""
        return round(self.making.picture_px * self.filled)

    @property
    def quality(self) -> tuple[int, int]:
        """More is better: pixels that show the footage in steps of a tenth, bits a second."""
        size = round(math.log(max(self.pixels, 1)) / math.log(1.1))
        return size, self.making.bit_rate_bps or 0


Read = Callable[[str], Clip | None]


#: item -> other item -> their pair, seen from the first
Sides = Mapping[str, Mapping[str, Pair]]


def both_ways(items: Iterable[str], pairs: Iterable[Pair]) -> Sides:
    """Every pair seen from either item."""
    sides: dict[str, dict[str, Pair]] = {item: {} for item in sorted(items)}
    for one in sorted(pairs, key=lambda one: (one.a, one.b)):
        sides[one.a][one.b] = one
        sides[one.b][one.a] = turned(one)
    return sides


def members(sides: Sides, makings: Mapping[str, Making], read: Read) -> dict[str, Member]:
    """The cluster's copies, weighed.

    Args:
        sides: pairs of the same footage, with segments, among them.
        makings: every copy and how it was made.
        read: fetches a clip; None where it cannot be read.
    """
    found: dict[str, Member] = {}
    for item, making in makings.items():
        clip = read(item)
        length = clip.duration_s if clip is not None else 0.0
        cut_s = tuple(cuts(clip)) if clip is not None else ()
        footage = _footage_s([*sides[item].values()], length, cut_s)
        found[item] = Member(item, length, making, cut_s, footage)
    return _placed(found, sides, read)


def _footage_s(sides: Sequence[Pair], duration_s: float, cut_s: tuple[float, ...]) -> float:
    """Seconds of the cluster's footage in a clip, at the speed most copies have."""
    shared = [(part.a_start_s, part.a_end_s) for one in sides for part in one.segments]
    spans: list[Span] = list(shared)
    for gap in left_out(shared, duration_s) if shared else ():
        spans += runs_on(gap, cut_s, duration_s)
    speeds = [
        sum(part.b_end_s - part.b_start_s for part in one.segments)
        / max(1e-3, sum(part.a_end_s - part.a_start_s for part in one.segments))
        for one in sides
        if one.segments
    ]
    return length_s(spans) * median([1.0, *speeds])


def _placed(found: dict[str, Member], sides: Sides, read: Read) -> dict[str, Member]:
    """The same with the place of each picture in that of the copy with most pairs."""
    first = max(found, key=lambda item: (len(sides[item]), item))
    placed, todo = {first: found[first]}, [first]
    while todo:
        item = todo.pop(0)
        for pair in sides[item].values():
            if pair.b in placed:
                continue
            todo.append(pair.b)
            placed[pair.b] = _beside(found[pair.b], placed[item], pair, read)
    return {item: placed.get(item, one) for item, one in found.items()}


def _beside(one: Member, known: Member, pair: Pair, read: Read) -> Member:
    """A copy placed by its pair (known, one) with one that is placed."""
    box = whole = (pair.transform.crop if pair.transform else None) or WHOLE
    place, filled = _within(known.place, box), 1.0
    if reaches_beyond(box):
        clip = read(one.item)
        if clip is not None and is_framed(clip, pair):
            box = (max(0.0, box[0]), max(0.0, box[1]), min(1.0, box[2]), min(1.0, box[3]))
            place = _within(known.place, box)
            part = Placing(False, whole).shared()[1]
            filled = (part[2] - part[0]) * (part[3] - part[1])
    return replace(one, place=place, filled=filled)


def reaches_beyond(box: Box) -> bool:
    """Whether a picture shows more than the one that its box is said of."""
    return max(-box[0], -box[1], box[2] - 1, box[3] - 1) > BEYOND


def is_framed(b: Clip, pair: Pair) -> bool:
    """Whether a's picture stands in b's within a frame of its own: a player, a picture in a picture;
    told by the step of grey levels around it. Else b shows more of the scene."""
    transform = pair.transform
    if transform is None or transform.crop is None or not pair.segments:
        return False
    part = Placing(transform.mirrored, transform.crop).shared()[1]
    if transform.mirrored:
        part = (1 - part[2], part[1], 1 - part[0], part[3])
    one = max(pair.segments, key=lambda segment: segment.b_end_s - segment.b_start_s)
    frames = np.flatnonzero((b.times_s >= one.b_start_s) & (b.times_s <= one.b_end_s))
    if not len(frames):
        return False
    picked = frames[np.unique(np.linspace(0, len(frames) - 1, 40).round().astype(int))]
    mean = resampled(b.pictures[b.which[picked]], WHOLE, CELLS).mean(axis=0)
    cells = tuple(round(side * CELLS) for side in part)
    box = (cells[0], cells[1], cells[2], cells[3])
    near = [outline(mean, _moved(box, by)) for by in (-1, 0, 1)]
    beside = [outline(mean, _moved(box, by)) for by in (-4, -3, 3)]
    return max(near) >= max(_FRAME_LEVELS, _FRAME_RATIO * median(beside))


def _moved(box: tuple[int, int, int, int], by: int) -> tuple[int, int, int, int]:
    """A box made wider by `by` cells on each side, held within the picture."""
    left, top = max(0, min(box[0] - by, CELLS - 2)), max(0, min(box[1] - by, CELLS - 2))
    right, bottom = min(CELLS, max(box[2] + by, left + 1)), min(CELLS, max(box[3] + by, top + 1))
    return left, top, right, bottom


def _within(outer: Box, inner: Box) -> Box:
    wide, high = outer[2] - outer[0], outer[3] - outer[1]
    return (
        outer[0] + inner[0] * wide,
        outer[1] + inner[1] * high,
        outer[0] + inner[2] * wide,
        outer[1] + inner[3] * high,
    )


def fullest(found: Mapping[str, Member], sides: Sides, read: Read) -> tuple[str, str]:
    """The fullest version, and in a sentence why it was chosen."""
    most = max(one.footage_s for one in found.values())
    slack = max(_ALIKE_S, _ALIKE * most)
    long = [one for one in found.values() if one.footage_s >= most - slack]
    widest = max(one.area for one in long)
    wide = [one for one in long if one.area >= widest - _STEP / 2]
    wide.sort(key=lambda one: (-one.quality[0], -one.quality[1], one.item))
    best, share = _uncovered(wide, sides, read)
    why = f"It shows {best.footage_s:.1f} s of the footage"
    if len(long) == 1:
        return best.item, f"{why}, more than any other copy."
    why += f", as {_others(len(long))}; of these it shows most of the picture"
    if len(wide) == 1:
        return best.item, f"{why}."
    over = "has nothing over it and" if share < _COVERED else "has least over it and"
    why += f", as {_others(len(wide))}; of these it {over} the most pixels, then bits a second."
    return best.item, why


def _others(number: int) -> str:
    return "one other does" if number == 2 else f"{number - 1} others do"


def _uncovered(wide: Sequence[Member], sides: Sides, read: Read) -> tuple[Member, float]:
    """The first with nothing over it, by comparing it with some of the others; else the least."""
    tried: list[tuple[float, int]] = []
    for number, one in enumerate(wide[:_MOST_TRIED]):
        others = [other.item for other in wide if other.item in sides[one.item]]
        shares = [
            covered_share(regions(shown))
            for other in others[:_MOST_AGAINST]
            if (shown := _laid(sides[other][one.item], read)) is not None
        ]
        share = max(shares, default=0.0)
        if share < _COVERED:
            return one, share
        tried.append((share, number))
    share, number = min(tried)
    return wide[number], share


def _laid(pair: Pair, read: Read) -> Laid | None:
    a, b = read(pair.a), read(pair.b)
    return laid(a, b, pair.segments, pair.transform) if a is not None and b is not None else None


def covered_share(parts: Iterable[Region]) -> float:
    """The share of b's frame that something covers, as far as it can be told."""
    boxes = [part.box for part in parts if part.in_b]
    return sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
