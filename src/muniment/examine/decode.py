"""One decode pass: each object is decoded once, however many examiners want it.

Sampling goes by presentation time on grids (`streams`), so it does not depend on the frame rate.

What is skipped: a frame that no later frame refers to (a non-reference frame of H.264, HEVC,
MPEG-4, MPEG-2) and that begins no cell of any wanted grid is not decoded. To know that beforehand,
packets are read `LOOKAHEAD` ahead of the decoder. Every decoded picture is decoded wholly, with
its loop filter, so results are the same bytes as without skipping. Nothing is skipped where
packets carry no presentation times. Sound is decoded wholly.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av.error
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from muniment.examine import limits
from muniment.examine.feeds import Feed, Keys
from muniment.examine.interface import Examiner, Source
from muniment.examine.opening import Opened, check_size
from muniment.examine.pictures import UPRIGHT, Turn, turn_of
from muniment.examine.problems import UnexaminableError
from muniment.examine.sound import Sound
from muniment.examine.streams import KEYS, LOOKAHEAD, RATES_FPS, SOUND, Grids, Order, spec
from muniment.examine.tiles import put_together
from muniment.model.examine import Note, Problem

_MOST_SIZES = 16
_CHECK_EVERY = 64
_FIRST_PACKETS = 2
_FIRST_BYTES = 4096


class Seen:
    """What a pass met: counted whatever the examiners wanted."""

    def __init__(self) -> None:
        self.packets = 0
        self.bytes = 0
        self.pictures = 0
        self.key_pictures = 0
        self.sounds = 0
        self.ends: dict[bool, int] = {}
        self.bases: dict[bool, tuple[int, Fraction]] = {}
        self.turn: Turn = UPRIGHT
        self.frames = 0
        self.corrupt = 0
        self.undecoded = 0
        self.first_undecoded = ""
        self.backward = 0
        self.untimed = 0
        self.sizes: list[tuple[int, int, float]] = []
        self.ended_by = ""
        self.last_s = 0.0
        self.first_packets: list[bytes] = []

    @property
    def picture_end_s(self) -> Fraction | None:
        """When the last picture ends, by its packets, from the stream's beginning."""
        return self._end_s(sound=False)

    @property
    def sound_end_s(self) -> Fraction | None:
        """The same of the sound."""
        return self._end_s(sound=True)

    def _end_s(self, *, sound: bool) -> Fraction | None:
        if sound not in self.ends:
            return None
        start, base = self.bases[sound]
        return (self.ends[sound] - start) * base


