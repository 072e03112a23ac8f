"""Where two clips laid on each other do not show the same: a caption, a logo, a ticker, a picture in
the picture; as boxes with times.

Rests on the 48 x 48 grey pictures of the fingerprints, at 2 a second, laid on each other by a
segment and a transform. Brightness and contrast are fitted first. A cell differs at a moment when
its grey level lies outside what the other clip shows in the cells about it, within half a second:
so an edge moved by compression or by half a cell, or a thing that moves, makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.examine.hashing import WHOLE, Box, resampled
from muniment.model.trace import Segment, Transform
from muniment.trace.clip import Clip
from muniment.trace.levels import fitted
from muniment.trace.placing import Placing

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

#: cells a side of the part that both show
CELLS: Final = 40
#: moments looked at in one clip, and the fewest that say anything
MOST_MOMENTS: Final = 240
LEAST_MOMENTS: Final = 4
#: grey levels outside the other's range from which a cell differs
LEVELS: Final = 8.0
#: shares of a run of moments in which a cell differs that is covered throughout
LASTS: Final = 0.7
#: of the moments, from which what covers is there throughout
_THROUGHOUT: Final = 0.9
#: from which a cell beside such cells is covered too
_BESIDE: Final = 0.35
#: moments that a run must have; those over which a cell's state is smoothed
_LEAST_RUN: Final = 5
_SMOOTHED: Final = 5
#: cells that a region must have; share of its box that must be covered
_LEAST_CELLS: Final = 5
#: a region over more of the picture than this is another shot or a wrong placing, no overlay
_MOST_SHARE: Final = 0.6
_MOST_BOXES: Final = 8
#: cells by which the sides of two pieces of one band may differ, and that may lie between them
_IN_LINE: Final = 2
_APART: Final = 12
_TOGETHER: Final = 0.6
#: share of the frame by which the borders of a moment may differ from the usual ones
_STEADY: Final = 0.03
#: grey levels of the step around a region, and how many times the other clip's, that tell whose
#: picture is covered
_LEAST_EDGE: Final = 8.0
_CLEARER: Final = 1.6


@dataclass(frozen=True)
class Region:
    """A part of the picture that differs: `box` in fractions of b's frame, the same part `box_a` in
    fractions of a's frame; seconds of b; `in_b` says whose picture is covered there (None when that
    cannot be told)."""

    box: Box
    box_a: Box
    start_s: float
    end_s: float
    throughout: bool
    in_b: bool | None


@dataclass(frozen=True)
class Laid:
    """Both clips' pictures of the same moments, in the cells that both show (n x CELLS x CELLS).

    `a` holds the pictures before and after each moment of b (2 x n x ...). `frame_a`, `frame_b` are
    the part that both show, in fractions of each clip's frame; b's is mirrored when `mirrored`.
    """

    times_s: NDArray[np.float64]
    a: Floats
    b: Floats
    frame_a: Box
    frame_b: Box
    mirrored: bool


def laid(
    a: Clip,
    b: Clip,
    segments: Sequence[Segment],
    transform: Transform | None,
    least: int = LEAST_MOMENTS,
) -> Laid | None:
    """The two laid on each other over all segments; None where under `least` moments are held."""
    if len(a.times_s) < 2 or len(b.times_s) < 2 or not segments:
        return None
    frames, mapped = _moments(a, b, segments)
    if len(frames) < least:
        return None
    given = transform or Transform()
    placing = Placing(given.mirrored, given.crop or WHOLE)
    part_a, part_b = placing.shared()
    if min(part_a[2] - part_a[0], part_a[3] - part_a[1]) < 0.1:
        return None
    after = np.clip(np.searchsorted(a.times_s, mapped), 1, len(a.times_s) - 1)
    border_a, border_b = _middle(a.boxes[after]), _middle(b.boxes[frames])
    steady = np.abs(a.boxes[after] - np.array(border_a)).max(axis=1) <= _STEADY
    steady &= np.abs(a.boxes[after - 1] - np.array(border_a)).max(axis=1) <= _STEADY
    steady &= np.abs(b.boxes[frames] - np.array(border_b)).max(axis=1) <= _STEADY
    frames, after = frames[steady], after[steady]
    if len(frames) < least:
        return None
    second = b.pictures[b.which[frames]]
    if given.mirrored:
        second = second[..., ::-1]
    first = np.stack([a.pictures[a.which[after - 1]], a.pictures[a.which[after]]])
    turned = _flipped(part_b) if given.mirrored else part_b
    return Laid(
        b.times_s[frames],
        resampled(first, part_a, CELLS),
        resampled(np.ascontiguousarray(second), part_b, CELLS),
        _within(border_a, part_a),
        _within(border_b, turned),
        given.mirrored,
    )


def _moments(
    a: Clip, b: Clip, segments: Sequence[Segment]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Frames of b within the segments, and the times of a they lie on; not those beside a cut."""
    frames: list[NDArray[np.intp]] = []
    mapped: list[NDArray[np.float64]] = []
    for one in segments:
        if one.speed <= 0:
            continue
        inside = np.flatnonzero((b.times_s >= one.b_start_s) & (b.times_s <= one.b_end_s))
        at = one.a_start_s + (b.times_s[inside] - one.b_start_s) / one.speed
        held = (at >= a.times_s[0] - 0.1) & (at <= a.times_s[-1] + 0.1)
        frames.append(inside[held])
        mapped.append(at[held])
    every, where = (
        np.concatenate(frames or [np.zeros(0, np.intp)]),
        np.concatenate(mapped or [np.zeros(0)]),
    )
    if len(every) > MOST_MOMENTS:
        picked = np.unique(np.linspace(0, len(every) - 1, MOST_MOMENTS).round().astype(np.intp))
        every, where = every[picked], where[picked]
    return every, where


