"""EXIF and other words inside stills: time with its zone, place, camera, embedded thumbnail.

Read with Pillow, which parses headers only; no picture is decoded here.
"""

from __future__ import annotations

import os
import struct
from io import BytesIO
from typing import Any, Final

from PIL import ExifTags, Image, UnidentifiedImageError

from muniment.examine import heif, tags
from muniment.examine.tags import Said, cleaned

#: Formats Pillow may try; the plugins are loaded by `warm_up`.
FORMATS: Final = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "GIF", "BMP")
_TROUBLE: Final = (
    *(UnidentifiedImageError, OSError, ValueError, TypeError, KeyError, IndexError),
    *(SyntaxError, EOFError, ZeroDivisionError, OverflowError, struct.error, RecursionError),
    *(Image.DecompressionBombError, AttributeError, NotImplementedError),
)
_HEAD_BYTES: Final = 16 << 20
_MOST_WORDS: Final = 8_000
_ORIENTATION: Final = 274
_IFD1_OFFSET, _IFD1_LENGTH = 0x0201, 0x0202
#: EXIF tag of a time -> tag of its offset from UTC (Exif 2.31)
_TIMES: Final = {306: 36880, 36867: 36881, 36868: 36882}
_NAMES: Final = {306: "DateTime", 36867: "DateTimeOriginal", 36868: "DateTimeDigitized"}


class Still:
    """What a still's header says."""

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        self.thumbnail: bytes | None = None


def read(fd: int, kind: str, said: Said) -> Still:
    """EXIF, XMP and text of the still behind `fd`."""
    found = Still()
    data = os.pread(fd, _HEAD_BYTES, 0)
    exif: Image.Exif | None = None
    try:
        if kind in heif.KINDS:
            exif = _of_heif(fd)
        else:
            with Image.open(BytesIO(data), formats=FORMATS) as picture:
                exif = picture.getexif()
                _words(picture, found, said)
    except _TROUBLE as error:
        found.facts["header_trouble"] = type(error).__name__
    if exif:
        try:
            _exif(exif, found, said)
        except _TROUBLE as error:
            found.facts["exif_trouble"] = type(error).__name__
    return found


def orientation(fd: int) -> int | None:
    """EXIF's orientation (1 to 8) of the still behind `fd`, None where it states none."""
    try:
        with Image.open(BytesIO(os.pread(fd, _HEAD_BYTES, 0)), formats=FORMATS) as picture:
            stated = picture.getexif().get(_ORIENTATION)
    except _TROUBLE:
        return None
    return stated if isinstance(stated, int) and 1 <= stated <= 8 else None


def _of_heif(fd: int) -> Image.Exif | None:
    """EXIF of a HEIF file, since Pillow does not read all of that container."""
    block = heif.exif(fd)
    if block is None:
        return None
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + block)
    return exif


def _words(picture: Image.Image, found: Still, said: Said) -> None:
    texts = [
        (name, value)
        for name, value in picture.info.items()
        if isinstance(name, str) and isinstance(value, str) and name not in ("exif",)
    ]
    if texts:
        found.facts["texts"] = tags.pairs(texts)
        said.read("text", dict(texts), utc_by_format=False)
    comment = picture.info.get("comment")
    if isinstance(comment, bytes):
        found.facts["comment"] = cleaned(comment.decode("utf-8", "replace"))
    xmp = picture.info.get("xmp")
    if isinstance(xmp, bytes):
        found.facts["xmp"] = cleaned(xmp.decode("utf-8", "replace").strip("\0"), _MOST_WORDS)
    found.facts["icc_profile"] = "icc_profile" in picture.info


def _exif(exif: Image.Exif, found: Still, said: Said) -> None:
    main = dict(exif)
    detail = exif.get_ifd(ExifTags.IFD.Exif)
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    every = {**main, **detail}
    listed = [
        (ExifTags.TAGS.get(tag, f"tag {tag}"), _shown(every[tag]))
        for tag in sorted(every)
        if tag not in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
    ]
    if listed:
        found.facts["exif"] = tags.pairs(listed)
    for tag, offset in _TIMES.items():
        if isinstance(every.get(tag), str):
            zone = every.get(offset)
            text = f"{every[tag]}{zone}" if isinstance(zone, str) and zone.strip() else every[tag]
            one = tags.time_of(f"EXIF: {_NAMES[tag]}", text)
            if one is not None:
                said.times.append(one)
    software = every.get(305)
    if isinstance(software, str):
        said.encoder("EXIF: Software", software)
    _gps(gps, found, said)
    _thumbnail(exif, found)


def _gps(gps: dict[int, Any], found: Still, said: Said) -> None:
    if not gps:
        return
    found.facts["gps"] = tags.pairs(
        (ExifTags.GPSTAGS.get(tag, f"tag {tag}"), _shown(gps[tag])) for tag in sorted(gps)
    )
    latitude = _degrees(gps.get(2), gps.get(1), "S")
    longitude = _degrees(gps.get(4), gps.get(3), "W")
    if latitude is not None and longitude is not None:
        said.places.append(
            {"source": "EXIF: GPS", "latitude_deg": latitude, "longitude_deg": longitude}
        )
    day, clock = gps.get(29), gps.get(7)
    if isinstance(day, str) and isinstance(clock, tuple) and len(clock) == 3:
        hour, minute, second = (int(part) for part in clock)
        one = tags.time_of("EXIF: GPS", f"{day} {hour:02d}:{minute:02d}:{second:02d}Z")
        if one is not None:
            said.times.append(one)


def _degrees(value: object, reference: object, negative: str) -> str | None:
    if not isinstance(value, tuple) or len(value) != 3:
        return None
    degrees, minutes, seconds = (float(part) for part in value)
    total = degrees + minutes / 60 + seconds / 3600
    if not 0 <= total <= 180:
        return None
    return f"{-total if str(reference).strip().upper() == negative else total:.7f}"


def _shown(value: object) -> str:
    if isinstance(value, bytes):
        text = value.strip(b"\0 ")
        if text.isascii() and len(text) <= 64:
            return text.decode("ascii")
        return f"{len(value)} bytes {value[:16].hex()}"
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value[:32])
    return str(value)


def _thumbnail(exif: Image.Exif, found: Still) -> None:
    """The JPEG inside EXIF's second directory."""
    second = exif.get_ifd(ExifTags.IFD.IFD1)
    start, length = second.get(_IFD1_OFFSET), second.get(_IFD1_LENGTH)
    if not isinstance(start, int) or not isinstance(length, int) or not 0 < length <= 1 << 20:
        return
    stream = getattr(exif, "fp", None)
    if stream is None:
        return
    stream.seek(start)
    data = stream.read(length)
    if data[:2] == b"\xff\xd8":
        found.thumbnail = data


def warm_up() -> None:
    """Load Pillow's plugins."""
    Image.init()
