"""Facts about the container: what it says of itself, and where it contradicts itself.

From libavformat (PyAV), MediaInfo, Pillow (EXIF) and the outer structure. Facts are JSON without
floats, in a stable order. What the file says is a claim by whoever wrote it: cleaned, bounded, and
kept as text beside what was made of it. Durations are measured on packets, so they are the same
whichever examiners ran beside.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final

import av
from av.audio.stream import AudioStream
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from muniment.examine import heif, mediainfo, registry, stills, tags, thumbnails
from muniment.examine.decode import Seen
from muniment.examine.limits import MAX_FACTS_BYTES
from muniment.examine.opening import Opened
from muniment.examine.probing import Structure
from muniment.examine.tags import Said, cleaned
from muniment.model import canonical
from muniment.model.examine import Finding

#: Durations further apart than this are listed as disagreeing.
DISAGREE_S: Final = 0.25
_MOST_DISAGREEMENTS: Final = 20
_MOST_CHAPTERS: Final = 100
_X264: Final = re.compile(rb"x26[45] [^\x00]{4,1400}")
#: What is left out first when the facts are too long, the longest-winded first.
_LEFT_OUT: Final = ("mediainfo", "still", "chapters", "tracks", "tags", "structure")


class Facts:
    """Facts about one container, gathered as it is opened and decoded."""

    def __init__(self, fd: int, found: Structure) -> None:
        self._fd = fd
        self._found = found
        self._said = Said()
        self._watcher: thumbnails.Watcher | None = None
        self._thumbnails: list[tuple[str, bytes]] = []
        self._durations: list[tuple[str, Fraction]] = []
        self._turns = 0
        self._facts: dict[str, Any] = {
            "type": found.kind,
            "size_bytes": found.size_bytes,
            "structure": found.facts,
        }

    def opened(self, opened: Opened) -> None:
        """The container was opened."""
        container = opened.container
        self._facts["format"] = container.format.name
        boxed = "mp4" in container.format.name
        self._facts["tags"] = tags.pairs(container.metadata.items())
        self._said.read("container", container.metadata, utc_by_format=boxed)
        if container.duration:
            self._durations.append(("container", Fraction(container.duration, av.time_base)))
        if self._found.movie_s is not None:
            self._durations.append(("movie header", self._found.movie_s))
        told = [one for one in container.streams if one not in opened.tiles[1:]]
        self._facts["tracks"] = [self._track(one, opened) for one in told]
        if opened.picture is not None:
            self._facts["heif"] = opened.picture.facts
        for one in told:
            self._said.read(f"track {one.index}", one.metadata, utc_by_format=boxed)
        hidden = self._found.traks - len(container.streams)
        if hidden > 0:
            self._facts["tracks_not_shown"] = hidden
        chapters = container.chapters()
        if chapters:
            self._facts["chapters"] = [
                cleaned(one["metadata"].get("title", "")) for one in chapters[:_MOST_CHAPTERS]
            ]
        for cover in opened.covers:
            self._covers(cover)

    def _covers(self, cover: VideoStream) -> None:
        data = _attached(self._fd, cover)
        if data:
            self._thumbnails.append((f"attached picture, track {cover.index}", data))

    def _track(self, stream: Stream, opened: Opened) -> dict[str, Any]:
        context = stream.codec_context
        facts: dict[str, Any] = {
            "index": stream.index,
            "type": stream.type,
            "codec": cleaned(context.name if context is not None else "none", 40),
            "codec_tag": cleaned(stream.codec_tag, 20) if context is not None else "",
            "decoded": stream in opened.decoded,
            "language": cleaned(stream.language or "", 20),
            "dispositions": [one.name for one in Disposition if stream.disposition & one],
            "frames_claimed": stream.frames,
            "tags": tags.pairs(stream.metadata.items()),
        }
        if "mp4" in opened.container.format.name:
            facts["enabled"] = bool(stream.disposition & Disposition.default)
        if stream.duration is not None and stream.time_base is not None:
            length = stream.duration * stream.time_base
            facts["duration_s"] = seconds(length)
            self._durations.append((f"track {stream.index} ({stream.type})", length))
        if stream.start_time is not None and stream.time_base is not None:
            facts["start_s"] = seconds(stream.start_time * stream.time_base)
        if context is not None and context.profile:
            facts["profile"] = cleaned(context.profile, 60)
        facts.update(_pictures(stream) if isinstance(stream, VideoStream) else {})
        facts.update(_samples(stream) if isinstance(stream, AudioStream) else {})
        return facts

    def still(self) -> None:
        """The header of a still."""
        found = stills.read(self._fd, self._found.kind, self._said)
        self._facts["still"] = found.facts
        if found.thumbnail is not None:
            self._thumbnails.append(("EXIF thumbnail", found.thumbnail))

    def watching(self) -> list[thumbnails.Watcher]:
        """What this needs fed: pictures, only where there is a thumbnail to hold against them."""
        if self._thumbnails and self._watcher is None:
            self._watcher = thumbnails.Watcher()
        return [self._watcher] if self._watcher is not None else []

    def decoded(self, seen: Seen) -> None:
        """The pass is over."""
        self._facts["packets"] = {
            "pictures": seen.pictures,
            "key_pictures": seen.key_pictures,
            "sound": seen.sounds,
            "bytes": seen.bytes,
        }
        if seen.picture_end_s is not None:
            self._durations.append(("pictures, measured", seen.picture_end_s))
        if seen.sound_end_s is not None:
            self._durations.append(("sound, measured", seen.sound_end_s))
        self._turns = seen.turn[0]
        for data in seen.first_packets:
            for found in _X264.findall(data)[:2]:
                self._said.encoder("video stream", found.decode("ascii", "replace"))

    def finding(self) -> Finding:
        """What was found."""
        facts = self._facts
        # MediaInfo has been seen to loop on impossible tables (65 s over four bytes of a HEIF
        # file's list of items): it gets only what holds together
        sound = self._found.fault is None and self._found.kind not in heif.KINDS
        told = mediainfo.told(self._fd) if sound else None
        facts["mediainfo"] = told if told is not None else []
        for one in told or []:
            self._said.encoder(
                f"{one['type']}: Encoded_Library", one["fields"].get("Encoded_Library", "")
            )
        facts["durations"] = [{"of": name, "s": seconds(value)} for name, value in self._durations]
        facts["durations_disagree"] = disagreements(self._durations)
        pictures = self._watcher.pictures if self._watcher is not None else []
        facts["thumbnails"] = [
            thumbnails.compared(source, data, pictures, self._turns)
            for source, data in self._thumbnails
        ]
        facts["times"] = self._said.times
        facts["places"] = self._said.places
        facts["encoders"] = self._said.encoders
        return Finding("container", registry.VERSIONS["container"], bounded(facts))


def _pictures(stream: VideoStream) -> dict[str, Any]:
    context = stream.codec_context
    if context is None:
        return {}
    facts: dict[str, Any] = {
        "width_px": context.width,
        "height_px": context.height,
        "pixel_format": context.pix_fmt or "",
        "frame_rate_fps": ratio(stream.average_rate),
        "base_rate_fps": ratio(stream.base_rate),
        "pixel_aspect": ratio(context.sample_aspect_ratio),
        "color_space": int(context.colorspace),
        "color_transfer": int(context.color_trc),
        "color_primaries": int(context.color_primaries),
        "color_range": int(context.color_range),
    }
    if int(context.color_trc) in (16, 18):
        facts["high_dynamic_range"] = "PQ" if int(context.color_trc) == 16 else "HLG"
    return facts


def _samples(stream: AudioStream) -> dict[str, Any]:
    context = stream.codec_context
    if context is None:
        return {}
    return {
        "sample_rate_hz": context.sample_rate,
        "channels": context.layout.nb_channels,
        "bit_rate_bps": context.bit_rate or 0,
    }


def _attached(fd: int, cover: VideoStream) -> bytes | None:
    """The bytes of an attached picture: its packet is read from the container opened once more."""
    from muniment.examine.opening import reopened

    with reopened(fd) as again:
        try:
            packet = next(again.demux(again.streams[cover.index]))
        except (StopIteration, av.error.FFmpegError, ValueError, IndexError):
            return None
        return bytes(packet) if 0 < packet.size <= 4 << 20 else None


def seconds(value: Fraction) -> str:
    """Seconds to the millisecond.

    Example:
        >>> seconds(Fraction(14032, 1000))
        '14.032'
    """
    return f"{float(value):.3f}"


def ratio(value: Fraction | None) -> str:
    """A ratio as `30000/1001`, empty when unknown."""
    return f"{value.numerator}/{value.denominator}" if value else ""


def disagreements(durations: list[tuple[str, Fraction]]) -> list[dict[str, str]]:
    """Durations that differ from the container's, or else from the first, by more than is usual."""
    if not durations:
        return []
    name, value = durations[0]
    return [
        {"of": other, "against": name, "difference_s": seconds(length - value)}
        for other, length in durations[1:]
        if abs(length - value) > DISAGREE_S
    ][:_MOST_DISAGREEMENTS]


def bounded(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts within `MAX_FACTS_BYTES`; what had to go is named in `left_out`."""
    gone: list[str] = []
    for name in ("", *_LEFT_OUT):
        if name in facts:
            gone.append(name)
            facts = {key: value for key, value in facts.items() if key != name} | {"left_out": gone}
        if len(canonical.encode(facts)) <= MAX_FACTS_BYTES:
            return facts
    return {"type": facts["type"], "left_out": ["everything: too long"]}


def warm_up() -> None:
    """Load what is loaded lazily."""
    mediainfo.warm_up()
    stills.warm_up()
