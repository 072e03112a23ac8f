"""Which clips exist, how each is made, and what the truth file must say of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from . import media, place, sound, transforms
from .frames import Image, Stage, Sway, make_sway, render
from .other_scenes import FIELD, MARKET, QUAY
from .scene import FIRST, FPS, HEIGHT_PX, LATER, WIDTH_PX, Scene
from .transforms import Look, Matrix

SIZE = (WIDTH_PX, HEIGHT_PX)
FIRST_FRAMES = 210
LATER_FRAMES = 150
MARKET_FRAMES = 120
SEEDS = {"first": 11, "later": 23, "market": 31, "quay": 41, "field": 43}
SCENES: dict[str, Scene] = {
    "first": FIRST,
    "later": LATER,
    "market": MARKET,
    "quay": QUAY,
    "field": FIELD,
}
LENGTHS = {"first": FIRST_FRAMES, "later": LATER_FRAMES, "market": MARKET_FRAMES}

_CUTS = np.random.default_rng(1309)
TRIM_FROM = int(_CUTS.integers(40, 80)) | 1
TRIM_COUNT = 83
MONTAGE_FROM = int(_CUTS.integers(30, 110)) | 1
MONTAGE_COUNT = 86
MONTAGE_BEFORE, MONTAGE_AFTER = 64, 55
CROP_10 = (int(_CUTS.integers(8, 57)), int(_CUTS.integers(4, 33)), 576, 324)
CROP_30 = (int(_CUTS.integers(60, 150)), int(_CUTS.integers(50, 100)), 448, 252)
RECORD_FROM, RECORD_TO, RECORD_LEAD_S, RECORD_TAIL_S = 11, 203, 0.85, 0.5

_PLAYER = transforms.shift(65, 38) @ transforms.scaling(SIZE, (510, 286))
_CORNERS = np.array([[92.0, 44.0], [566.0, 18.0], [588.0, 322.0], [70.0, 296.0]])
_SCREEN = transforms.quad(SIZE, _CORNERS)
_LETTERBOX = transforms.shift(0, 60)
_SMALL = transforms.scaling(SIZE, (426, 240))


@dataclass(frozen=True)
class CopySpec:
    """A clip made from another.

    Attributes:
        id, parent: clip ids.
        kind: short name of the transform.
        relations: ids of vocab.yaml relations.copy.
        look: what happens to each picture, from the parent's pixels.
        fps, quality: of the new file.
        part: first and one past the last parent frame shown.
        lead_s, tail_s: time before and after in which something else is shown.
        sound: "copy", "room" (a second microphone) or "none".
        may_be_missed, reason: for the truth file.
    """

    id: str
    parent: str
    kind: str
    relations: tuple[str, ...]
    look: Look = field(default_factory=lambda: Look(np.eye(3), SIZE))
    fps: int = FPS
    quality: int = 28
    part: tuple[int, int] = (0, FIRST_FRAMES)
    lead_s: float = 0.0
    tail_s: float = 0.0
    sound: str = "copy"
    may_be_missed: bool = False
    reason: str = ""
    created_utc: datetime | None = None


COPIES: tuple[CopySpec, ...] = (
    CopySpec("reencode", "first", "re-encode, low bit rate", ("re_encode_of",), quality=34),
    CopySpec(
        "small",
        "reencode",
        "re-encode of a re-encode to 426x240 at 12 pictures a second",
        ("re_encode_of",),
        Look(_SMALL, (426, 240)),
        fps=12,
    ),
    CopySpec(
        "caption",
        "first",
        "caption band and logo",
        ("overlay_added_to", "re_encode_of"),
        Look(np.eye(3), SIZE, overlay=transforms.caption_and_logo),
        quality=29,
        created_utc=place.FILMED_UTC + timedelta(hours=1, minutes=21, seconds=7),
    ),
    CopySpec(
        "caption-again", "caption", "re-encode of the captioned copy", ("re_encode_of",), quality=34
    ),
    CopySpec(
        "crop10",
        "first",
        "10 % of width and height cut away, enlarged again",
        ("crop_of", "re_encode_of"),
        Look(transforms.crop(CROP_10, SIZE), SIZE),
        quality=31,
    ),
    CopySpec(
        "crop30",
        "first",
        "30 % of width and height cut away, enlarged again",
        ("crop_of", "re_encode_of"),
        Look(transforms.crop(CROP_30, SIZE), SIZE),
        quality=31,
        may_be_missed=True,
        reason="only 49 % of the picture is left",
    ),
    CopySpec(
        "mirror",
        "reencode",
        "left and right swapped",
        ("mirror_of", "re_encode_of"),
        Look(transforms.mirror(WIDTH_PX), SIZE),
        quality=30,
    ),
    CopySpec(
        "letterbox",
        "first",
        "black bars above and below (640x480)",
        ("re_encode_of",),
        Look(_LETTERBOX, (640, 480)),
        quality=30,
    ),
    CopySpec(
        "screen-flat",
        "first",
        "screen recording of a player, straight on",
        ("overlay_added_to", "re_encode_of"),
        Look(
            _PLAYER,
            SIZE,
            transforms.player_background(SIZE),
            transforms.player_overlay(14.0),
        ),
        fps=20,
        quality=30,
        part=(RECORD_FROM, RECORD_TO),
        lead_s=RECORD_LEAD_S,
        tail_s=RECORD_TAIL_S,
    ),
    CopySpec(
        "screen-tilted",
        "reencode",
        "a display filmed at an angle",
        ("re_encode_of",),
        Look(
            _SCREEN,
            SIZE,
            transforms.desk_background(SIZE, _CORNERS),
            transforms.screen_lines,
            blur_px=0.8,
            grain=2.0,
            gain=0.86,
        ),
        quality=32,
        sound="room",
        may_be_missed=True,
        reason="perspective, blur, moving bands and a second microphone",
    ),
    CopySpec(
        "trim",
        "first",
        "a part from the middle",
        ("excerpt_of", "re_encode_of"),
        quality=30,
        part=(TRIM_FROM, TRIM_FROM + TRIM_COUNT),
    ),
    CopySpec(
        "montage",
        "reencode",
        "a part inside a longer montage of unrelated material",
        ("composite_uses", "re_encode_of"),
        quality=30,
        part=(MONTAGE_FROM, MONTAGE_FROM + MONTAGE_COUNT),
        lead_s=MONTAGE_BEFORE / FPS,
        tail_s=MONTAGE_AFTER / FPS,
    ),
    CopySpec("muted", "first", "no sound stream", ("re_encode_of",), quality=31, sound="none"),
)
COPY_BY_ID = {copy.id: copy for copy in COPIES}


def chain(copy_id: str) -> tuple[Matrix, list[str]]:
    """Matrix from the first publication's pixels, and the clips on the way (oldest first)."""
    matrix: Matrix = np.eye(3)
    line: list[str] = []
    while copy_id != "first":
        spec = COPY_BY_ID[copy_id]
        matrix, copy_id = matrix @ spec.look.matrix, spec.parent
        line.insert(0, copy_id)
    return matrix / matrix[2, 2], line


