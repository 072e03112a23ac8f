"""Words of strangers inside files: cleaned and bounded; times with their zone; places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from muniment.model import canonical
from muniment.model.display import visible

#: Characters kept of one name, of one value, and pairs kept of one list.
MAX_NAME: Final = 80
MAX_VALUE: Final = 600
MAX_PAIRS: Final = 120

_ISO: Final = re.compile(
    r"(\d{4})[-:](\d\d)[-:](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,]\d{1,9})?\s*(Z|UTC|[+-]\d\d:?\d\d)?"
)
_UTC_FIRST: Final = re.compile(r"UTC (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")
#: ISO 6709 as QuickTime and Android write it: +48.8577+002.295+035.0/
_PLACE: Final = re.compile(
    r"([+-]\d{1,2}(?:\.\d{1,9})?)([+-]\d{1,3}(?:\.\d{1,9})?)([+-]\d{1,5}(?:\.\d{1,6})?)?(?:CRS\w+)?/?"
)
_TIME_NAME: Final = re.compile(r"(?:^|[._ ])(?:date|time|creation_?time|creationdate)|date$", re.I)
_PLACE_NAME: Final = re.compile(r"location|6709|^xyz$", re.IGNORECASE)
_ENCODER_NAME: Final = re.compile(
    r"^(encoder|encoded_?by|software|creating_?application|writing_?app|muxing_?app|tool|"
    r"handler_name|vendor_id|com\.android\.version|com\.apple\.quicktime\.software)$",
    re.IGNORECASE,
)


def cleaned(value: object, most: int = MAX_VALUE) -> str:
    """A stranger's text as the record can hold it: bounded, NFC, what deceives a reader escaped.

    Example:
        >>> cleaned("a\\u202eb\\x00")
        'a\\\\u202eb\\\\x00'
    """
    text = str(value)
    cut = visible(canonical.text(text[:most]))
    return cut if len(text) <= most else f"{cut}... ({len(text)} characters)"


def pairs(tags: Iterable[tuple[object, object]]) -> list[dict[str, str]]:
    """Names and values in their order, as `[{"name": ..., "value": ...}]`."""
    return [
        {"name": cleaned(name, MAX_NAME), "value": cleaned(value)}
        for name, value in list(tags)[:MAX_PAIRS]
    ]


def time_of(source: str, text: object, *, utc_by_format: bool = False) -> dict[str, str] | None:
    """A time stamp with what is known of its zone, or None where the text is none.

    `zone` is `UTC`, an offset, or `unknown`; `zone_basis` says whether the value states it or the
    format's standard does (cameras often break that standard and write local time).

    Example:
        >>> time_of("EXIF", "2021:09:13 12:00:01")["zone"]
        'unknown'
    """
    words = str(text).strip()
    first = _UTC_FIRST.match(words)
    words = first[1] + "Z" if first else words
    found = _ISO.match(words)
    if found is None:
        return None
    year, month, day, hour, minute, second, zone = found.groups()
    if (year, month, day) in (("0000", "00", "00"), ("1904", "01", "01"), ("1970", "01", "01")):
        zone_basis = "not set"
    elif zone is None:
        zone_basis = "none stated"
    else:
        zone_basis = "standard of the format" if utc_by_format else "stated"
    shown = "unknown" if zone is None else "UTC" if zone in ("Z", "UTC") else zone
    return {
        "source": source,
        "time": f"{year}-{month}-{day}T{hour}:{minute}:{second}",
        "zone": shown,
        "zone_basis": zone_basis,
        "text": cleaned(text, 80),
    }


def place_of(source: str, text: object) -> dict[str, str] | None:
    """Latitude and longitude of an ISO 6709 text, or None.

    Example:
        >>> place_of("location", "+48.8577+002.2950/")["latitude_deg"]
        '48.8577'
    """
    found = _PLACE.fullmatch(str(text).strip())
    if found is None:
        return None
    latitude, longitude = float(found[1]), float(found[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    place = {
        "source": source,
        "latitude_deg": decimal(found[1]),
        "longitude_deg": decimal(found[2]),
        "text": cleaned(text, 80),
    }
    if found[3]:
        place["altitude_m"] = decimal(found[3])
    return place


def decimal(text: str) -> str:
    """A signed decimal without plus sign and leading zeros.

    Example:
        >>> decimal("+002.50"), decimal("-08")
        ('2.50', '-8')
    """
    sign = "-" if text.startswith("-") else ""
    digits = text.lstrip("+-").lstrip("0")
    return sign + ("0" + digits if not digits or digits.startswith(".") else digits)


class Said:
    """Times, places and encoders named anywhere in an object, in the order met."""

    def __init__(self) -> None:
        self.times: list[dict[str, str]] = []
        self.places: list[dict[str, str]] = []
        self.encoders: list[dict[str, str]] = []

    def read(self, source: str, tags: Mapping[str, Any], *, utc_by_format: bool) -> None:
        """Look through tags for what tells time, place or encoder."""
        for name, value in list(tags.items())[:MAX_PAIRS]:
            where = f"{source}: {cleaned(name, MAX_NAME)}"
            plain = utc_by_format and str(name) == "creation_time"
            if _TIME_NAME.search(str(name)):
                _add(self.times, time_of(where, value, utc_by_format=plain))
            if _PLACE_NAME.search(str(name)):
                _add(self.places, place_of(where, value))
            if _ENCODER_NAME.match(str(name)):
                self.encoder(where, value)

    def encoder(self, source: str, text: object) -> None:
        """A program that names itself."""
        if str(text).strip():
            _add(self.encoders, {"source": source, "text": cleaned(text, 1_500)})


def _add(kept: list[dict[str, str]], one: dict[str, str] | None) -> None:
    if one is not None and len(kept) < 40 and one not in kept:
        kept.append(one)
