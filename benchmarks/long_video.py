"""`build` of one video of four hours: its memory, and that of the worker that decodes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import av

from benchmarks import cases
from benchmarks.decode import CLIPS
from benchmarks.measure import MB, Row, ceil, expect, run, seconds

LENGTH_S: Final = 4 * 3600
CLIP: Final = "intel-bottle-detection.mp4"
LIMIT_BYTES: Final = 1_000_000_000


def rows(scratch: Path) -> list[Row]:
    """Peak memory of the program and, by the log, of the worker."""
    if not (CLIPS / CLIP).exists():
        return [Row("build of a 4 h video", f"no {CLIP} in {CLIPS}: set MUNIMENT_CLIPS")]
    source = scratch / "source"
    source.mkdir()
    video = source / "four-hours.mp4"
    _repeat(CLIPS / CLIP, video)
    env = os.environ | {
        "MUNIMENT_KEYS": str(scratch / "keys"),
        "MUNIMENT_PASSPHRASE": "a passphrase for benchmarks",
    }
    command = [cases.MUNIMENT, "build", source, "--case", scratch / "case"]
    cost, _ = run([*command, "--by", "A. Example", "--why", "benchmark"], env, scratch)
    expect(cost, 0, scratch)
    return [
        Row(
            f"`build` of a 4 h video ({ceil(video.stat().st_size / MB)} MB, 640 x 360)",
            f"peak {ceil(cost.peak_bytes / MB)} MB (the largest of its processes)",
            "< 1,000 MB",
            cost.peak_bytes < LIMIT_BYTES,
            cost=seconds(cost),
        )
    ]


def _repeat(path: Path, target: Path) -> None:
    """The clip's packets again and again until it is four hours long; nothing is encoded."""
    with av.open(str(path)) as first, av.open(str(target), "w") as out:
        video = first.streams.video[0]
        made = out.add_stream_from_template(video)
        length = int(video.duration or 0)
        base = float(video.time_base or 0)
        for turn in range(int(LENGTH_S / (length * base)) + 1):
            first.seek(0)
            for packet in first.demux(video):
                if packet.dts is None or packet.pts is None:
                    continue
                packet.pts += turn * length
                packet.dts += turn * length
                packet.stream = made
                out.mux(packet)
