"""Items of a HEIF file (HEIC, AVIF): which is the picture shown, of which tiles, how it is turned.

Source: ISO/IEC 14496-12, 8.11 (meta, iloc, iinf, iref, iprp) and ISO/IEC 23008-12, 6.5 and 6.6
(ispe, irot, imir, clap, grid). libavformat opens each coded item as a stream of its own, under the
item's number, and puts nothing together.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from muniment.examine.pictures import UPRIGHT, Turn
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Note, Problem

KINDS: Final = frozenset({"image/heic", "image/heif", "image/avif"})
#: Item types that libavformat hands out as pictures.
CODED: Final = frozenset({"hvc1", "av01"})
#: Tiles of one picture: 8064x6048 in tiles of 512 are 192.
MAX_TILES: Final = 512
_MOST_META_BYTES: Final = 8 << 20
_MOST_ITEMS: Final = 4_096
_MOST_EXTENTS: Final = 65_536
_MOST_ITEM_BYTES: Final = 1 << 20
#: Rows or columns that a crop may take away without a note: coded sizes are even.
_ROUNDING_PX: Final = 2


class Picture(msgspec.Struct, frozen=True):
    """The picture that a HEIF file shows.

    Attributes:
        tiles: numbers of the coded items, row by row; one where the picture is no grid.
        width_px, height_px: of the whole, before it is cropped and turned.
    """

    tiles: tuple[int, ...]
    rows: int
    columns: int
    width_px: int
    height_px: int
    turn: Turn
    facts: dict[str, Any]
    notes: tuple[Note, ...]


class _Items:
    """What the meta box says of the items."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.primary = 0
        self.kinds: dict[int, str] = {}
        self.references: dict[tuple[str, int], list[int]] = {}
        self.properties: dict[int, list[tuple[str, bytes]]] = {}
        self.extents: dict[int, list[tuple[int, int, int]]] = {}
        self.held = b""  # idat
        meta = _meta(fd)
        boxes = dict(_boxes(meta, 4))
        if "pitm" in boxes:
            data = boxes["pitm"]
            (self.primary,) = struct.unpack_from(">I" if data[0] else ">H", data, 4)
        self.held = boxes.get("idat", b"")
        self._infos(boxes.get("iinf", bytes(6)))
        self._locations(boxes.get("iloc", bytes(8)))
        self._references(boxes.get("iref", bytes(4)))
        self._properties(boxes.get("iprp", b""))

    def _infos(self, data: bytes) -> None:
        for kind, body in _boxes(data, 8 if data[0] else 6):
            if kind == "infe" and body[0] in (2, 3):
                number, _, coded = struct.unpack_from(">HH4s" if body[0] == 2 else ">IH4s", body, 4)
                self.kinds[number] = _word(coded)
            if len(self.kinds) > _MOST_ITEMS:
                raise _broken(f"it lists more than {_MOST_ITEMS} items")

    def _locations(self, data: bytes) -> None:
        version, sizes = data[0], struct.unpack_from(">H", data, 4)[0]
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version else 0
        at, told = 6, 0

        def number(size: int) -> int:
            nonlocal at
            if at + size > len(data):
                raise _broken("its table of places is cut off")
            at += size
            return int.from_bytes(data[at - size : at], "big")

        for _ in range(min(number(2 if version < 2 else 4), _MOST_ITEMS)):
            item = number(2 if version < 2 else 4)
            method = number(2) & 15 if version else 0
            number(2)
            base = number(base_size)
            extents = number(2)
            told += extents
            if told > _MOST_EXTENTS:
                raise _broken(f"it lists more than {_MOST_EXTENTS} pieces")
            for _ in range(extents):
                number(index_size)
                place = base + number(offset_size)
                self.extents.setdefault(item, []).append((method, place, number(length_size)))

    def _references(self, data: bytes) -> None:
        form = "H" if data[0] == 0 else "I"
        for kind, body in _boxes(data, 4):
            item, count = struct.unpack_from(f">{form}H", body)
            to = struct.unpack_from(f">{count}{form}", body, struct.calcsize(f">{form}H"))
            self.references[kind, item] = list(to)

    def _properties(self, data: bytes) -> None:
        boxes = list(_boxes(data, 0))
        kept = [one for kind, body in boxes if kind == "ipco" for one in _boxes(body, 0)]
        for kind, body in boxes:
            if kind != "ipma":
                continue
            wide, (count,), at = body[3] & 1, struct.unpack_from(">I", body, 4), 8
            for _ in range(min(count, _MOST_ITEMS)):
                form = ">IB" if body[0] else ">HB"
                item, number = struct.unpack_from(form, body, at)
                at += struct.calcsize(form)
                places = struct.unpack_from(f">{number}{'H' if wide else 'B'}", body, at)
                at += number * (2 if wide else 1)
                found = (place & (0x7FFF if wide else 0x7F) for place in places)
                self.properties[item] = [kept[one - 1] for one in found if 0 < one <= len(kept)]

    def bytes_of(self, item: int) -> bytes:
        """An item's bytes, at most 1 MiB."""
        parts: list[bytes] = []
        for method, place, length in self.extents.get(item, []):
            left = _MOST_ITEM_BYTES - sum(map(len, parts))
            if method == 0:
                parts.append(os.pread(self.fd, min(length, left), place))
            elif method == 1:
                parts.append(self.held[place : place + min(length, left)])
        return b"".join(parts)

    def of_kind(self, kind: str) -> bytes | None:
        """The bytes of the first item of a kind."""
        found = next((item for item, one in self.kinds.items() if one == kind), None)
        return None if found is None else self.bytes_of(found)