class Pass:
    """Feeds examiners from one opened object."""

    def __init__(self, opened: Opened, examiners: Sequence[Examiner], cpu_s: float) -> None:
        self._opened = opened
        self._examiners = examiners
        self._until_s = time.process_time() + cpu_s
        self._cpu_s = cpu_s
        self._takers: dict[str, list[Examiner]] = {}
        for one in examiners:
            for stream in one.streams:
                self._takers.setdefault(stream, []).append(one)
        self.seen = Seen()
        self._video = opened.video
        self._ahead: deque[Packet[Any]] = deque()
        self._origin: int | None = None
        self._last_ticks = -1
        self._skipping = False
        self._still = opened.is_still
        self._size = (0, 0)
        self._turned: tuple[int, Turn] | None = None
        self._base = Fraction(1, 1000)
        if self._video is not None and self._video.time_base:
            self._base = self._video.time_base
        self._num, self._den = self._base.numerator, self._base.denominator
        self._build()

    def _build(self) -> None:
        specs = [spec(name) for name in self._takers if name not in (SOUND, KEYS)]
        self._feeds = [Feed(one, self._base, self._give) for one in specs]
        # of all rates there are, whoever takes them: what is made is then the same bytes whichever
        # examiners run beside
        self._order = Order(Grids(RATES_FPS, self._base))
        self._keys = None
        if KEYS in self._takers:
            self._keys = Keys(self._opened.duration_s, max(RATES_FPS))
        self._sound = None
        if SOUND in self._takers and self._opened.audio is not None:
            self._sound = Sound(self._opened.audio, self._give_sound)

    def run(self) -> None:
        """Decode to the end and feed.

        Raises:
            UnexaminableError: time limit, frame over limit, or unusable time stamps; what was fed
                until then stands.
        """
        try:
            self._read()
        finally:
            if self._sound is not None:
                self._sound.end()
            if self._keys is not None:
                for time_s, picture in self._keys.chosen():
                    self._give(KEYS, time_s, picture)
        self._check_times(final=True)

    def _read(self) -> None:
        if len(self._opened.tiles) > 1:
            self._origin = 0
            for whole in put_together(
                self._opened, self._packets(), self._measure, self._undecoded
            ):
                self._frame(whole)
            return
        if self._video is None and self._sound is not None:
            self._sound.begins(self._first_sound_s())
        for packet in self._packets():
            if packet.size == 0:
                continue  # the end: drained below
            if self._video is not None and packet.stream_index == self._video.index:
                self._measure(packet, sound=False)
                if packet.pts is not None:
                    self._order.add(packet.pts)
                self._ahead.append(packet)
                if len(self._ahead) > LOOKAHEAD and self._next():
                    return
                continue
            self._measure(packet, sound=True)
            if self._sound is not None:
                self._sound.packet(packet)
        while self._ahead:
            if self._next():
                return
        self._drain()

    def _measure(self, packet: Packet[Any], *, sound: bool) -> None:
        """Count a packet and how far its stream reaches."""
        seen = self.seen
        seen.bytes += packet.size
        if sound:
            seen.sounds += 1
        else:
            seen.pictures += 1
            seen.key_pictures += packet.is_keyframe
            if len(seen.first_packets) < _FIRST_PACKETS:
                seen.first_packets.append(bytes(packet)[:_FIRST_BYTES])
        pts = packet.pts
        if pts is None or packet.is_discard:
            return
        if sound not in seen.bases:
            stream = packet.stream
            seen.bases[sound] = (stream.start_time or 0, stream.time_base or Fraction(1, 1000))
            seen.ends[sound] = pts
        end = pts + (packet.duration or 0)
        if end > seen.ends[sound]:
            seen.ends[sound] = end

    def _first_sound_s(self) -> float:
        stream = self._opened.audio
        if stream is None or stream.start_time is None or stream.time_base is None:
            return 0.0
        return float(stream.start_time * stream.time_base)

    def _packets(self) -> Iterator[Packet[Any]]:
        """Packets of the streams that are decoded, until the container ends or breaks."""
        wanted = self._opened.decoded
        packets = self._opened.container.demux(*wanted) if wanted else iter(())
        while True:
            try:
                packet = next(packets)
            except (StopIteration, EOFError):
                return
            except MemoryError:
                raise
            except (av.error.FFmpegError, ValueError, IndexError) as error:
                self.seen.ended_by = type(error).__name__
                return
            self.seen.packets += 1
            if self.seen.packets % _CHECK_EVERY == 0:
                self._check_budget()
            yield packet

    def _check_budget(self) -> None:
        if time.process_time() > self._until_s:
            raise UnexaminableError(
                Problem.TIME_LIMIT,
                f"stopped after {self._cpu_s:.0f} s of CPU, {self.seen.last_s:.0f} s into the clip",
            )

    def _next(self) -> bool:
        """Decode the packet whose turn it is; whether that was all (a still)."""
        packet = self._ahead.popleft()
        if self._origin is None:
            self._begin(packet)
        assert self._video is not None
        skip = (
            self.seen.frames > 0
            and packet.pts is not None
            and self._origin is not None
            and not self._order.begins_cell(packet.pts, self._origin)
        )
        if skip != self._skipping:
            self._video.codec_context.skip_frame = "NONREF" if skip else "DEFAULT"
            self._skipping = skip
        self._decoded(packet)
        return self._still and self.seen.frames > 0

    def _begin(self, first: Packet[Any]) -> None:
        """Set the clip's beginning: the earliest presentation time among the packets ahead."""
        times = [
            one.pts for one in (first, *self._ahead) if one.pts is not None and not one.is_discard
        ]
        if times:
            self._origin = min(times)
            if self._sound is not None:
                self._sound.begins(float(self._origin * self._base))

    def _decoded(self, packet: Packet[Any]) -> None:
        try:
            frames = packet.decode()
        except EOFError:
            return
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError) as error:
            self._undecoded(packet, error)
            return
        for frame in frames:
            self._frame(frame)

    def _drain(self) -> None:
        if self._video is None:
            return
        try:
            for frame in self._video.codec_context.decode(None):
                self._frame(frame)
        except EOFError:
            return
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            self.seen.undecoded += 1

    def _undecoded(self, packet: Packet[Any], error: Exception) -> None:
        if not self.seen.undecoded:
            where = f" at byte {packet.pos}" if packet.pos is not None and packet.pos >= 0 else ""
            self.seen.first_undecoded = f"{type(error).__name__}{where}"
        self.seen.undecoded += 1
        context = self._video.codec_context if self._video is not None else None
        if context is not None and context.width * context.height > limits.MAX_STILL_PIXELS:
            check_size(
                context.width, context.height, is_still=False, problem=Problem.FRAME_OVER_LIMIT
            )

    def _frame(self, frame: VideoFrame) -> None:
        seen = self.seen
        seen.frames += 1
        seen.corrupt += frame.is_corrupt
        size = (frame.width, frame.height)
        if size != self._size:
            problem = Problem.DIMENSIONS if seen.frames == 1 else Problem.FRAME_OVER_LIMIT
            check_size(*size, is_still=self._still, problem=problem)
            self._size = size
        ticks = self._ticks(frame)
        if ticks is None:
            return
        time_s = ticks * self._num / self._den
        seen.last_s = time_s
        if (not seen.sizes or seen.sizes[-1][:2] != size) and len(seen.sizes) < _MOST_SIZES:
            seen.sizes.append((*size, time_s))
        takers = [feed for feed in self._feeds if feed.wants(ticks)]
        key = self._keys is not None and self._keys.wants(time_s)
        if not takers and not key:
            return
        turn, aspect = self._turn(frame), self._aspect()
        seen.turn = turn if seen.frames == 1 else seen.turn
        for feed in takers:
            feed.offer(frame, ticks, time_s, turn, aspect)
        if key and self._keys is not None:
            self._keys.offer(frame, time_s, turn, aspect)

    def _turn(self, frame: VideoFrame) -> Turn:
        """The frame's turn; its matrix is read again only when its rotation changes, since PyAV
        keeps a frame whose side data was read until the garbage collector comes round."""
        if self._opened.turn is not None:
            return self._opened.turn
        rotation = frame.rotation
        if self._turned is None or self._turned[0] != rotation:
            self._turned = (rotation, turn_of(frame))
        return self._turned[1]

    def _ticks(self, frame: VideoFrame) -> int | None:
        """Time since the first frame in the stream's ticks; None for a frame out of order."""
        pts = frame.pts
        if pts is None:
            self.seen.untimed += 1
            step = round(1 / ((self._rate() or Fraction(25)) * self._base))
            return self._stepped(self._last_ticks + max(1, step) if self._last_ticks >= 0 else 0)
        if self._origin is None:
            self._origin = pts
        return self._stepped(pts - self._origin)

    def _stepped(self, ticks: int) -> int | None:
        if ticks <= self._last_ticks:
            self.seen.backward += 1
            self._check_times(final=False)
            return None
        if ticks * self._num > limits.MAX_SPAN_S * self._den:
            raise UnexaminableError(
                Problem.TIMESTAMPS,
                f"picture {self.seen.frames} claims {float(ticks * self._base):.0f} s",
            )
        self._last_ticks = ticks
        return ticks

    def _check_times(self, *, final: bool) -> None:
        few = 1 if final else 100
        seen = self.seen
        if final and seen.picture_end_s is not None and seen.picture_end_s > limits.MAX_SPAN_S:
            raise UnexaminableError(
                Problem.TIMESTAMPS,
                f"the last picture claims to end at {float(seen.picture_end_s):.0f} s",
            )
        if seen.backward > few and seen.backward > limits.MAX_BACKWARD_SHARE * seen.frames:
            raise UnexaminableError(
                Problem.TIMESTAMPS,
                f"{seen.backward} of {seen.frames} pictures claim no later time than the one before",
            )

    def _rate(self) -> Fraction | None:
        return self._video.average_rate if self._video is not None else None

    def _aspect(self) -> float:
        ratio = self._video.codec_context.sample_aspect_ratio if self._video is not None else None
        return float(ratio) if ratio else 1.0

    def _give(self, stream: str, time_s: float, data: NDArray[np.uint8]) -> None:
        for one in self._takers[stream]:
            one.frame(stream, time_s, data)

    def _give_sound(self, time_s: float, samples: NDArray[np.int16]) -> None:
        for one in self._takers[SOUND]:
            one.frame(SOUND, time_s, samples)


