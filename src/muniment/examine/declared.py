"""Sizes that stills declare, read before any decoder allocates for them."""

from __future__ import annotations

import struct
from typing import Final

_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})


def size_px(kind: str, head: bytes) -> tuple[int, int] | None:
    """Width and height as the header declares them (PNG's are signed there), or None.

    Args:
        head: the first bytes; a JPEG's frame header may lie beyond them.
    Example:
        >>> size_px("image/gif", b"GIF89a" + b"\\x40\\x01\\xf0\\x00")
        (320, 240)
    """
    if kind in ("image/png", "image/apng") and len(head) >= 24 and head[12:16] == b"IHDR":
        width, height = struct.unpack_from(">ii", head, 16)
        return width, height
    if kind == "image/gif" and len(head) >= 10:
        width, height = struct.unpack_from("<HH", head, 6)
        return width, height
    if kind == "image/bmp" and len(head) >= 26:
        width, height = struct.unpack_from("<ii", head, 18)
        return width, abs(height)
    if kind == "image/webp":
        return _webp(head)
    if kind == "image/jpeg":
        return _jpeg(head)
    return None


def _webp(head: bytes) -> tuple[int, int] | None:
    if head[12:16] == b"VP8X" and len(head) >= 30:
        width = int.from_bytes(head[24:27], "little") + 1
        return width, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8 " and len(head) >= 30:
        width, height = struct.unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    if head[12:16] == b"VP8L" and len(head) >= 25:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None


def _jpeg(head: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        mark = head[at + 1]
        if mark in _FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        if mark == 0xFF or mark in _STANDALONE:
            at += 1 if mark == 0xFF else 2
            continue
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None
