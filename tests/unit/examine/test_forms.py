"""Every blob and fact of every examiner: the form it is made in is taken, and no other."""

from __future__ import annotations

import json
import struct
from typing import Any

import msgspec
import numpy as np
import pytest

from muniment.case import examining
from muniment.errors import MalformedError
from muniment.examine import reading
from muniment.examine.fingerprint import Fingerprint
from muniment.examine.frames import HEADER, Frames
from muniment.examine.interface import Source
from muniment.examine.motion import Motion
from muniment.examine.registry import VERSIONS
from muniment.examine.strips import unpacked
from muniment.model.examine import Blob, Examined, Finding
from muniment.sandbox.records import Ended

SOURCE = Source(1, "video/mp4", True, True, False, 64, 48, 3.0)
RNG = np.random.default_rng(5)


def frames() -> Finding:
    one = Frames()
    one.begin(SOURCE)
    for second in range(3):
        one.frame("rgb@keyframe", second, RNG.integers(0, 255, (48, 64, 3), np.uint8))
        one.frame("rgb16@1fps", second, RNG.integers(0, 255, (12, 16, 3), np.uint8))
    return one.end()


def fingerprint() -> Finding:
    one = Fingerprint()
    one.begin(SOURCE)
    for at in range(6):
        one.frame("gray128@2fps", at / 2, RNG.integers(0, 255, (128, 128), np.uint8))
    one.frame("pcm16k", 0.0, RNG.integers(-20_000, 20_000, 48_000, np.int16))
    return one.end()


def motion() -> Finding:
    one = Motion()
    one.begin(SOURCE)
    for at in range(6):
        one.frame("gray48@5fps", at / 5, RNG.integers(0, 255, (48, 48), np.uint8))
    return one.end()


def document(text: str = "a\nbc\n", parts: Any = None) -> Finding:
    parts = [[0, 1, "line", 1, None, None], [2, 4, "line", 2, 3, "x"]] if parts is None else parts
    facts = {"type": "text/plain", "characters": len(text), "parts": len(parts), "cut": False}
    placed = json.dumps({"version": 1, "parts": parts}).encode()
    blobs = (
        Blob("text", "bytes", text.encode(), media_type="text/plain"),
        Blob("positions", "bytes", placed, media_type="application/json"),
    )
    return Finding("document", VERSIONS["document"], facts, blobs)


def told(finding: Finding) -> Examined:
    payload = msgspec.msgpack.encode(Examined(findings=(finding,)))
    return examining.outcome_of(Ended("done", None, payload, 0, 0, 0), (finding.examiner,))


def with_blob(finding: Finding, name: str, data: bytes) -> Finding:
    assert any(one.name == name for one in finding.blobs)
    blobs = tuple(
        msgspec.structs.replace(one, data=data) if one.name == name else one
        for one in finding.blobs
    )
    return msgspec.structs.replace(finding, blobs=blobs)


def data_of(finding: Finding, name: str) -> bytes:
    return next(one.data for one in finding.blobs if one.name == name)


@pytest.mark.parametrize("made", [frames, fingerprint, motion, document])
def test_what_an_examiner_makes_is_taken(made: Any) -> None:
    finding = made()
    assert finding.blobs
    assert told(finding).findings[0] == finding


def strip(count: int, width: int, height: int, times: Any = None) -> bytes:
    times = range(count) if times is None else times
    head = HEADER.pack(b"MNBL", 1, 3, count, width, height)
    return head + struct.pack(f"<{count}I", *times) + bytes(count * width * height * 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MNBL",
        strip(0, 8, 8),
        strip(3, 0, 0),
        strip(3, 16, 17),
        strip(3, 64, 64),
        strip(601, 16, 16),
        strip(3, 16, 12)[:-1],
        strip(3, 16, 12) + b"\0",
        strip(3, 16, 12, (2, 1, 3)),
        b"MNFP" + strip(3, 16, 12)[4:],
        HEADER.pack(b"MNBL", 2, 3, 3, 16, 12) + strip(3, 16, 12)[HEADER.size :],
        HEADER.pack(b"MNBL", 1, 4, 3, 16, 12) + strip(3, 16, 12)[HEADER.size :],
        HEADER.pack(b"MNBL", 1, 3, 0xFFFFFFFF, 0xFFFF, 0xFFFF),
    ],
)
def test_a_strip_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        unpacked(data)
    with pytest.raises(MalformedError):
        told(with_blob(frames(), "blurred", data))


def test_a_strip_of_another_count_than_told_is_refused() -> None:
    assert unpacked(strip(4, 16, 12)).picture(4) is None
    with pytest.raises(MalformedError):
        told(with_blob(frames(), "blurred", strip(4, 16, 12)))


def counts(data: bytes, shown: int, kept: int) -> bytes:
    return data[:8] + struct.pack("<II", shown, kept) + data[16:]


@pytest.mark.parametrize(
    ("made", "name"), [(fingerprint, "pictures"), (motion, "frames"), (fingerprint, "sound")]
)
def test_kept_pictures_and_sound_of_another_form_are_refused(made: Any, name: str) -> None:
    finding = made()
    data = data_of(finding, name)
    damaged = [
        b"",
        data[:7],
        data[:-1],
        data + b"\0",
        b"MNXX" + data[4:],
        data[:4] + b"\x09\x00" + data[6:],
        counts(data, 0xFFFFFFFF, 0xFFFFFFFF),
        counts(data, 0, 0),
        data[:8] + b"\0" * 8 if name != "sound" else data[:8] + b"\0" * 4,
    ]
    for one in damaged:
        with pytest.raises(MalformedError):
            told(with_blob(finding, name, one))


