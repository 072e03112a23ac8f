"""Sound of the clips: a spoken phrase, knocks, a door, steps and room tone. Mono float, -1 to 1.

The phrases were spoken by espeak-ng (a formant synthesiser, no recorded person) and are kept as
small WAV files in ``assets``; the sound maker always reads those files. ``speak`` makes them
again where espeak-ng is installed.
"""

from __future__ import annotations

import shutil
import subprocess
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

RATE_HZ = 32000
ASSETS = Path(__file__).parent / "assets"

PHRASE = "The delivery is at the north gate."
REQUEST = "Please send further recordings to the yard office."
PHRASES: dict[str, tuple[str, str]] = {
    "phrase": (PHRASE, "en-gb"),
    "request": (REQUEST, "en-us"),
}


@dataclass(frozen=True)
class Impulse:
    """A short loud sound: ``kind`` is "knock" or "door"; onset in seconds; peak 0 to 1."""

    kind: str
    at_s: float
    peak: float


@dataclass(frozen=True)
class Placed:
    """A phrase in a clip: seconds of its first and last audible sample."""

    text: str
    start_s: float
    end_s: float


FIRST_IMPULSES = (
    Impulse("knock", 6.103, 0.72),
    Impulse("knock", 6.571, 0.66),
    Impulse("knock", 7.052, 0.75),
    Impulse("door", 10.418, 0.85),
    Impulse("knock", 12.237, 0.60),
)
PHRASE_AT_S = 2.37


def speak(name: str, folder: Path = ASSETS) -> Path:
    """Render one phrase with espeak-ng at 22,050 Hz.

    Raises:
        FileNotFoundError: if espeak-ng is not installed; nothing else is used in its place.
    """
    program = shutil.which("espeak-ng")
    if program is None:
        raise FileNotFoundError("espeak-ng is not installed; keep the committed assets/*.wav")
    text, voice = PHRASES[name]
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.wav"
    subprocess.run(
        [program, "-v", voice, "-s", "140", "-p", "42", "-w", str(target), text], check=True
    )
    return target


def load_phrase(name: str) -> Array:
    """A committed phrase, silence trimmed, peak 1, resampled to ``RATE_HZ`` (linear)."""
    with wave.open(str(ASSETS / f"{name}.wav"), "rb") as file:
        rate = file.getframerate()
        raw = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(float)
    loud = np.flatnonzero(np.abs(raw) > 0.01 * np.abs(raw).max())
    raw = raw[loud[0] : loud[-1] + 1]
    count = int(len(raw) * RATE_HZ / rate)
    voice = np.interp(np.arange(count) * rate / RATE_HZ, np.arange(len(raw)), raw)
    return np.asarray(voice / np.abs(voice).max())


def band_noise(count: int, low_hz: float, high_hz: float, seed: int) -> Array:
    """Noise between two frequencies, peak 1."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=count))
    freq = np.fft.rfftfreq(count, 1 / RATE_HZ)
    spectrum[(freq < low_hz) | (freq > high_hz)] = 0
    wave_form = np.fft.irfft(spectrum, count)
    return np.asarray(wave_form / np.abs(wave_form).max())


def impulse(kind: str, seed: int) -> Array:
    """One burst: band-limited noise that starts at once and dies away exponentially, peak 1."""
    low, high, decay_s, length_s = {
        "knock": (350.0, 3200.0, 0.035, 0.30),
        "door": (60.0, 900.0, 0.14, 0.90),
    }[kind]
    count = int(length_s * RATE_HZ)
    t = np.arange(count) / RATE_HZ
    burst = band_noise(count, low, high, seed) * np.exp(-t / decay_s)
    return np.asarray(burst / np.abs(burst).max())


def room_tone(duration_s: float, seed: int, level: float = 0.012) -> Array:
    """Quiet outdoor noise with slow wind."""
    count = round(duration_s * RATE_HZ)
    t = np.arange(count) / RATE_HZ
    wind = band_noise(count, 40, 400, seed) * (1 + 0.5 * np.sin(2 * np.pi * 0.23 * t))
    return np.asarray(level * (2.0 * wind + 0.5 * band_noise(count, 400, 6000, seed + 1)))


def steps(duration_s: float, seed: int, every_s: float = 0.56, level: float = 0.03) -> Array:
    """Soft footsteps, far below the impulses."""
    rng = np.random.default_rng(seed)
    track = np.zeros(round(duration_s * RATE_HZ))
    at = 0.2
    while at < duration_s - 0.15:
        burst = impulse("knock", int(rng.integers(1 << 30)))[: int(0.08 * RATE_HZ)]
        begin = int(at * RATE_HZ)
        track[begin : begin + len(burst)] += level * rng.uniform(0.5, 1.0) * burst
        at += every_s * rng.uniform(0.93, 1.07)
    return track


def first_track(duration_s: float) -> tuple[Array, Placed]:
    """Sound of the first clip and where the phrase lies in it."""
    track = room_tone(duration_s, 101) + steps(duration_s, 102)
    voice = 0.45 * load_phrase("phrase")
    begin = int(PHRASE_AT_S * RATE_HZ)
    track[begin : begin + len(voice)] += voice
    for number, event in enumerate(FIRST_IMPULSES):
        burst = event.peak * impulse(event.kind, 200 + number)
        begin = int(event.at_s * RATE_HZ)
        part = burst[: len(track) - begin]
        track[begin : begin + len(part)] += part
    end_s = PHRASE_AT_S + len(voice) / RATE_HZ
    return np.clip(track, -1, 1), Placed(PHRASE, PHRASE_AT_S, round(end_s, 3))


def plain_track(duration_s: float, seed: int) -> Array:
    """Sound of a clip in which nothing is said."""
    return np.clip(room_tone(duration_s, seed, 0.02) + steps(duration_s, seed + 7), -1, 1)


def quiet_room(track: Array, seed: int) -> Array:
    """The track as a second device hears it in a room: dull, with an echo and hiss."""
    spectrum = np.fft.rfft(track)
    freq = np.fft.rfftfreq(len(track), 1 / RATE_HZ)
    spectrum *= 1 / (1 + (freq / 2600.0) ** 4)
    dull = np.fft.irfft(spectrum, len(track))
    delay = int(0.031 * RATE_HZ)
    echo = np.zeros_like(dull)
    echo[delay:] = 0.3 * dull[:-delay]
    return np.clip(0.7 * (dull + echo) + 0.006 * band_noise(len(track), 50, 9000, seed), -1, 1)
