"""Sources: real clips cut to references, and rendered scenes of a fixed camera at several moments.

Dev and test share no source. Rendered people of one scene walk the same paths at every moment, so
that another moment is as like as it can be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
FPS: Final = 15
WIDTH: Final = 448
LENGTH_S: Final = 9.0
CLIPS: Final = Path("/work/shared/clips")

#: (file, beginning of each reference in seconds): several beginnings of one fixed camera are other
#: moments of it
DEV: Final = (
    ("mdn-crystal.mp4", (0.0,)),
    ("mdn-elf.mp4", (0.0,)),
    ("doorknob-hd-no-bar.mp4", (0.0,)),
    ("bbb30.webm", (3.0, 14.0)),
    ("intel-bottle-detection.mp4", (0.0, 10.0, 20.0, 30.0)),
)
TEST: Final = (
    ("mdn-frog.mp4", (0.0,)),
    ("mdn-monster.mp4", (0.0,)),
    ("mdn-pig.mp4", (0.0,)),
    ("mdn-rabbit.mp4", (0.0,)),
    ("pattern-longer-no-bar.mp4", (0.0,)),
    ("asl-yes.mkv", (0.0,)),
    ("asl-again.mkv", (0.0,)),
)
DEV_SCENES: Final = range(0, 8)
TEST_SCENES: Final = range(8, 20)
MOMENTS: Final = 4


@dataclass(frozen=True)
class Source:
    """Frames at 15 a second, the camera they come from, and what is to be done with them."""

    name: str
    camera: str
    frames: list[Image]
    copied: bool


def sources(split: str, clips: Path = CLIPS) -> Iterator[Source]:
    """All sources of `dev` or `test`; real ones only where the clips are there."""
    files, scenes = (DEV, DEV_SCENES) if split == "dev" else (TEST, TEST_SCENES)
    for name, begins in files:
        if not (clips / name).exists():
            continue
        camera = "asl" if name.startswith("asl") else name.split(".")[0]
        for begin in begins:
            frames = _read(clips / name, begin)
            copied = len(frames) >= 4 * FPS and begin == begins[0]
            yield Source(f"{name.split('.')[0]}-{begin:.0f}", camera, frames, copied)
    for scene in scenes:
        for moment in range(MOMENTS):
            frames = _rendered(scene, moment)
            yield Source(
                f"scene{scene}-{moment}", f"scene{scene}", frames, moment == 0 and scene % 2 == 0
            )
    yield Source(f"still-{split}", f"still-{split}", [_ground(900 + len(split))] * (6 * FPS), False)
    black = np.zeros((252, WIDTH, 3), np.uint8)
    yield Source(f"black-{split}", f"black-{split}", [black] * (6 * FPS), False)


def _read(path: Path, begin_s: float) -> list[Image]:
    """Frames at 15 a second from `begin_s` on, for at most 9 s, 448 pixels on the long side."""
    frames: list[Image] = []
    with av.open(str(path)) as box:
        for frame in box.decode(video=0):
            at = float(frame.time or 0.0) - begin_s
            if at < len(frames) / FPS - 1e-6:
                continue
            if at >= LENGTH_S:
                break
            scale = WIDTH / max(frame.width, frame.height)
            size = (int(frame.width * scale) // 2 * 2, int(frame.height * scale) // 2 * 2)
            picture = frame.reformat(*size, format="rgb24", interpolation="AREA").to_ndarray()
            frames.append(np.asarray(picture, np.uint8))
    return frames


def _ground(scene: int) -> Image:
    """A still background: blotches, walls, windows."""
    chance = np.random.default_rng([scene, 77])
    small = chance.uniform(60, 190, (9, 16, 3)).astype(np.float32)
    base = cv2.resize(small, (WIDTH, 252), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        x, y = int(chance.integers(0, WIDTH)), int(chance.integers(0, 170))
        w, h = int(chance.integers(12, 110)), int(chance.integers(10, 80))
        cv2.rectangle(base, (x, y), (x + w, y + h), chance.uniform(30, 230, 3).tolist(), -1)
    base += chance.normal(0, 6, base.shape)
    return np.clip(base, 0, 255).astype(np.uint8)


def _rendered(scene: int, moment: int) -> list[Image]:
    """A fixed camera: people and carts on the scene's own paths; light and people of the moment."""
    ways = np.random.default_rng([scene, 5])
    paths = [
        (
            ways.uniform(0, 1),
            ways.uniform(0.45, 0.95),
            ways.uniform(-0.16, 0.16),
            ways.uniform(-0.02, 0.02),
        )
        for _ in range(4)
    ]
    chance = np.random.default_rng([scene, moment, 9])
    light = chance.uniform(0.92, 1.08)
    ground = np.clip(_ground(scene) * light, 0, 255).astype(np.uint8)
    walkers = []
    for x, y, dx, dy in paths[: 2 + scene % 3]:
        colour = chance.uniform(20, 235, 3).tolist()
        pace = chance.uniform(0.85, 1.15)
        walkers.append(
            (x + chance.uniform(-0.35, 0.35), y, dx * pace, dy, colour, chance.uniform(0.8, 1.2))
        )
    out = []
    sway = chance.uniform(0, 6.3, 2)
    shaken = 0.0 if scene % 2 else 1.5
    for number in range(int(7.0 * FPS)):
        t = number / FPS
        picture = ground.copy()
        for x, y, dx, dy, colour, size in walkers:
            _walker(picture, (x + dx * t) % 1.2 - 0.1, y + dy * t, colour, size * 42 * y, t)
        shift = [shaken * np.sin(1.3 * t + sway[0]), shaken * np.sin(0.9 * t + sway[1])]
        move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
        moved = cv2.warpAffine(picture, move, (WIDTH, 252), borderMode=cv2.BORDER_REFLECT)
        out.append(np.asarray(moved, np.uint8))
    return out


def _walker(picture: Image, x: float, y: float, colour: list[float], tall: float, t: float) -> None:
    """A head, a body and two legs that swing."""
    h, w = picture.shape[:2]
    foot = (int(x * w), int(y * h))
    hip = (foot[0], int(foot[1] - 0.45 * tall))
    for side in (-1, 1):
        end = (int(foot[0] + side * 0.18 * tall * np.sin(7 * t)), foot[1])
        cv2.line(picture, hip, end, (40, 40, 60), max(2, int(tall / 9)))
    cv2.ellipse(
        picture,
        (hip[0], int(hip[1] - 0.2 * tall)),
        (max(2, int(tall / 6)), max(3, int(tall / 4))),
        0,
        0,
        360,
        colour,
        -1,
    )
    cv2.circle(
        picture, (hip[0], int(hip[1] - 0.52 * tall)), max(2, int(tall / 9)), (205, 170, 140), -1
    )
