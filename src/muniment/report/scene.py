"""What a picture of the spread consists of: plain shapes with their words, ready to be drawn.

Coordinates are text with one decimal, so that the same scene is the same bytes.
"""

from __future__ import annotations

from typing import Final

import msgspec

from muniment.report.axis import padded, ticks

WIDTH: Final = 1160
LEFT: Final = 196
EDGE_ROOM: Final = 14
RIGHT_ROOM: Final = 32
UNDATED_WIDTH: Final = 84
AXIS_HEIGHT: Final = 46
#: Pictures taller than this carry the axis at their foot too.
TALL: Final = 560


class Mark(msgspec.Struct, frozen=True):
    """One post, or several (`shape` more or bin); a link to its row in the list.

    `x2` is the right end of a bar, `middle` its middle; `open_left` and `open_right` say
    that it goes on beyond the picture.
    """

    shape: str
    state: str
    x: str
    y: str
    r: str
    id: str
    target: str
    title: str
    x2: str = ""
    middle: str = ""
    label: str = ""
    edited: bool = False
    level: int = 0
    open_left: bool = False
    open_right: bool = False


class Edge(msgspec.Struct, frozen=True):
    """One claimed forward, or several: a dashed curve from a mark to a lane, with its arrow head."""

    path: str
    head: str
    title: str
    weight: int


class Band(msgspec.Struct, frozen=True):
    """One lane: a channel of the case, or (`outside`) a name that forwards give."""

    y: str
    height: str
    label: str
    note: str
    title: str
    target: str
    outside: bool


class Grid(msgspec.Struct, frozen=True):
    """A tick: where it stands and what it says."""

    x: str
    label: str
    context: str


class Picture(msgspec.Struct, frozen=True):
    """One picture, ready to be drawn. `undated` is the left end of the column of unknown times."""

    name: str
    heading: str
    title: str
    description: str
    notes: tuple[str, ...]
    width: int
    height: str
    left: str
    right: str
    undated: str | None
    is_tall: bool
    bands: tuple[Band, ...]
    grid: tuple[Grid, ...]
    edges: tuple[Edge, ...]
    marks: tuple[Mark, ...]


class Scale(msgspec.Struct, frozen=True):
    """Where moments lie across the picture."""

    start_ms: int
    end_ms: int
    left: float
    right: float

    def x(self, ms: int) -> float:
        """The place of a moment, held within the picture."""
        inside = min(max(ms, self.start_ms), self.end_ms)
        share = (inside - self.start_ms) / (self.end_ms - self.start_ms)
        return self.left + share * (self.right - self.left)

    def grid(self) -> tuple[Grid, ...]:
        """The labelled ticks."""
        return tuple(
            Grid(at(self.x(tick.at_ms)), tick.label, tick.context)
            for tick in ticks(self.start_ms, self.end_ms)
        )


def scale(start_ms: int, end_ms: int, *, has_undated: bool) -> Scale:
    """A scale for the span, leaving room for the column of unknown times."""
    right = WIDTH - (UNDATED_WIDTH + 22 if has_undated else RIGHT_ROOM)
    return Scale(*padded(start_ms, end_ms), LEFT + EDGE_ROOM, right)


def picture(
    name: str,
    across: Scale,
    bands: tuple[Band, ...],
    edges: tuple[Edge, ...],
    marks: tuple[Mark, ...],
    *,
    bottom: float,
    has_undated: bool,
) -> Picture:
    """A picture of these shapes, its words still to come."""
    return Picture(
        name=name,
        heading="",
        title="",
        description="",
        notes=(),
        width=WIDTH,
        height=at(bottom + (AXIS_HEIGHT if bottom > TALL else 6)),
        left=at(across.left),
        right=at(across.right),
        undated=at(WIDTH - UNDATED_WIDTH) if has_undated else None,
        is_tall=bottom > TALL,
        bands=bands,
        grid=across.grid(),
        edges=edges,
        marks=marks,
    )


def at(value: float) -> str:
    """A coordinate as text.

    Example:
        >>> at(12), at(3.25)
        ('12', '3.2')
    """
    text = f"{value:.1f}"
    return text.removesuffix(".0")


def curve(x: float, y: float, to_y: float, reach: float) -> tuple[str, str]:
    """Path and arrow head of an edge from (x, y) up or down to `to_y`, bowed to the left.

    Ending at the same x says nothing of when the named post appeared: exports do not tell.
    """
    down = 1 if to_y > y else -1
    start = y + down * reach
    bow = min(46.0, 10 + abs(to_y - start) * 0.12)
    third = (to_y - start) / 3
    path = (
        f"M{at(x)} {at(start)}C{at(x - bow)} {at(start + third)}"
        f" {at(x - bow)} {at(to_y - third)} {at(x)} {at(to_y)}"
    )
    # The head is turned a little, since the curve comes in from the left.
    head = f"M{at(x - 6)} {at(to_y - down * 2.5)}L{at(x)} {at(to_y)}L{at(x - 0.5)} {at(to_y - down * 7)}"
    return path, head


def loop(x: float, y: float, reach: float) -> tuple[str, str]:
    """An edge that returns to its own lane."""
    path = f"M{at(x - reach)} {at(y)}c-16 -10 -16 10 -2 4"
    return path, f"M{at(x - reach - 7)} {at(y + 7)}l5 -3.4l-4 -3"
