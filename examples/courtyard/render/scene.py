"""The courtyard: walls, store, gate, poles, the camera at a first-floor window, two moments.

Yard metres: u to the right, v away from the camera's building towards the north gate, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from . import place
from .geometry import Array, Box, Camera, Pole, world_to_yard, yard_to_world
from .people import Figure

YARD_AZIMUTH_DEG = 14.0
"""Direction of the yard's v axis, clockwise from true north."""

WIDTH_PX, HEIGHT_PX, FPS = 640, 360, 15
CAMERA_YARD = Camera((-2.2, -3.0, 5.4), 6.0, -16.5, 0.7, 500.0, WIDTH_PX, HEIGHT_PX)
"""Mean pose in yard axes; the heading from true north is 14 + 6 degrees."""


@dataclass(frozen=True)
class Scene:
    """Everything a picture is made from, in yard metres.

    Attributes:
        name: short id.
        solids: boxes and poles that do not move.
        ground: surface name of the level ground.
        beyond: surface of the ground further than ``beyond_v`` metres from the origin along v.
        camera: mean pose in yard axes.
        when_utc: start of the clip.
        azimuth_deg: direction of the yard's v axis from true north.
        figures: people.
        sway_deg: largest turn of the camera in heading, tilt and roll.
    """

    name: str
    solids: tuple[Box | Pole, ...]
    ground: str
    camera: Camera
    when_utc: datetime
    azimuth_deg: float
    figures: tuple[Figure, ...]
    sway_deg: tuple[float, float, float] = (1.0, 0.7, 0.5)
    beyond: str = "grass"
    beyond_v: float = 18.4

    def sun_yard(self) -> Array:
        """Unit vector to the sun in yard axes."""
        return world_to_yard(place.sun_at(self.when_utc).direction_enu, self.azimuth_deg)


POLES = (
    Pole("pole-a", 4.2, 9.2, 4.0, 0.07),
    Pole("pole-b", 2.0, 12.6, 3.0, 0.06),
    Pole("pole-c", -2.8, 6.8, 2.0, 0.05),
)

WALLS = (
    Box((-11.0, 18.0, 0.0), (4.2, 18.4, 3.2), "plaster", "north wall, west of the gate"),
    Box((7.4, 18.0, 0.0), (11.4, 18.4, 3.2), "plaster", "north wall, east of the gate"),
    Box((-11.4, -1.0, 0.0), (-11.0, 18.4, 2.6), "brick", "west wall"),
    Box((11.0, -1.0, 0.0), (11.4, 18.0, 2.6), "brick", "east wall"),
)

STORE = Box((-10.2, 14.6, 0.0), (-5.2, 18.0, 3.0), "store", "store")

DETAILS = (
    Box((-10.4, 14.4, 3.0), (-5.0, 18.2, 3.18), "roof", "store roof"),
    Box((-8.5, 14.55, 0.0), (-7.3, 14.6, 2.15), "door", "store door"),
    Box((-6.8, 14.55, 1.1), (-5.7, 14.6, 2.0), "window", "store window"),
    Box((-6.9, 14.52, 1.0), (-5.6, 14.6, 1.1), "frame", "sill"),
    Box((-3.6, 17.95, 1.2), (-2.4, 18.0, 2.3), "window", "window 1"),
    Box((-0.9, 17.95, 1.2), (0.3, 18.0, 2.3), "window", "window 2"),
    Box((1.7, 17.95, 0.0), (2.8, 18.0, 2.1), "door_green", "green door"),
    Box((-11.0, 17.9, 3.2), (4.2, 18.5, 3.32), "roof", "coping west"),
    Box((7.4, 17.9, 3.2), (11.4, 18.5, 3.32), "roof", "coping east"),
    Box((3.9, 17.85, 0.0), (4.25, 18.45, 3.6), "frame", "gate post west"),
    Box((7.35, 17.85, 0.0), (7.7, 18.45, 3.6), "frame", "gate post east"),
    Box((-5.0, 17.96, 0.9), (-4.0, 18.0, 1.5), "stripe", "notice board"),
    Box((-6.2, 13.9, 0.0), (-5.4, 14.5, 0.55), "crate", "crate 1"),
    Box((-6.1, 13.95, 0.55), (-5.5, 14.4, 1.0), "crate", "crate 2"),
    Box((-5.3, 14.0, 0.0), (-4.7, 14.5, 0.45), "crate", "crate 3"),
    Box((-9.8, 9.6, 0.0), (-9.3, 12.0, 0.45), "wood", "bench"),
    Box((5.2, 13.2, 0.0), (6.8, 14.2, 0.7), "metal", "trough"),
    Box((-3.0, 24.0, 0.0), (14.0, 24.6, 2.2), "plaster_light", "house beyond the gate"),
    Box((-20.0, 30.0, 0.0), (-8.0, 36.0, 5.0), "plaster_light", "house beyond the wall"),
    Box((-20.4, 29.6, 5.0), (-7.6, 36.4, 5.4), "roof", "its roof"),
)

