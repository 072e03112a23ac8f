"""How much the air lifts the sun or the moon, and how far that may be off."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Below this altitude without air the body is not seen and the formula is not carried further.
LOWEST_DEG = -1.0


def refraction_deg(
    altitude_deg: ArrayLike, pressure_hpa: float = 1010.0, temperature_c: float = 10.0
) -> Floats:
    """Lift of a direction by the air, degrees, to add to an altitude without air.

    Args:
        altitude_deg: without air; below -1 the value at -1 is given, fading to 0 at -3.
        pressure_hpa: at the place, not reduced to the sea.
        temperature_c: of the air there.
    Source: Saemundsson, Sky & Telescope 72, 1986, p. 70 (an inversion of Bennett 1982), within 0.07'
        of Garfinkel's standard air.
    """
    given = np.minimum(np.asarray(altitude_deg, np.float64), 90.0)
    held = np.maximum(given, LOWEST_DEG)
    lift = 1.02 / 60 / np.tan(np.deg2rad(held + 10.3 / (held + 5.11)))
    fading = np.clip((given + 3.0) / (LOWEST_DEG + 3.0), 0.0, 1.0)
    weather = pressure_hpa / 1010.0 * 283.0 / (273.0 + temperature_c)
    return np.maximum(lift, 0.0) * fading * weather


def refraction_error_deg(altitude_deg: ArrayLike) -> Floats:
    """How far `refraction_deg` in standard air may be off, degrees, when the weather is unknown.

    A quarter of the lift (low land from -35 to 45 C, 960 to 1050 hPa), and near the horizon 0.35
    more, falling to a third every 2 degrees. Sunsets there scatter by 0.16 (one sigma) about the
    standard air: Schaefer and Liller, "Refraction near the horizon", PASP 102, 1990. High ground
    and mirages can exceed it: the pressure must then be given.
    """
    height = np.maximum(np.asarray(altitude_deg, np.float64), 0.0)
    return 0.25 * refraction_deg(altitude_deg) + 0.35 * np.exp(-height / 1.82)
