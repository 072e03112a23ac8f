"""Sun and moon against skyfield with DE421: 20,000 random places and moments, 2000 to 2050."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from skyfield.api import load, load_file, wgs84

from benchmarks.ephemeris_fit import source
from benchmarks.measure import Row
from muniment.locate import ephemeris
from muniment.model.locate import Body

TARGET_DEG: dict[Body, float] = {"sun": 0.003, "moon": 0.01}
FIRST_S, LAST_S = 946_684_800.0, 2_524_608_000.0


def scatter(count: int, seed: int) -> Any:
    """Random moments (POSIX seconds), latitudes, longitudes (degrees) and heights (metres)."""
    draw = np.random.default_rng(seed)
    latitude = np.rad2deg(np.arcsin(draw.uniform(-1, 1, count)))
    return (
        draw.uniform(FIRST_S, LAST_S, count),
        latitude,
        draw.uniform(-180, 180, count),
        draw.uniform(-100, 4000, count),
    )


def by_skyfield(body: Body, points: Any) -> Any:
    """Altitude and azimuth without air, degrees, by skyfield."""
    when_s, latitude, longitude, height = points
    ts, kernel = load.timescale(builtin=True), load_file(str(source()))
    whole = np.floor(when_s).astype("datetime64[s]").astype(object)
    parts = np.array([(t.year, t.month, t.day, t.hour, t.minute, t.second) for t in whole]).T
    t = ts.utc(*parts[:5], parts[5] + when_s % 1)
    place = kernel["earth"] + wgs84.latlon(latitude, longitude, elevation_m=height)
    altitude, azimuth, _ = place.at(t).observe(kernel[body]).apparent().altaz()
    return altitude.degrees, azimuth.degrees


def apart_deg(one: Any, other: Any) -> Any:
    """Angle between two directions given as (altitude, azimuth), degrees."""
    (a, b), (c, d) = np.deg2rad(one), np.deg2rad(other)
    cross = np.sin((a - c) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((b - d) / 2) ** 2
    return np.rad2deg(2 * np.arcsin(np.sqrt(cross)))


def rows(_scratch: Path) -> list[Row]:
    """One row a body."""
    points = scatter(20_000, seed=20)
    made = []
    for body, target in TARGET_DEG.items():
        ephemeris.horizontal(body, points[0][:1], 0.0, 0.0)
        start = time.process_time()
        ours = ephemeris.horizontal(body, *points)
        spent = time.process_time() - start
        start = time.process_time()
        theirs = by_skyfield(body, points)
        peer = time.process_time() - start
        off = apart_deg(ours, theirs)
        made.append(
            Row(
                f"{body}, 20,000 places and moments 2000-2050, off skyfield with DE421",
                f"{off.max():.5f}° (99 %: {np.percentile(off, 99):.5f}°)",
                f"<= {target}°",
                bool(off.max() <= target),
                "skyfield",
                f"{peer / spent:.0f}x",
                f"{spent:.3f} CPU s; {peer:.2f}",
            )
        )
    return made
