"""The part of the truth that is geometry: sun, camera, walls, poles, shadows, people."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import clips, place
from .clips import SCENES, SEEDS
from .frames import make_sway
from .geometry import Box, Camera, Pole, yard_to_world
from .people import extent
from .scene import FPS, POLES, YARD_AZIMUTH_DEG, shadow_tip_yard

Json = dict[str, Any]

SAMPLED_FRAMES = (0, 30, 60, 90, 120, 149)


def rounded(values: Any, digits: int = 4) -> Any:
    """Nested lists of rounded floats."""
    return np.round(np.asarray(values, dtype=float), digits).tolist()


def world(points: Any) -> Any:
    """Yard metres to rounded east, north, up."""
    return rounded(yard_to_world(np.asarray(points, dtype=float), YARD_AZIMUTH_DEG))


def sun_record(name: str) -> Json:
    """Sun at the start of one rendered clip."""
    sun = place.sun_at(SCENES[name].when_utc)
    return {
        "azimuth_deg": round(sun.azimuth_deg, 4),
        "apparent_elevation_deg": round(sun.elevation_deg, 4),
        "true_elevation_deg": round(sun.true_elevation_deg, 4),
        "shadow_azimuth_deg": round(sun.shadow_azimuth_deg, 4),
        "shadow_length_per_metre": round(sun.shadow_length_per_metre, 4),
    }


def camera_record(camera: Camera) -> Json:
    """The mean camera in the world frame."""
    return {
        "position_enu_m": world(camera.position),
        "heading_deg": round(camera.heading_deg + YARD_AZIMUTH_DEG, 4),
        "tilt_deg": camera.tilt_deg,
        "roll_deg": camera.roll_deg,
        "focal_px": camera.focal_px,
        "width": camera.width,
        "height": camera.height,
        "principal_point_px": list(camera.centre_px),
        "distortion": "none",
        "motion": "turns only; the position is fixed",
    }


def seen_frames(name: str) -> list[Json]:
    """Exact camera and projected points of some frames of a courtyard clip."""
    scene = SCENES[name]
    sway = make_sway(clips.LENGTHS[name], scene.sway_deg, SEEDS[name])
    sun = scene.sun_yard()
    records = []
    for frame in SAMPLED_FRAMES:
        camera = sway.camera(scene.camera, frame)
        poles = []
        for pole in POLES:
            tops = [[pole.u, pole.v, 0.0], [pole.u, pole.v, pole.height]]
            points = np.array([*tops, shadow_tip_yard(pole, sun)])
            xy = rounded(camera.project(points)[:, :2], 2)
            poles.append(
                {"name": pole.name, "base_px": xy[0], "top_px": xy[1], "shadow_tip_px": xy[2]}
            )
        people = []
        for figure in scene.figures:
            xy_all = camera.project(extent(figure.parts(frame / FPS)))[:, :2]
            box = [*xy_all.min(axis=0), *xy_all.max(axis=0)]
            people.append({"name": figure.name, "box_px": rounded(box, 1)})
        records.append(
            {
                "frame": frame,
                "t_s": round(frame / FPS, 4),
                "heading_deg": round(camera.heading_deg + YARD_AZIMUTH_DEG, 5),
                "tilt_deg": round(camera.tilt_deg, 5),
                "roll_deg": round(camera.roll_deg, 5),
                "poles": poles,
                "people": people,
            }
        )
    return records


def moments() -> list[Json]:
    """The two times at which the courtyard was filmed."""
    records = []
    for name in ("first", "later"):
        scene = SCENES[name]
        sway = make_sway(clips.LENGTHS[name], scene.sway_deg, SEEDS[name])
        tips = [shadow_tip_yard(pole, scene.sun_yard()) for pole in POLES]
        records.append(
            {
                "clip": name,
                "start_utc": f"{scene.when_utc:%Y-%m-%dT%H:%M:%SZ}",
                "sun": sun_record(name),
                "shadow_tips": [
                    {"pole": pole.name, "tip_enu_m": world(tip)}
                    for pole, tip in zip(POLES, tips, strict=True)
                ],
                "camera_turns_deg": {
                    "order": ["heading", "tilt", "roll"],
                    "meaning": "added to the mean camera, one row a frame, 15 a second",
                    "rows": sway.turns.tolist(),
                },
                "frames": seen_frames(name),
            }
        )
    return records


def solid_record(solid: Box) -> Json:
    """Corners of a wall's foot and its height."""
    (u0, v0, z0), (u1, v1, z1) = solid.low, solid.high
    foot = [[u0, v0, z0], [u1, v0, z0], [u1, v1, z0], [u0, v1, z0]]
    return {"name": solid.name, "foot_enu_m": world(foot), "height_m": z1 - z0}


def pole_record(pole: Pole) -> Json:
    """Foot, height and radius of a pole."""
    foot = world([pole.u, pole.v, 0.0])
    return {
        "name": pole.name,
        "base_enu_m": foot,
        "top_enu_m": [*foot[:2], pole.height],
        "height_m": pole.height,
        "radius_m": pole.radius,
    }
