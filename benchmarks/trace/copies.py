"""What reposting does to a clip, with the stretch of the source that each copy shows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from av.container import OutputContainer

from benchmarks.trace.pictures import FPS, Chance, Image, changed, small
from benchmarks.trace.sound import RATE, Sound, faster, part, tune


@dataclass(frozen=True)
class Stretch:
    """time in the copy = to_s + (time in the source - from_s) * speed, until `until_s` there."""

    from_s: float
    until_s: float
    to_s: float
    speed: float


@dataclass(frozen=True)
class Copy:
    """A copy: encoded bytes, and the truth."""

    data: bytes
    stretch: Stretch


@dataclass(frozen=True)
class Recipe:
    """One transform.

    Attributes:
        told: in words, for the table.
        length_s: how much of the source is copied, from a random beginning on.
        faster: how many times as fast it plays.
        fps: pictures a second, or None as in the source.
        inserted: whether it lies in other material, from a random moment on.
        sound: kept, muted or other.
        kbps: of sound.
        needs_sound: not made of sources without sound.
    """

    name: str
    told: str
    length_s: float = 6.0
    faster: Fraction = Fraction(1)
    fps: int | None = None
    crf: int = 26
    inserted: bool = False
    generations: int = 1
    sound: str = "kept"
    kbps: int = 48
    needs_sound: bool = False


RECIPES: Final = (
    Recipe("lowbr", "low bit rate", crf=36, kbps=24),
    Recipe("small", "360 lines of 720", crf=28),
    Recipe("crop10", "crop 10 %"),
    Recipe("crop30", "crop 30 %"),
    Recipe("letterbox", "letterbox"),
    Recipe("pillars", "blurred pillars"),
    Recipe("caption", "caption, logo, ticker"),
    Recipe("mirror", "mirror"),
    Recipe("bright", "brighter"),
    Recipe("contrast", "less contrast"),
    Recipe("grey", "grey"),
    Recipe("speed09", "speed 0.9", faster=Fraction(9, 10)),
    Recipe("speed11", "speed 1.1", faster=Fraction(11, 10)),
    Recipe("fps12", "15 to 12 pictures a second", fps=12),
    Recipe("filmed", "screen filmed, moiré", crf=28),
    Recipe("pip", "as picture in picture"),
    Recipe("covered", "another picture in its corner"),
    Recipe("rotate90", "rotated 90°"),
    Recipe("muted", "muted", sound="muted", needs_sound=True),
    Recipe("resounded", "sound replaced", sound="other"),
    Recipe("combo", "crop, mirror, caption", crf=30),
    Recipe("combo2", "5 s, crop, brighter, bars, 1.1", 5.0, Fraction(11, 10), crf=30, kbps=32),
    Recipe("combo3", "filmed, pillars, muted", crf=30, sound="muted"),
    Recipe("trim3", "a part of 3 s", 3.0),
    Recipe("trim5", "a part of 5 s", 5.0),
    Recipe("insert4", "4 s inserted in other footage", 4.0, crf=28, inserted=True),
    Recipe("gen2", "encoded twice, small", crf=31, generations=2, kbps=32),
)


def encoded(
    frames: Sequence[Image],
    crf: int,
    fps: Fraction = Fraction(FPS),
    sound: Sound | None = None,
    kbps: int = 64,
) -> bytes:
    """H.264, and AAC where there is sound, in MP4; the same bytes for the same pictures."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as box:
        video = box.add_stream("libx264", rate=fps)
        video.height, video.width = (side // 2 * 2 for side in frames[0].shape[:2])
        video.pix_fmt = "yuv420p"
        video.options = {"crf": str(crf), "preset": "superfast", "g": "60"}
        video.codec_context.thread_count = 1
        spoken = box.add_stream("aac", rate=RATE) if sound is not None else None
        if spoken is not None:
            spoken.layout, spoken.bit_rate = "mono", kbps * 1000
        for number, picture in enumerate(frames):
            even = np.ascontiguousarray(picture[: video.height, : video.width])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
        if spoken is not None and sound is not None:
            _speak(box, spoken, sound)
    return out.getvalue()


def _speak(box: OutputContainer, stream: av.AudioStream, sound: Sound) -> None:
    for begin in range(0, len(sound), 1024):
        samples = np.ascontiguousarray(sound[None, begin : begin + 1024])
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, begin, Fraction(1, RATE)
        box.mux(stream.encode(frame))
    box.mux(stream.encode(None))


def decoded(data: bytes) -> list[Image]:
    """All frames."""
    with av.open(io.BytesIO(data), "r") as box:
        return [np.asarray(one.to_ndarray(format="rgb24"), np.uint8) for one in box.decode(video=0)]


def copied(
    frames: Sequence[Image],
    sound: Sound | None,
    recipe: Recipe,
    chance: Chance,
    other: Sequence[Image],
) -> Copy:
    """A copy of a part with a random beginning; `other` is material that no reference shows."""
    count = min(len(frames), round(recipe.length_s * FPS))
    begin = int(chance.integers(0, len(frames) - count + 1))
    start_s, length_s, to_s = begin / FPS, count / FPS, 0.0
    change = changed(recipe.name, chance, other)
    made = [change(one, at / FPS) for at, one in enumerate(frames[begin : begin + count])]
    said = _said(sound, recipe, start_s, length_s)
    fps = FPS * recipe.faster
    if recipe.fps is not None:
        shown = int(length_s * recipe.fps)
        made = [made[min(int(k * FPS / recipe.fps), count - 1)] for k in range(shown)]
        fps = Fraction(recipe.fps)
    if recipe.inserted:
        before = int(chance.integers(2 * FPS, 4 * FPS))
        size = (made[0].shape[1], made[0].shape[0])
        fill = [np.asarray(cv2.resize(one, size), np.uint8) for one in other]
        made = fill[:before] + made + fill[before : before + 2 * FPS]
        to_s = before / FPS
        if said is not None:
            said = np.concatenate([tune("inserted", to_s), said, tune("inserted too", 2.0)])
    data = encoded(made, recipe.crf, fps, said, recipe.kbps)
    for _ in range(recipe.generations - 1):
        again = [small(one) for one in decoded(data)]
        data = encoded(again, recipe.crf, fps, said, recipe.kbps)
    return Copy(data, Stretch(start_s, start_s + length_s, to_s, 1 / float(recipe.faster)))


def _said(sound: Sound | None, recipe: Recipe, start_s: float, length_s: float) -> Sound | None:
    """The sound of a copy, as fast as its pictures."""
    if recipe.sound == "other":
        return tune("replaced", length_s)
    if sound is None or recipe.sound == "muted":
        return None
    return faster(part(sound, start_s, length_s), float(recipe.faster))
