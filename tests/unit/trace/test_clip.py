"""Findings read back: what the examiners write, and hostile or odd sizes."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.errors import MalformedError
from muniment.examine.fingerprint import Fingerprint
from muniment.examine.interface import Source
from muniment.examine.kept import Kept, moments
from muniment.examine.motion import MAGIC, SIDE, Motion
from muniment.model.examine import Finding
from muniment.trace.clip import Findings, clip


def source(has_audio: bool = False) -> Source:
    return Source(1000, "video/mp4", True, has_audio, False, 640, 360, 5.0)


def as_findings(*found: Finding) -> Findings:
    return {one.examiner: (one.facts, {b.name: b.data for b in one.blobs}) for one in found}


def noise(seed: int, side: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (side, side)).astype(np.uint8)


def made(frames: int = 6) -> Findings:
    one, other = Fingerprint(), Motion()
    one.begin(source())
    other.begin(source())
    for at in range(frames):
        one.frame("gray128@2fps", at / 2, noise(at, 128))
        other.frame("gray48@5fps", at / 5, noise(at, 48))
    return as_findings(one.end(), other.end())


def test_what_was_found_is_read_back() -> None:
    seen = clip("a", made())
    assert seen.times_s.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    assert seen.hashes.shape == (6, 4)
    assert seen.pictures.shape == (6, 48, 48)
    assert seen.motion.shape == (6, 48, 48)
    assert seen.duration_s == 5.0
    assert (seen.width_px, seen.height_px, seen.still) == (640, 360, False)


def test_the_same_frames_give_the_same_bytes() -> None:
    assert made() == made()


def test_nothing_found_is_an_empty_clip() -> None:
    seen = clip("a", {})
    assert len(seen.times_s) == len(seen.motion_s) == len(seen.sound) == 0


def test_no_frames_and_no_sound_give_no_blobs() -> None:
    one = Fingerprint()
    one.begin(source())
    assert one.end().blobs == ()


def test_a_flat_picture_says_nothing() -> None:
    one = Fingerprint()
    one.begin(source())
    one.frame("gray128@2fps", 0.0, np.full((128, 128), 7, np.uint8))
    assert clip("a", as_findings(one.end())).telling.tolist() == [0.0]


@pytest.mark.parametrize("name", ["pictures", "frames"])
@pytest.mark.parametrize("change", ["cut", "longer", "magic", "version", "frames", "kept", "empty"])
def test_bytes_that_are_not_right_are_refused(name: str, change: str) -> None:
    found = {key: (facts, dict(blobs)) for key, (facts, blobs) in made().items()}
    examiner = "fingerprint" if name == "pictures" else "motion"
    blob = bytearray(found[examiner][1][name])
    if change == "cut":
        blob = blob[:-1]
    elif change == "longer":
        blob += b"\0"
    elif change == "empty":
        blob = blob[:7]
    else:
        at = {"magic": 0, "version": 4, "frames": 8, "kept": 12}[change]
        blob[at] ^= 0x41
    found[examiner][1][name] = bytes(blob)
    with pytest.raises(MalformedError):
        clip("a", found)


def test_numbers_of_pictures_out_of_range_are_refused() -> None:
    data = bytearray(made()["motion"][1]["frames"])
    struct.pack_into("<I", data, 16 + 6 * 4, 99)
    with pytest.raises(MalformedError):
        moments(bytes(data), MAGIC, 1, SIDE, 0)


@pytest.mark.parametrize("value", [-1, 1 << 50, "5", 1.5, True, None])
def test_facts_that_are_not_right_are_refused(value: object) -> None:
    found = {key: (dict(facts), blobs) for key, (facts, blobs) in made().items()}
    found["fingerprint"][0]["duration_ms"] = value
    with pytest.raises(MalformedError):
        clip("a", found)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    for name in ("pictures", "sound"):
        try:
            clip("a", {"fingerprint": ({}, {name: data})})
        except MalformedError:
            continue
        assert name == "pictures" and data == b""


def test_a_film_of_any_length_is_kept_in_bounds() -> None:
    kept = Kept(4, 0, most=8, tolerance=0)
    for at in range(100):
        kept.add(at / 5, b"", np.full((4, 4), at, np.uint8))
    assert len(kept) <= 8
    back = moments(kept.encode(b"TEST", 1), b"TEST", 1, 4, 0)
    steps = np.diff(back.times_ms)
    assert (steps == steps[0]).all()
    assert back.kept[back.which][:, 0, 0].tolist() == [round(t / 200) for t in back.times_ms]


def test_a_repeated_picture_is_kept_once() -> None:
    kept = Kept(4, 0, most=100, tolerance=0)
    for at in range(50):
        kept.add(at / 5, b"", np.zeros((4, 4), np.uint8))
    assert len(moments(kept.encode(b"TEST", 1), b"TEST", 1, 4, 0).kept) == 1