def picture(fd: int) -> Picture:
    """The picture that the file behind `fd` shows.

    Raises:
        UnexaminableError: if its items cannot be read, or it is of a kind that is not put together.
    """
    try:
        return _picture(_Items(fd))
    except (struct.error, IndexError, ValueError) as error:
        raise _broken("its items (meta) cannot be read") from error


def exif(fd: int) -> bytes | None:
    """The TIFF block of the file's Exif item, None where it has none that can be read."""
    try:
        data = _Items(fd).of_kind("Exif")
    except (struct.error, IndexError, ValueError, UnexaminableError):
        return None
    if data is None or len(data) < 8:
        return None
    data = data[4 + int.from_bytes(data[:4], "big") :]
    return data if data[:2] in (b"II", b"MM") else None


def _picture(items: _Items) -> Picture:
    number = items.primary
    kind = items.kinds.get(number)
    if kind is None:
        raise _broken("it names no picture to show (pitm)")
    properties = items.properties.get(number, [])
    facts: dict[str, Any] = {
        "item": kind,
        "items": dict(sorted(Counter(items.kinds.values()).items())),
    }
    size = struct.unpack_from(
        ">II", next((one for name, one in properties if name == "ispe"), bytes(12)), 4
    )
    rows = columns = 1
    tiles: tuple[int, ...] = (number,)
    if kind == "grid":
        rows, columns, size = _grid(items.bytes_of(number))
        tiles = tuple(items.references.get(("dimg", number), []))
        facts |= {"rows": rows, "columns": columns}
        if len(tiles) != rows * columns:
            raise _broken(f"its picture has {len(tiles)} tiles for {rows} rows of {columns}")
        if len(tiles) > MAX_TILES:
            raise UnexaminableError(
                Problem.TOO_MANY_STREAMS,
                f"{len(tiles)} tiles, at most {MAX_TILES} are put together",
            )
    coded = {items.kinds.get(one, "none") for one in tiles}
    if not coded <= CODED:
        named = ", ".join(sorted(one.strip() for one in coded - CODED))
        raise UnexaminableError(
            Problem.REFUSED_CODEC, f"its picture is of HEIF item type {named}, which is not decoded"
        )
    notes: list[Note] = []
    turn = _transformed(properties, size, facts, notes)
    return Picture(tiles, rows, columns, size[0], size[1], turn, facts, tuple(notes))


def _grid(data: bytes) -> tuple[int, int, tuple[int, int]]:
    """Rows, columns, and (width, height) of the whole."""
    if len(data) < 8:
        raise _broken("its grid is cut off")
    wide = data[1] & 1
    width, height = struct.unpack_from(">II" if wide else ">HH", data, 4)
    return data[2] + 1, data[3] + 1, (width, height)


def _transformed(
    properties: list[tuple[str, bytes]],
    size: tuple[int, int],
    facts: dict[str, Any],
    notes: list[Note],
) -> Turn:
    """How the picture is turned to be shown; a crop is told and not applied.

    Example:
        >>> _transformed([("imir", b"\\1"), ("irot", b"\\1")], (4, 3), {}, [])
        (1, True)
    """
    quarters, mirrored = UPRIGHT
    for name, body in properties:
        if name == "irot":  # anticlockwise
            turned = -(body[0] & 3)
        elif (
            name == "imir"
        ):  # 0: top and bottom change places, which is left and right turned by half
            turned = 0 if body[0] & 1 else 2
        else:
            if name == "clap" and len(body) >= 16:
                _cropped(struct.unpack_from(">4I", body), size, facts, notes)
            continue
        quarters = (quarters - turned if mirrored else quarters + turned) % 4
        mirrored ^= name == "imir"
    if (quarters, mirrored) != UPRIGHT:
        facts |= {"quarter_turns": quarters, "mirrored": mirrored}
    return quarters, mirrored


def _cropped(
    clap: tuple[int, ...], size: tuple[int, int], facts: dict[str, Any], notes: list[Note]
) -> None:
    if not clap[1] or not clap[3]:
        return
    shown = round(clap[0] / clap[1]), round(clap[2] / clap[3])
    facts["shown_px"] = list(shown)
    if max(size[0] - shown[0], size[1] - shown[1]) > _ROUNDING_PX:
        told = f"{shown[0]}x{shown[1]} of {size[0]}x{size[1]}; examined whole"
        notes.append(Note("cropped for showing", told))


def _meta(fd: int) -> bytes:
    """The body of the outermost `meta` box."""
    start = 0
    for _ in range(64):
        head = os.pread(fd, 16, start)
        if len(head) < 8:
            break
        size, kind = struct.unpack_from(">I4s", head)
        body = start + 8
        if size == 1 and len(head) == 16:
            size, body = struct.unpack_from(">Q", head, 8)[0], start + 16
        if kind == b"meta":
            return os.pread(fd, min(size - (body - start), _MOST_META_BYTES), body)
        if size < 8:
            break
        start += size
    raise _broken("it lists no items (meta)")


def _boxes(data: bytes, start: int) -> Iterator[tuple[str, bytes]]:
    """(type, body) of boxes one after the other."""
    while start + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > len(data):
            raise _broken(f"box {_word(kind)} in its list of items does not fit")
        yield _word(kind), data[start + 8 : start + size]
        start += size


def _word(kind: bytes) -> str:
    """A four-character code, what is no printable ASCII escaped.

    Example:
        >>> _word(b"hvc1"), _word(b"a\\xff\\0b")
        ('hvc1', 'a\\\\xff\\\\x00b')
    """
    return "".join(chr(code) if 32 <= code < 127 else f"\\x{code:02x}" for code in kind)


def _broken(what: str) -> UnexaminableError:
    return UnexaminableError(Problem.BAD_STRUCTURE, f"a HEIF file, but {what}")