def differing(shown: Laid) -> Flags:
    """Cells that differ at each moment (n x CELLS x CELLS)."""
    middle = shown.a.mean(axis=0)
    gain, level = fitted(middle, shown.b)
    first = shown.a * gain + level
    low, high = _ranges(first.min(axis=0), first.max(axis=0))
    over = np.maximum(shown.b - high, low - shown.b)
    low, high = _ranges(shown.b, shown.b)
    middle = middle * gain + level
    under = np.maximum(middle - high, low - middle)
    return np.asarray(np.maximum(over, under) > LEVELS)


def _ranges(lowest: Floats, highest: Floats) -> tuple[Floats, Floats]:
    """The least and the greatest of each cell and the eight about it."""
    size = lowest.shape[-1]
    low = np.pad(lowest, ((0, 0), (1, 1), (1, 1)), mode="edge")
    high = np.pad(highest, ((0, 0), (1, 1), (1, 1)), mode="edge")
    low = np.minimum.reduce([low[:, :, at : at + size] for at in range(3)])
    high = np.maximum.reduce([high[:, :, at : at + size] for at in range(3)])
    low = np.minimum.reduce([low[:, at : at + size] for at in range(3)])
    high = np.maximum.reduce([high[:, at : at + size] for at in range(3)])
    return low, high


def _middle(boxes: NDArray[np.float32]) -> Box:
    left, top, right, bottom = (float(one) for one in np.median(boxes, axis=0))
    return left, top, right, bottom


def _within(outer: Box, inner: Box) -> Box:
    """`inner`, in fractions of `outer`, in those of what holds `outer`."""
    wide, high = outer[2] - outer[0], outer[3] - outer[1]
    return (
        outer[0] + inner[0] * wide,
        outer[1] + inner[1] * high,
        outer[0] + inner[2] * wide,
        outer[1] + inner[3] * high,
    )


def _flipped(box: Box) -> Box:
    return (1 - box[2], box[1], 1 - box[0], box[3])


