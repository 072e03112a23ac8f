"""Copies of real clips as messengers make them: 20 of each of 10, encoded again as H.264.

No sound: its decoding would only make the time that tracing is measured against longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import av.filter
from av.container import OutputContainer

SOURCES: Final = (
    "bbb30.webm",
    "doorknob-hd-no-bar.mp4",
    "intel-bottle-detection.mp4",
    "mdn-crystal.mp4",
    "mdn-elf.mp4",
    "mdn-frog.mp4",
    "mdn-monster.mp4",
    "mdn-pig.mp4",
    "mdn-rabbit.mp4",
    "pattern-hd-no-bar.mp4",
)
#: shorter sources are played forward and then backward (a plain repeat has two right answers)
LEAST_S: Final = 8.0
_BAND: Final = "drawbox=x=iw*0.05:y=ih*0.84:w=iw*0.9:h=ih*0.1:color=black@0.8:t=fill"
_TEXT: Final = "drawbox=x=iw*0.1:y=ih*0.87:w=iw*0.6:h=ih*0.04:color=white:t=fill"
_LOGO: Final = "drawbox=x=iw*0.86:y=ih*0.05:w=iw*0.1:h=ih*0.08:color=red:t=fill"
_SHARE: Final = "min(1,480/min(iw,ih))"
_SMALLER: Final = f"scale=trunc(iw*{_SHARE}/2)*2:trunc(ih*{_SHARE}/2)*2"


@dataclass(frozen=True)
class Recipe:
    """Filters (libavfilter), x264's rate factor, and the seconds cut off at both ends."""

    name: str
    filters: tuple[str, ...]
    crf: int
    from_s: float = 0.0
    less_s: float = 0.0


RECIPES: Final = (
    Recipe("again", (), 23),
    Recipe("again-28", (), 28),
    Recipe("low", (), 34),
    Recipe("480p", (_SMALLER,), 26),
    Recipe("480p-low", (_SMALLER,), 32),
    Recipe("25fps", ("fps=25",), 26),
    Recipe("crop-middle", ("crop=iw*0.94:ih*0.94:iw*0.03:ih*0.03",), 26),
    Recipe("crop-side", ("crop=iw*0.92:ih:iw*0.06:0",), 26),
    Recipe("crop-top", ("crop=iw:ih*0.92:0:ih*0.08",), 26),
    Recipe("crop-corner", ("crop=iw*0.9:ih*0.9:0:ih*0.1",), 26),
    Recipe("letterbox", ("pad=iw:ih*1.24:0:ih*0.12",), 26),
    Recipe("caption", (_BAND, _TEXT), 26),
    Recipe("caption-logo", (_BAND, _TEXT, _LOGO), 26),
    Recipe("mirror", ("hflip",), 26),
    Recipe("mirror-480p", ("hflip", _SMALLER), 30),
    Recipe("trim-start", (), 26, from_s=1.37),
    Recipe("trim-end", (), 26, less_s=2.11),
    Recipe("trim-both", (_SMALLER,), 28, from_s=0.73, less_s=1.21),
    Recipe("bright", ("lutyuv=y=clip(val*1.1+18,16,235)",), 26),
    Recipe("dark", ("lutyuv=y=clip(val*0.8,16,235)",), 26),
)


def copies(clips: Path, folder: Path) -> dict[str, str]:
    """Write all copies that are not in `folder` yet; their names, each with its source's."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, str] = {}
    for source in SOURCES:
        for recipe in RECIPES:
            name = f"{Path(source).stem}--{recipe.name}.mp4"
            made[name] = source
            if not (folder / name).exists():
                partial = folder / f".{name}"
                _copy(clips / source, recipe, partial)
                partial.rename(folder / name)
    return made


def _copy(source: Path, recipe: Recipe, target: Path) -> None:
    """One copy: filtered, and encoded by x264's superfast preset."""
    with av.open(str(source)) as opened:
        rate = opened.streams.video[0].average_rate or Fraction(30)
    length_s, pictures = _played(source)
    graph: av.filter.Graph | None = None
    with av.open(str(target), "w", format="mp4") as box:
        out: av.VideoStream | None = None
        for number, picture in enumerate(pictures):
            at_s = number / rate
            if not recipe.from_s <= at_s < length_s - recipe.less_s:
                continue
            picture.pts, picture.time_base = number, 1 / rate
            graph = graph or _graph(picture, recipe.filters)
            graph.push(picture)
            for shown in _pulled(graph):
                out = out or _stream(box, shown, recipe.crf)
                shown.pict_type = av.video.frame.PictureType.NONE
                box.mux(out.encode(shown))
        if out is not None:
            box.mux(out.encode(None))


def _played(source: Path) -> tuple[float, Iterator[av.VideoFrame]]:
    """Length and pictures; of a short source forward, then backward."""
    with av.open(str(source)) as opened:
        stream = opened.streams.video[0]
        count = sum(1 for packet in opened.demux(stream) if packet.size)
        length_s = count / float(stream.average_rate or 30)
    forward = _decoded(source)
    if length_s >= LEAST_S:
        return length_s, forward
    every = list(forward)
    return 2 * length_s, iter([*every, *every[::-1]])


def _decoded(source: Path) -> Iterator[av.VideoFrame]:
    with av.open(str(source)) as opened:
        for picture in opened.decode(video=0):
            yield picture.reformat(format="yuv420p")


def _graph(picture: av.VideoFrame, filters: tuple[str, ...]) -> av.filter.Graph:
    graph = av.filter.Graph()
    last = graph.add_buffer(
        width=picture.width,
        height=picture.height,
        format=picture.format.name,
        time_base=picture.time_base,
    )
    for told in filters:
        name, _, given = told.partition("=")
        made = graph.add(name, given)
        last.link_to(made)
        last = made
    even = graph.add("scale", "trunc(iw/2)*2:trunc(ih/2)*2")
    last.link_to(even)
    sink = graph.add("buffersink")
    even.link_to(sink)
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            found = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(found, av.VideoFrame):
            yield found


def _stream(box: OutputContainer, shown: av.VideoFrame, crf: int) -> av.VideoStream:
    made = box.add_stream("libx264", rate=1 / Fraction(shown.time_base or Fraction(1, 30)))
    made.width, made.height, made.pix_fmt = shown.width, shown.height, "yuv420p"
    made.options = {"crf": str(crf), "preset": "superfast", "g": "60"}
    made.codec_context.thread_count = 1
    return made
