"""Rendered scenes of a fixed camera before a way that things take again and again.

A road, a belt, a corridor and a gate: other things pass at other moments, on one path and at nearly
one speed, so that any one passing looks like many others. Nothing violent, nobody real.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FPS: Final = 15
WIDTH: Final = 320
HEIGHT: Final = 180


@dataclass(frozen=True)
class Passing:
    """One thing that passes: when it comes, its speed (screens a second), size, colour, lane."""

    from_s: float
    speed: float
    long: float
    tall: float
    colour: tuple[float, float, float]
    lane: int


def rendered(scene: int, moment: int, length_s: float) -> list[Image]:
    """One moment of a scene; `scene` modulo 4 says which way it is."""
    chance = np.random.default_rng([scene, moment, 31])
    ways = np.random.default_rng([scene, 17])
    draw = (_road, _belt, _corridor, _gate)[scene % 4]
    every_s = float(ways.uniform(2.0, 6.0))
    spread = float(ways.uniform(0.02, 0.18))
    usual = float(ways.uniform(0.16, 0.34))
    things = _passing(chance, length_s, every_s, usual, spread, one_kind=scene % 4 == 1)
    ground = np.clip(_ground(scene) * chance.uniform(0.94, 1.06), 0, 255).astype(np.float32)
    out = []
    for number in range(round(length_s * FPS)):
        picture = ground.copy()
        for thing in things:
            draw(picture, thing, number / FPS - thing.from_s)
        picture += chance.normal(0, 2.0, (HEIGHT, WIDTH, 1)).astype(np.float32)
        out.append(np.clip(picture, 0, 255).astype(np.uint8))
    return out


def _passing(
    chance: np.random.Generator,
    length_s: float,
    every_s: float,
    usual: float,
    spread: float,
    one_kind: bool,
) -> list[Passing]:
    things, at = list[Passing](), -1.4 / usual
    while at < length_s:
        at += 0.6 + float(chance.exponential(every_s))
        colour = chance.uniform(20, 235, 3)
        if one_kind:
            colour = np.array((170.0, 130.0, 90.0)) * chance.uniform(0.9, 1.1)
        long, tall = chance.uniform(0.1, 0.22), chance.uniform(0.09, 0.16)
        speed = usual * max(0.4, float(chance.normal(1.0, spread)))
        lane = int(chance.integers(0, 2))
        shade = (float(colour[0]), float(colour[1]), float(colour[2]))
        things.append(Passing(at, speed, float(long), float(tall), shade, lane))
    return things


def _ground(scene: int) -> NDArray[np.float32]:
    """Blotches and walls; the way itself is plain."""
    chance = np.random.default_rng([scene, 77])
    small = chance.uniform(60, 190, (9, 16, 3)).astype(np.float32)
    base = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(12):
        x, y = int(chance.integers(0, WIDTH)), int(chance.integers(0, HEIGHT // 2))
        wide, high = int(chance.integers(10, 80)), int(chance.integers(8, 50))
        shade = chance.uniform(30, 230, 3).tolist()
        cv2.rectangle(base, (x, y), (x + wide, y + high), shade, -1)
    base[HEIGHT // 2 : HEIGHT * 5 // 6] = float(chance.uniform(80, 120))
    return np.asarray(base, np.float32)


def _box(picture: NDArray[np.float32], left: float, top: float, thing: Passing) -> None:
    corners = (left, top, left + thing.long, top + thing.tall)
    x, y, right, bottom = (
        round(one * side) for one, side in zip(corners, (WIDTH, HEIGHT) * 2, strict=True)
    )
    cv2.rectangle(picture, (x, y), (right, bottom), thing.colour, -1)


def _road(picture: NDArray[np.float32], thing: Passing, at_s: float) -> None:
    gone = at_s * thing.speed
    left = gone - thing.long if thing.lane else 1.0 - gone
    if -thing.long < left < 1.0:
        _box(picture, left, 0.54 if thing.lane else 0.68, thing)


def _belt(picture: NDArray[np.float32], thing: Passing, at_s: float) -> None:
    left = at_s * thing.speed - thing.long
    if -thing.long < left < 1.0:
        _box(picture, left, 0.6, thing)


def _corridor(picture: NDArray[np.float32], thing: Passing, at_s: float) -> None:
    """A plain figure with swinging legs."""
    gone = at_s * thing.speed
    x = gone - 0.1 if thing.lane else 1.1 - gone
    if not -0.1 < x < 1.1:
        return
    tall = 2.2 * thing.tall * HEIGHT
    foot = (round(x * WIDTH), round((0.8 if thing.lane else 0.74) * HEIGHT))
    hip = (foot[0], round(foot[1] - 0.45 * tall))
    for side in (-1, 1):
        end = (round(foot[0] + side * 0.18 * tall * np.sin(7 * at_s)), foot[1])
        cv2.line(picture, hip, end, (40, 40, 60), max(2, round(tall / 9)))
    body = (hip[0], round(hip[1] - 0.2 * tall))
    axes = (max(2, round(tall / 6)), max(3, round(tall / 4)))
    cv2.ellipse(picture, body, axes, 0, 0, 360, thing.colour, -1)
    head = (hip[0], round(hip[1] - 0.52 * tall))
    cv2.circle(picture, head, max(2, round(tall / 9)), (205, 170, 140), -1)


def _gate(picture: NDArray[np.float32], thing: Passing, at_s: float) -> None:
    """Something comes from far away through a gate and grows until it is past the camera."""
    gone = at_s * thing.speed
    if not 0.0 <= gone < 1.0:
        return
    size = 0.3 + 1.9 * gone**2
    wide, high = thing.long * size, 1.6 * thing.tall * size
    grown = Passing(thing.from_s, thing.speed, wide, high, thing.colour, thing.lane)
    side = 0.12 * gone if thing.lane else -0.12 * gone
    _box(picture, 0.5 + side - wide / 2, 0.5 + 0.3 * gone - high / 2, grown)


Draw = Callable[[NDArray[np.float32], Passing, float], None]
