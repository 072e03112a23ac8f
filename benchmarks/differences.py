"""What sets copies apart, on copies of real clips with known overlays, crops, cuts and sounds.

Run: python -m benchmarks.differences FOLDER_OF_CLIPS
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from muniment.examine import worker
from muniment.model.differences import Box, ClusterDifferences, Difference, Making
from muniment.model.examine import Examined, Wanted
from muniment.trace.candidates import traced
from muniment.trace.clip import Clip, clip
from muniment.trace.clusters import groups
from muniment.trace.differences import differences
from muniment.trace.making import making

Image = NDArray[np.uint8]
CLIPS = ("mdn-monster.mp4", "mdn-elf.mp4", "bbb30.webm", "intel-bottle-detection.mp4")
MOST_S = 14.0
RATE_HZ = 44_100
BAND: Box = (0.0, 0.80, 1.0, 0.93)
LOGO: Box = (0.80, 0.06, 0.95, 0.20)
FOOT: Box = (0.0, 0.90, 1.0, 1.0)
PIP: Box = (0.05, 0.05, 0.35, 0.35)
CROP: Box = (0.07, 0.04, 0.97, 0.94)


@dataclass(frozen=True)
class Copy:
    """A copy and what is so of it; `sound` as `Difference.sound`."""

    frames: list[Image]
    rate: float
    sound: NDArray[np.float32] | None
    quality: int = 30
    truth: dict[str, Any] = field(default_factory=dict)


def read(path: Path) -> Copy:
    """The first seconds of a clip, 360 lines high."""
    with av.open(str(path)) as opened:
        stream = opened.streams.video[0]
        rate, frames = float(stream.average_rate or 25), list[Image]()
        for one in opened.decode(stream):
            if one.time is not None and one.time > MOST_S:
                break
            size = (round(one.width * 180 / one.height) * 2, 360)
            grey = one.to_ndarray(format="rgb24")
            frames.append(cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8))
    return Copy(frames, rate, _heard(path), 20)


def _heard(path: Path) -> NDArray[np.float32]:
    with av.open(str(path)) as opened:
        if not opened.streams.audio:
            return tones(round(MOST_S * RATE_HZ), 3)
        to = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ)
        parts = [
            two.to_ndarray()
            for one in opened.decode(opened.streams.audio[0])
            for two in to.resample(one)
        ]
    return np.concatenate(parts, axis=1)[:, : round(MOST_S * RATE_HZ)].astype(np.float32)


def tones(count: int, seed: int) -> NDArray[np.float32]:
    """Tones that fade, four a second."""
    chance, out = np.random.default_rng(seed), np.zeros(count)
    time_s = np.arange(count) / RATE_HZ
    for start in range(0, count, RATE_HZ // 4):
        pitch = float(
            chance.choice([220, 262, 330, 392, 440, 523, 660, 784]) * chance.choice([1, 2])
        )
        end = min(count, start + 16_000)
        along = time_s[: end - start]
        out[start:end] += 0.25 * np.sin(2 * np.pi * pitch * along) * np.exp(-5 * along)
    return out[None].astype(np.float32)


def write(path: Path, copy: Copy) -> None:
    """Encode with x264, and AAC where there is sound."""
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=Fraction(copy.rate).limit_denominator(1001))
        video.height, video.width = copy.frames[0].shape[:2]
        video.pix_fmt, video.options = "yuv420p", {"crf": str(copy.quality), "preset": "veryfast"}
        audio = (
            out.add_stream("aac", rate=RATE_HZ, layout="mono") if copy.sound is not None else None
        )
        for one in copy.frames:
            shown = av.VideoFrame.from_ndarray(np.ascontiguousarray(one), format="rgb24")
            out.mux(video.encode(shown))
        out.mux(video.encode())
        if audio is not None and copy.sound is not None:
            until = round(len(copy.frames) / copy.rate * RATE_HZ)
            for start in range(0, min(until, copy.sound.shape[1]), 1024):
                part = np.ascontiguousarray(copy.sound[:, start : start + 1024])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = RATE_HZ, start
                out.mux(audio.encode(frame))
            out.mux(audio.encode())


def plate(
    picture: Image, box: Box, words: str, colour: tuple[int, int, int], from_px: int = 8
) -> Image:
    """The picture with a plate and words over a part."""
    out, (high, wide) = picture.copy(), picture.shape[:2]
    left, top = round(box[0] * wide), round(box[1] * high)
    right, bottom = round(box[2] * wide), round(box[3] * high)
    part = np.full((bottom - top, right - left, 3), colour, np.uint8)
    ink = (255, 255, 255) if sum(colour) < 380 else (0, 0, 0)
    cv2.putText(part, words, (from_px, (bottom - top) * 2 // 3), 0, high / 430, ink, 2)
    out[top:bottom, left:right] = part
    return out


def _cut(picture: Image) -> Image:
    high, wide = picture.shape[:2]
    part = picture[
        round(CROP[1] * high) : round(CROP[3] * high), round(CROP[0] * wide) : round(CROP[2] * wide)
    ]
    return np.asarray(cv2.resize(part, (wide, high)), np.uint8)


def _pillars(picture: Image) -> Image:
    high, wide = picture.shape[:2]
    small = cv2.resize(picture, (wide * 3 // 4, high))
    left = wide // 8
    right = wide - small.shape[1] - left
    return np.asarray(cv2.copyMakeBorder(small, 0, 0, left, right, cv2.BORDER_CONSTANT), np.uint8)


def copies(full: Copy) -> Iterator[tuple[str, Copy]]:
    """The copies, each with what is so of it."""
    frames, count, rate = full.frames, len(full.frames), full.rate
    first, last = round(0.3 * count), round(0.8 * count)

    def each(change: Callable[[Image], Image], **truth: Any) -> Copy:
        return Copy([change(one) for one in frames], rate, full.sound, truth=truth)

    def caption(one: Image) -> Image:
        return plate(one, BAND, "NEWS LIVE REPORT FROM HERE", (20, 30, 90))

    yield "reencode", Copy(frames, rate, full.sound, 34)
    yield "caption", each(caption, covered=BAND)
    yield "logo", each(lambda one: plate(one, LOGO, "TV7", (200, 20, 20)), covered=LOGO)
    words = "SOME TEXT THAT RUNS ALONG THE FOOT OF THE PICTURE " * 3
    runs = [plate(one, FOOT, words, (240, 240, 240), 640 - 6 * at) for at, one in enumerate(frames)]
    yield "ticker", Copy(runs, rate, full.sound, truth={"covered": FOOT})
    late = [caption(one) if first <= at < last else one for at, one in enumerate(frames)]
    times = (first / rate, last / rate)
    yield "late", Copy(late, rate, full.sound, truth={"covered": BAND, "times": times})
    within = list[Image]()
    for at, one in enumerate(frames):
        out, (high, wide) = one.copy(), one.shape[:2]
        left, top, right, bottom = (
            *(round(PIP[0] * wide), round(PIP[1] * high)),
            *(round(PIP[2] * wide), round(PIP[3] * high)),
        )
        other = frames[(at + count // 2) % count][:, ::-1]
        out[top:bottom, left:right] = cv2.resize(other, (right - left, bottom - top))
        within.append(out)
    yield "pip", Copy(within, rate, full.sound, truth={"covered": PIP})
    yield "crop", each(_cut, crop=CROP)
    yield "mirror", each(lambda one: one[:, ::-1], mirrored=True)
    start, end = round(0.2 * count), round(0.75 * count)
    heard = full.sound[:, round(start / rate * RATE_HZ) :] if full.sound is not None else None
    yield "trim", Copy(frames[start:end], rate, heard, truth={"cut": (start / rate, end / rate)})
    yield "muted", Copy(frames, rate, None, truth={"sound": "no_track"})
    other_sound = tones(round(count / rate * RATE_HZ), 99)
    yield "other-sound", Copy(frames, rate, other_sound, truth={"sound": "other"})
    under = (0.0, (BAND[1] - CROP[1]) / 0.9, 1.0, (BAND[3] - CROP[1]) / 0.9)
    yield "caption-crop", each(lambda one: _cut(caption(one)), crop=CROP, covered=under)
    yield "pillars", each(_pillars, bars=(0.125, 0.0, 0.875, 1.0))
    yield "faster", Copy(frames, rate * 1.1, None, truth={"speed": 1.1, "sound": "no_track"})
    yield "darker", each(lambda one: np.clip(one * 0.75 - 8, 0, 255).astype(np.uint8))


def seen(path: Path) -> tuple[Clip, Making, int | None]:
    """A file as the examiners see it."""
    out: list[bytes] = []
    handle = os.open(path, os.O_RDONLY)
    try:
        wanted = Wanted(("container", "fingerprint", "motion"), "video/mp4", path.stat().st_size)
        worker.run(msgspec.msgpack.encode(wanted), handle, out.append)
    finally:
        os.close(handle)
    found = msgspec.msgpack.decode(out[0], type=Examined).findings
    facts = {one.examiner: one.facts for one in found}
    blobs = {one.examiner: (one.facts, {b.name: b.data for b in one.blobs}) for one in found}
    held = clip(path.stem, blobs)
    loudest = (
        facts["fingerprint"]["loudest_sample"] if facts["container"]["packets"]["sound"] else None
    )
    return held, making(held, facts["container"]), loudest


def _near(one: Box | None, other: Box, by: float) -> bool:
    return one is not None and all(abs(a - b) <= by for a, b in zip(one, other, strict=True))


def checks(found: Difference, truth: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """What was to be found of a copy, and whether it was; `false ...` is what should not be there."""
    hits = (
        [_near(one.box, truth.get("covered", ()), 0.06) and one.in_copy for one in found.covered]
        if "covered" in truth
        else []
    )
    if "covered" in truth:
        yield "covered", any(hits)
    yield "nothing else covered", len(found.covered) == sum(map(bool, hits))
    if "times" in truth:
        start, end = truth["times"]
        yield (
            "times",
            any(
                max(abs(one.start_s - start), abs(one.end_s - end)) < 0.75 for one in found.covered
            ),
        )
    if "crop" in truth:
        yield "crop", _near(found.crop, truth["crop"], 0.03)
    if "bars" in truth:
        yield "bars", _near(found.bars, truth["bars"], 0.02)
    if "speed" in truth:
        yield "speed", abs(found.speed - truth["speed"]) <= 0.03
    if "cut" in truth:
        ends = [gap.where for gap in found.missing] == ["beginning", "end"]
        yield "cut", ends and abs(found.missing[0].end_s - truth["cut"][0]) < 0.35
    else:
        yield "nothing cut", not found.missing
    yield "mirrored or not", found.mirrored == truth.get("mirrored", False)
    yield "sound", found.sound == truth.get("sound", "same")


def of_clip(path: Path, folder: Path) -> tuple[ClusterDifferences, dict[str, dict[str, Any]]]:
    """The differences in the cluster of a clip's copies, and what is so of each copy."""
    full = read(path)
    truth: dict[str, dict[str, Any]] = {}
    write(folder / "full.mp4", full)
    for name, copy in copies(full):
        write(folder / f"{name}.mp4", copy)
        truth[name] = copy.truth
    held = {name: seen(folder / f"{name}.mp4") for name in ("full", *truth)}
    pairs = traced([one for one, _, _ in held.values()])
    members = max(groups(pairs), key=len)
    items = {name: held[name][1] for name in members}
    loudest = {name: held[name][2] for name in members}
    return differences(items, loudest, pairs, lambda name: held[name][0]), truth


def main(source: Path) -> None:
    """Print how often each kind of difference was found."""
    told: dict[str, list[str]] = {}
    total: dict[str, int] = {}
    for name in CLIPS:
        with tempfile.TemporaryDirectory() as folder:
            found, truth = of_clip(source / name, Path(folder))
        by_name = {one.copy: one for one in found.differences}
        print(f"{name}: {len(by_name)} of {len(truth)} in the cluster, fullest: {found.fullest}")
        for copy, wanted in truth.items():
            if copy in by_name:
                for what, right in checks(by_name[copy], wanted):
                    total[what] = total.get(what, 0) + 1
                    if not right:
                        told.setdefault(what, []).append(f"{name} {copy}")
    for what, number in total.items():
        missed = told.get(what, [])
        print(f"{what:<22}{number - len(missed):>4} of {number}  {', '.join(missed)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
