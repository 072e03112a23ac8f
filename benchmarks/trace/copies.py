"""What reposting does to a clip, with the stretch of the source that each copy shows."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.trace.scenes import FPS

Image = NDArray[np.uint8]
Chance = np.random.Generator


@dataclass(frozen=True)
class Stretch:
    """time in the copy = to_s + (time in the source - from_s) * speed, until `until_s` there."""

    from_s: float
    until_s: float
    to_s: float
    speed: float


@dataclass(frozen=True)
class Copy:
    """A copy: encoded bytes, its transform, and the truth."""

    transform: str
    data: bytes
    stretch: Stretch


def encoded(frames: list[Image], crf: int, fps: Fraction = Fraction(FPS)) -> bytes:
    """H.264 in MP4, without sound."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as box:
        video = box.add_stream("libx264", rate=fps)
        video.height, video.width = (side // 2 * 2 for side in frames[0].shape[:2])
        video.pix_fmt = "yuv420p"
        video.options = {"crf": str(crf), "preset": "superfast", "g": "60"}
        video.codec_context.thread_count = 1
        for number, picture in enumerate(frames):
            even = np.ascontiguousarray(picture[: video.height, : video.width])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = number, 1 / fps
            box.mux(video.encode(frame))
        box.mux(video.encode(None))
    return out.getvalue()


def decoded(data: bytes) -> list[Image]:
    """All frames."""
    with av.open(io.BytesIO(data)) as box:
        return [np.asarray(one.to_ndarray(format="rgb24"), np.uint8) for one in box.decode(video=0)]


def _cropped(share: float, chance: Chance) -> Callable[[Image], Image]:
    x, y = chance.uniform(0, share, 2)

    def crop(picture: Image) -> Image:
        h, w = picture.shape[:2]
        left, top = int(x * w), int(y * h)
        part = picture[top : top + int(h * (1 - share)), left : left + int(w * (1 - share))]
        return np.asarray(cv2.resize(part, (w, h), interpolation=cv2.INTER_LINEAR), np.uint8)

    return crop


def _letterbox(picture: Image) -> Image:
    bar = int(picture.shape[0] * 0.17)
    return np.asarray(cv2.copyMakeBorder(picture, bar, bar, 0, 0, cv2.BORDER_CONSTANT), np.uint8)


def _pillars(picture: Image) -> Image:
    h, w = picture.shape[:2]
    wide, high = (w, int(w * 16 / 9)) if w >= h else (int(h * 16 / 9), h)
    base = cv2.GaussianBlur(cv2.resize(picture, (wide, high)), (0, 0), wide / 30)
    top, left = (high - h) // 2, (wide - w) // 2
    base[top : top + h, left : left + w] = picture
    scale = 480 / max(wide, high)
    size = (int(wide * scale) // 2 * 2, int(high * scale) // 2 * 2)
    return np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_AREA), np.uint8)


def _caption(picture: Image) -> Image:
    out = picture.copy()
    h, w = out.shape[:2]
    band = out[int(0.82 * h) : int(0.94 * h), int(0.04 * w) : int(0.96 * w)]
    band[:] = (band * 0.2).astype(np.uint8)
    cv2.putText(
        out,
        "SEEN TODAY NEAR THE YARD",
        (int(0.06 * w), int(0.91 * h)),
        0,
        w / 700,
        (255, 255, 255),
        2,
    )
    cv2.circle(out, (int(0.92 * w), int(0.1 * h)), int(0.06 * w), (230, 60, 40), -1)
    return out


def _bright(picture: Image) -> Image:
    return np.clip(picture.astype(np.float32) * 1.2 + 25, 0, 255).astype(np.uint8)


def _grey(picture: Image) -> Image:
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(
        np.uint8
    )


