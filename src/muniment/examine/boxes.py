"""Boxes of ISO base media files (MP4, QuickTime, 3GP, HEIF): followed, never decoded.

Source: ISO/IEC 14496-12, 4.2 (box header: 32-bit size, type; size 1 has a 64-bit size after it,
size 0 runs to the end of the file).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import msgspec

from muniment.examine.probing import Structure
from muniment.model.examine import Note

_MOST_BOXES: Final = 20_000
_MOST_LISTED: Final = 200
_MOST_DEPTH: Final = 12
_MARGIN: Final = 64
_SEARCHED_BYTES: Final = 8 << 20
#: Boxes that only hold boxes, and how many bytes stand before these.
_HOLDERS: Final = dict.fromkeys(
    ("moov", "trak", "mdia", "minf", "stbl", "edts", "dinf", "moof", "traf", "mvex", "mfra"), 0
)
#: Tables of samples: bytes of an entry (at least).
_TABLES: Final = {"stts": 8, "ctts": 8, "stsc": 12, "stco": 4, "co64": 8, "stss": 4, "stsz": 4}
#: More than 48 hours at 100 pictures a second, or of sound in packets of 20 ms.
_MOST_SAMPLES: Final = 20_000_000
#: Boxes at the outermost level in files of cameras, phones and editors.
_OUTERMOST: Final = frozenset(
    (
        *("ftyp", "styp", "moov", "mdat", "free", "skip", "wide", "moof", "mfra", "sidx", "ssix"),
        *("meta", "uuid", "pnot", "prft", "emsg", "pdin", "junk", "udta", "PICT", "mpvd", "beam"),
    )
)


class Box(msgspec.Struct, frozen=True):
    """One box: [start, end) in the file, its contents from `body` on."""

    type: str
    start: int
    body: int
    end: int


def walk(fd: int, found: Structure) -> None:
    """Fill in what the boxes of the file say: order, truncation, impossible sizes, tracks."""
    size = found.size_bytes
    outermost: list[Box] = []
    walker = _Walker(fd, found)
    for box in walker.boxes(0, size, outermost=True):
        outermost.append(box)
        if box.end > size:
            _overrun(fd, found, box, outermost)
            break
        if box.type in _HOLDERS:
            walker.descend(box, 1)
    if walker.fault and found.fault is None and found.truncated_at is None:
        found.fault = walker.fault
    order = [one.type for one in outermost[:_MOST_LISTED]]
    found.facts["boxes"] = order
    found.traks = walker.traks
    found.movie_s = walker.movie_s
    if "ftyp" in order:
        ftyp = outermost[order.index("ftyp")]
        found.facts["brands"] = _brands(os.pread(fd, min(ftyp.end - ftyp.body, 256), ftyp.body))
    if "moov" in order and "mdat" in order:
        found.facts["index_before_media"] = order.index("moov") < order.index("mdat")
    if "moov" not in order and "moof" not in order and "meta" not in order:
        found.facts["index"] = "none at the outermost level"
        _hidden(fd, found, outermost)


class _Walker:
    def __init__(self, fd: int, found: Structure) -> None:
        self.fd = fd
        self.fault: str | None = None
        self.traks = 0
        self.movie_s: Fraction | None = None
        self._count = 0

    def boxes(self, start: int, end: int, *, outermost: bool = False) -> Iterator[Box]:
        """Boxes one after the other; stops at what is none."""
        while end - start >= 8 and self._count < _MOST_BOXES:
            self._count += 1
            head = os.pread(self.fd, 16, start)
            if len(head) < 8:
                return
            size, raw = struct.unpack_from(">I4s", head)
            kind, body = _kind(raw), start + 8
            if size == 1 and len(head) == 16:
                size, body = struct.unpack_from(">Q", head, 8)[0], start + 16
            elif size == 0:
                if not outermost:
                    return  # the terminator of QuickTime's user data
                size = end - start
            if size < body - start:
                self._wrong(f"box {kind} at byte {start} claims a size of {size} bytes")
                return
            if outermost and kind not in _OUTERMOST and not raw.isalnum():
                self._wrong(f"no box stands at byte {start}")
                return
            yield Box(kind, start, body, start + size)
            start += size

    def descend(self, box: Box, depth: int) -> None:
        """Follow the boxes within a box."""
        if depth > _MOST_DEPTH:
            self._wrong(f"boxes nest deeper than {_MOST_DEPTH} levels at byte {box.start}")
            return
        for one in self.boxes(box.body, box.end):
            self.traks += one.type == "trak"
            if one.type == "mvhd" and self.movie_s is None:
                self.movie_s = _movie_s(os.pread(self.fd, 32, one.body))
            if one.end > box.end:
                self._wrong(
                    f"box {one.type} at byte {one.start} claims to end at byte {one.end}, "
                    f"its {box.type} ends at byte {box.end}"
                )
                return
            if one.type in _TABLES:
                self._table(one)
            if one.type in _HOLDERS:
                self.descend(one, depth + 1)

    def _table(self, box: Box) -> None:
        """Refuse tables that count more samples than any film has: readers loop over them."""
        head = os.pread(self.fd, 16, box.body)
        if len(head) < 16:
            return
        if box.type == "stsz":
            fixed, count = struct.unpack_from(">II", head, 4)
            room = count if fixed else (box.end - box.body - 12) // 4
        else:
            count = int.from_bytes(head[4:8], "big")
            room = (box.end - box.body - 8) // _TABLES[box.type]
            if box.type in ("stts", "ctts") and 0 < count <= room:
                data = os.pread(self.fd, min(8 * count, _SEARCHED_BYTES), box.body + 8)
                total = sum(
                    struct.unpack(f">{len(data) // 8 * 2}I", data[: len(data) // 8 * 8])[::2]
                )
                if total > _MOST_SAMPLES:
                    self._wrong(f"box {box.type} at byte {box.start} counts {total} samples")
        if count > min(room, _MOST_SAMPLES):
            self._wrong(f"box {box.type} at byte {box.start} claims {count} entries")

    def _wrong(self, what: str) -> None:
        if self.fault is None:
            self.fault = what


def _overrun(fd: int, found: Structure, box: Box, before: list[Box]) -> None:
    """A box that ends beyond the file: cut off, unless other boxes lie within its claim."""
    size = found.size_bytes
    claim = f"box {box.type} at byte {box.start} claims to end at byte {box.end}"
    seen = {one.type for one in before}
    inside = _index_within(fd, box, size) if "moov" not in seen or box.type == "moov" else None
    if inside is not None:
        found.fault = f"{claim}, but box {inside[1]} begins at byte {inside[0]}"
    elif box.type == "ftyp":
        found.fault = f"{claim}, the file at byte {size}"
    else:
        found.truncated_at = size
        found.missing = f"{claim}"


def _index_within(fd: int, box: Box, size: int) -> tuple[int, str] | None:
    """Where another outermost box stands within a box's claim."""
    start = box.body
    if box.type in ("moov", "ftyp"):
        wanted: tuple[bytes, ...] = (b"mdat", b"moov") if box.type == "ftyp" else (b"mdat",)
        data = os.pread(fd, min(size - start, _SEARCHED_BYTES), start)
    else:
        wanted = (b"moov",)
        start = max(start, size - _SEARCHED_BYTES)
        data = os.pread(fd, size - start, start)
    for kind in wanted:
        at = data.find(kind)
        while at >= 4:
            claimed = int.from_bytes(data[at - 4 : at], "big")
            begins = start + at - 4
            follows = data[at + 8 : at + 12] in (b"mvhd", b"cmov") if kind == b"moov" else True
            if claimed >= 8 and begins + claimed <= size and follows:
                return begins, kind.decode()
            at = data.find(kind, at + 1)
    return None


