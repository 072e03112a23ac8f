"""Rendered yards: people, carts, cloud shadows and trees before walls, seen by cameras in space.

One yard has moments (same camera), a second camera on the same event, and another day on which the
camera was put up anew. Nothing violent, nobody real.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.trace.pictures import FPS, Image

Floats = NDArray[np.float32]
WIDTH: Final = 448
HEIGHT: Final = 252
LENGTH_S: Final = 8.0
#: half the side of a yard, and height of its walls, in m
_HALF_M: Final = 11.0
_WALL_M: Final = 7.0
_GRAINS: Final = 6


@dataclass(frozen=True)
class Camera:
    """Where it stands (m), what it turns by, and its focal length (px)."""

    at: Floats
    turn: Floats
    focal_px: float

    def seen(self, points: Floats) -> Floats:
        """Pixels and depth (n x 3) of points in space (n x 3)."""
        there = (points - self.at) @ self.turn.T
        depth = np.maximum(there[:, 2:], 0.1)
        flat = self.focal_px * there[:, :2] / depth + (WIDTH / 2, HEIGHT / 2)
        return np.concatenate([flat, depth], 1).astype(np.float32)


@dataclass(frozen=True)
class Goer:
    """Somebody on foot, or a cart: path from a point with a pace, colour, size in m."""

    start: Floats
    pace: Floats
    colour: tuple[float, float, float]
    tall_m: float
    cart: bool
    phase: float


def rendered(scene: int, moment: int, view: int = 0, day: int = 0, goers: int = 4) -> list[Image]:
    """Pictures of one moment of a yard, as one of its cameras sees it."""
    chance = np.random.default_rng([scene, moment, day, 41])
    camera, light = _camera(scene, view, day), float(chance.uniform(0.8, 1.1))
    ground, base = _background(scene, camera, float(chance.uniform(-0.5, 0.5)))
    going = _goers(scene, chance, goers)
    clouds = _blotches(np.random.default_rng([scene, moment, day, 43]), 64, 5)
    drift, sun = _two(chance, 0.6), _two(chance, 1.2)
    # What the sensor adds is the camera's own: seen anew by each
    own = np.random.default_rng([scene, moment, day, view, 47])
    grain = own.normal(0, 2.0, (_GRAINS, HEIGHT, WIDTH, 1)).astype(np.float32)
    trees = _trees(scene)
    out = []
    for number in range(round(LENGTH_S * FPS)):
        at_s = number / FPS
        picture = base * (light * _shade(ground, clouds, np.float32(at_s) * drift))[..., None]
        for leaf, colour in trees:
            _tree(picture, camera, leaf, colour, at_s + float(sun[0]))
        for goer in sorted(going, key=lambda one: -camera.seen(_where(one, at_s)[None])[0, 2]):
            _draw(picture, camera, goer, at_s, sun)
        picture += grain[int(own.integers(0, _GRAINS))]
        out.append(np.clip(picture, 0, 255).astype(np.uint8))
    return out


def _two(chance: np.random.Generator, most: float) -> Floats:
    return chance.uniform(-most, most, 2).astype(np.float32)


def _camera(scene: int, view: int, day: int) -> Camera:
    """The yard's first or second camera; on another day it hangs a little otherwise."""
    chance = np.random.default_rng([scene, 51])
    aside = 0.9 if scene % 2 else -0.9  # away from the side wall, which would hide the yard
    round_rad = float(chance.uniform(-0.5, 0.5)) + view * aside
    high_m, far_m = chance.uniform(4.5, 8.0), chance.uniform(13.0, 17.0)
    focal_px = WIDTH * chance.uniform(0.85, 1.1)
    look = np.array([0.0, 1.2, 1.5])
    if view:
        high_m, far_m = 0.6 * high_m, 0.8 * far_m
    at = np.array([far_m * np.sin(round_rad), high_m, -far_m * np.cos(round_rad)])
    if day:
        moved = np.random.default_rng([scene, day, 53])
        look = look + moved.uniform(-0.5, 0.5, 3)
        at = at + moved.uniform(-0.3, 0.3, 3)
        focal_px *= moved.uniform(0.95, 1.05)
    ahead = (look - at) / np.linalg.norm(look - at)
    right = np.cross([0.0, 1.0, 0.0], ahead)
    right /= np.linalg.norm(right)
    turn = np.stack([right, -np.cross(ahead, right), ahead])
    return Camera(at.astype(np.float32), turn.astype(np.float32), float(focal_px))


