"""Where and when the courtyard was filmed, and the sun there.

The village of Lindvara is invented. The coordinates lie on open, flat land near the sea
(Oland, Baltic coast) and were picked only because a real sun needs a real latitude and
longitude; nothing is alleged about that land or anyone near it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

LATITUDE_DEG = 56.6020
LONGITUDE_DEG = 16.6780
ALTITUDE_M = 8.0
PLACE_NAME = "Lindvara"
LOCAL_UTC_OFFSET_H = 2

FILMED_UTC = datetime(2021, 9, 13, 7, 42, 10, tzinfo=UTC)
"""Start of the first clip: Monday, 09:42:10 local time."""

OTHER_MOMENT_UTC = FILMED_UTC + timedelta(hours=2, minutes=40)
"""Start of the clip from the same camera later that morning."""


@dataclass(frozen=True)
class Sun:
    """Direction of the sun's centre.

    Attributes:
        azimuth_deg: clockwise from true north.
        elevation_deg: apparent, with refraction (what shadows follow).
        true_elevation_deg: geometric, without refraction.
    """

    azimuth_deg: float
    elevation_deg: float
    true_elevation_deg: float

    @property
    def direction_enu(self) -> NDArray[np.float64]:
        """Unit vector towards the sun: east, north, up."""
        az, el = np.radians(self.azimuth_deg), np.radians(self.elevation_deg)
        return np.array([np.sin(az) * np.cos(el), np.cos(az) * np.cos(el), np.sin(el)])

    @property
    def shadow_azimuth_deg(self) -> float:
        """Where shadows point on level ground, clockwise from true north."""
        return (self.azimuth_deg + 180.0) % 360.0

    @property
    def shadow_length_per_metre(self) -> float:
        """Length of the shadow of a vertical metre on level ground."""
        return float(1.0 / np.tan(np.radians(self.elevation_deg)))


def sun_at(
    when_utc: datetime,
    latitude_deg: float = LATITUDE_DEG,
    longitude_deg: float = LONGITUDE_DEG,
) -> Sun:
    """Sun position by pvlib's NREL SPA.

    Args:
        when_utc: an aware time.
        latitude_deg: north positive.
        longitude_deg: east positive.
    Raises:
        ValueError: if the time has no zone.
    Source: I. Reda and A. Andreas, "Solar Position Algorithm", NREL/TP-560-34302, as in pvlib.
    """
    if when_utc.tzinfo is None:
        raise ValueError("when_utc needs a time zone")
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    from pvlib.solarposition import (  # type: ignore[import-untyped, unused-ignore]
        get_solarposition,
    )

    index = pd.DatetimeIndex([pd.Timestamp(when_utc).tz_convert("UTC")])
    row = get_solarposition(index, latitude_deg, longitude_deg, altitude=ALTITUDE_M).iloc[0]
    return Sun(
        azimuth_deg=float(row["azimuth"]),
        elevation_deg=float(row["apparent_elevation"]),
        true_elevation_deg=float(row["elevation"]),
    )