@dataclass(frozen=True)
class _Piece:
    """Cells (left, top, right, bottom) that differ over a run of moments."""

    cells: tuple[int, int, int, int]
    run: slice

    def joins(self, other: _Piece) -> bool:
        """Whether both seem to be pieces of one band: at one time, in one line or beside each other."""
        low, high = max(self.run.start, other.run.start), min(self.run.stop, other.run.stop)
        shorter = min(one.run.stop - one.run.start for one in (self, other))
        if high - low < _TOGETHER * shorter:
            return False
        (a, b, c, d), (e, f, g, h) = self.cells, other.cells
        across, down = max(a, e) - min(c, g), max(b, f) - min(d, h)
        in_rows = max(abs(b - f), abs(d - h)) <= _IN_LINE and across <= _APART
        in_columns = max(abs(a - e), abs(c - g)) <= _IN_LINE and down <= _APART
        return in_rows or in_columns or max(across, down) <= 1

    def joined(self, other: _Piece) -> _Piece:
        """Both as one."""
        (a, b, c, d), (e, f, g, h) = self.cells, other.cells
        run = slice(min(self.run.start, other.run.start), max(self.run.stop, other.run.stop))
        return _Piece((min(a, e), min(b, f), max(c, g), max(d, h)), run)

    @property
    def size(self) -> int:
        left, top, right, bottom = self.cells
        return (right - left) * (bottom - top)


def regions(shown: Laid) -> list[Region]:
    """Where the two do not show the same for a while or throughout, the largest first.

    None where most of the picture differs: then it is another shot, not an overlay.
    """
    flags = differing(shown)
    share = flags.mean(axis=0)
    always = _solid(_reached(share >= LASTS, share >= _BESIDE))
    if float(always.mean()) > _MOST_SHARE:
        return []
    whole, smooth = slice(0, len(flags)), _smoothed(flags)
    found: list[_Piece] = []
    for cells in _components(always):
        busy = smooth[:, cells].mean(axis=1) >= 0.5
        runs = [whole] if float(busy.mean()) >= _THROUGHOUT else _runs(busy)
        found += [_Piece(_bounds(cells), run) for run in runs]
    smooth &= ~_grown(always)
    for cells in _components(_solid(_longest(smooth) >= _LEAST_RUN)):
        for run in _runs(smooth[:, cells].mean(axis=1) >= 0.5):
            share = flags[run].mean(axis=0)
            inside = _solid(_reached((share >= LASTS) & cells, (share >= _BESIDE) & ~always))
            if int(inside.sum()) >= _LEAST_CELLS:
                found.append(_Piece(_bounds(inside), run))
    found = [one for one in _merged(found) if one.size <= _MOST_SHARE * CELLS * CELLS]
    found.sort(
        key=lambda one: (-one.size * (one.run.stop - one.run.start), one.run.start, one.cells)
    )
    return [_region(shown, one.cells, one.run) for one in found[:_MOST_BOXES]]


def _reached(seeds: Flags, through: Flags) -> Flags:
    """The seeds, and the cells one comes to from them."""
    now = seeds
    while True:
        more = seeds | (_grown(now) & through)
        if bool((more == now).all()):
            return now
        now = more


def _bounds(cells: Flags) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _merged(pieces: list[_Piece]) -> list[_Piece]:
    """Pieces of one band as one."""
    found: list[_Piece] = []
    for one in pieces:
        whole = one
        while True:
            near = next((other for other in found if other.joins(whole)), None)
            if near is None:
                break
            found.remove(near)
            whole = whole.joined(near)
        found.append(whole)
    return found


def _solid(cells: Flags) -> Flags:
    """Cells, their holes filled, that are part of a block of 2 x 2: a row as thin as a cell is a
    bar's edge, no more."""
    cells = cells | ~_grown(~_grown(cells), beyond=True)
    block = cells[:-1, :-1] & cells[1:, :-1] & cells[:-1, 1:] & cells[1:, 1:]
    out = np.zeros_like(cells)
    for down in (0, 1):
        for across in (0, 1):
            out[down : down + block.shape[0], across : across + block.shape[1]] |= block
    return out


