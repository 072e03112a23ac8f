"""Blurred pictures as data URIs, fetched and encoded one at a time, with a bound for the whole page.

The PNG is written here, its pixels stored rather than compressed: they are 3 kB at most, and a
compressor's bytes differ from machine to machine, where the page's must not.
"""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Final

import msgspec

from muniment.errors import MalformedError
from muniment.model.report_seen import THUMBNAIL_PX, FrameView, Thumbnail, Thumbnails

#: Pictures on one page; further ones are counted, not drawn.
MOST_PICTURES: Final = 2000
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


class Drawn(msgspec.Struct, frozen=True):
    """A picture ready for the page. `uri` is empty when there is none: then `why` says so."""

    uri: str
    width: int
    height: int
    why: str = ""


class Pictures:
    """Fetches pictures until the page's share is used up, and counts what was left out."""

    def __init__(self, fetch: Thumbnails | None, most: int = MOST_PICTURES) -> None:
        self._fetch = fetch
        self.left = most
        self.drawn = 0
        self.left_out = 0

    def draw(self, frame: FrameView) -> Drawn:
        """The picture of a frame.

        Raises:
            MalformedError: if it is larger than a thumbnail may be, or not of its size.
        """
        if self._fetch is None:
            return Drawn("", 0, 0, "no picture was kept")
        if self.left <= 0:
            self.left_out += 1
            return Drawn("", 0, 0, "not drawn: the page holds no more pictures")
        found = self._fetch(frame.key)
        if found is None:
            return Drawn("", 0, 0, "no picture was kept")
        self.left -= 1
        self.drawn += 1
        return Drawn(uri(found), found.width_px, found.height_px)


def uri(thumbnail: Thumbnail) -> str:
    """A thumbnail as a `data:` URI.

    Raises:
        MalformedError: as `png`.
    """
    return "data:image/png;base64," + base64.b64encode(png(thumbnail)).decode()


def png(thumbnail: Thumbnail) -> bytes:
    """A thumbnail as a PNG (ISO/IEC 15948), the same bytes everywhere.

    Raises:
        MalformedError: if a side is not 1 to THUMBNAIL_PX pixels, or the bytes are not that many:
            what is sharper must not come onto a page that can be forwarded.
    """
    width, height, rgb = thumbnail.width_px, thumbnail.height_px, thumbnail.rgb
    if not (1 <= width <= THUMBNAIL_PX and 1 <= height <= THUMBNAIL_PX):
        raise MalformedError(
            f"a picture of {width} x {height} pixels is no thumbnail (at most {THUMBNAIL_PX})"
        )
    if len(rgb) != width * height * 3:
        raise MalformedError(f"{len(rgb)} bytes are no picture of {width} x {height} pixels")
    stride = width * 3
    lines = b"".join(b"\0" + rgb[at : at + stride] for at in range(0, len(rgb), stride))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        _SIGNATURE
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", _stored(lines))
        + _chunk(b"IEND", b"")
    )


def _stored(data: bytes) -> bytes:
    """A zlib stream (RFC 1950) of one stored block (RFC 1951, 3.2.4): `data` below 65,536 bytes."""
    size = struct.pack("<HH", len(data), len(data) ^ 0xFFFF)
    return b"\x78\x01\x01" + size + data + struct.pack(">I", zlib.adler32(data))


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
