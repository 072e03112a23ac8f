"""Scenes that are not the courtyard: a market, a quay and a field path, other cameras and days."""

from __future__ import annotations

from datetime import UTC, datetime

from .geometry import Box, Camera, Pole
from .people import Figure
from .scene import HEIGHT_PX, WIDTH_PX, Scene


def _stall(u: float, v: float, cloth: str) -> tuple[Box | Pole, ...]:
    """A market stall: table, goods and an awning on four thin poles."""
    return (
        Box((u, v, 0.0), (u + 2.6, v + 1.1, 0.9), "wood"),
        Box((u + 0.2, v + 0.15, 0.9), (u + 1.1, v + 0.8, 1.15), "yellow"),
        Box((u + 1.4, v + 0.2, 0.9), (u + 2.3, v + 0.9, 1.1), "stripe"),
        Box((u - 0.2, v - 0.4, 2.2), (u + 2.8, v + 1.4, 2.3), cloth),
        Pole("", u - 0.1, v - 0.3, 2.2, 0.04),
        Pole("", u + 2.7, v - 0.3, 2.2, 0.04),
        Pole("", u - 0.1, v + 1.3, 2.2, 0.04),
        Pole("", u + 2.7, v + 1.3, 2.2, 0.04),
    )


MARKET = Scene(
    "market",
    (
        *_stall(-6.5, 6.0, "blue"),
        *_stall(-2.0, 8.5, "white"),
        *_stall(2.4, 7.0, "yellow"),
        Box((-12.0, 15.0, 0.0), (-3.0, 20.0, 6.5), "plaster_light"),
        Box((-2.6, 16.0, 0.0), (4.0, 21.0, 5.2), "brick"),
        Box((5.0, 14.0, 0.0), (12.0, 20.0, 7.5), "plaster"),
        Box((-1.4, 15.9, 0.0), (0.2, 16.0, 2.3), "door_green"),
        Box((-9.0, 14.9, 2.6), (-7.4, 15.0, 4.2), "window"),
        Box((-6.2, 14.9, 2.6), (-4.6, 15.0, 4.2), "window"),
        Box((6.5, 13.9, 3.0), (8.1, 14.0, 4.6), "window"),
    ),
    "asphalt",
    Camera((0.6, -2.0, 2.7), -4.0, -6.0, -0.6, 480.0, WIDTH_PX, HEIGHT_PX),
    datetime(2021, 9, 13, 13, 5, 0, tzinfo=UTC),
    75.0,
    (
        Figure(
            "shopper-1", ((-5.0, 4.4), (5.5, 5.2)), 11.0, 1.70, (0.5, 0.2, 0.3), (0.15, 0.15, 0.2)
        ),
        Figure(
            "shopper-2",
            ((4.8, 9.6), (-1.0, 7.2), (-6.0, 9.4)),
            12.0,
            1.80,
            (0.2, 0.3, 0.5),
            (0.3, 0.25, 0.2),
            phase=1.0,
        ),
        Figure(
            "shopper-3",
            ((1.0, 12.5), (1.4, 3.6)),
            12.0,
            1.64,
            (0.55, 0.5, 0.2),
            (0.12, 0.12, 0.14),
            carries=True,
            phase=2.0,
        ),
    ),
    beyond="asphalt",
)

QUAY = Scene(
    "quay",
    (
        Box((-30.0, 9.0, 0.0), (40.0, 80.0, 0.02), "water"),
        Box((-5.0, 10.5, 0.0), (2.5, 12.8, 0.9), "hull"),
        Box((-3.4, 10.8, 0.9), (-1.2, 12.4, 2.3), "white"),
        Pole("", 0.4, 11.6, 5.5, 0.07),
        Box((4.6, 7.0, 0.0), (6.8, 8.6, 1.6), "crate"),
        Box((-7.6, 6.0, 0.0), (-6.6, 7.4, 0.8), "metal"),
        Pole("", -3.2, 8.5, 0.7, 0.16),
        Pole("", 1.8, 8.5, 0.7, 0.16),
        Box((6.0, 40.0, 0.0), (30.0, 46.0, 4.0), "plaster_light"),
    ),
    "earth",
    Camera((0.0, -1.5, 2.2), 3.0, -4.5, 1.0, 470.0, WIDTH_PX, HEIGHT_PX),
    datetime(2021, 9, 12, 14, 20, 0, tzinfo=UTC),
    190.0,
    (Figure("docker", ((-6.0, 5.6), (6.0, 6.0)), 10.0, 1.75, (0.7, 0.5, 0.1), (0.1, 0.15, 0.3)),),
    beyond="water",
    beyond_v=80.0,
)

FIELD = Scene(
    "field",
    (
        Box((-1.2, -5.0, 0.0), (1.2, 90.0, 0.02), "earth"),
        Box((5.0, 22.0, 0.0), (12.0, 30.0, 3.4), "brick"),
        Box((4.6, 21.6, 3.4), (12.4, 30.4, 3.8), "roof"),
        *(Pole("", -2.6, 4.0 + 4.5 * k, 1.2, 0.06) for k in range(8)),
        Box((-2.65, 4.0, 0.9), (-2.55, 35.5, 1.0), "wood"),
        Box((-16.0, 34.0, 0.0), (-9.0, 38.0, 4.5), "grass"),
    ),
    "grass",
    Camera((0.2, -2.0, 1.9), -3.0, -3.0, 0.0, 520.0, WIDTH_PX, HEIGHT_PX),
    datetime(2021, 9, 11, 9, 40, 0, tzinfo=UTC),
    310.0,
    (Figure("hiker", ((0.6, 14.0), (-0.3, 4.0)), 9.0, 1.74, (0.6, 0.2, 0.1), (0.2, 0.2, 0.2)),),
    beyond="grass",
)
