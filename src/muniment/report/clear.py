"""The page of clear pictures: apart from the report, marked on every screen and every sheet."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Final

import msgspec
from markupsafe import Markup

from muniment.errors import MalformedError
from muniment.model.report_clear import ClearData, ClearFrame, ClearItem, ClearPictures
from muniment.report.page import environment, style, style_hash
from muniment.report.wording import clip_time, line

MARK: Final = "Contains clear pictures – not to be forwarded"
#: Pictures on one page; the rest is counted.
MOST_CLEAR: Final = 2000
MOST_PICTURE_BYTES: Final = 4 << 20
_SHEETS: Final = ("report.css", "clear.css")
_JPEG: Final = (b"\xff\xd8\xff", b"\xff\xd9")


class Shot(msgspec.Struct, frozen=True):
    """One picture; `uri` is empty when it is not there."""

    uri: str
    alt: str
    time: str


class Shown(msgspec.Struct, frozen=True):
    """One item; `shots` is to be read once, while the page is drawn."""

    anchor: str
    name: str
    id: str
    sha256: str
    shots: Iterator[Shot]


class _Clear:
    """Fetches pictures as the page asks for them."""

    def __init__(self, data: ClearData, pictures: ClearPictures) -> None:
        self._data, self._pictures = data, pictures
        self.drawn = 0
        self.left_out = 0

    def each(self) -> Iterator[Shown]:
        """The items, one at a time."""
        for number, item in enumerate(self._data.items, 1):
            yield Shown(
                f"item-{number}",
                line(item.name, 200),
                line(item.id, 60),
                line(item.sha256, 64),
                self._shots(item),
            )

    def _shots(self, item: ClearItem) -> Iterator[Shot]:
        for frame in item.frames:
            if self.drawn >= MOST_CLEAR:
                self.left_out += 1
                continue
            yield self._shot(item, frame)

    def _shot(self, item: ClearItem, frame: ClearFrame) -> Shot:
        when = clip_time(frame.time_s) if frame.time_s is not None else "still"
        alt = f"Clear frame of {line(item.name, 80)}, {when}"
        data = self._pictures(frame.key)
        if data is None:
            return Shot("", alt, when)
        self.drawn += 1
        return Shot(_uri(data, item.id), alt, when)


def render_clear(data: ClearData, pictures: ClearPictures) -> Iterator[bytes]:
    """The page as UTF-8, in pieces; pictures are fetched and forgotten one at a time.

    Args:
        data: the items and who asked for the page, when and why.
        pictures: fetches a JPEG by its key.
    Raises:
        MalformedError: if a picture is no JPEG, or larger than 4 MiB.
    """
    values = {
        "data": data,
        "clear": _Clear(data, pictures),
        "mark": MARK,
        "style": Markup(style(*_SHEETS)),
        "style_hash": style_hash(*_SHEETS),
    }
    for piece in environment().get_template("clear.html.j2").generate(values):
        yield piece.encode()


def is_jpeg(data: bytes) -> bool:
    """Whether the bytes begin and end as a JPEG does."""
    start, end = _JPEG
    return data.startswith(start) and data.rstrip(b"\0").endswith(end)


def _uri(data: bytes, subject: str) -> str:
    if not is_jpeg(data):
        raise MalformedError("a clear picture is no JPEG", subject=subject)
    if len(data) > MOST_PICTURE_BYTES:
        raise MalformedError(
            f"a clear picture has {len(data)} bytes, 4 MiB at most", subject=subject
        )
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()
