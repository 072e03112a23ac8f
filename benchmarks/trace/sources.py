"""Sources: real clips cut to references, rendered ones, and what is made to be mistaken for a copy.

Dev and test share no source, no camera and no place. Pictures and sound are made when asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np

from benchmarks.trace import scenes, ways, yards
from benchmarks.trace.pictures import FPS, Image
from benchmarks.trace.sound import RATE, Sound, heard, tune

WIDTH: Final = 448
LENGTH_S: Final = 9.0
MOMENTS: Final = 4
#: (file, beginning of each reference in seconds); the first is copied
KNOWN: Final[dict[str, dict[str, tuple[float, ...]]]] = {
    "dev": {
        "mdn-crystal.mp4": (0.0,),
        "mdn-elf.mp4": (0.0,),
        "doorknob-hd-no-bar.mp4": (0.0,),
        "bbb30.webm": (3.0, 14.0),
        "intel-bottle-detection.mp4": (0.0, 10.0, 20.0, 30.0),
        "carphone_pristine.mp4": (0.0,),
    },
    "test": {
        "mdn-frog.mp4": (0.0,),
        "mdn-monster.mp4": (0.0,),
        "mdn-pig.mp4": (0.0,),
        "mdn-rabbit.mp4": (0.0,),
        "pattern-longer-no-bar.mp4": (0.0,),
        "asl-yes.mkv": (0.0,),
        "asl-again.mkv": (0.0,),
        "bikes.mp4": (0.0,),
    },
}
#: clips of a camera that stands still: other beginnings or files are other moments of it
FIXED: Final = {
    "intel-bottle-detection.mp4": "intel-bottle-detection",
    "asl-yes.mkv": "asl",
    "asl-again.mkv": "asl",
}
#: files that others made from a source: queries as they are
VARIANTS: Final = {
    "carphone_distorted.mp4": "carphone_pristine.mp4",
    "mdn-rabbit320.mp4": "mdn-rabbit.mp4",
    "pattern-hd-no-bar.mp4": "pattern-longer-no-bar.mp4",
    "pattern-sd-grey-bar.mp4": "pattern-longer-no-bar.mp4",
    "pattern-sd-with-large-logo-bar.mp4": "pattern-longer-no-bar.mp4",
    "pattern-sd-with-small-logo-bar.mp4": "pattern-longer-no-bar.mp4",
}
#: shows the film of which bbb30.webm is a part, perhaps the same seconds
LEFT_OUT: Final = ("bigbuckbunny.mp4",)
SCENES: Final = {"dev": range(0, 8), "test": range(8, 20)}
YARDS: Final = {"dev": range(0, 8), "test": range(100, 110)}
#: no number of `SCENES`: one number gives both the same background
WAYS: Final = {"dev": range(20, 24), "test": range(100, 104)}
#: yards that only stand behind something that clips share
OTHER_YARDS: Final = {"dev": range(60, 75), "test": range(160, 175)}
_SUFFIXES: Final = (".mp4", ".mkv", ".webm", ".mov", ".avi")

Pictures = Callable[[], list[Image]]
Heard = Callable[[], Sound | None]


def _silent() -> Sound | None:
    return None


@dataclass(frozen=True)
class Source:
    """A reference, and where it was taken.

    Attributes:
        camera: clips of one camera that are not one clip are other moments.
        event, place: what several cameras may show; the source's own name where it is alone.
        shared: what others have too: `intro`, `black`, `static`, `sound:NAME`.
        copied: whether copies are made of it.
    """

    name: str
    camera: str
    pictures: Pictures
    sound: Heard = _silent
    event: str = ""
    place: str = ""
    shared: tuple[str, ...] = ()
    copied: bool = False


def sources(split: str, folders: Sequence[Path]) -> list[Source]:
    """All sources of `dev` or `test`; real ones of the folders that are there."""
    real = list(_real(split, folders))
    return [
        *real,
        *_scenes(split),
        *_yards(split),
        *_ways(split),
        *_shared(split, [one for one in real if one.sound is not _silent][:3]),
        *_empty(split),
    ]


def unrelated(split: str) -> list[Image]:
    """What inserts and other pictures are made of; no reference shows it."""
    return yards.rendered(OTHER_YARDS[split][14], 0)


def variants(split: str, folders: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Real files that show a source of this split, and that source's name."""
    for path in _files(folders):
        original = VARIANTS.get(path.name, "")
        if original in KNOWN[split] and any((one / original).exists() for one in folders):
            yield path, f"{Path(original).stem}-0"


def _files(folders: Sequence[Path]) -> list[Path]:
    every = {
        path.name: path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _SUFFIXES
    }
    return [every[name] for name in sorted(every)]


def _split(path: Path) -> str | None:
    """The half a file belongs to; one that is not known, by its name."""
    if path.name in VARIANTS or path.name in LEFT_OUT:
        return None
    for split, names in KNOWN.items():
        if path.name in names:
            return split
    return ("dev", "test")[zlib.crc32(path.name.encode()) % 2]


def _real(split: str, folders: Sequence[Path]) -> Iterator[Source]:
    found = [path for path in _files(folders) if _split(path) == split]
    order = list(KNOWN[split])
    found.sort(key=lambda path: order.index(path.name) if path.name in order else len(order))
    for path in found:
        begins = KNOWN[split].get(path.name, (0.0,))
        with av.open(str(path)) as box:
            length_s = (box.duration or 0) / 1e6
            hears = bool(box.streams.audio)
        for begin in begins:
            name = f"{path.stem}-{begin:.0f}"
            shown_s = min(LENGTH_S, length_s - begin)
            yield Source(
                name,
                FIXED.get(path.name, name),
                partial(_read, path, begin),
                partial(heard, path, begin, shown_s) if hears else _silent,
                copied=begin == begins[0] and shown_s >= 3.9,
            )


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


