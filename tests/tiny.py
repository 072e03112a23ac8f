"""The smallest footage: two pictures of 16 x 16, made once."""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO

import av


@cache
def clip() -> bytes:
    """A whole MP4."""
    out = BytesIO()
    with av.open(out, "w", format="mp4") as made:
        stream = made.add_stream("libx264", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for _ in range(2):
            made.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        made.mux(stream.encode())
    return out.getvalue()


def footage(filler: bytes) -> bytes:
    """The clip with so many bytes more in a `free` box: every filler gives another object."""
    return clip() + struct.pack(">I", 8 + len(filler)) + b"free" + filler
