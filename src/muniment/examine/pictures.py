"""Decoded frames as examiners get them: scaled bit-exactly, full range, upright.

Scaling is libswscale's area average with its bit-exact and accurate-rounding flags, one thread.
Rotation and mirroring (display matrix, EXIF orientation) are applied to the small picture. Colours
are those of the stream's matrix (BT.709 from 720 lines up and BT.601 below where it names none);
high dynamic range is not tone-mapped.
"""

from __future__ import annotations

import struct
from typing import Any, Final, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

_FLAGS: Final = (
    Interpolation.AREA
    | Interpolation.BITEXACT
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.FULL_CHR_H_INT
)
_UNSPECIFIED: Final = 2
_LINES_HD: Final = 720
# AVColorSpace -> swscale's
_MATRICES: Final = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: Colorspace.BT2020,
    10: Colorspace.BT2020,
}

#: Clockwise quarter turns, then whether the upright picture is mirrored left to right.
Turn = tuple[int, bool]
UPRIGHT: Final[Turn] = (0, False)


def turn_of(frame: VideoFrame) -> Turn:
    """How the decoded picture must be turned to be as shown; oblique matrices count as none."""
    try:
        matrix = bytes(cast(Any, frame.side_data)["DISPLAYMATRIX"])
    except KeyError:
        return UPRIGHT
    except ValueError:  # PyAV 18.1 knows no name for some newer side data (EXIF, for one)
        return (-round(frame.rotation / 90)) % 4, False
    return turn_from_matrix(matrix)


def turn_from_matrix(matrix: bytes) -> Turn:
    """Quarter turns and mirroring of a 3 x 3 display matrix (36 bytes, 16.16 fixed point).

    Example:
        >>> turn_from_matrix(struct.pack("<9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30))
        (1, False)
    """
    if len(matrix) < 36:
        return UPRIGHT
    a, b, _, c, d = struct.unpack_from("<5i", matrix)
    signs = tuple((value > 0x4000) - (value < -0x4000) for value in (a, b, c, d))
    return _TURNS.get(signs, UPRIGHT)


#: EXIF orientation -> turn
EXIF_TURNS: Final[dict[int, Turn]] = {
    1: (0, False),
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (1, True),
    6: (1, False),
    7: (3, True),
    8: (3, False),
}
# (a, b, c, d): x' = a x + c y, y' = b x + d y, y downwards
_TURNS: Final[dict[tuple[int, ...], Turn]] = {
    (1, 0, 0, 1): (0, False),
    (0, 1, -1, 0): (1, False),
    (-1, 0, 0, -1): (2, False),
    (0, -1, 1, 0): (3, False),
    (-1, 0, 0, 1): (0, True),
    (1, 0, 0, -1): (2, True),
    (0, 1, 1, 0): (1, True),
    (0, -1, -1, 0): (3, True),
}


def upright(picture: NDArray[np.uint8], turn: Turn) -> NDArray[np.uint8]:
    """The picture turned, then mirrored; contiguous."""
    quarters, mirrored = turn
    if quarters:
        picture = np.rot90(picture, -quarters)
    if mirrored:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def fitted(width_px: int, height_px: int, long_side_px: int) -> tuple[int, int]:
    """Width and height with the long side at most `long_side_px`, both at least 1.

    Example:
        >>> fitted(1280, 720, 32), fitted(100, 50, 640)
        ((32, 18), (100, 50))
    """
    long_side = max(width_px, height_px)
    if long_side <= long_side_px:
        return width_px, height_px
    return (
        max(1, (width_px * long_side_px + long_side // 2) // long_side),
        max(1, (height_px * long_side_px + long_side // 2) // long_side),
    )


class Scaler:
    """One output form; keeps libswscale's tables between frames."""

    def __init__(self, gray: bool, size_px: int) -> None:
        self._gray = gray
        self._size_px = size_px
        self._reformatter = VideoReformatter()

    def picture(self, frame: VideoFrame, turn: Turn, aspect: float) -> NDArray[np.uint8]:
        """The frame in this form: height x width, or height x width x 3.

        Args:
            aspect: width over height of one pixel, as the stream claims.
        """
        if self._gray:
            width, height = self._size_px, self._size_px
        else:
            shown = max(1, round(frame.width * min(max(aspect, 0.1), 10.0)))
            width, height = fitted(shown, frame.height, self._size_px)
        small = self._reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="gray" if self._gray else "rgb24",
            src_colorspace=_matrix(frame),
            src_color_range=_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=_FLAGS,
            threads=1,
        )
        return upright(_array(small, 1 if self._gray else 3), turn)


def _matrix(frame: VideoFrame) -> Colorspace | None:
    if frame.format.is_rgb:
        return None
    named = _MATRICES.get(frame.colorspace)
    if named is not None:
        return named
    return Colorspace.ITU709 if frame.height >= _LINES_HD else Colorspace.ITU601


def _range(frame: VideoFrame) -> ColorRange:
    if frame.color_range in (ColorRange.MPEG, ColorRange.JPEG):
        return ColorRange(frame.color_range)
    name = frame.format.name
    full = frame.format.is_rgb or name.startswith(("yuvj", "gray", "mono", "pal"))
    return ColorRange.JPEG if full else ColorRange.MPEG


def _array(frame: VideoFrame, channels: int) -> NDArray[np.uint8]:
    """A view of the pixels; rows are padded in memory."""
    plane = frame.planes[0]
    rows = np.frombuffer(cast(Any, plane), np.uint8).reshape(-1, plane.line_size)[: frame.height]
    used: NDArray[np.uint8] = rows[:, : frame.width * channels]
    return used.reshape(frame.height, frame.width, 3) if channels == 3 else used
