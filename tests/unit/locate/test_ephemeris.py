"""Sun and moon against three other engines; the edges of the table, of the Earth and of the day."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import ephem
import numpy as np
import pandas as pd
import pytest
from pvlib import solarposition

from benchmarks.locate import TARGET_DEG, apart_deg, by_skyfield, scatter
from muniment.errors import InputError
from muniment.locate import ephemeris
from muniment.model.locate import Body

COURTYARD = Path(__file__).parents[3] / "examples" / "courtyard" / "truth" / "truth.json"


def utc_s(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("body", ["sun", "moon"])
def test_20000_places_and_moments_against_skyfield_de421(body: Body) -> None:
    points = scatter(20_000, seed=20)
    off = apart_deg(ephemeris.horizontal(body, *points), by_skyfield(body, points))
    assert off.max() <= TARGET_DEG[body]
    assert (off <= ephemeris.error_deg(body, points[0])).all()


@pytest.mark.parametrize(("body", "most_deg"), [("sun", 0.004), ("moon", 0.01)])
def test_against_ephem(body: Body, most_deg: float) -> None:
    when_s, latitude, longitude, _ = scatter(300, seed=3)
    when_s = np.where(when_s > utc_s("2026-01-01"), when_s / 2 + utc_s("2000-01-01") / 2, when_s)
    there = ephem.Observer()
    there.pressure, there.elevation = 0, 0
    seen = []
    for at, lat, lon in zip(when_s, latitude, longitude, strict=True):
        there.lat, there.lon = np.deg2rad(lat), np.deg2rad(lon)
        there.date = datetime.fromtimestamp(at, UTC).replace(tzinfo=None)
        one = ephem.Sun(there) if body == "sun" else ephem.Moon(there)
        seen.append((np.rad2deg(one.alt), np.rad2deg(one.az)))
    ours = ephemeris.horizontal(body, when_s, latitude, longitude)
    assert apart_deg(ours, np.array(seen).T).max() < most_deg


def test_the_sun_of_the_example_and_of_pvlib_are_ours() -> None:
    truth = json.loads(COURTYARD.read_text("utf-8"))
    place = truth["place"]
    for moment in truth["moments"]:
        at = pd.DatetimeIndex([moment["start_utc"]])
        spa = solarposition.spa_python(at, place["latitude_deg"], place["longitude_deg"], 8.0)
        ours = ephemeris.horizontal(
            "sun",
            utc_s(moment["start_utc"].rstrip("Z")),
            place["latitude_deg"],
            place["longitude_deg"],
            place["altitude_m"],
        )
        told = moment["sun"]
        for other in (
            (told["true_elevation_deg"], told["azimuth_deg"]),
            (spa["elevation"].iloc[0], spa["azimuth"].iloc[0]),
        ):
            assert apart_deg(ours, other) < 0.004


@pytest.mark.parametrize("text", ["1900-06-01", "1972-12-31T23:59:59", "2053-01-02", "2150-01-01"])
def test_a_time_outside_the_table_is_named_with_what_it_serves(text: str) -> None:
    with pytest.raises(InputError, match="1973-01-01 to 2053-01-01"):
        ephemeris.subpoint("sun", utc_s(text))


def test_no_number_is_no_time_and_no_latitude() -> None:
    with pytest.raises(InputError):
        ephemeris.subpoint("moon", np.nan)
    for latitude in (90.001, np.nan):
        with pytest.raises(InputError, match="pole"):
            ephemeris.horizontal("sun", utc_s("2020-01-01"), latitude, 0.0)


def test_both_ends_of_the_table_serve() -> None:
    for end in ephemeris.covered_s():
        assert np.isfinite(ephemeris.horizontal("moon", end, 10.0, 20.0)).all()


def test_at_a_pole_the_altitude_is_the_declination_whatever_the_longitude() -> None:
    at = utc_s("2021-06-21T12:00:00")
    _, declination, parallax = ephemeris.subpoint("sun", at)
    altitude, _ = ephemeris.horizontal("sun", at, 90.0, np.array([-180.0, 0.0, 77.0, 540.0]))
    assert np.allclose(altitude, declination - parallax, atol=2e-3)
    assert np.ptp(altitude) < 1e-9


def test_the_date_line_and_whole_turns_change_nothing() -> None:
    at = utc_s("2024-03-01T00:00:00") + np.arange(0, 86_400, 600)
    one = ephemeris.horizontal("sun", at, -17.0, 180.0)
    assert np.allclose(one, ephemeris.horizontal("sun", at, -17.0, -180.0), atol=1e-9)


def test_a_leap_second_moves_the_sky_by_no_more_than_its_seconds() -> None:
    leap = utc_s("2017-01-01")
    longitude = np.asarray(ephemeris.subpoint("sun", leap + np.array([-1.0, 0.0, 1.0]))[0])
    steps = np.abs(np.diff(longitude)) / ephemeris.TURN_DEG_PER_S
    assert steps[0] == pytest.approx(2.0, abs=0.01)  # 23:59:59 to 00:00:00, with 23:59:60 between
    assert steps[1] == pytest.approx(1.0, abs=0.01)


def test_the_error_grows_where_the_rotation_is_predicted() -> None:
    before, after = ephemeris.error_deg("sun", [utc_s("2020-01-01"), utc_s("2050-01-01")])
    assert before == ephemeris.TABLE_ERROR_DEG["sun"]
    assert 0.02 < after < 0.05
