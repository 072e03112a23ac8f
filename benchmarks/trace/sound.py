"""The sound of sources: read from clips, or made up; one channel, 24,000 samples a second."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
RATE: Final = 24_000


def heard(path: Path, begin_s: float, length_s: float) -> Sound | None:
    """What a clip sounds like from `begin_s` on; None where it has no sound."""
    with av.open(str(path)) as box:
        if not box.streams.audio:
            return None
        turned = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        parts, first_s = list[Sound](), None
        for frame in box.decode(audio=0):
            first_s = float(frame.time or 0.0) if first_s is None else first_s
            parts += [np.asarray(one.to_ndarray()[0], np.float32) for one in turned.resample(frame)]
    whole: Sound = np.concatenate(
        [np.zeros(round(max(0.0, first_s or 0.0) * RATE), np.float32), *parts]
    )
    return part(whole, begin_s, length_s)


def part(whole: Sound, begin_s: float, length_s: float) -> Sound:
    """A stretch; silence where there is none."""
    begin, count = round(begin_s * RATE), round(length_s * RATE)
    out = np.zeros(count, np.float32)
    found = whole[begin : begin + count]
    out[: len(found)] = found
    return out


def faster(whole: Sound, speed: float) -> Sound:
    """Played `speed` times as fast; the pitch rises with it."""
    at = np.arange(round(len(whole) / speed)) * speed
    return np.asarray(np.interp(at, np.arange(len(whole)), whole), np.float32)


def tune(name: str, length_s: float) -> Sound:
    """Notes of a plain instrument: the same for one name, others for another."""
    chance = np.random.default_rng([zlib.crc32(name.encode()), 3])
    out = np.zeros(round(length_s * RATE), np.float32)
    at = 0.0
    while at < length_s:
        lasts = float(chance.choice([0.18, 0.27, 0.4]))
        pitch = 220.0 * 2 ** (int(chance.integers(0, 25)) / 12)
        times = np.arange(round(lasts * RATE)) / RATE
        tones = [np.sin(2 * np.pi * pitch * k * times) / k for k in (1, 2, 3, 5)]
        begin = round(at * RATE)
        struck = 0.12 * np.sum(tones, axis=0) * np.exp(-4 * times)
        note = struck.astype(np.float32)[: len(out) - begin]
        out[begin : begin + len(note)] += note
        at += lasts
    return out
