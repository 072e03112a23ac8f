"""Seeded noise and the colours of the scenes' surfaces (linear light, 0 to 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_TABLE = np.random.default_rng(20210913).random((256, 256))

BASE_COLOURS: dict[str, tuple[float, float, float]] = {
    "paving": (0.44, 0.41, 0.37),
    "plaster": (0.62, 0.55, 0.43),
    "plaster_light": (0.68, 0.65, 0.58),
    "brick": (0.46, 0.25, 0.18),
    "store": (0.55, 0.57, 0.58),
    "roof": (0.30, 0.17, 0.13),
    "door": (0.10, 0.22, 0.30),
    "door_green": (0.12, 0.26, 0.15),
    "window": (0.06, 0.08, 0.10),
    "frame": (0.75, 0.74, 0.70),
    "wood": (0.40, 0.27, 0.14),
    "crate": (0.52, 0.38, 0.20),
    "metal": (0.36, 0.38, 0.40),
    "pole": (0.16, 0.16, 0.17),
    "stripe": (0.65, 0.20, 0.12),
    "blue": (0.12, 0.25, 0.50),
    "yellow": (0.75, 0.55, 0.12),
    "white": (0.80, 0.80, 0.78),
    "water": (0.10, 0.20, 0.26),
    "grass": (0.22, 0.32, 0.10),
    "earth": (0.36, 0.29, 0.20),
    "hull": (0.50, 0.12, 0.10),
    "asphalt": (0.20, 0.20, 0.21),
}


def noise(x: Array, y: Array, scale_m: float, shift: int = 0) -> Array:
    """Smooth value noise, 0 to 1, with features of about ``scale_m`` metres."""
    gx, gy = x / scale_m + 17.3 * shift, y / scale_m + 5.7 * shift
    ix, iy = np.floor(gx).astype(np.int64), np.floor(gy).astype(np.int64)
    fx, fy = gx - ix, gy - iy
    fx, fy = fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)
    x0, x1, y0, y1 = ix & 255, (ix + 1) & 255, iy & 255, (iy + 1) & 255
    top = _TABLE[y0, x0] * (1 - fx) + _TABLE[y0, x1] * fx
    low = _TABLE[y1, x0] * (1 - fx) + _TABLE[y1, x1] * fx
    return np.asarray(top * (1 - fy) + low * fy)


def cell_value(x: Array, y: Array, shift: int = 0) -> Array:
    """One random value, 0 to 1, per unit cell."""
    picked = _TABLE[
        (np.floor(y).astype(np.int64) + 7 * shift) & 255,
        (np.floor(x).astype(np.int64) + 13 * shift) & 255,
    ]
    return np.asarray(picked)


def _joints(x: Array, y: Array, width: float) -> NDArray[np.bool_]:
    """True within ``width`` (share of a cell) of a cell border."""
    fx, fy = x - np.floor(x), y - np.floor(y)
    return (fx < width) | (fy < width)


def albedo(surface: str, points: Array, normal: Array) -> Array:
    """Colour of surface points, shape (n, 3), in metres; the pattern lies along the face."""
    across = np.where(np.abs(normal[:, 0]) > 0.5, points[:, 1], points[:, 0])
    level = np.abs(normal[:, 2]) > 0.5
    x = np.where(level, points[:, 0], across)
    y = np.where(level, points[:, 1], points[:, 2])
    rough = 0.80 + 0.25 * noise(x, y, 0.9, 1) + 0.18 * noise(x, y, 0.16, 2)
    factor = rough
    if surface == "paving":
        px, py = x / 0.8, y / 0.8
        factor = rough * (0.86 + 0.26 * cell_value(px, py, 3)) * (0.85 + 0.3 * noise(x, y, 4.0, 4))
        factor = np.where(_joints(px, py, 0.06), factor * 0.72, factor)
    elif surface == "brick":
        row = y / 0.16
        px = x / 0.42 + 0.5 * (np.floor(row) % 2)
        factor = rough * (0.82 + 0.34 * cell_value(px, row, 5))
        factor = np.where(_joints(px, row, 0.09), factor * 1.45, factor)
    elif surface in ("plaster", "plaster_light", "store"):
        stain = noise(x, y, 1.7, 6) * np.exp(-np.maximum(y, 0) / 1.1)
        factor = rough * (1.0 - 0.30 * stain)
        factor = np.where((y < 0.45) & ~level, factor * 0.66, factor)
    elif surface in ("wood", "crate", "door", "door_green"):
        factor = rough * (0.82 + 0.3 * cell_value(x / 0.17, y * 0, 7))
        factor = np.where(x / 0.17 - np.floor(x / 0.17) < 0.10, factor * 0.7, factor)
    elif surface == "roof":
        factor = rough * (0.8 + 0.3 * cell_value(x / 0.3, y / 0.3, 8))
    elif surface in ("grass", "earth", "asphalt"):
        factor = rough * (0.7 + 0.5 * noise(x, y, 2.3, 9)) * (0.85 + 0.3 * noise(x, y, 0.4, 10))
    elif surface == "water":
        factor = 0.75 + 0.5 * noise(x * 0.4, y * 2.2, 0.8, 11)
    colour = np.array(BASE_COLOURS[surface])
    return np.asarray(np.clip(colour[None, :] * factor[:, None], 0.0, 1.0))


def sky(rays: Array, shift: int = 0) -> Array:
    """Sky colour (linear) for ray directions, with thin clouds."""
    length = np.sqrt((rays * rays).sum(axis=1))
    up = np.clip(rays[:, 2] / length, 0.0, 1.0)
    blue = np.array([0.30, 0.46, 0.72])
    pale = np.array([0.74, 0.80, 0.86])
    share = np.clip(up * 3.2, 0.0, 1.0)[:, None]
    colour = pale * (1 - share) + blue * share
    side = np.arctan2(rays[:, 0], rays[:, 1])
    cloud = np.clip(noise(side * 9, up * 30, 1.0, 12 + shift) * 1.8 - 0.9, 0, 1)[:, None]
    return np.asarray(colour * (1 - 0.45 * cloud) + 0.9 * 0.45 * cloud)


def to_display(linear: Array) -> NDArray[np.uint8]:
    """Linear light to 8-bit display values by a 2.2 power curve."""
    return np.asarray(
        np.clip(np.clip(linear, 0.0, 1.0) ** (1 / 2.2) * 255.0 + 0.5, 0, 255), dtype=np.uint8
    )
