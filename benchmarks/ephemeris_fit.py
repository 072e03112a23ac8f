"""Fit the shipped table of sun and moon to JPL DE421.

Run: python -m benchmarks.ephemeris_fit FOLDER   (writes sky.npz and sky.json there; needs skyfield)
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import skyfield_data
from numpy.polynomial import chebyshev
from skyfield.api import load, load_file

FIRST, LAST = "1973-01-01", "2053-01-01"
#: body -> (days a piece, coefficients)
SHAPES = {"sun": (32.0, 12), "moon": (8.0, 12)}
J2000 = 2451545.0
EQUATOR_KM = 6378.137


def source() -> Path:
    """DE421 as the package skyfield-data ships it."""
    return Path(skyfield_data.get_skyfield_data_path()) / "de421.bsp"


def seen_from(kernel: Any, ts: Any, body: str) -> Callable[[Any], Any]:
    """Function of days of TT since J2000: unit direction (intermediate frame), parallax (degrees)."""

    def at(days: Any) -> Any:
        t = ts.tt_jd(J2000 + days)
        place = kernel["earth"].at(t).observe(kernel[body]).apparent()
        ra, dec, distance = place.radec(epoch="date")
        era = 360.0 * np.mod(
            0.7790572732640 + 0.00273781191135448 * (t.ut1 - J2000) + np.mod(t.ut1 - J2000, 1), 1
        )
        ascension = ra.degrees - (t.gast * 15.0 - era)
        parallax = np.rad2deg(np.arcsin(EQUATOR_KM / distance.km))
        return np.stack([ascension, dec.degrees, parallax])

    return at


def fit(at: Callable[[Any], Any], first: float, last: float, shape: tuple[float, int]) -> Any:
    """Coefficients in millionths of a degree, (pieces, 3, n), and the largest misfit in degrees."""
    length, n = shape
    pieces = int(np.ceil((last - first) / length))
    nodes = np.cos(np.pi * (np.arange(n) + 0.5) / n)[::-1]
    starts = first + length * np.arange(pieces)
    days = starts[:, None] + length * (nodes + 1) / 2
    values = at(days.ravel()).reshape(3, pieces, n)
    values[0] = np.rad2deg(np.unwrap(np.deg2rad(values[0]), axis=1))
    basis = np.linalg.inv(chebyshev.chebvander(nodes, n - 1))
    found = np.einsum("kn,cpn->pck", basis, values)
    found[:, 0, 0] = np.mod(found[:, 0, 0], 360.0)
    whole = np.rint(found * 1e6).astype(np.int32)
    between = np.random.default_rng(1).uniform(-1, 1, 9)
    told = np.einsum("jk,pck->cpj", chebyshev.chebvander(between, n - 1), whole * 1e-6)
    true = at((starts[:, None] + length * (between + 1) / 2).ravel()).reshape(3, pieces, -1)
    off = np.mod(told[0] - true[0] + 180, 360) - 180
    misfit = np.hypot(off * np.cos(np.deg2rad(true[1])), told[1] - true[1]).max()
    return whole, float(misfit)


def main(folder: Path) -> None:
    """Write the table and its record."""
    ts, kernel = load.timescale(builtin=True), load_file(str(source()))
    ends = [ts.utc(*(int(x) for x in day.split("-"))).tt - J2000 for day in (FIRST, LAST)]
    months = np.arange(ends[0] - 40, ends[1] + 60, 30.0)
    held: dict[str, Any] = {
        "delta_t": np.stack([months, np.round(ts.tt_jd(J2000 + months).delta_t, 4)])
    }
    leaps = (ts.leap_dates - 2440587.5) * 86400.0
    held["leap_seconds"] = np.stack([leaps, ts.leap_offsets])
    misfits = {}
    for body, shape in SHAPES.items():
        start = ends[0] - 1
        whole, misfits[body] = fit(seen_from(kernel, ts, body), start, ends[1] + 1, shape)
        held[body], held[f"{body}_grid"] = whole, np.array([shape[0], start])
        print(body, whole.shape, f"{misfits[body]:.2e} deg")
    np.savez_compressed(folder / "sky.npz", **held)
    tools = [f"{name} {metadata.version(name)}" for name in ("skyfield", "skyfield-data", "numpy")]
    record = {
        "schema": 1,
        "made_with": "benchmarks/ephemeris_fit.py, " + ", ".join(tools),
        "source": "JPL DE421 (de421.bsp)",
        "source_sha256": hashlib.sha256(source().read_bytes()).hexdigest(),
        "table_sha256": hashlib.sha256((folder / "sky.npz").read_bytes()).hexdigest(),
        "first_utc": f"{FIRST}T00:00:00Z",
        "last_utc": f"{LAST}T00:00:00Z",
        "rotation_measured_to_utc": sys.argv[2] if len(sys.argv) > 2 else "2025-01-01T00:00:00Z",
        "largest_misfit_deg": {body: round(one, 7) for body, one in misfits.items()},
    }
    (folder / "sky.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
