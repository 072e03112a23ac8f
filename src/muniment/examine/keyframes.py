"""The quick pass: only pictures that can be decoded alone are decoded, and no sound.

A fraction of a whole pass, for a first look at many files. Each key frame is fed once, at its time,
to the first cell of a grid that it begins; none is held on, since what lies between is not known.
"""

from __future__ import annotations

from collections.abc import Sequence

from muniment.examine.decode import Pass
from muniment.examine.interface import Examiner
from muniment.examine.opening import Opened


class QuickPass(Pass):
    """A pass over key frames; a still is decoded as in the whole one."""

    def __init__(self, opened: Opened, examiners: Sequence[Examiner], cpu_s: float) -> None:
        opened.audio = None
        super().__init__(opened, examiners, cpu_s)
        for feed in self._feeds:
            feed.holds = False

    def _read(self) -> None:
        if self._video is None or self._still or len(self._opened.tiles) > 1:
            super()._read()
            return
        context = self._video.codec_context
        context.skip_frame = "NONKEY"
        for packet in self._packets():
            if packet.size == 0 or packet.stream_index != self._video.index:
                continue
            self._measure(packet, sound=False)
            if not packet.is_keyframe:
                continue
            if self._origin is None and not packet.is_discard:
                self._origin = packet.pts
            self._decoded(packet)
        self._drain()
