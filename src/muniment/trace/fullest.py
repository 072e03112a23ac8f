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
from muniment.trace.overlays import CELLS, Floats, Laid, Region, laid, regions
from muniment.trace.placing import Placing
from muniment.trace.stretches import Span, cuts, left_out, length_s, runs_on
from muniment.trace.through import turned
from muniment.trace.turning import upright

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
#: grey levels of the step on each side of a picture that stands in another, and how many times that
#: of other lines; cells of margin from which a side counts, and how many sides must
_FRAME_LEVELS: Final = 6.0
_FRAME_RATIO: Final = 1.8
_MARGIN: Final = 2
_LEAST_SIDES: Final = 2
#: score of a pair under which a copy is not believed to show more of the scene: a filmed screen, whose
#: frame is slanted, agrees less than a copy does
LOOSE: Final = 0.86


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
        (at least one step), and a step less within a frame: that is a picture of a picture."""
        left, top, right, bottom = self.place
        steps = round((right - left) * (bottom - top) / _STEP) - math.ceil(self.covered / _STEP)
        return round((steps - (self.filled < 1.0)) * _STEP, 2)

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
    """The same with the place of each picture in that of the copy with most pairs, of those that are
    no picture within a frame."""
    framed = {
        item: part for item in found if (part := _framed(item, sides[item], read)) is not None
    }
    first = max(found, key=lambda item: (item not in framed, len(sides[item]), item))
    whole, todo = {first: WHOLE}, [first]
    while todo:
        item = todo.pop(0)
        for other, pair in sides[item].items():
            if other not in whole:
                box = (pair.transform.crop if pair.transform else None) or WHOLE
                whole[other] = _within(whole[item], box)
                todo.append(other)
    placed: dict[str, Member] = {}
    for item, one in found.items():
        part = framed.get(item, WHOLE)
        size = (part[2] - part[0]) * (part[3] - part[1])
        place = _within(whole.get(item, WHOLE), part)
        placed[item] = replace(one, place=place, filled=size)
    return placed


def _framed(item: str, own: Mapping[str, Pair], read: Read) -> Box | None:
    """The part of a copy's picture around which a frame stands; None where none does."""
    beyond = [turned(pair) for pair in own.values() if _holds(pair)]
    clip = read(item) if beyond else None
    for pair in beyond[:_MOST_AGAINST]:
        crop = pair.transform.crop if pair.transform is not None else None
        if clip is not None and crop is not None and reaches_beyond(crop) and is_framed(clip, pair):
            return Placing(False, crop).shared()[1]
    return None


def _holds(pair: Pair) -> bool:
    """Whether b's picture leaves room around it in a's."""
    crop = pair.transform.crop if pair.transform is not None else None
    return crop is not None and max(crop[0], crop[1], 1 - crop[2], 1 - crop[3]) > BEYOND


def reaches_beyond(box: Box) -> bool:
    """Whether a picture shows more than the one that its box is said of."""
    return max(-box[0], -box[1], box[2] - 1, box[3] - 1) > BEYOND


def is_framed(b: Clip, pair: Pair) -> bool:
    """Whether a's picture stands in b's within a frame of its own: a player, a picture in a picture, a
    screen that was filmed; told by the step of grey levels around it, or by how loosely the two agree.
    Else b shows more of the scene."""
    pair, b, _ = upright(pair, b)
    transform = pair.transform
    if transform is None or transform.crop is None or not pair.segments:
        return False
    if pair.score < LOOSE:
        return True
    part = Placing(transform.mirrored, transform.crop).shared()[1]
    if transform.mirrored:
        part = (1 - part[2], part[1], 1 - part[0], part[3])
    one = max(pair.segments, key=lambda segment: segment.b_end_s - segment.b_start_s)
    frames = np.flatnonzero((b.times_s >= one.b_start_s) & (b.times_s <= one.b_end_s))
    if not len(frames):
        return False
    picked = frames[np.unique(np.linspace(0, len(frames) - 1, 40).round().astype(int))]
    mean = resampled(b.pictures[b.which[picked]], WHOLE, CELLS).mean(axis=0)
    return edged(mean, part)


def edged(picture: Floats, box: Box) -> bool:
    """Whether an edge goes around a box of a picture (CELLS x CELLS) on each of its sides."""
    sides = [
        (np.abs(np.diff(picture, axis=axis)), round(at * CELLS), axis, along)
        for at, axis, along in (
            (box[0], 1, (box[1], box[3])),
            (box[2], 1, (box[1], box[3])),
            (box[1], 0, (box[0], box[2])),
            (box[3], 0, (box[0], box[2])),
        )
    ]
    seen = 0
    for steps, line, axis, along in sides:
        if not _MARGIN <= line <= CELLS - _MARGIN:
            continue
        start, end = round(along[0] * CELLS), round(along[1] * CELLS)
        lines = steps[:, start:end].mean(axis=1) if axis == 0 else steps[start:end].mean(axis=0)
        here = float(lines[line - 2 : line + 1].max())
        beside = float(np.median(np.concatenate((lines[: line - 2], lines[line + 1 :]))))
        if here < max(_FRAME_LEVELS, _FRAME_RATIO * beside):
            return False
        seen += 1
    return seen >= _LEAST_SIDES


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
