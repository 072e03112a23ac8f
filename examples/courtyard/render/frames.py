"""Pictures from a scene: a still yard computed once, figures drawn into it, a moving camera.

The camera stands still and turns a little, so a turn is an exact homography of one wider
picture ("canvas"). Shadows are hard-edged: the sun is taken as a point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from . import surfaces
from .geometry import Array, Camera, capsule_hit, cast, in_shade
from .geometry import box_hit as slab_hit
from .people import Capsule, Figure, Part, extent, into_box
from .scene import FPS, Scene

Image = NDArray[np.uint8]

MARGIN_PX = 26
AMBIENT, SUNLIGHT = 0.30, 0.95


@dataclass(frozen=True)
class Sway:
    """Turn of the camera away from its mean pose, degrees, one row a frame.

    Attributes:
        turns: shape (frames, 3): heading, tilt, roll.
    """

    turns: Array

    def camera(self, mean: Camera, frame: int) -> Camera:
        """The exact camera of one frame."""
        heading, tilt, roll = self.turns[frame]
        return replace(
            mean,
            heading_deg=mean.heading_deg + float(heading),
            tilt_deg=mean.tilt_deg + float(tilt),
            roll_deg=mean.roll_deg + float(roll),
        )


def make_sway(frames: int, largest_deg: tuple[float, float, float], seed: int) -> Sway:
    """A smooth seeded walk: slow drift and a quicker tremble, never above ``largest_deg``."""
    rng = np.random.default_rng(seed)
    turns = np.zeros((frames, 3))
    for axis in range(3):
        total = np.zeros(frames)
        for sigma_s, weight in ((1.3, 1.0), (0.28, 0.25)):
            sigma = sigma_s * FPS
            reach = int(4 * sigma)
            kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
            raw = rng.normal(size=frames + 2 * reach)
            smooth = np.convolve(raw, kernel / np.sqrt((kernel**2).sum()), mode="valid")
            total += weight * smooth[:frames]
        turns[:, axis] = total / max(np.abs(total).max(), 1e-9) * largest_deg[axis]
    return Sway(np.round(turns, 5))


class Stage:
    """The still part of a scene at canvas size, and the figures drawn over it.

    Args:
        scene: what to draw.
        scale: canvas pixels per picture pixel.
        oversample: rays per canvas pixel side for the still part.
    """

    def __init__(self, scene: Scene, scale: float = 1.5, oversample: int = 2) -> None:
        self.scene, self.scale = scene, scale
        self.sun = scene.sun_yard()
        mean = scene.camera
        self.canvas = replace(
            mean,
            focal_px=mean.focal_px * scale,
            width=round((mean.width + 2 * MARGIN_PX) * scale),
            height=round((mean.height + 2 * MARGIN_PX) * scale),
        )
        self.origin = np.array(mean.position)
        level = np.cross(self.sun, [0.0, 0.0, 1.0])
        self._across = level / np.linalg.norm(level)
        self._updown = np.cross(self._across, self.sun)
        fine = replace(
            self.canvas,
            focal_px=self.canvas.focal_px * oversample,
            width=self.canvas.width * oversample,
            height=self.canvas.height * oversample,
        )
        size = (self.canvas.width, self.canvas.height)
        lit, shade = self._paint(fine)
        area = cv2.INTER_AREA
        self.lit: Image = np.asarray(cv2.resize(lit, size, interpolation=area), np.uint8)
        self.shade: Image = np.asarray(cv2.resize(shade, size, interpolation=area), np.uint8)
        self.rays = self.canvas.rays()
        self.depth, self.points = self._survey()
        self.sun_plane = np.stack(
            [self.points @ self._across, self.points @ self._updown, self.points @ self.sun], -1
        )

    def _paint(self, camera: Camera) -> tuple[Image, Image]:
        """The yard with the sun and its shadows, and the same with everything in shade."""
        rays = camera.rays().reshape(-1, 3)
        hits = cast(self.origin, rays, self.scene.solids)
        colour = surfaces.sky(rays)
        bright = colour.copy()
        seen = np.flatnonzero(hits.index >= 0)
        points = self.origin + hits.t[seen, None] * rays[seen]
        normal = hits.normal[seen]
        facing = np.clip(normal @ self.sun, 0.0, None)
        lifted = points + 1e-3 * normal
        sunny = (facing > 0) & ~in_shade(lifted, self.sun, self.scene.solids)
        tint = np.zeros_like(points)
        index = hits.index[seen].copy()
        names = [self.scene.ground] + [s.surface for s in self.scene.solids] + [self.scene.beyond]
        index[(index == 0) & (points[:, 1] > self.scene.beyond_v)] = len(names) - 1
        for number, surface in enumerate(names):
            rows = index == number
            if rows.any():
                tint[rows] = surfaces.albedo(surface, points[rows], normal[rows])
        ambient = AMBIENT * (0.75 + 0.25 * normal[:, 2])
        colour[seen] = tint * ambient[:, None]
        bright[seen] = tint * (ambient + SUNLIGHT * facing * sunny)[:, None]
        shape = (camera.height, camera.width, 3)
        return (
            surfaces.to_display(bright).reshape(shape),
            surfaces.to_display(colour).reshape(shape),
        )

    def _survey(self) -> tuple[Array, Array]:
        """Depth along each canvas ray and the yard point seen there (sky: very far)."""
        rays = self.rays.reshape(-1, 3)
        hits = cast(self.origin, rays, self.scene.solids)
        depth = np.where(np.isfinite(hits.t), hits.t, 1e6)
        points = self.origin + depth[:, None] * rays
        shape = self.canvas.height, self.canvas.width
        return depth.reshape(shape), points.reshape(*shape, 3)

    def _window(self, points: Array, pad: int = 3) -> tuple[slice, slice] | None:
        """Canvas rows and columns that hold projected points; None when off the canvas."""
        seen = self.canvas.project(points)
        seen = seen[seen[:, 2] > 0.5]
        if len(seen) == 0:
            return None
        x0, y0 = np.floor(seen[:, :2].min(axis=0)).astype(int) - pad
        x1, y1 = np.ceil(seen[:, :2].max(axis=0)).astype(int) + pad + 1
        x0, y0 = max(x0, 0), max(y0, 0)
        x1, y1 = min(x1, self.canvas.width), min(y1, self.canvas.height)
        return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None

    def _cast_shadow(self, picture: Image, parts: list[Part]) -> None:
        """Darken what the parts hide from the sun."""
        hull = extent(parts)
        fallen = hull - (hull[:, 2:3] / self.sun[2]) * self.sun
        window = self._window(np.concatenate([hull, fallen]))
        if window is None:
            return
        plane = self.sun_plane[window]
        hidden = np.zeros(plane.shape[:2], dtype=bool)
        for part in parts:
            if isinstance(part, Capsule):
                ends = np.stack([part.a, part.b])
                flat = np.stack([ends @ self._across, ends @ self._updown], -1)
                way = flat[1] - flat[0]
                rel = plane[..., :2] - flat[0]
                share = np.clip((rel @ way) / max(float(way @ way), 1e-12), 0.0, 1.0)
                gap = rel - share[..., None] * way
                near = (gap**2).sum(axis=-1) < part.radius**2
                hidden |= near & (plane[..., 2] < (ends @ self.sun).max() + part.radius)
            else:
                points = into_box(self.points[window].reshape(-1, 3), part)
                ray = into_box(self.sun, part, is_direction=True)
                hit, _ = slab_hit(points, np.broadcast_to(ray, points.shape), -part.half, part.half)
                hidden |= np.isfinite(hit).reshape(hidden.shape)
        picture[window][hidden] = np.minimum(picture[window], self.shade[window])[hidden]

    def _draw(self, picture: Image, depth: Array, parts: list[Part]) -> None:
        """Draw the parts where they are in front of what is there."""
        window = self._window(extent(parts))
        if window is None:
            return
        rays = self.rays[window].reshape(-1, 3)
        best = depth[window].reshape(-1).copy()
        tint = np.zeros((len(best), 3))
        normal = np.zeros((len(best), 3))
        drawn = np.zeros(len(best), dtype=bool)
        for part in parts:
            if isinstance(part, Capsule):
                t, n = capsule_hit(self.origin, rays, part.a, part.b, part.radius)
            else:
                turned = into_box(rays, part, is_direction=True)
                eye = into_box(self.origin, part)
                t, axis = slab_hit(eye, turned, -part.half, part.half)
                n = np.zeros_like(turned)
                rows = np.arange(len(axis))
                n[rows, axis] = -np.sign(turned[rows, axis])
                side = np.array([part.forward[1], -part.forward[0], 0.0])
                n = n @ np.stack([part.forward, side, np.array([0.0, 0.0, 1.0])])
            front = t < best
            best[front], tint[front], normal[front] = t[front], part.colour, n[front]
            drawn |= front
        rows = np.flatnonzero(drawn)
        if rows.size == 0:
            return
        points = self.origin + best[rows, None] * rays[rows] + 0.02 * normal[rows]
        facing = np.clip(normal[rows] @ self.sun, 0.0, None)
        sunny = (facing > 0) & ~in_shade(points, self.sun, self.scene.solids)
        light = AMBIENT * (0.8 + 0.3 * normal[rows, 2]) + SUNLIGHT * facing * sunny
        flat = picture[window].reshape(-1, 3)
        flat[rows] = surfaces.to_display(tint[rows] * light[:, None])
        picture[window] = flat.reshape(picture[window].shape)
        depth[window] = best.reshape(depth[window].shape)

    def compose(self, t_s: float, figures: tuple[Figure, ...] | None = None) -> Image:
        """The canvas at ``t_s`` seconds, RGB, before the camera turns."""
        people = self.scene.figures if figures is None else figures
        picture, depth = self.lit.copy(), self.depth.copy()
        bodies = [figure.parts(t_s) for figure in people]
        for parts in bodies:
            self._cast_shadow(picture, parts)
        for parts in bodies:
            self._draw(picture, depth, parts)
        return picture

    def view(self, canvas: Image, camera: Camera) -> Image:
        """What ``camera`` (same position) sees of the canvas."""
        to_canvas = (
            self.canvas.intrinsics
            @ self.canvas.rotation
            @ camera.rotation.T
            @ np.linalg.inv(camera.intrinsics)
        )
        return np.asarray(
            cv2.warpPerspective(
                canvas,
                to_canvas,
                (camera.width, camera.height),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            dtype=np.uint8,
        )


def render(
    stage: Stage, sway: Sway, seed: int, grain: float = 1.6, only: range | None = None
) -> Iterator[Image]:
    """Frames of a clip, RGB, 15 a second.

    Args:
        stage: the prepared scene.
        sway: camera turns; one frame for each row.
        seed: of the sensor grain, so that frame k is the same however many are asked for.
        grain: standard deviation of the grain in display values.
        only: frame numbers to make; all when None.
    """
    for k in only if only is not None else range(len(sway.turns)):
        picture = stage.view(stage.compose(k / FPS), sway.camera(stage.scene.camera, k))
        dots = np.random.default_rng([seed, k]).normal(0.0, grain, picture.shape[:2])
        yield np.clip(picture + dots[..., None] + 0.5, 0, 255).astype(np.uint8)