def _blotches(chance: np.random.Generator, side: int, cells: int) -> Floats:
    coarse = chance.uniform(0, 1, (cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def _surface(chance: np.random.Generator, windows: int, low: float, high: float) -> Floats:
    """A texture of 256 x 256: blotches, joints, and rectangles (windows, doors, patches)."""
    shade = chance.uniform(low, high, 3)
    mottled = 0.75 + 0.5 * _blotches(chance, 256, 12) + 0.06 * chance.normal(0, 1, (256, 256))
    out = (mottled[..., None] * shade).astype(np.float32)
    for _ in range(windows):
        x, y = (int(one) for one in chance.integers(0, 230, 2))
        wide, tall = (int(one) for one in chance.integers(8, 44, 2))
        cv2.rectangle(out, (x, y), (x + wide, y + tall), chance.uniform(25, 225, 3).tolist(), -1)
    return out


def _background(scene: int, camera: Camera, sun: float) -> tuple[Floats, Floats]:
    """Where each pixel meets the ground (x, z; far away where it does not), and its colour."""
    chance = np.random.default_rng([scene, 55])
    surfaces = [_surface(chance, *given) for given in ((14, 70, 150), (16, 90, 190), (16, 90, 190))]
    down, across = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    flat = np.stack(
        [across - WIDTH / 2, down - HEIGHT / 2, np.full_like(down, camera.focal_px)], -1
    )
    ray = flat @ camera.turn
    sky = chance.uniform(150, 220, 3).astype(np.float32)
    colour = np.broadcast_to(sky, (HEIGHT, WIDTH, 3)).copy()
    ground = np.full((HEIGHT, WIDTH, 2), 1e3, np.float32)
    nearest = np.full((HEIGHT, WIDTH), np.inf, np.float32)
    #: (axis that is fixed, where, axes along the surface)
    planes = (
        (1, 0.0, (0, 2)),
        (2, _HALF_M, (0, 1)),
        (0, -_HALF_M * (1 if scene % 2 else -1), (2, 1)),
    )
    for (axis, where, (u, v)), surface in zip(planes, surfaces, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = (where - camera.at[axis]) / ray[..., axis]
        point = camera.at + np.nan_to_num(reach, posinf=0, neginf=0)[..., None] * ray
        top = _HALF_M * 1.4 if axis == 1 else _WALL_M
        inside = (reach > 0) & (reach < nearest) & (np.abs(point[..., u]) < _HALF_M * 1.4)
        inside &= (point[..., v] < top) & (point[..., v] > (-_HALF_M * 1.4 if axis == 1 else 0.0))
        scale = 255 / (2.8 * _HALF_M)
        x = ((point[..., u] + 1.4 * _HALF_M) * scale).astype(np.float32)
        y = (
            (point[..., v] + 1.4 * _HALF_M) * scale
            if axis == 1
            else 255 * (1 - point[..., v] / _WALL_M)
        )
        shown = cv2.remap(surface, x, y.astype(np.float32), cv2.INTER_LINEAR)
        if axis == 1:  # the shadow of a wall lies where the sun puts it
            shown = (
                shown * np.where(point[..., 2] > _HALF_M - 3.0 + 2.0 * sun, 0.62, 1.0)[..., None]
            )
            ground[inside] = point[inside][:, [0, 2]]
        colour[inside], nearest[inside] = shown[inside], reach[inside]
    return ground, colour.astype(np.float32)


def _shade(ground: Floats, clouds: Floats, moved: Floats) -> Floats:
    """What passing clouds leave of the light."""
    x = ((ground[..., 0] + moved[0]) / (2.4 * _HALF_M) + 0.5) * 63
    y = ((ground[..., 1] + moved[1]) / (2.4 * _HALF_M) + 0.5) * 63
    field = cv2.remap(clouds, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(0.88 + 0.2 * field, np.float32)


def _goers(scene: int, chance: np.random.Generator, count: int) -> list[Goer]:
    """Who goes on the yard's own paths at this moment."""
    ways, out = np.random.default_rng([scene, 57]), list[Goer]()
    for number in range(count):
        middle, along = ways.uniform(-5, 5, 2), ways.uniform(0, 2 * np.pi)
        pace = np.array([np.cos(along), np.sin(along)]) * ways.uniform(0.9, 1.6)
        pace = pace * chance.uniform(0.8, 1.25) * chance.choice([-1, 1])
        begun_s = LENGTH_S / 2 + chance.uniform(-2.5, 2.5)
        red, green, blue = chance.uniform(20, 235, 3).tolist()
        start = (middle - pace * begun_s).astype(np.float32)
        tall, phase = float(chance.uniform(1.5, 1.95)), float(chance.uniform(0, 6.3))
        cart = number == count - 1 and scene % 3 == 0
        out.append(Goer(start, pace.astype(np.float32), (red, green, blue), tall, cart, phase))
    return out


def _where(goer: Goer, at_s: float) -> Floats:
    """Where they stand on the ground; nobody walks quite straight."""
    aside = np.array([-goer.pace[1], goer.pace[0]]) * 0.25 * np.sin(0.9 * at_s + goer.phase)
    x, z = goer.start + goer.pace * at_s + aside
    return np.array([x, 0.0, z], np.float32)


def _draw(picture: Floats, camera: Camera, goer: Goer, at_s: float, sun: Floats) -> None:
    foot = _where(goer, at_s)
    if goer.cart:
        half = np.array([0.9, 0.0, 0.5])
        corners = [
            foot + half * (i, 0, k) + (0, j, 0)
            for i in (-1, 1)
            for j in (0.2, 1.1)
            for k in (-1, 1)
        ]
        _hull(picture, camera, np.array(corners, np.float32), goer.colour)
        return
    tip = foot + np.array([sun[0], 0.0, sun[1]], np.float32)
    low, dark, top = camera.seen(np.stack([foot, tip, foot + np.array([0, goer.tall_m, 0])]))
    tall = max(4.0, float(low[1] - top[1]))
    thick = max(1, round(tall / 9))
    cv2.line(picture, _px(low), _px(dark), (48, 48, 52), max(2, 2 * thick))
    hip = (round(float(low[0])), round(float(low[1]) - 0.46 * tall))
    for side in (-1, 1):
        swing = side * 0.17 * tall * np.sin(6.5 * at_s + goer.phase)
        cv2.line(picture, hip, (round(float(low[0]) + swing), _px(low)[1]), (45, 45, 65), thick)
    body = (max(2, round(tall / 7)), max(3, round(tall / 4)))
    cv2.ellipse(picture, (hip[0], round(hip[1] - 0.18 * tall)), body, 0, 0, 360, goer.colour, -1)
    cv2.circle(picture, (hip[0], round(hip[1] - 0.47 * tall)), max(2, thick), (205, 170, 140), -1)


def _px(point: Floats) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _hull(picture: Floats, camera: Camera, points: Floats, colour: tuple[float, ...]) -> None:
    flat = camera.seen(points)[:, :2].round().astype(np.int32)
    cv2.fillConvexPoly(picture, cv2.convexHull(flat), colour)


def _trees(scene: int) -> list[tuple[Floats, tuple[float, float, float]]]:
    """Leaves (x, y, z, size in m) of two trees."""
    chance = np.random.default_rng([scene, 59])
    out = list[tuple[Floats, tuple[float, float, float]]]()
    for _ in range(2):
        x, z = chance.uniform(-8, 8), chance.uniform(4, 9)
        for _ in range(9):
            near = chance.normal(0, 0.7, 3)
            leaf = np.array([x + near[0], 3.2 + near[1], z + near[2], chance.uniform(0.3, 0.7)])
            shade = chance.uniform(0.5, 1.0)
            out.append((leaf.astype(np.float32), (60 * shade, 110 * shade, 45 * shade)))
    return out


def _tree(
    picture: Floats, camera: Camera, leaf: Floats, colour: tuple[float, ...], at_s: float
) -> None:
    swayed = leaf[:3] + np.array([0.06 * np.sin(2.1 * at_s + leaf[0] * 3), 0.0, 0.0])
    (seen,) = camera.seen(swayed[None].astype(np.float32))
    cv2.circle(
        picture, _px(seen), max(2, round(float(leaf[3] * camera.focal_px / seen[2]))), colour, -1
    )