def source(opened: Opened, size_bytes: int, media_type: str | None) -> Source:
    """What examiners are told before the first frame."""
    width_px = height_px = 0
    if opened.picture is not None:  # of a HEIF file the whole picture, not a tile
        width_px, height_px = opened.picture.width_px, opened.picture.height_px
    elif opened.video is not None:
        context = opened.video.codec_context
        width_px, height_px = context.width, context.height
    return Source(
        size_bytes=size_bytes,
        media_type=media_type,
        has_video=opened.video is not None,
        has_audio=opened.audio is not None,
        is_still=opened.is_still,
        width_px=width_px,
        height_px=height_px,
        duration_s=opened.duration_s,
    )


def notes(seen: Seen, opened: Opened) -> list[Note]:
    """What is to be known of a pass, in words."""
    found: list[Note] = []
    if opened.video is None:
        found.append(Note("no video stream", "examined for sound"))
    if len(seen.sizes) > 1:
        told = ", ".join(f"{width}x{height} from {at:.1f} s" for width, height, at in seen.sizes)
        found.append(Note("resolution changes", told))
    if seen.undecoded:
        found.append(
            Note("pictures not decoded", f"{seen.undecoded}; the first: {seen.first_undecoded}")
        )
    if seen.corrupt:
        found.append(Note("pictures decoded with errors", str(seen.corrupt)))
    if seen.untimed:
        found.append(Note("pictures without a time", f"{seen.untimed}, timed by the frame rate"))
    if seen.backward:
        found.append(Note("pictures out of order", f"{seen.backward}, left out"))
    return found