def _scenes(split: str) -> Iterator[Source]:
    for scene in SCENES[split]:
        for moment in range(MOMENTS):
            yield Source(
                f"scene{scene}-{moment}",
                f"scene{scene}",
                partial(scenes.rendered, scene, moment),
                copied=moment == 0 and scene % 2 == 0,
            )


def _yards(split: str) -> Iterator[Source]:
    """Four moments of a camera, another camera at the first, and another day."""
    for scene in YARDS[split]:
        place, first = f"yard{scene}", f"yard{scene} at 0"
        for moment in range(MOMENTS):
            yield Source(
                f"yard{scene}-{moment}",
                place,
                partial(yards.rendered, scene, moment),
                event=f"yard{scene} at {moment}",
                place=place,
                copied=moment == 0 and scene % 3 == 0,
            )
        across = partial(yards.rendered, scene, 0, 1)
        yield Source(f"yard{scene}-across", f"{place}, across", across, event=first, place=place)
        later = partial(yards.rendered, scene, 0, 0, 1)
        yield Source(f"yard{scene}-day", f"{place}, another day", later, place=place)


def _ways(split: str) -> Iterator[Source]:
    for scene in WAYS[split]:
        for moment in range(MOMENTS):
            yield Source(
                f"way{scene}-{moment}",
                f"way{scene}",
                partial(ways.rendered, scene, moment, 9.0),
                copied=moment == 0 and scene % 4 == 0,
            )


def _shared(split: str, real: Sequence[Source]) -> Iterator[Source]:
    """Other footage behind the same title and logo, between black frames, under the same sound."""
    behind = iter(OTHER_YARDS[split])
    for scene in [next(behind) for _ in range(4)]:
        yield Source(
            f"intro{scene}",
            f"intro{scene}",
            partial(_behind_title, split, scene),
            partial(_behind_tune, f"title {split}", scene),
            shared=("intro",),
        )
    for scene in (next(behind), next(behind)):
        yield Source(f"dark{scene}", f"dark{scene}", partial(_in_dark, scene), shared=("black",))
    for one in real:
        scene = next(behind)
        under = partial(yards.rendered, scene, 0)
        yield Source(
            f"under{scene}", f"under{scene}", under, one.sound, shared=(f"sound:{one.name}",)
        )
    for scene in (next(behind), next(behind)):
        under, song = (
            partial(yards.rendered, scene, 0),
            partial(tune, f"song {split}", yards.LENGTH_S),
        )
        yield Source(f"song{scene}", f"song{scene}", under, song, shared=("sound:song",))


def _behind_title(split: str, scene: int) -> list[Image]:
    """2.5 s of an animated title that all of a split share, then footage with a logo."""
    chance = np.random.default_rng([len(split), 61])
    colours = chance.uniform(20, 220, (2, 3))
    frames, text = list[Image](), cv2.FONT_HERSHEY_SIMPLEX
    for number in range(round(2.5 * FPS)):
        picture = np.full((yards.HEIGHT, yards.WIDTH, 3), colours[0], np.uint8)
        for ring in range(4):
            cv2.circle(
                picture,
                (110 + 8 * number, 126),
                20 + 3 * number + 30 * ring,
                colours[1].tolist(),
                3,
            )
        cv2.putText(
            picture, "THE DAY IN PICTURES", (40, 200 - number), text, 1.0, (250, 250, 250), 2
        )
        frames.append(picture)
    for picture in yards.rendered(scene, 0)[: 6 * FPS]:
        cv2.rectangle(picture, (360, 14), (436, 44), colours[1].tolist(), -1)
        cv2.putText(picture, "DAY 24", (364, 36), text, 0.6, (250, 250, 250), 2)
        frames.append(picture)
    return frames


def _behind_tune(title: str, scene: int) -> Sound:
    after = 0.1 * np.random.default_rng([scene, 62]).normal(0, 1, 6 * RATE)
    return np.concatenate([tune(title, 2.5), after.astype(np.float32)])


def _in_dark(scene: int) -> list[Image]:
    black = [np.zeros((yards.HEIGHT, yards.WIDTH, 3), np.uint8)] * (2 * FPS)
    return [*black, *yards.rendered(scene, 0)[: 5 * FPS], *black]


def _still(split: str) -> list[Image]:
    return [scenes.ground(900 + len(split))] * (6 * FPS)


def _black() -> list[Image]:
    return [np.zeros((252, WIDTH, 3), np.uint8)] * (6 * FPS)


def _empty(split: str) -> Iterator[Source]:
    """A still picture, black frames, and empty yards where only light and leaves change."""
    yield Source(f"still-{split}", f"still-{split}", partial(_still, split), shared=("static",))
    yield Source(f"black-{split}", f"black-{split}", _black, shared=("static", "black"))
    for scene in OTHER_YARDS[split][11:14]:
        for moment in range(2):
            yield Source(
                f"empty{scene}-{moment}",
                f"empty{scene}",
                partial(yards.rendered, scene, moment, goers=0),
                shared=("static",),
            )
