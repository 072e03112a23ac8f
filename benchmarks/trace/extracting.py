"""Files to clips by the examiners' own decode pass (in this process), and CPU seconds."""

from __future__ import annotations

import os
import time
from pathlib import Path

import av
import msgspec

from muniment.examine import worker
from muniment.model.examine import Examined, Wanted
from muniment.trace.clip import NEEDED, Clip, clip


def examined(path: Path, media_type: str = "video/mp4") -> Clip:
    """The clip of a file."""
    out: list[bytes] = []
    handle = os.open(path, os.O_RDONLY)
    try:
        request = Wanted(NEEDED, media_type, path.stat().st_size)
        worker.run(msgspec.msgpack.encode(request), handle, out.append)
    finally:
        os.close(handle)
    found = msgspec.msgpack.decode(out[0], type=Examined).findings
    return clip(
        path.name,
        {one.examiner: (one.facts, {blob.name: blob.data for blob in one.blobs}) for one in found},
    )


def decode_cpu_s(path: Path) -> float:
    """CPU seconds of a plain decode of all pictures, one thread."""
    begin = time.process_time()
    with av.open(str(path)) as box:
        box.streams.video[0].codec_context.thread_count = 1
        for _ in box.decode(video=0):
            pass
    return time.process_time() - begin
