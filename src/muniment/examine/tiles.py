"""A picture that is kept in tiles, as phones keep HEIC: decoded one by one and put together.

libavformat hands out each tile as a stream. They are copied plane by plane, so no pixel is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, cast

import av.error
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from muniment.examine.heif import Picture
from muniment.examine.opening import Opened
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Problem

#: Forms of pixels whose planes are rows of samples.
_PLANAR: Final = frozenset(
    f"{family}{bits}"
    for family in (
        "yuv420p",
        "yuvj420p",
        "yuv422p",
        "yuvj422p",
        "yuv444p",
        "yuvj444p",
        "gray",
        "gbrp",
    )
    for bits in ("", "10le", "12le")
)


def put_together(
    opened: Opened,
    packets: Iterable[Packet[Any]],
    measure: Callable[..., None],
    undecoded: Callable[[Packet[Any], Exception], None],
) -> Iterator[VideoFrame]:
    """The whole picture as one frame; none where no tile could be decoded.

    Args:
        packets: those of the tiles, in any order.
        measure: is told each packet.
        undecoded: is told each tile that could not be decoded, and why; its place stays black.
    """
    picture, first = opened.picture, opened.tiles[0].codec_context
    assert picture is not None
    mosaic = Mosaic(picture)
    for packet in packets:
        if packet.size == 0:
            continue
        measure(packet, sound=False)
        places = [at for at, one in enumerate(opened.tiles) if one.index == packet.stream_index]
        own = opened.tiles[places[0]].codec_context
        # One decoder serves all tiles of the same parameters: each of its own would cost megabytes.
        context = first if own.extradata == first.extradata else own
        try:
            tile = _decoded(context, packet)
        except (av.error.FFmpegError, ValueError, EOFError) as error:
            undecoded(packet, error)
            continue
        for place in places:
            mosaic.paste(place, tile)
    if mosaic.frame is not None:
        yield mosaic.frame


def _decoded(context: VideoCodecContext, packet: Packet[Any]) -> VideoFrame:
    """The one picture of a packet; the decoder is ready for another afterwards."""
    try:
        frames = [*context.decode(packet), *context.decode(None)]
    finally:
        context.flush_buffers()
    if not frames:
        raise ValueError("no picture came of it")
    return frames[0]


class Mosaic:
    """The whole picture, as its tiles come."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.frame: VideoFrame | None = None
        self._tile: tuple[int, int, str] = (0, 0, "")
        self._depth = 1

    def paste(self, place: int, tile: VideoFrame) -> None:
        """Put a tile at its place, counted row by row from 0.

        Raises:
            UnexaminableError: if the tiles do not fit each other or do not cover the picture.
        """
        if self.frame is None:
            self.frame = self._begun(tile)
        if (tile.width, tile.height, tile.format.name) != self._tile:
            width, height, form = self._tile
            raise UnexaminableError(
                Problem.BAD_STRUCTURE,
                f"a tile is {tile.width}x{tile.height} {tile.format.name}, the first is "
                f"{width}x{height} {form}",
            )
        row, column = divmod(place, self._picture.columns)
        for whole, part in zip(self.frame.planes, tile.planes, strict=True):
            target, source = _rows(whole, self._depth), _rows(part, self._depth)
            top, left = row * part.height, column * part.width * self._depth
            room = target[top : top + part.height, left : left + part.width * self._depth]
            room[...] = source[: room.shape[0], : room.shape[1]]

    def _begun(self, tile: VideoFrame) -> VideoFrame:
        picture, form = self._picture, tile.format
        if form.name not in _PLANAR:
            raise UnexaminableError(
                Problem.REFUSED_CODEC, f"tiles of pixels {form.name} are not put together"
            )
        covers = tile.width * picture.columns, tile.height * picture.rows
        odd = (picture.columns > 1 and tile.width % 2) or (picture.rows > 1 and tile.height % 2)
        if covers[0] < picture.width_px or covers[1] < picture.height_px or odd:
            raise UnexaminableError(
                Problem.BAD_STRUCTURE,
                f"its tiles of {tile.width}x{tile.height} do not make up a picture of "
                f"{picture.width_px}x{picture.height_px}",
            )
        self._tile = (tile.width, tile.height, form.name)
        self._depth = 2 if form.components[0].bits > 8 else 1
        whole = VideoFrame(picture.width_px, picture.height_px, form.name)
        whole.color_range, whole.colorspace = tile.color_range, tile.colorspace
        whole.pts, whole.time_base = 0, tile.time_base
        for plane in whole.planes:
            np.frombuffer(cast(Any, plane), np.uint8)[...] = 0
        return whole


def _rows(plane: VideoPlane, depth: int) -> NDArray[np.uint8]:
    """The plane's rows, without their padding; `depth` bytes are a sample."""
    every = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)
    return every[: plane.height, : plane.width * depth]
