"""Camera and ray geometry in metres.

Two frames are used. *World* is east, north, up. *Yard* is the same with the two level axes
turned so that walls lie along them: u to the right, v away from the camera's building, z up.
Pixels: x to the right, y down, whole numbers at pixel centres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


def yard_to_world(points: Array, yard_azimuth_deg: float) -> Array:
    """Turn yard (u, v, z) into world (east, north, up); v points to ``yard_azimuth_deg``."""
    a = np.radians(yard_azimuth_deg)
    p = np.asarray(points, dtype=float)
    u, v, z = p[..., 0], p[..., 1], p[..., 2]
    return np.stack([u * np.cos(a) + v * np.sin(a), -u * np.sin(a) + v * np.cos(a), z], axis=-1)


def world_to_yard(points: Array, yard_azimuth_deg: float) -> Array:
    """Inverse of :func:`yard_to_world`."""
    return yard_to_world(points, -yard_azimuth_deg)


@dataclass(frozen=True)
class Camera:
    """Pinhole camera without lens distortion.

    Attributes:
        position: metres, in the frame the camera is used in.
        heading_deg: clockwise from the frame's second axis (world: true north).
        tilt_deg: up positive.
        roll_deg: positive when the camera is turned clockwise as the photographer sees it.
        focal_px, width, height: focal length and picture size in pixels.
    """

    position: tuple[float, float, float]
    heading_deg: float
    tilt_deg: float
    roll_deg: float
    focal_px: float
    width: int
    height: int

    @property
    def centre_px(self) -> tuple[float, float]:
        """Principal point: the middle of the picture."""
        return (self.width - 1) / 2.0, (self.height - 1) / 2.0

    @property
    def intrinsics(self) -> Array:
        """3x3 matrix from camera axes to homogeneous pixels."""
        cx, cy = self.centre_px
        return np.array([[self.focal_px, 0, cx], [0, self.focal_px, cy], [0, 0, 1.0]])

    @property
    def rotation(self) -> Array:
        """3x3 matrix whose rows are right, down and forward in the camera's frame."""
        h, t, r = np.radians([self.heading_deg, self.tilt_deg, self.roll_deg])
        forward = np.array([np.sin(h) * np.cos(t), np.cos(h) * np.cos(t), np.sin(t)])
        right = np.array([np.cos(h), -np.sin(h), 0.0])
        down = np.array([np.sin(h) * np.sin(t), np.cos(h) * np.sin(t), -np.cos(t)])
        return np.stack(
            [
                np.cos(r) * right + np.sin(r) * down,
                -np.sin(r) * right + np.cos(r) * down,
                forward,
            ]
        )

    def project(self, points: Array) -> Array:
        """Pixels (x, y) of points; the depth in metres is the third column."""
        cam = (np.asarray(points, dtype=float) - np.asarray(self.position)) @ self.rotation.T
        cx, cy = self.centre_px
        depth = cam[..., 2]
        return np.stack(
            [
                cx + self.focal_px * cam[..., 0] / depth,
                cy + self.focal_px * cam[..., 1] / depth,
                depth,
            ],
            axis=-1,
        )

    def rays(self) -> Array:
        """Directions of all pixels, shape (height, width, 3), one metre forward each."""
        cx, cy = self.centre_px
        x = (np.arange(self.width) - cx) / self.focal_px
        y = (np.arange(self.height) - cy) / self.focal_px
        gx, gy = np.meshgrid(x, y)
        return np.stack([gx, gy, np.ones_like(gx)], axis=-1) @ self.rotation


@dataclass(frozen=True)
class Box:
    """A box along the yard's axes; ``surface`` names how it is coloured."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    surface: str
    name: str = ""


@dataclass(frozen=True)
class Pole:
    """A vertical cylinder standing on the ground: foot (u, v), height and radius in metres."""

    name: str
    u: float
    v: float
    height: float
    radius: float
    surface: str = "pole"


@dataclass(frozen=True)
class Hits:
    """First hits of many rays.

    Attributes:
        t: ray parameter (infinite where nothing is hit).
        index: 0 ground, 1.. solids in order, -1 nothing.
        normal: unit normals, shape (n, 3).
    """

    t: Array
    index: NDArray[np.int64]
    normal: Array


def box_hit(origin: Array, rays: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Entry parameter (infinite if missed) and entry axis of rays against one box."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = 1.0 / np.where(np.abs(rays) < 1e-12, 1e-12, rays)
        a, b = (low - origin) * inverse, (high - origin) * inverse
    near, far = np.minimum(a, b), np.maximum(a, b)
    axis = near.argmax(axis=-1)
    enter, leave = near.max(axis=-1), far.min(axis=-1)
    return np.where((enter <= leave) & (enter > 1e-4), enter, np.inf), axis


def pole_hit(origin: Array, rays: Array, pole: Pole) -> Array:
    """Entry parameter (infinite if missed) of rays against a vertical cylinder's side."""
    ou, ov = origin[..., 0] - pole.u, origin[..., 1] - pole.v
    du, dv = rays[..., 0], rays[..., 1]
    a = du * du + dv * dv + 1e-18
    b = ou * du + ov * dv
    c = ou * ou + ov * ov - pole.radius**2
    disc = b * b - a * c
    t = (-b - np.sqrt(np.maximum(disc, 0.0))) / a
    z = origin[..., 2] + t * rays[..., 2]
    return np.where((disc > 0) & (t > 1e-4) & (z >= 0) & (z <= pole.height), t, np.inf)


