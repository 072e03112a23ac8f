"""Rendered scenes of a fixed camera at several moments.

People of one scene walk the same paths at every moment, so that another moment is as like as it
can be. Scenes of an even number sway a little.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from benchmarks.trace.pictures import FPS, Image

WIDTH: Final = 448


def ground(scene: int) -> Image:
    """A still background: blotches, walls, windows."""
    chance = np.random.default_rng([scene, 77])
    small = chance.uniform(60, 190, (9, 16, 3)).astype(np.float32)
    base = cv2.resize(small, (WIDTH, 252), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        x, y = int(chance.integers(0, WIDTH)), int(chance.integers(0, 170))
        w, h = int(chance.integers(12, 110)), int(chance.integers(10, 80))
        cv2.rectangle(base, (x, y), (x + w, y + h), chance.uniform(30, 230, 3).tolist(), -1)
    base += chance.normal(0, 6, base.shape)
    return np.clip(base, 0, 255).astype(np.uint8)


def rendered(scene: int, moment: int) -> list[Image]:
    """A fixed camera: people and carts on the scene's own paths; light and people of the moment."""
    ways = np.random.default_rng([scene, 5])
    paths = [
        (
            ways.uniform(0, 1),
            ways.uniform(0.45, 0.95),
            ways.uniform(-0.16, 0.16),
            ways.uniform(-0.02, 0.02),
        )
        for _ in range(4)
    ]
    chance = np.random.default_rng([scene, moment, 9])
    light = chance.uniform(0.92, 1.08)
    still = np.clip(ground(scene) * light, 0, 255).astype(np.uint8)
    walkers = []
    for x, y, dx, dy in paths[: 2 + scene % 3]:
        colour = chance.uniform(20, 235, 3).tolist()
        pace = chance.uniform(0.85, 1.15)
        walkers.append(
            (x + chance.uniform(-0.35, 0.35), y, dx * pace, dy, colour, chance.uniform(0.8, 1.2))
        )
    out = []
    sway = chance.uniform(0, 6.3, 2)
    shaken = 0.0 if scene % 2 else 1.5
    for number in range(int(7.0 * FPS)):
        t = number / FPS
        picture = still.copy()
        for x, y, dx, dy, colour, size in walkers:
            _walker(picture, (x + dx * t) % 1.2 - 0.1, y + dy * t, colour, size * 42 * y, t)
        shift = [shaken * np.sin(1.3 * t + sway[0]), shaken * np.sin(0.9 * t + sway[1])]
        move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        moved = cv2.warpAffine(picture, move, (WIDTH, 252), borderMode=cv2.BORDER_REFLECT)
        out.append(np.asarray(moved, np.uint8))
    return out


def _walker(picture: Image, x: float, y: float, colour: list[float], tall: float, t: float) -> None:
    """A head, a body and two legs that swing."""
    h, w = picture.shape[:2]
    foot = (int(x * w), int(y * h))
    hip = (foot[0], int(foot[1] - 0.45 * tall))
    for side in (-1, 1):
        end = (int(foot[0] + side * 0.18 * tall * np.sin(7 * t)), foot[1])
        cv2.line(picture, hip, end, (40, 40, 60), max(2, int(tall / 9)))
    cv2.ellipse(
        picture,
        (hip[0], int(hip[1] - 0.2 * tall)),
        (max(2, int(tall / 6)), max(3, int(tall / 4))),
        0,
        0,
        360,
        colour,
        -1,
    )
    cv2.circle(
        picture, (hip[0], int(hip[1] - 0.52 * tall)), max(2, int(tall / 9)), (205, 170, 140), -1
    )