def _grown(cells: Flags, *, beyond: bool = False) -> Flags:
    """Cells and the eight about each; `beyond` is what lies outside the picture."""
    wide = np.pad(cells, 1, constant_values=beyond)
    size = len(cells)
    near = [wide[y : y + size, x : x + size] for y in range(3) for x in range(3)]
    return np.asarray(np.logical_or.reduce(near))


def _components(cells: Flags) -> list[Flags]:
    """Groups of cells with at most one cell between, of at least `_LEAST_CELLS`."""
    left = _grown(cells)
    found: list[Flags] = []
    while left.any():
        group = np.zeros_like(left)
        group[np.unravel_index(int(left.argmax()), left.shape)] = True
        while True:
            more = _grown(group) & left
            if bool((more == group).all()):
                break
            group = more
        left &= ~group
        group &= cells
        if int(group.sum()) >= _LEAST_CELLS:
            found.append(group)
    return found


def _smoothed(flags: Flags) -> Flags:
    """Each moment as most of those about it."""
    reach = _SMOOTHED // 2
    sums = np.cumsum(np.pad(flags, ((reach + 1, reach), (0, 0), (0, 0))), axis=0, dtype=np.int32)
    return np.asarray(sums[_SMOOTHED:] - sums[:-_SMOOTHED] > reach)


def _longest(flags: Flags) -> NDArray[np.int32]:
    """The longest run of moments of each cell."""
    best = np.zeros(flags.shape[1:], np.int32)
    now = np.zeros_like(best)
    for one in flags:
        now = np.where(one, now + 1, 0)
        best = np.maximum(best, now)
    return best


def _runs(busy: Flags) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], busy, [False])).astype(np.int8)))
    spans = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [slice(start, end) for start, end in spans if end - start >= _LEAST_RUN]


def _region(shown: Laid, cells: tuple[int, int, int, int], run: slice) -> Region:
    left, top, right, bottom = cells
    box = (left / CELLS, top / CELLS, right / CELLS, bottom / CELLS)
    times, step_s = shown.times_s, float(np.median(np.diff(shown.times_s)))
    return Region(
        box=_within(shown.frame_b, _flipped(box) if shown.mirrored else box),
        box_a=_within(shown.frame_a, box),
        start_s=float(times[run.start]) - (step_s / 2 if run.start else 0.0),
        end_s=float(times[run.stop - 1]) + step_s / 2,
        throughout=run.stop - run.start == len(times),
        in_b=_covered_in_b(shown, cells, run),
    )


def _covered_in_b(shown: Laid, box: tuple[int, int, int, int], run: slice) -> bool | None:
    """Whose picture has an edge all around, where the other's goes on; None where neither's does."""
    left, top, right, bottom = box
    inner = (left + 1, top + 1, right - 1, bottom - 1)
    means = [one[run].mean(axis=0) for one in (shown.a.mean(axis=0), shown.b)]
    # A cell that is covered in part counts as covered: the edge may lie a cell further in.
    steps = [max(outline(mean, each) for each in (box, inner)) for mean in means]
    if max(steps) < _LEAST_EDGE or max(steps) < _CLEARER * min(steps):
        return None
    return steps[1] > steps[0]


def outline(picture: Floats, box: tuple[int, int, int, int]) -> float:
    """The mean step of grey levels over the sides of a box that lie within the picture."""
    left, top, right, bottom = box
    if right <= left or bottom <= top:
        return 0.0
    steps: list[Floats] = []
    if top > 0:
        steps.append(picture[top, left:right] - picture[top - 1, left:right])
    if bottom < CELLS:
        steps.append(picture[bottom, left:right] - picture[bottom - 1, left:right])
    if left > 0:
        steps.append(picture[top:bottom, left] - picture[top:bottom, left - 1])
    if right < CELLS:
        steps.append(picture[top:bottom, right] - picture[top:bottom, right - 1])
    return float(np.abs(np.concatenate(steps)).mean()) if steps else 0.0
