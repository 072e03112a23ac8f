"""Sun and moon over any place, from a table fitted to JPL DE421 that ships with the program.

The table holds, in Chebyshev pieces over terrestrial time, the apparent right ascension (from the
celestial intermediate origin), declination and horizontal parallax, in whole millionths of a degree;
beside it leap seconds and TT - UT1 month by month. The turning Earth and the place come after,
by formula.

Source: Folkner, Williams, Boggs, "The Planetary and Lunar Ephemeris DE 421", IPN Progress Report 42-178,
2009; Earth rotation angle: IERS Conventions 2010, eq. 5.15. Not modelled: polar motion (1e-4 deg),
diurnal aberration (9e-5 deg). The air is in `refraction`.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from importlib import resources
from typing import Final

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from muniment.errors import InputError, IntegrityError
from muniment.model.locate import Body, Provenance

Floats = NDArray[np.float64]

DAY_S: Final = 86_400.0
#: 2000-01-01T12:00 on the scale of POSIX seconds.
J2000_S: Final = 946_728_000.0
TT_MINUS_TAI_S: Final = 32.184
#: WGS 84.
EQUATOR_M: Final = 6_378_137.0
FLATTENING: Final = 1 / 298.257223563
#: Degrees the sky turns in a second of time.
TURN_DEG_PER_S: Final = 360.98564736629 / DAY_S
#: What remains against the source where the rotation is measured: bounds with room to spare.
TABLE_ERROR_DEG: Final[dict[Body, float]] = {"sun": 0.0005, "moon": 0.001}
#: Assumed growth of the error of predicted UT1 - UTC, seconds a year (a leap second every third year).
ROTATION_DRIFT_S_PER_YEAR: Final = 0.33


@cache
def _files() -> tuple[bytes, Provenance]:
    folder = resources.files("muniment.locate") / "data"
    table = (folder / "sky.npz").read_bytes()
    told = msgspec.json.decode((folder / "sky.json").read_bytes(), type=Provenance)
    if hashlib.sha256(table).hexdigest() != told.table_sha256:
        raise IntegrityError(
            "the shipped table of sun and moon (sky.npz) is not the one its record names;"
            " install the program again"
        )
    return table, told


@cache
def _tables() -> dict[str, NDArray[np.int32] | Floats]:
    with np.load(io.BytesIO(_files()[0]), allow_pickle=False) as held:
        return {name: held[name] for name in held.files}


def provenance() -> Provenance:
    """Where the table comes from and how well it fits.

    Raises:
        IntegrityError: the table is not the one its record names.
    """
    return _files()[1]


def covered_s() -> tuple[float, float]:
    """First and last moment the table serves, POSIX seconds."""
    told = provenance()
    ends = np.array([told.first_utc[:-1], told.last_utc[:-1]], "datetime64[s]").astype(np.int64)
    return float(ends[0]), float(ends[1])


def _checked(time_s: ArrayLike) -> Floats:
    times = np.asarray(time_s, np.float64)
    first, last = covered_s()
    if times.size and not (np.min(times) >= first and np.max(times) <= last):
        told = provenance()
        raise InputError(
            f"a time lies outside the table of sun and moon ({told.first_utc[:10]} to"
            f" {told.last_utc[:10]}): give a time within it"
        )
    return times


def _pieces(body: Body, tt_days: Floats) -> Floats:
    """The three columns at times in days of TT since J2000, degrees, shape (3, *times.shape)."""
    held = _tables()
    length, start = (float(x) for x in held[f"{body}_grid"])
    whole = held[body]
    at = (tt_days - start) / length
    index = np.clip(np.floor(at).astype(np.int64), 0, whole.shape[0] - 1)
    x = 2.0 * (at - index) - 1.0
    coefficients = whole[index] * 1e-6  # (*times, 3, n)
    later = np.zeros((*tt_days.shape, 3))
    last = np.zeros_like(later)
    for n in range(whole.shape[2] - 1, 0, -1):  # Clenshaw
        last, later = coefficients[..., n] + 2 * x[..., None] * last - later, last
    return np.moveaxis(coefficients[..., 0] + x[..., None] * last - later, -1, 0)


def subpoint(body: Body, time_s: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Where on Earth a body stands overhead, seen from the Earth's middle.

    Args:
        body: sun or moon.
        time_s: UTC as POSIX seconds, any shape.
    Returns:
        Longitude (east, -180 to 180), geocentric latitude (the declination) and horizontal parallax,
        degrees, each of the shape of `time_s`.
    Raises:
        InputError: a time outside the table.
    """
    times = _checked(time_s)
    held = _tables()
    leap_at, leap_s = held["leap_seconds"]
    tai_minus_utc_s = leap_s[np.searchsorted(leap_at, times, side="right") - 1]
    tt_s = times - J2000_S + tai_minus_utc_s + TT_MINUS_TAI_S
    ascension, declination, parallax = _pieces(body, tt_s / DAY_S)
    delta_t_s = np.interp(tt_s / DAY_S, *held["delta_t"])
    ut1_days = (tt_s - delta_t_s) / DAY_S
    turned = 0.7790572732640 + 0.00273781191135448 * ut1_days + np.mod(ut1_days, 1.0)
    longitude = np.mod(ascension - 360.0 * turned + 180.0, 360.0) - 180.0
    return longitude, declination, parallax


