"""The lift of the air against skyfield's, and the error it carries."""

from __future__ import annotations

import numpy as np
from skyfield.earthlib import refract

from muniment.locate.refraction import refraction_deg, refraction_error_deg


def test_it_is_skyfields_within_a_fraction_of_its_error() -> None:
    true_deg = np.linspace(-0.5, 89.9, 500)
    theirs = refract(true_deg, temperature_C=10.0, pressure_mbar=1010.0) - true_deg
    assert (np.abs(refraction_deg(true_deg) - theirs) < 0.01).all()


def test_usual_weather_on_low_land_stays_within_the_error() -> None:
    altitude = np.linspace(0.0, 90.0, 181)
    standard, error = refraction_deg(altitude), refraction_error_deg(altitude)
    for pressure, warmth in ((960.0, 45.0), (1050.0, -35.0), (1013.0, 20.0)):
        other = refraction_deg(altitude, pressure_hpa=pressure, temperature_c=warmth)
        assert (np.abs(other - standard) <= error).all(), (pressure, warmth)


def test_it_is_smooth_and_ends_below_the_horizon() -> None:
    altitude = np.linspace(-10.0, 90.0, 10_001)
    lift = refraction_deg(altitude)
    assert (lift >= 0).all() and (lift[altitude < -3] == 0).all()
    assert np.abs(np.diff(lift)).max() < 0.01