def _filmed(chance: Chance) -> Callable[[Image], Image]:
    """A screen filmed at a slight angle, on a dark desk, with faint bands."""
    shift = chance.uniform(0.01, 0.06, (4, 2))

    def film(picture: Image) -> Image:
        h, w = picture.shape[:2]
        outer = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
        inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]], np.float32)
        to = (outer + inward * shift).astype(np.float32) * [w, h]
        matrix = cv2.getPerspectiveTransform(
            (outer * [w, h]).astype(np.float32), to.astype(np.float32)
        )
        out = cv2.warpPerspective(picture, matrix, (w, h), borderValue=(38, 34, 30)).astype(
            np.float32
        )
        bands = 1 + 0.05 * np.sin(np.arange(h) * 0.4)
        return np.clip(cv2.GaussianBlur(out, (0, 0), 0.8) * bands[:, None, None], 0, 255).astype(
            np.uint8
        )

    return film


def _mirror(picture: Image) -> Image:
    return np.ascontiguousarray(picture[:, ::-1])


def _small(picture: Image) -> Image:
    h, w = picture.shape[:2]
    return np.asarray(
        cv2.resize(picture, (w // 4 * 2, h // 4 * 2), interpolation=cv2.INTER_AREA), np.uint8
    )


PICTURES: Final = (
    "lowbr",
    "small",
    "crop10",
    "crop30",
    "letterbox",
    "pillars",
    "caption",
    "mirror",
    "bright",
    "grey",
    "filmed",
    "combo",
)
TIMES: Final = ("speed09", "speed11", "fps12", "trim3", "insert4", "gen2")
TRANSFORMS: Final = PICTURES + TIMES


def changed(transform: str, chance: Chance) -> Callable[[Image], Image]:
    """What a transform does to each picture; nothing where it only changes the times."""
    crop = _cropped(0.1, chance)
    changes: dict[str, Callable[[Image], Image]] = {
        "small": _small,
        "crop10": crop,
        "crop30": _cropped(0.3, chance),
        "letterbox": _letterbox,
        "pillars": _pillars,
        "caption": _caption,
        "mirror": _mirror,
        "bright": _bright,
        "grey": _grey,
        "filmed": _filmed(chance),
        "combo": lambda picture: _caption(_mirror(crop(picture))),
    }
    return changes.get(transform, lambda picture: picture)


def copied(frames: list[Image], transform: str, chance: Chance, other: list[Image]) -> Copy:
    """A copy of a part with a random beginning; `other` is unrelated material for an insert."""
    begin = int(chance.integers(0, max(1, len(frames) - 6 * FPS + 1)))
    count = {"trim3": 3 * FPS, "insert4": 4 * FPS}.get(transform, 6 * FPS)
    if transform in ("trim3", "insert4"):
        begin = int(chance.integers(0, max(1, len(frames) - count)))
    part = frames[begin : begin + count]
    change = changed(transform, chance)
    made = [change(picture) for picture in part]
    start, length = begin / FPS, len(part) / FPS
    speed = {"speed09": 1 / 0.9, "speed11": 1 / 1.1}.get(transform, 1.0)
    fps, to_s = Fraction(FPS), 0.0
    if speed != 1.0:
        fps = (
            Fraction(FPS) * Fraction(10, 9) ** -1 if speed > 1 else Fraction(FPS) * Fraction(11, 10)
        )
    if transform == "fps12":
        made = [made[min(int(k / 12 * FPS), len(made) - 1)] for k in range(int(length * 12))]
        fps = Fraction(12)
    if transform == "insert4":
        before = int(chance.integers(2 * FPS, 4 * FPS))
        size = (made[0].shape[1], made[0].shape[0])
        fill = [np.asarray(cv2.resize(one, size), np.uint8) for one in other]
        made = fill[:before] + made + fill[before : before + 2 * FPS]
        to_s = before / FPS
    crf = {"lowbr": 36, "gen2": 31, "insert4": 28, "combo": 30}.get(transform, 26)
    data = encoded(made, crf, fps)
    if transform == "gen2":
        data = encoded([_small(one) for one in decoded(data)], 31)
    return Copy(transform, data, Stretch(start, start + length, to_s, speed))