SOLIDS: tuple[Box | Pole, ...] = (*WALLS, STORE, *DETAILS, *POLES)


def _loop(
    u: float, v: float, radius: float, turns: float, start_deg: float, steps: int = 48
) -> tuple[tuple[float, float], ...]:
    """A round path about (u, v)."""
    a = np.radians(start_deg) + np.linspace(0, 2 * np.pi * turns, steps)
    return tuple((float(u + radius * np.cos(x)), float(v + radius * np.sin(x))) for x in a)


FIRST_FIGURES = (
    Figure(
        "carrier",
        ((-7.6, 13.6), (-3.0, 14.6), (5.8, 16.6), (6.2, 19.0)),
        15.5,
        1.76,
        (0.50, 0.42, 0.25),
        (0.10, 0.12, 0.20),
        carries=True,
    ),
    Figure(
        "walker",
        ((5.6, 17.2), (2.6, 14.0), (0.2, 6.2), (-0.6, 3.6)),
        15.0,
        1.70,
        (0.12, 0.25, 0.45),
        (0.20, 0.17, 0.14),
        phase=0.9,
    ),
    Figure(
        "waver",
        _loop(1.3, 10.2, 0.9, 0.9, 30),
        15.0,
        1.78,
        (0.55, 0.16, 0.12),
        (0.15, 0.15, 0.16),
        waves=True,
        phase=0.4,
    ),
    Figure(
        "crosser",
        ((-8.2, 9.9), (-2.0, 9.2), (4.8, 7.6)),
        14.5,
        1.66,
        (0.16, 0.34, 0.20),
        (0.26, 0.24, 0.22),
        phase=2.1,
    ),
)

LATER_FIGURES = (
    Figure(
        "later-1",
        ((3.6, 7.0), (-3.2, 9.6), (-8.6, 11.0)),
        12.0,
        1.68,
        (0.60, 0.56, 0.50),
        (0.18, 0.16, 0.30),
    ),
    Figure(
        "later-2",
        _loop(-1.4, 12.6, 1.3, 0.8, 200),
        12.0,
        1.80,
        (0.14, 0.14, 0.16),
        (0.40, 0.34, 0.26),
        phase=1.2,
    ),
    Figure(
        "later-3",
        ((-4.4, 13.4), (3.2, 16.2), (6.0, 17.6)),
        12.5,
        1.72,
        (0.45, 0.22, 0.35),
        (0.14, 0.15, 0.15),
        carries=True,
        phase=0.3,
    ),
)

FIRST = Scene(
    "first",
    SOLIDS,
    "paving",
    CAMERA_YARD,
    place.FILMED_UTC,
    YARD_AZIMUTH_DEG,
    FIRST_FIGURES,
)
LATER = Scene(
    "later",
    SOLIDS,
    "paving",
    CAMERA_YARD,
    place.OTHER_MOMENT_UTC,
    YARD_AZIMUTH_DEG,
    LATER_FIGURES,
)


def world_point(u: float, v: float, z: float, azimuth_deg: float = YARD_AZIMUTH_DEG) -> Array:
    """Yard metres to east, north, up."""
    return yard_to_world(np.array([u, v, z]), azimuth_deg)


def shadow_tip_yard(pole: Pole, sun: Array) -> Array:
    """Where the shadow of the pole's top axis point falls on level ground (yard metres)."""
    share = pole.height / sun[2]
    return np.array([pole.u - sun[0] * share, pole.v - sun[1] * share, 0.0])
