"""Files to clips by the examiners' own decode pass (in this process), and CPU seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import av
import av.error
import msgspec

from muniment.examine import worker
from muniment.model.examine import Examined, Wanted
from muniment.trace.clip import NEEDED, Clip, clip

#: both sides of a picture of many lines, in pixels, are at least
HIGH_PX: Final = 700


def found(path: Path, media_type: str = "video/mp4") -> bytes:
    """What the examiners that tracing needs find in a file, as they encode it."""
    out: list[bytes] = []
    handle = os.open(path, os.O_RDONLY)
    try:
        request = Wanted(NEEDED, media_type, path.stat().st_size)
        worker.run(msgspec.msgpack.encode(request), handle, out.append)
    finally:
        os.close(handle)
    return out[0]


def clip_of(name: str, data: bytes) -> Clip:
    """The clip of what was found."""
    findings = msgspec.msgpack.decode(data, type=Examined).findings
    return clip(
        name,
        {
            one.examiner: (one.facts, {blob.name: blob.data for blob in one.blobs})
            for one in findings
        },
    )


def examined(path: Path, media_type: str = "video/mp4") -> Clip:
    """The clip of a file."""
    return clip_of(path.name, found(path, media_type))


def decode_cpu_s(path: Path) -> float:
    """CPU seconds of a plain decode of all pictures, one thread."""
    begin = time.process_time()
    with av.open(str(path)) as box:
        box.streams.video[0].codec_context.thread_count = 1
        for _ in box.decode(video=0):
            pass
    return time.process_time() - begin


def high(folders: Sequence[Path]) -> tuple[list[Path], float]:
    """Clips of at least 700 lines and columns, as they are, and their length in minutes."""
    paths, length_s = list[Path](), 0.0
    for path in sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir()):
        try:
            with av.open(str(path)) as box:
                video = box.streams.video[0]
                if min(video.width, video.height) >= HIGH_PX:
                    paths.append(path)
                    length_s += (box.duration or 0) / 1e6
        except (av.error.InvalidDataError, IndexError):
            continue
    return paths, length_s / 60
