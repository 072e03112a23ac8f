"""Outer structure of other containers: where the bytes end although the structure goes on.

Sources: RIFF (Microsoft, 1991), PNG (ISO/IEC 15948), GIF89a, JPEG (ITU-T T.81), BMP, EBML
(RFC 8794), Ogg (RFC 3533). Nothing is decoded.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import Final

from muniment.examine.probing import Structure
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Problem

_MOST_PARTS: Final = 100_000
_READ: Final = 64 << 20
#: Packed words and colour profiles of one picture may unpack to this many bytes; the decoder
#: unpacks them several times over.
_MOST_UNPACKED: Final = 16 << 20
_PACKED: Final = (b"zTXt", b"iTXt", b"iCCP")
_STEP: Final = 1 << 14
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_EBML_SEGMENT: Final = b"\x18\x53\x80\x67"
_EBML_UNKNOWN: Final = frozenset((1 << (7 * length)) - 1 for length in range(1, 9))


def _cut(found: Structure, missing: str) -> None:
    found.truncated_at, found.missing = found.size_bytes, missing


def riff(fd: int, found: Structure) -> None:
    """AVI, WAV, WebP: the form's size against the file's; AVI may go on in further RIFFs."""
    head = os.pread(fd, 12, 0)
    size = struct.unpack_from("<I", head, 4)[0] if len(head) == 12 else 0
    end = size + 8 + (size & 1)
    if size in (0, 0xFFFFFFFF):
        found.facts["riff_size"] = "not filled in"
    elif size + 8 > found.size_bytes:
        if size + 8 > 64 * found.size_bytes + (1 << 20):
            found.fault = f"RIFF claims {size} bytes, the file holds {found.size_bytes}"
        else:
            _cut(found, f"RIFF claims to end at byte {size + 8}")
    elif head[8:12] == b"WEBP":
        found.end_of_picture = min(end, found.size_bytes)


def png(fd: int, found: Structure) -> None:
    """Chunks up to IEND.

    Raises:
        UnexaminableError: if packed words unpack to more than any picture needs.
    """
    at, size, left = 8, found.size_bytes, _MOST_UNPACKED
    for _ in range(_MOST_PARTS):
        head = os.pread(fd, 8, at)
        if len(head) < 8:
            _cut(found, "no IEND chunk")
            return
        length, kind = struct.unpack(">I4s", head)
        if length > 0x7FFFFFFF or not kind.isalpha():
            found.fault = f"no chunk stands at byte {at}"
            return
        at += length + 12
        if at > size:
            _cut(found, f"chunk {kind.decode()} claims to end at byte {at}")
            return
        if kind in _PACKED:
            left -= _unpacked(kind, os.pread(fd, min(length, _READ), at - length - 4), left)
        if left < 0:
            raise UnexaminableError(
                Problem.BAD_STRUCTURE,
                f"words packed before byte {at} unpack to more than {_MOST_UNPACKED} bytes",
            )
        if kind == b"IEND":
            found.end_of_picture = at
            return


def _unpacked(kind: bytes, data: bytes, most: int) -> int:
    """How many bytes a packed chunk unpacks to, counted no further than one beyond `most`."""
    start = data.find(b"\0") + 2
    if kind == b"iTXt":
        if data[start - 1 : start] != b"\1":
            return 0
        start = data.find(b"\0", data.find(b"\0", start + 1) + 1) + 1
    count, unpacking = 0, zlib.decompressobj()
    for at in range(start, len(data), _STEP):
        try:
            piece = unpacking.decompress(data[at : at + _STEP], most + 1 - count)
        except zlib.error:
            break
        count += len(piece)
        if count > most or unpacking.eof:
            break
    return count


def gif(fd: int, found: Structure) -> None:
    """Blocks up to the trailer."""
    data = os.pread(fd, min(found.size_bytes, _READ), 0)
    if len(data) < 13:
        _cut(found, "no screen descriptor")
        return
    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    while at < len(data):
        mark = data[at]
        if mark == 0x3B:
            found.end_of_picture = at + 1
            return
        if mark == 0x2C and at + 10 <= len(data):
            flags = data[at + 9]
            at += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        elif mark == 0x21:
            at += 2
        else:
            found.fault = f"no block stands at byte {at}"
            return
        while at < len(data) and data[at]:
            at += data[at] + 1
        at += 1
    if found.size_bytes <= _READ:
        _cut(found, "no trailer")


def jpeg(fd: int, found: Structure) -> None:
    """Segments up to the end-of-image marker."""
    data = os.pread(fd, min(found.size_bytes, _READ), 0)
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            found.fault = f"no segment stands at byte {at}"
            return
        mark = data[at + 1]
        if mark == 0xFF or mark in _STANDALONE:
            at += 1 if mark == 0xFF else 2
            continue
        if mark == 0xD9:
            found.end_of_picture = at + 2
            return
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if mark == 0xDA:
            at = _after_scan(data, at)
    if data[at : at + 2] == b"\xff\xd9":
        found.end_of_picture = at + 2
    elif found.size_bytes <= _READ:
        _cut(found, "no end-of-image marker")


def _after_scan(data: bytes, at: int) -> int:
    """The next marker that is neither stuffing nor a restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def bmp(fd: int, found: Structure) -> None:
    """The size the header claims."""
    head = os.pread(fd, 6, 0)
    claimed = int.from_bytes(head[2:6], "little")
    if claimed > found.size_bytes:
        _cut(found, f"the header claims {claimed} bytes")


def ebml(fd: int, found: Structure) -> None:
    """Matroska and WebM: the segment's size against the file's."""
    head = os.pread(fd, 4096, 0)
    at = head.find(_EBML_SEGMENT)
    if at < 0:
        found.fault = "no segment within the first 4 KiB"
        return
    at += 4
    if at >= len(head) or head[at] == 0:
        found.fault = f"no size stands at byte {at}"
        return
    length = 9 - head[at].bit_length()
    raw = int.from_bytes(head[at : at + length], "big")
    size = raw & ((1 << (7 * length)) - 1)
    if size in _EBML_UNKNOWN and size == (1 << (7 * length)) - 1:
        found.facts["segment_size"] = "unknown (written live)"
    elif at + length + size > found.size_bytes:
        _cut(found, f"the segment claims to end at byte {at + length + size}")


def ogg(fd: int, found: Structure) -> None:
    """The last page must be whole and marked as the end."""
    start = max(0, found.size_bytes - (1 << 17))
    tail = os.pread(fd, 1 << 17, start)
    at = tail.rfind(b"OggS")
    if at < 0 or at + 27 > len(tail):
        _cut(found, "no whole page at the end")
        return
    table = tail[at + 27 : at + 27 + tail[at + 26]]
    end = at + 27 + tail[at + 26] + sum(table)
    if end > len(tail) or len(table) < tail[at + 26]:
        _cut(found, f"the page at byte {start + at} claims to end at byte {start + end}")
    elif not tail[at + 5] & 4:
        found.facts["end_of_stream"] = "last page is not marked as the last"
