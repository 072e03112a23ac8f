"""Decoding once for all examiners, against plainly decoding the same file with PyAV.

The clips are real ones of 720 lines and 10 s or more, from the folder MUNIMENT_CLIPS names
(default `../shared/clips`); shorter ones are repeated, and one is encoded as H.264 besides.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import av
import msgspec

from benchmarks.measure import Row, ceil
from muniment.examine import registry, worker
from muniment.model.examine import Wanted
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Limits

CLIPS: Final = Path(os.environ.get("MUNIMENT_CLIPS", "../shared/clips"))
ROUNDS: Final = 7
LEAST_S: Final = 10.0
TINY_ROUNDS: Final = 50


def rows(scratch: Path) -> list[Row]:
    """Ratios in process and confined, for each clip; the fixed cost a file."""
    if not CLIPS.is_dir():
        return [Row("decode + all examiners", f"no clips in {CLIPS}: set MUNIMENT_CLIPS")]
    worker.preload()
    found: list[Row] = []
    with Zygote.start(registry.ENTRY) as zygote:
        for clip in _clips(scratch):
            found += _clip_rows(clip, zygote)
        found.append(_fixed(scratch, zygote))
    return found


def _clip_rows(clip: Path, zygote: Zygote) -> list[Row]:
    measured = _in_turn(
        lambda: plain(clip), lambda: in_process(clip), lambda: confined(clip, zygote)
    )
    bare, inside, outside = measured
    length_s = _length_s(clip)
    minute = f"{ceil(60 * inside / length_s, 2)} CPU s a minute of footage"
    peer = f"plain PyAV decode, 1 thread: {ceil(bare, 3)} CPU s"
    return [
        Row(
            f"{clip.name} ({length_s:.0f} s): decode and all examiners, in process",
            f"{ceil(inside, 3)} CPU s (median of {ROUNDS})",
            "<= 1.25x",
            inside <= 1.25 * bare,
            peer,
            ceil(inside / bare, 3),
            minute,
        ),
        Row(
            f"{clip.name}: the same, confined",
            f"{ceil(outside, 3)} CPU s",
            "<= 1.40x",
            outside <= 1.40 * bare,
            peer,
            ceil(outside / bare, 3),
        ),
    ]


def _fixed(scratch: Path, zygote: Zygote) -> Row:
    """What confinement adds to a file so small that its decoding is nothing."""
    tiny = scratch / "tiny.mp4"
    with av.open(str(tiny), "w") as made:
        stream = made.add_stream("libx264", rate=10)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        for _ in range(2):
            made.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        made.mux(stream.encode())
    inside, outside = _in_turn(
        lambda: in_process(tiny), lambda: confined(tiny, zygote), rounds=TINY_ROUNDS, quartile=True
    )
    return Row(
        "fixed cost a file of confinement (zygote, fork, layers, pipe; two 16 x 16 pictures)",
        f"{ceil(1000 * (outside - inside), 1)} ms CPU (lower quartiles of {TINY_ROUNDS})",
        "<= 15 ms",
        outside - inside <= 0.015,
        f"in process: {ceil(1000 * inside, 1)} ms CPU",
    )


def _in_turn(
    *what: Callable[[], float], rounds: int = ROUNDS, quartile: bool = False
) -> list[float]:
    """CPU seconds of each, run in turn so that a noisy moment strikes all alike."""
    taken: list[list[float]] = [[] for _ in what]
    for _ in range(rounds):
        for one, times in zip(what, taken, strict=True):
            times.append(one())
    if quartile:
        return [statistics.quantiles(times, n=4)[0] for times in taken]
    return [statistics.median(times) for times in taken]


def plain(clip: Path) -> float:
    """CPU seconds of PyAV decoding every picture and all sound, one thread, and nothing else."""
    started_s = time.process_time()
    with av.open(str(clip)) as opened:
        for stream in opened.streams:
            stream.codec_context.thread_count = 1
        for packet in opened.demux():
            for _ in packet.decode():
                pass
    return time.process_time() - started_s


def in_process(clip: Path) -> float:
    """CPU seconds of the worker's own code, in this process."""
    fd = os.open(clip, os.O_RDONLY)
    try:
        started_s = time.process_time()
        worker.run(_request(clip), fd, lambda _: None)
        return time.process_time() - started_s
    finally:
        os.close(fd)


def confined(clip: Path, zygote: Zygote) -> float:
    """CPU seconds of a confined worker, of its zygote, and of the host taking its answer."""
    before = _used_s(zygote)
    fd = os.open(clip, os.O_RDONLY)
    try:
        ended = zygote.spawn(_request(clip), fd, Limits()).finish()
    finally:
        os.close(fd)
    if ended.outcome != "done":
        raise RuntimeError(f"{clip}: {ended.outcome} {ended.signal} {ended.detail}")
    return ended.cpu_s + _used_s(zygote) - before


def _used_s(zygote: Zygote) -> float:
    """CPU seconds so far of this process and of the zygote itself."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    stat = Path(f"/proc/{zygote.pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(stat[11]) + int(stat[12])
    return mine.ru_utime + mine.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _request(clip: Path) -> bytes:
    kind = "video/webm" if clip.suffix == ".webm" else "video/mp4"
    return msgspec.msgpack.encode(Wanted(registry.wanted_for(kind), kind, clip.stat().st_size))


def _clips(scratch: Path) -> list[Path]:
    """Real clips of 720 lines, each 10 s or longer."""
    found: list[Path] = []
    for path in sorted(CLIPS.iterdir()):
        if path.suffix not in (".mp4", ".webm"):
            continue
        with av.open(str(path)) as opened:
            video = opened.streams.video[0]
            if min(video.width, video.height) != 720:
                continue
        if _length_s(path) >= LEAST_S:
            found += [path, _as_h264(path, scratch)]
        elif _length_s(path) >= LEAST_S / 2:
            found.append(_repeated(path, scratch))
    return found


def _length_s(path: Path) -> float:
    with av.open(str(path)) as opened:
        return float(opened.duration or 0) / av.time_base


def _repeated(path: Path, scratch: Path) -> Path:
    """The clip's packets twice, not encoded again."""
    target = scratch / f"twice-{path.name}"
    with av.open(str(path)) as first, av.open(str(target), "w") as out:
        video = out.add_stream_from_template(first.streams.video[0])
        shift = int(first.streams.video[0].duration or 0)
        for turn in range(2):
            with av.open(str(path)) as again:
                for packet in again.demux(again.streams.video[0]):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts += turn * shift
                    packet.dts += turn * shift
                    packet.stream = video
                    out.mux(packet)
    return target


def _as_h264(path: Path, scratch: Path) -> Path:
    """The clip encoded as H.264 by x264's defaults, without sound."""
    target = scratch / f"{path.stem}-h264.mp4"
    with av.open(str(path)) as first, av.open(str(target), "w") as out:
        video = first.streams.video[0]
        made = out.add_stream("libx264", rate=video.average_rate)
        made.width, made.height, made.pix_fmt = video.width, video.height, "yuv420p"
        for number, picture in enumerate(first.decode(video)):
            picture.pts, picture.time_base = number, 1 / video.average_rate
            out.mux(made.encode(picture))
        out.mux(made.encode())
    return target
