"""The spread curve of a cluster: how many posts showed its footage by when, as a band between bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from muniment.model.display import count
from muniment.model.report_seen import SpreadStep
from muniment.report.axis import as_utc, ticks
from muniment.report.scene import WIDTH, Grid, Scale, at, scale

HEIGHT: Final = 190
_TOP: Final = 30.0
_BOTTOM: Final = 160.0
#: steps that the list has
MOST_STEPS: Final = 60
#: lines across, at most
_LEVELS: Final = 4


class Level(msgspec.Struct, frozen=True):
    """A line across at a number of posts."""

    y: str
    label: str


class Curve(msgspec.Struct, frozen=True):
    """The drawing: `band` lies between the bounds, `least` and `most` are their lines."""

    name: str
    width: int
    height: int
    left: str
    right: str
    title: str
    description: str
    band: str
    least: str
    most: str
    grid: tuple[Grid, ...]
    levels: tuple[Level, ...]
    rows: tuple[tuple[str, int, int], ...]
    more_rows: int


def reached(steps: Sequence[SpreadStep], name: str) -> Curve | None:
    """The curve; null where no post of known time shows the footage.

    Args:
        name: starts the HTML ids of this picture.
    """
    if not steps:
        return None
    across = scale(steps[0].at_ms, steps[-1].at_ms, has_undated=False)
    top = max(1, steps[-1].most)
    least = _line(across, [(one.at_ms, one.least) for one in steps], top)
    most = _line(across, [(one.at_ms, one.most) for one in steps], top)
    band = f"M{_points(most)}L{_points(list(reversed(least)))}Z"
    begin, end = as_utc(steps[0].at_ms), as_utc(steps[-1].at_ms)
    return Curve(
        name=name,
        width=WIDTH,
        height=HEIGHT,
        left=at(across.left),
        right=at(across.right),
        title=f"Posts that show this footage, by when: {begin} to {end} UTC",
        description=(
            f"{count(top, 'post')} of known time, counted from left to right. The upper line counts"
            " each post from the earliest time it may have been made, the lower one from the latest;"
            " the truth lies between. Times are the exporters' claims. The table below says the same."
        ),
        band=band,
        least=f"M{_points(least)}",
        most=f"M{_points(most)}",
        grid=tuple(
            Grid(at(across.x(tick.at_ms)), tick.label, tick.context)
            for tick in ticks(across.start_ms, across.end_ms)
        ),
        levels=tuple(Level(at(_y(number, top)), f"{number:,}") for number in _numbers(top)),
        rows=tuple((as_utc(one.at_ms), one.least, one.most) for one in steps[:MOST_STEPS]),
        more_rows=max(0, len(steps) - MOST_STEPS),
    )


def _numbers(top: int) -> list[int]:
    """The numbers at which a line goes across, the top among them."""
    step = max(1, -(-top // _LEVELS))
    return [*range(top, 0, -step)]


def _y(number: int, top: int) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * number / top


def _line(across: Scale, steps: Sequence[tuple[int, int]], top: int) -> list[tuple[float, float]]:
    """A line of steps from the left edge to the right one."""
    points = [(across.left, _y(0, top))]
    for at_ms, number in steps:
        x = across.x(at_ms)
        points += [(x, points[-1][1]), (x, _y(number, top))]
    points.append((across.right, points[-1][1]))
    return points


def _points(points: Sequence[tuple[float, float]]) -> str:
    return "L".join(f"{at(x)} {at(y)}" for x, y in points)