def stage_and_sway(name: str, scale: float = 1.5, oversample: int = 2) -> tuple[Stage, Sway]:
    """The prepared scene and its camera turns."""
    scene, frames = SCENES[name], LENGTHS.get(name, 70)
    sway = make_sway(frames, scene.sway_deg, SEEDS[name])
    return Stage(scene, scale, oversample), sway


def scene_frames(name: str, only: range | None = None) -> list[Image]:
    """Frames of one scene at full quality."""
    stage, sway = stage_and_sway(name)
    return list(render(stage, sway, SEEDS[name], only=only))


def original(name: str, path: Path) -> list[Image]:
    """Write one of the three rendered clips; returns its pictures before encoding."""
    pictures = scene_frames(name)
    length_s = len(pictures) / FPS
    if name == "first":
        track, _ = sound.first_track(length_s)
        media.write_clip(path, pictures, FPS, track, 23, place.FILMED_UTC)
    elif name == "later":
        wrong = place.FILMED_UTC + timedelta(minutes=3, seconds=12)
        media.write_clip(path, pictures, FPS, sound.plain_track(length_s, 301), 26, wrong)
    else:
        media.write_clip(path, pictures, FPS, sound.plain_track(length_s, 401), 29)
    return pictures


def copied_frames(spec: CopySpec, parent: list[Image], fill: dict[str, list[Image]]) -> list[Image]:
    """Pictures of a copy from its parent's decoded pictures."""
    begin, end = spec.part
    count = round((spec.lead_s + (end - begin) / FPS + spec.tail_s) * spec.fps)
    made: list[Image] = []
    for number in range(count):
        t_s = number / spec.fps
        source = begin + int(np.floor((t_s - spec.lead_s) * FPS + 1e-6))
        if spec.id == "montage" and source < begin:
            made.append(fill["quay"][number])
        elif spec.id == "montage" and source >= end:
            made.append(fill["field"][source - end])
        else:
            made.append(spec.look.apply(parent[min(max(source, begin), end - 1)], t_s, seed=71))
    return made


def copied_sound(spec: CopySpec, parent: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Sound of a copy from its parent's decoded sound."""
    if spec.sound == "none" or parent is None:
        return None
    begin, end = (round(k / FPS * sound.RATE_HZ) for k in spec.part)
    lead, tail = (round(s * sound.RATE_HZ) for s in (spec.lead_s, spec.tail_s))
    piece = parent[begin:end]
    around = sound.room_tone((lead + len(piece) + tail) / sound.RATE_HZ + 0.01, 511)
    track = around[: lead + len(piece) + tail]
    track[lead : lead + len(piece)] = piece
    return sound.quiet_room(track, 521) if spec.sound == "room" else track


def build(folder: Path) -> Iterator[str]:
    """Write every clip, still and voice message into ``folder``; yields each id when done."""
    for name in ("first", "later", "market"):
        original(name, folder / f"{name}.mp4")
        yield name
    fill = {
        "quay": scene_frames("quay", range(MONTAGE_BEFORE)),
        "field": scene_frames("field", range(MONTAGE_AFTER)),
    }
    for spec in COPIES:
        parent = media.read_clip(folder / f"{spec.parent}.mp4")
        pictures = copied_frames(spec, parent.frames, fill)
        track = copied_sound(spec, parent.sound)
        target = folder / f"{spec.id}.mp4"
        media.write_clip(target, pictures, spec.fps, track, spec.quality, spec.created_utc, 32000)
        yield spec.id
    media.write_voice(folder / "request.ogg", 0.6 * sound.load_phrase("request"))
    for still, (clip, frame) in STILLS.items():
        picture = media.read_clip(folder / f"{clip}.mp4").frames[frame]
        cv2.imwrite(
            str(folder / f"{still}.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80]
        )
        yield still


STILLS: dict[str, tuple[str, int]] = {
    "still-1": ("first", 47),
    "still-2": ("first", 151),
    "still-later": ("later", 62),
}
"""Stills: clip and frame number."""
