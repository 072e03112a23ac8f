"""Opening an object as media: only allowed containers and codecs, read from one descriptor.

The descriptor is the only thing libavformat can reach: the protocol `fd`, no references to other
files, no network. One thread; bit-exact decoders.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import av
import av.error
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from muniment.examine import limits
from muniment.examine.heif import MAX_TILES, Picture
from muniment.examine.pictures import Turn
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Problem

_BITEXACT: Final = 1 << 23
_PROBE_BYTES: Final = 5_000_000
#: Streams of a HEIF file: tiles of its picture, of its thumbnail and its gain map.
_MOST_ITEMS: Final = 2 * MAX_TILES


class Opened:
    """An object opened as media, with the streams that will be decoded."""

    def __init__(self, container: InputContainer, picture: Picture | None = None) -> None:
        self.container = container
        self.picture = picture  # what a HEIF file shows
        #: a still's orientation, where it is known
        self.turn: Turn | None = picture.turn if picture is not None else None
        self.covers = tuple(one for one in container.streams.video if _is_cover(one))
        #: the streams of the tiles that make up one picture, in their order; else none
        self.tiles: tuple[VideoStream, ...] = ()
        if picture is not None:
            self.tiles = _tiles(container, picture)
            self.video: VideoStream | None = self.tiles[0]
            self.audio = None
            return
        films = [one for one in container.streams.video if not _is_cover(one)]
        self.video = _largest(films)
        self.audio = next(iter(container.streams.audio), None)

    @property
    def is_still(self) -> bool:
        """Whether the object is one picture."""
        return self.picture is not None or self.container.format.name in limits.STILL_FORMATS

    @property
    def decoded(self) -> tuple[VideoStream | AudioStream, ...]:
        """The streams that are decoded."""
        if self.tiles:
            return tuple(dict.fromkeys(self.tiles))
        return tuple(one for one in (self.video, self.audio) if one is not None)

    @property
    def duration_s(self) -> float | None:
        """The longest duration that container or stream claims; None when nothing usable is."""
        claims = [one for one in map(_stream_duration_s, self.container.streams) if one]
        if self.container.duration:
            claims.append(self.container.duration / av.time_base)
        usable = [one for one in claims if math.isfinite(one) and one > 0]
        return max(usable, default=None)

    def close(self) -> None:
        """Free the decoders; the descriptor stays open."""
        self.container.close()


def opened(fd: int, picture: Picture | None = None) -> Opened:
    """Open the object behind `fd`.

    Args:
        picture: what is shown, where the object is a HEIF still.
    Raises:
        UnexaminableError: too many streams, dimensions over the limit, a codec that is not
            allowed, or no stream of pictures or sound at all.
        av.error.FFmpegError: if libavformat does not take it.
    """
    most = limits.MAX_STREAMS if picture is None else _MOST_ITEMS
    container = _container(fd, most)
    _check_streams(container, most)
    if picture is not None:
        check_size(picture.width_px, picture.height_px, is_still=True)
    found = Opened(container, picture)
    if found.video is None and found.audio is None:
        raise UnexaminableError(Problem.NOT_MEDIA, "holds no stream of pictures or sound")
    for stream in found.decoded:
        _prepare(stream, found.is_still)
    return found


@contextmanager
def reopened(fd: int) -> Iterator[InputContainer]:
    """The container once more, for a part that the decode pass does not read."""
    container = _container(fd)
    try:
        yield container
    finally:
        container.close()


def _container(fd: int, most: int = limits.MAX_STREAMS) -> InputContainer:
    os.lseek(fd, 0, os.SEEK_SET)
    return av.open(
        "fd:",
        options={
            "fd": str(fd),
            "protocol_whitelist": "fd",
            "format_whitelist": ",".join(limits.FORMATS),
            "codec_whitelist": ",".join(limits.CODECS),
            "max_streams": str(4 * most),
            "max_pixels": str(limits.MAX_STILL_PIXELS),
            "probesize": str(_PROBE_BYTES),
            "threads": "1",
        },
        metadata_errors="replace",
    )


def _check_streams(container: InputContainer, most: int) -> None:
    count = len(container.streams)
    if count > most:
        raise UnexaminableError(Problem.TOO_MANY_STREAMS, f"{count}, at most {most} are taken")


def _tiles(container: InputContainer, picture: Picture) -> tuple[VideoStream, ...]:
    """The streams of the picture's items; libavformat gives a stream the number of its item."""
    by_item = {one.id: one for one in container.streams.video}
    absent = [number for number in picture.tiles if number not in by_item]
    if absent:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE, f"item {absent[0]}, a part of its picture, cannot be read"
        )
    return tuple(by_item[number] for number in picture.tiles)


def _prepare(stream: VideoStream | AudioStream, is_still: bool) -> None:
    context = stream.codec_context
    if context is None or context.name not in limits.CODECS:
        named = context.name if context is not None else "unknown"
        raise UnexaminableError(Problem.REFUSED_CODEC, f"codec {named} is not decoded")
    if isinstance(stream, VideoStream):
        check_size(stream.codec_context.width, stream.codec_context.height, is_still=is_still)
    context.thread_count = 1
    context.flags |= _BITEXACT
    context.options = {
        "codec_whitelist": ",".join(limits.CODECS),
        "max_pixels": str(limits.MAX_STILL_PIXELS),
    }


def check_size(
    width_px: int, height_px: int, *, is_still: bool, problem: Problem = Problem.DIMENSIONS
) -> None:
    """Refuse pictures larger than is decoded.

    Raises:
        UnexaminableError: naming the size and the limit.
    """
    pixels = limits.MAX_STILL_PIXELS if is_still else limits.MAX_VIDEO_PIXELS
    if max(width_px, height_px) > limits.MAX_SIDE_PX or width_px * height_px > pixels:
        raise UnexaminableError(
            problem,
            f"{width_px}x{height_px}; at most {limits.MAX_SIDE_PX} pixels a side and "
            f"{pixels // 1_000_000} million in all are decoded",
        )


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _largest(streams: list[VideoStream]) -> VideoStream | None:
    """The first of the largest by area, one of a single picture (the title of an image sequence)
    behind the others; streams without a decoder come last."""

    def area(stream: VideoStream) -> tuple[int, bool]:
        context = stream.codec_context
        return context.width * context.height if context is not None else -1, stream.frames != 1

    return max(streams, key=area, default=None)


def _stream_duration_s(stream: Stream) -> float | None:
    if stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)


def versions() -> dict[str, str]:
    """What decodes, with versions."""
    found = {"pyav": av.__version__}
    for name, numbers in av.library_versions.items():
        if name in ("libavcodec", "libavformat", "libswscale", "libswresample"):
            found[name] = ".".join(map(str, numbers))
    return found