def horizontal(
    body: Body,
    time_s: ArrayLike,
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    height_m: ArrayLike = 0.0,
) -> tuple[Floats, Floats]:
    """Altitude and azimuth of a body's centre without air; the arguments broadcast.

    Args:
        body: sun or moon.
        time_s: UTC as POSIX seconds.
        latitude_deg: geodetic, WGS 84, -90 to 90.
        longitude_deg: east positive; any turn.
        height_m: above the ellipsoid.
    Returns:
        Altitude (-90 to 90) and azimuth (from north over east, 0 to 360), degrees.
    Raises:
        InputError: a time outside the table, a latitude beyond a pole.
    """
    latitude = np.asarray(latitude_deg, np.float64)
    if latitude.size and not np.max(np.abs(latitude)) <= 90.0:
        raise InputError("a latitude lies beyond a pole: give -90 to 90 degrees")
    over, declination, parallax = subpoint(body, time_s)
    phi, delta = np.deg2rad(latitude), np.deg2rad(declination)
    east = np.deg2rad(over - np.asarray(longitude_deg, np.float64))
    squeezed = (1 - FLATTENING) ** 2
    normal = 1 / np.sqrt(np.cos(phi) ** 2 + squeezed * np.sin(phi) ** 2)
    high = np.asarray(height_m, np.float64) / EQUATOR_M
    shrink = np.sin(np.deg2rad(parallax))  # Earth's radius in units of the distance
    # In the plane of the observer's meridian: outwards x, east y, along the axis z.
    x = np.cos(delta) * np.cos(east) - shrink * (normal + high) * np.cos(phi)
    y = np.cos(delta) * np.sin(east)
    z = np.sin(delta) - shrink * (normal * squeezed + high) * np.sin(phi)
    up = x * np.cos(phi) + z * np.sin(phi)
    north = z * np.cos(phi) - x * np.sin(phi)
    altitude = np.rad2deg(np.arctan2(up, np.hypot(north, y)))
    return altitude, np.mod(np.rad2deg(np.arctan2(y, north)), 360.0)


def error_deg(body: Body, time_s: ArrayLike) -> Floats:
    """How far a direction from this module may be off, degrees, air apart.

    The table's own error, and after the rotation was last measured the growing one of UT1 - UTC
    (ROTATION_DRIFT_S_PER_YEAR: an assumption, no bound is known).
    """
    times = _checked(time_s)
    measured = np.datetime64(provenance().rotation_measured_to_utc[:-1], "s").astype(np.int64)
    years = np.maximum(times - measured, 0.0) / (365.25 * DAY_S)
    return TABLE_ERROR_DEG[body] + TURN_DEG_PER_S * ROTATION_DRIFT_S_PER_YEAR * years
