"""Sound as examiners get it: mono, 16 kHz, 16 bits, in runs of about a second.

Decoded frames are gathered to a second before they are resampled, since each call has its cost.
A run of unbroken time stamps is timed from its beginning; a gap or a step back begins a new run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import av.error
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet
from numpy.typing import NDArray

RATE_HZ: Final = 16_000
_MOST_HELD_S: Final = 120
_GAP_S: Final = 0.05
_MOST_RUNS: Final = 10_000
Samples = NDArray[np.int16]


class Sound:
    """Decodes one stream of sound and hands runs on, times counted from the clip's beginning."""

    def __init__(self, stream: AudioStream, give: Callable[[float, Samples], None]) -> None:
        self._give = give
        self._base_s = float(stream.time_base) if stream.time_base else 1 / 1000
        self._origin_s: float | None = None
        self._resampler: AudioResampler | None = None
        self._fifo = AudioFifo()
        self._form: tuple[object, ...] = ()
        self._rate_hz = 1
        self._runs = 0
        self._run_s = 0.0
        self._taken = 0
        self._given = 0
        self._waiting: list[tuple[float, Samples]] = []
        self.undecoded = 0

    def begins(self, origin_s: float) -> None:
        """The clip's first frame begins at this time of the container."""
        if self._origin_s is None:
            self._origin_s = origin_s
            for time_s, samples in self._waiting:
                self._hand_on(time_s, samples)
            self._waiting = []

    def packet(self, packet: Packet[AudioStream]) -> None:
        """Decode a packet; what cannot be decoded is counted."""
        try:
            for frame in packet.decode():
                self._frame(frame)
        except EOFError:
            return
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            self.undecoded += 1

    def end(self) -> None:
        """Hand on what is left."""
        try:
            self._close()
        except MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            self.undecoded += 1
        if self._origin_s is None and self._waiting:
            self.begins(self._waiting[0][0])

    def _frame(self, frame: AudioFrame) -> None:
        form = (frame.format.name, frame.layout.nb_channels, frame.sample_rate)
        pts = frame.pts
        expected_s = self._run_s + self._taken / self._rate_hz
        time_s = expected_s if pts is None else pts * self._base_s
        if form != self._form or abs(time_s - expected_s) > _GAP_S:
            self._close()
            if self._runs >= _MOST_RUNS:
                return
            self._form, self._rate_hz = form, max(1, frame.sample_rate)
            self._runs += 1
            self._run_s, self._taken, self._given = time_s, 0, 0
            self._resampler = AudioResampler("s16", "mono", RATE_HZ)
            self._fifo = AudioFifo()
        frame.pts = None
        self._taken += frame.samples
        self._fifo.write(frame)
        if self._fifo.samples >= self._rate_hz:
            self._resampled(self._fifo.read())

    def _close(self) -> None:
        """The run ends here."""
        if self._resampler is None:
            return
        resampler = self._resampler
        if self._fifo.samples:
            self._resampled(self._fifo.read())
        self._resampler = resampler
        self._resampled(None)
        self._resampler = None

    def _resampled(self, frame: AudioFrame | None) -> None:
        if self._resampler is None:
            return
        for out in self._resampler.resample(frame):
            plane = np.frombuffer(cast(Any, out.planes[0]), np.int16)[: out.samples]
            time_s = self._run_s + self._given / RATE_HZ
            self._given += out.samples
            if self._origin_s is not None:
                self._hand_on(time_s, plane.copy())
                continue
            self._waiting.append((time_s, plane.copy()))
            if len(self._waiting) > _MOST_HELD_S:
                self.begins(self._waiting[0][0])

    def _hand_on(self, time_s: float, samples: Samples) -> None:
        assert self._origin_s is not None
        at_s = time_s - self._origin_s
        early = min(len(samples), max(0, round(-at_s * RATE_HZ)))  # before the first picture
        if early < len(samples):
            self._give(max(0.0, at_s) if early else at_s, samples[early:])