def _hidden(fd: int, found: Structure, outermost: list[Box]) -> None:
    """An index (moov) that lies inside another box: players may or may not find it."""
    for box in outermost:
        if box.type in ("free", "skip", "uuid", "junk") and box.end <= found.size_bytes:
            data = os.pread(fd, min(box.end - box.body, _SEARCHED_BYTES), box.body)
            at = data.find(b"moov")
            renamed = data[4:8] in (b"mvhd", b"cmov")
            if renamed or (at >= 4 and data[at + 8 : at + 12] in (b"mvhd", b"cmov")):
                where = f"in box {box.type} at byte {box.start}"
                found.notes.append(Note("index (moov) hidden in another box", where))
                found.facts["index"] = where
                return


def _kind(raw: bytes) -> str:
    return "".join(chr(code) if 32 <= code < 127 else f"\\x{code:02x}" for code in raw)


def _movie_s(body: bytes) -> Fraction | None:
    """The duration that the movie header claims (version 0 or 1)."""
    wide = body[:1] == b"\1"
    if len(body) < 32:
        return None
    scale, length = (
        struct.unpack_from(">IQ", body, 20) if wide else struct.unpack_from(">II", body, 12)
    )
    return Fraction(length, scale) if scale and length < 1 << 48 else None


def _brands(body: bytes) -> list[str]:
    major = [_kind(body[:4])] if len(body) >= 4 else []
    return major + [_kind(body[at : at + 4]) for at in range(8, len(body) - 3, 4)]