def test_times_and_numbers_of_pictures_out_of_order_are_refused() -> None:
    finding = motion()
    data = bytearray(data_of(finding, "frames"))
    for at, value in ((16, 0xFFFFFFFF), (16 + 4 * 6, 6), (16 + 4 * 6, 1)):
        changed = bytearray(data)
        struct.pack_into("<I", changed, at, value)
        with pytest.raises(MalformedError):
            told(with_blob(finding, "frames", bytes(changed)))


def test_a_border_box_that_leaves_nothing_is_refused() -> None:
    finding = fingerprint()
    data = bytearray(data_of(finding, "pictures"))
    first_row = 16 + 8 * 6
    data[first_row + 1 : first_row + 5] = b"\x80\x00\x80\xff"
    with pytest.raises(MalformedError):
        told(with_blob(finding, "pictures", bytes(data)))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a\nbc\n", [[0, 1, "line", 1, None, None], [2, 9, "line", 2, None, None]]),
        ("a\nbc\n", [[2, 4, "line", 1, None, None], [0, 1, "line", 2, None, None]]),
        ("a\nbc\n", [[-1, 1, "line", 1, None, None], [2, 4, "line", 2, None, None]]),
        ("a\nbc\n", [[0, 1, "<b>", 1, None, None], [2, 4, "line", 2, None, None]]),
        ("a\nbc\n", [[0, 1, "line", "1", None, None], [2, 4, "line", 2, None, None]]),
        ("a\nbc\n", [[0, 1], [2, 4]]),
    ],
)
def test_positions_of_another_form_are_refused(text: str, parts: Any) -> None:
    with pytest.raises(MalformedError):
        told(document(text, parts))


def test_text_that_is_none_is_refused() -> None:
    for name, data in (("text", b"\xff\xfe"), ("positions", b"{}"), ("positions", b"[" * 90_000)):
        with pytest.raises(MalformedError):
            told(with_blob(document(), name, data))
    for keep in ("text", "positions"):
        blobs = tuple(one for one in document().blobs if one.name == keep)
        with pytest.raises(MalformedError):
            told(msgspec.structs.replace(document(), blobs=blobs))


JPEG = b"\xff\xd8\xff<script>alert(9)</script>\xff\xd9"


@pytest.mark.parametrize(
    ("made", "blob"),
    [
        (frames, Blob("key-00", "bytes", JPEG, "image/jpeg", time_s="0.000")),
        (frames, Blob("key-24", "rgb24", bytes(12), width_px=2, height_px=2, time_s="0.000")),
        (frames, Blob("key-09", "rgb24", bytes(12), width_px=2, height_px=2)),
        (frames, Blob("key-09", "rgb24", bytes(1926), width_px=642, height_px=1, time_s="0.0")),
        (frames, Blob("key-09", "rgb24", bytes(12), width_px=2, height_px=2, time_s="0.0")),
        (frames, Blob("text", "bytes", b"x", "text/plain")),
        (frames, Blob("blurred", "rgb24", bytes(12), width_px=2, height_px=2)),
        (motion, Blob("page", "bytes", b"<html>", "text/html")),
        (fingerprint, Blob("key-00", "rgb24", bytes(3), width_px=1, height_px=1, time_s="0.0")),
        (document, Blob("blurred", "bytes", strip(3, 16, 12))),
    ],
)
def test_a_blob_of_another_name_or_form_is_refused(made: Any, blob: Blob) -> None:
    finding = made()
    kept = tuple(one for one in finding.blobs if one.name != blob.name)
    with pytest.raises(MalformedError):
        told(msgspec.structs.replace(finding, blobs=(*kept, blob)))


def test_a_container_has_no_blobs() -> None:
    assert told(Finding("container", VERSIONS["container"], {"anything": ["x"]})).findings
    with pytest.raises(MalformedError):
        told(Finding("container", VERSIONS["container"], {}, (Blob("x", "bytes", b""),)))


@pytest.mark.parametrize(
    ("made", "name", "value"),
    [
        (frames, "key_pictures", "3"),
        (frames, "key_pictures", 2),
        (frames, "key_times_ms", [0, 1, "2"]),
        (frames, "more", 1),
        (fingerprint, "duration_ms", -1),
        (fingerprint, "duration_ms", 1 << 41),
        (fingerprint, "duration_ms", True),
        (fingerprint, "still", 1),
        (fingerprint, "landmarks", 0),
        (fingerprint, "width_px", 1 << 21),
        (motion, "pictures", 7),
        (document, "characters", "5"),
        (document, "title", ["x"]),
        (document, "pages", "9"),
        (document, "meta", {"a": "b"}),
    ],
)
def test_a_fact_of_another_form_is_refused(made: Any, name: str, value: Any) -> None:
    finding = made()
    with pytest.raises(MalformedError):
        told(msgspec.structs.replace(finding, facts={**finding.facts, name: value}))


def test_only_the_examiners_asked_for_are_heard() -> None:
    payload = msgspec.msgpack.encode(Examined(findings=(motion(),)))
    ended = Ended("done", None, payload, 0, 0, 0)
    for asked in (("frames",), ("motion", "frames"), ()):
        with pytest.raises(MalformedError):
            examining.outcome_of(ended, asked)
    assert reading.examined(payload).findings