def cast(origin: Array, rays: Array, solids: Sequence[Box | Pole]) -> Hits:
    """First hit of each ray, shape (n, 3), against the level ground z = 0 and the solids."""
    n = rays.shape[0]
    dz = rays[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        ground = np.where(dz < -1e-9, -origin[..., 2] / dz, np.inf)
    t = np.where(ground > 1e-4, ground, np.inf)
    index = np.where(np.isfinite(t), 0, -1).astype(np.int64)
    normal = np.zeros((n, 3))
    normal[index == 0, 2] = 1.0
    for k, solid in enumerate(solids, start=1):
        if isinstance(solid, Box):
            hit, axis = box_hit(origin, rays, np.array(solid.low), np.array(solid.high))
        else:
            hit, axis = pole_hit(origin, rays, solid), None
        closer = hit < t
        if not closer.any():
            continue
        t[closer], index[closer] = hit[closer], k
        normal[closer] = 0.0
        rows = np.flatnonzero(closer)
        if axis is not None:
            ax = axis[closer]
            normal[rows, ax] = -np.sign(rays[rows, ax])
        elif isinstance(solid, Pole):
            foot = origin[..., :2] if origin.ndim == 1 else origin[rows, :2]
            level = foot + hit[rows, None] * rays[rows, :2] - np.array([solid.u, solid.v])
            normal[rows, :2] = level / solid.radius
    return Hits(t, index, normal)


def in_shade(points: Array, sun: Array, solids: Sequence[Box | Pole]) -> Bools:
    """Which points, shape (n, 3), have a solid between them and the sun (unit vector)."""
    shaded = np.zeros(points.shape[0], dtype=bool)
    for solid in solids:
        open_rows = np.flatnonzero(~shaded)
        if open_rows.size == 0:
            break
        p = points[open_rows]
        rays = np.broadcast_to(sun, p.shape)
        if isinstance(solid, Box):
            hit, _ = box_hit(p, rays, np.array(solid.low), np.array(solid.high))
        else:
            hit = pole_hit(p, rays, solid)
        shaded[open_rows] = np.isfinite(hit)
    return shaded


def capsule_hit(
    origin: Array, rays: Array, a: Array, b: Array, radius: float
) -> tuple[Array, Array]:
    """Entry parameter (infinite if missed) and normal of rays, shape (n, 3), against a capsule.

    The rays need not have length one. The capsule is all points within ``radius`` of segment ab.
    """
    ab, ao = b - a, origin - a
    length2 = float(ab @ ab)
    along = rays @ ab
    rr = np.einsum("ij,ij->i", rays, rays)
    ro = rays @ ao
    oo, abo = float(ao @ ao), float(ab @ ao)
    best = np.full(rays.shape[0], np.inf)
    if length2 > 1e-12:
        qa = length2 * rr - along * along
        qb = length2 * ro - abo * along
        qc = length2 * oo - abo * abo - radius * radius * length2
        disc = qb * qb - qa * qc
        t = (-qb - np.sqrt(np.maximum(disc, 0.0))) / np.maximum(qa, 1e-12)
        where = abo + t * along
        best = np.where((disc > 0) & (where > 0) & (where < length2) & (t > 0), t, best)
    for end in (a, b):
        eo = origin - end
        hb = rays @ eo
        disc = hb * hb - rr * (float(eo @ eo) - radius * radius)
        t = (-hb - np.sqrt(np.maximum(disc, 0.0))) / rr
        best = np.where((disc > 0) & (t > 0) & (t < best), t, best)
    normal = np.zeros_like(rays)
    hit = np.isfinite(best)
    if hit.any():
        point = origin + best[hit, None] * rays[hit]
        share = np.clip(((point - a) @ ab) / max(length2, 1e-12), 0.0, 1.0)
        normal[hit] = (point - a - share[:, None] * ab) / radius
    return best, normal
