"""Encode and decode clips with PyAV (H.264 and AAC in MP4; Opus in Ogg)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from .sound import RATE_HZ

Image = NDArray[np.uint8]
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Clip:
    """A decoded clip.

    Attributes:
        frames: RGB pictures.
        times_s: presentation time of each, seconds.
        sound: mono samples, -1 to 1, at ``rate_hz``; None when there is no sound stream.
        rate_hz: samples a second (0 without sound).
    """

    frames: list[Image]
    times_s: list[float]
    sound: Samples | None
    rate_hz: int


def write_clip(
    path: Path,
    frames: Iterable[Image],
    fps: int,
    sound: Samples | None,
    quality: int,
    created_utc: datetime | None = None,
    sound_rate_bps: int = 40000,
) -> None:
    """Write an MP4.

    Args:
        frames: RGB pictures of one size (even width and height).
        fps: pictures a second.
        sound: mono samples at ``RATE_HZ``; None for no sound stream.
        quality: x264 constant rate factor (higher is smaller and worse).
        created_utc: ``creation_time`` of the container; none when None.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as box:
        if created_utc is not None:
            box.metadata["creation_time"] = created_utc.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        video = box.add_stream("libx264", rate=fps)
        video.pix_fmt = "yuv420p"
        video.options = {"crf": str(quality), "preset": "veryslow", "g": str(fps * 4)}
        video.codec_context.thread_count = 1
        audio = box.add_stream("aac", rate=RATE_HZ, layout="mono") if sound is not None else None
        if audio is not None:
            audio.bit_rate = sound_rate_bps
        for number, picture in enumerate(frames):
            if number == 0:
                video.height, video.width = picture.shape[:2]
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
        if audio is not None and sound is not None:
            for begin in range(0, len(sound), 1024):
                part = sound[begin : begin + 1024].astype(np.float32)[None, :]
                block = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                block.sample_rate, block.pts = RATE_HZ, begin
                block.time_base = Fraction(1, RATE_HZ)
                box.mux(audio.encode(block))
            box.mux(audio.encode(None))


def write_voice(path: Path, sound: Samples) -> None:
    """Write mono Opus in Ogg at 48 kHz, as a voice message."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = int(len(sound) * 48000 / RATE_HZ)
    at_48k = np.interp(np.arange(count) * RATE_HZ / 48000, np.arange(len(sound)), sound)
    with av.open(str(path), "w", format="ogg") as box:
        stream = box.add_stream("libopus", rate=48000, layout="mono")
        stream.bit_rate = 24000
        for begin in range(0, count, 960):
            part = (at_48k[begin : begin + 960] * 32767).astype(np.int16)[None, :]
            block = av.AudioFrame.from_ndarray(part, format="s16", layout="mono")
            block.sample_rate, block.pts = 48000, begin
            block.time_base = Fraction(1, 48000)
            box.mux(stream.encode(block))
        box.mux(stream.encode(None))


def read_clip(path: Path) -> Clip:
    """Decode everything in a clip or a sound."""
    frames: list[Image] = []
    times: list[float] = []
    parts: list[Samples] = []
    rate = 0
    with av.open(str(path)) as box:
        if box.streams.video:
            for frame in box.decode(video=0):
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8))
                times.append(float(frame.time or 0.0))
    with av.open(str(path)) as box:
        if box.streams.audio:
            to_float = av.AudioResampler(format="fltp", layout="mono")
            for block in box.decode(audio=0):
                rate = block.sample_rate
                for flat in to_float.resample(block):
                    parts.append(flat.to_ndarray()[0].astype(float))
    return Clip(frames, times, np.concatenate(parts) if parts else None, rate)


def created(path: Path) -> str | None:
    """The container's ``creation_time`` as written, or None."""
    with av.open(str(path)) as box:
        value = box.metadata.get("creation_time")
    return str(value) if value else None
