"""Plain figures made of capsules: they walk, carry a crate or wave, and never stand still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Colour = tuple[float, float, float]

CRATE_SIZE_M = (0.36, 0.54, 0.34)
"""Forward, sideways, up."""


@dataclass(frozen=True)
class Capsule:
    """All points within ``radius`` of segment ab (yard metres), in one colour (linear)."""

    a: Array
    b: Array
    radius: float
    colour: Colour


@dataclass(frozen=True)
class TurnedBox:
    """A box turned about the vertical: centre, half sizes (forward, sideways, up), heading."""

    centre: Array
    half: Array
    forward: Array
    colour: Colour


Part = Capsule | TurnedBox


@dataclass(frozen=True)
class Figure:
    """One person.

    Attributes:
        name: how the truth file names the figure.
        path: yard points (u, v) in metres, walked at constant speed.
        duration_s: time for the whole path; the last leg goes on after it.
        height_m: stature.
        top, legs: colours of the clothes (linear).
        carries: holds a crate in front with both arms.
        waves: one arm up, swinging.
        phase: start of the gait, radians.
    """

    name: str
    path: tuple[tuple[float, float], ...]
    duration_s: float
    height_m: float = 1.72
    top: Colour = (0.3, 0.3, 0.3)
    legs: Colour = (0.12, 0.12, 0.14)
    carries: bool = False
    waves: bool = False
    phase: float = 0.0
    head: Colour = field(default=(0.55, 0.47, 0.40))

    def place(self, t_s: float) -> tuple[Array, Array, float]:
        """Ground point (u, v), unit direction of walking, and metres walked at ``t_s``."""
        points = np.asarray(self.path, dtype=float)
        legs = np.diff(points, axis=0)
        lengths = np.hypot(legs[:, 0], legs[:, 1])
        walked = float(lengths.sum()) * t_s / self.duration_s
        left = walked
        for k, length in enumerate(lengths):
            if left <= length or k == len(lengths) - 1:
                direction = legs[k] / length
                return points[k] + direction * left, direction, walked
            left -= float(length)
        raise AssertionError("a path needs two points")

    def parts(self, t_s: float) -> list[Part]:
        """Body parts at ``t_s`` in yard metres."""
        spot, way, walked = self.place(t_s)
        s = self.height_m / 1.75
        gait = self.phase + walked * np.pi / 0.72
        forward = np.array([way[0], way[1], 0.0])
        side = np.array([way[1], -way[0], 0.0])
        up = np.array([0.0, 0.0, 1.0])
        base = np.array([spot[0], spot[1], 0.0]) + side * 0.03 * np.sin(gait)
        swing = np.sin(gait)
        hip = base + up * (0.90 + 0.02 * abs(np.cos(gait))) * s
        neck = hip + up * 0.52 * s + forward * 0.03
        parts: list[Part] = []
        for sign in (1.0, -1.0):
            step = 0.30 * sign * swing * s
            lift = 0.10 * max(0.0, sign * float(np.cos(gait))) * s
            root = hip + side * 0.10 * sign * s
            foot = base + side * 0.10 * sign + forward * step + up * (0.08 + lift)
            knee = (root + foot) / 2 + forward * (0.05 + 0.4 * lift)
            parts.append(Capsule(root, knee, 0.095 * s, self.legs))
            parts.append(Capsule(knee, foot, 0.075 * s, self.legs))
        parts.append(Capsule(hip + up * 0.05, neck - up * 0.10, 0.185 * s, self.top))
        head = neck + up * 0.20 * s
        parts.append(Capsule(head - up * 0.03, head + up * 0.04, 0.115 * s, self.head))
        for sign in (1.0, -1.0):
            shoulder = neck + side * 0.21 * sign * s - up * 0.03
            if self.carries:
                hand = hip + forward * 0.40 + side * 0.20 * sign + up * 0.16
            elif self.waves and sign > 0:
                tilt = 0.55 * np.sin(2 * np.pi * 1.3 * t_s + self.phase)
                hand = shoulder + up * 0.58 * np.cos(tilt) + side * (0.12 + 0.5 * np.sin(tilt))
            else:
                hand = shoulder - up * 0.52 * s - forward * 0.26 * sign * swing + side * 0.05 * sign
            parts.append(Capsule(shoulder, hand, 0.062 * s, self.top))
        if self.carries:
            centre = hip + forward * 0.46 + up * (0.20 + 0.015 * np.sin(2 * gait))
            parts.append(TurnedBox(centre, np.array(CRATE_SIZE_M) / 2, forward, (0.55, 0.40, 0.2)))
        return parts


def extent(parts: Sequence[Part]) -> Array:
    """Points, shape (n, 3), whose convex hull holds all parts."""
    points: list[Array] = []
    for part in parts:
        if isinstance(part, Capsule):
            for end in (part.a, part.b):
                for axis in np.eye(3):
                    points += [end + part.radius * axis, end - part.radius * axis]
        else:
            side = np.array([part.forward[1], -part.forward[0], 0.0])
            for i in (-1, 1):
                for j in (-1, 1):
                    for k in (-1, 1):
                        points.append(
                            part.centre
                            + i * part.half[0] * part.forward
                            + j * part.half[1] * side
                            + np.array([0.0, 0.0, k * part.half[2]])
                        )
    return np.array(points)


def into_box(points: Array, box: TurnedBox, is_direction: bool = False) -> Array:
    """Points or directions in the box's own axes (forward, sideways, up)."""
    side = np.array([box.forward[1], -box.forward[0], 0.0])
    axes = np.stack([box.forward, side, np.array([0.0, 0.0, 1.0])])
    moved = points if is_direction else points - box.centre
    return np.asarray(moved @ axes.T)
