"""The media inputs 1-23 and 29-32 of the list in the security anchor, and 56: each its error."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest

from muniment.examine import limits
from muniment.model.examine import Problem
from tests.media import making
from tests.media.running import examined

FILM = "video/mp4"
HTML = b"<!DOCTYPE html><html><body><p>Not a film.</p></body></html>"
ELF = b"\x7fELF\x02\x01\x01" + bytes(200)
ZIP = b"PK\x03\x04" + bytes(26) + b"name" + bytes(100)
SVG = (
    b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///x"/></svg>'
)
HLS_FILE = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
HLS_HTTP = b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:1/x.ts\n#EXT-X-ENDLIST\n"
CONCAT = b"ffconcat version 1.0\nfile '/etc/passwd'\n"
DASH = b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://x/</BaseURL></MPD>'
SDP = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"


def random_bytes() -> bytes:
    return random.Random(4).randbytes(50_000)


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def oversized() -> bytes:
    return making.replaced(making.mp4(), 0, b"\x7f\xff\xff\xff")


def oversized_inside() -> bytes:
    data = making.mp4()
    return making.replaced(data, data.index(b"trak") - 4, b"\x7f\xff\xff\xff")


def gif_huge() -> bytes:
    return making.replaced(making.gif(), 6, b"\xff\xff\xff\xff")


CASES: list[tuple[str, Callable[[], bytes], str, Problem, str]] = [
    ("1 empty", lambda: b"", FILM, Problem.NOT_MEDIA, "is empty"),
    ("2 one byte", lambda: b"\x00", FILM, Problem.NOT_MEDIA, "."),
    ("2 one letter", lambda: b"A", FILM, Problem.TYPE_MISMATCH, "text/plain"),
    ("3 zeros", lambda: bytes(100_000), FILM, Problem.NOT_MEDIA, "zero bytes"),
    ("4 random", random_bytes, FILM, Problem.NOT_MEDIA, "no known container"),
    ("5 cut 50%", lambda: cut(making.mp4(), 0.5), FILM, Problem.TRUNCATED, r"at byte \d+"),
    (
        "5 cut 50%, index first",
        lambda: cut(making.mp4_index_first(), 0.5),
        FILM,
        Problem.TRUNCATED,
        r"at byte \d+",
    ),
    ("6 cut to 90%", lambda: cut(making.mp4(), 0.9), FILM, Problem.TRUNCATED, r"at byte \d+"),
    (
        "6 cut to 90%, index first",
        lambda: cut(making.mp4_index_first(), 0.9),
        FILM,
        Problem.TRUNCATED,
        r"at byte \d+",
    ),
    ("6 cut to 10%", lambda: cut(making.mp4(), 0.1), FILM, Problem.TRUNCATED, r"at byte \d+"),
    (
        "6 webm cut",
        lambda: cut(making.webm(), 0.6),
        "video/webm",
        Problem.TRUNCATED,
        r"at byte \d+",
    ),
    (
        "6 avi cut",
        lambda: cut(making.avi(), 0.6),
        "video/x-msvideo",
        Problem.TRUNCATED,
        r"at byte \d+",
    ),
    (
        "6 jpeg cut",
        lambda: cut(making.still("JPEG"), 0.6),
        "image/jpeg",
        Problem.TRUNCATED,
        r"at byte \d+",
    ),
    (
        "6 png cut",
        lambda: cut(making.still("PNG"), 0.6),
        "image/png",
        Problem.TRUNCATED,
        r"at byte \d+",
    ),
    ("6 gif cut", lambda: cut(making.gif(), 0.6), "image/gif", Problem.TRUNCATED, r"at byte \d+"),
    (
        "6 webp cut",
        lambda: cut(making.still("WEBP"), 0.6),
        "image/webp",
        Problem.TRUNCATED,
        r"at byte \d+",
    ),
    ("6 ogg cut", lambda: cut(making.voice(), 0.6), "audio/ogg", Problem.TRUNCATED, r"at byte \d+"),
    ("8 oversized box", oversized, FILM, Problem.BAD_STRUCTURE, "box ftyp at byte 0 claims"),
    ("8 oversized inside", oversized_inside, FILM, Problem.BAD_STRUCTURE, "box trak at byte"),
    (
        "9 png 60k",
        lambda: making.png(60_000, 60_000),
        "image/png",
        Problem.DIMENSIONS,
        "60000x60000",
    ),
    ("10 png negative", lambda: making.png(-5, 100), "image/png", Problem.DIMENSIONS, "-5x100"),
    ("11 png zero", lambda: making.png(0, 100), "image/png", Problem.DIMENSIONS, "0x100"),
    ("12 png bomb", making.png_bomb, "image/png", Problem.DIMENSIONS, "20000x20000"),
    ("13 gif 65535", gif_huge, "image/gif", Problem.DIMENSIONS, "65535x65535"),
    ("14 hls file", lambda: HLS_FILE, FILM, Problem.PLAYLIST, "HLS"),
    ("15 hls http", lambda: HLS_HTTP, FILM, Problem.PLAYLIST, "HLS"),
    ("16 ffconcat", lambda: CONCAT, FILM, Problem.PLAYLIST, "ffconcat"),
    ("17 dash", lambda: DASH, FILM, Problem.PLAYLIST, "DASH"),
    ("18 sdp", lambda: SDP, FILM, Problem.PLAYLIST, "SDP"),
    ("19 svg", lambda: SVG, FILM, Problem.TYPE_MISMATCH, "image/svg"),
    ("20 elf", lambda: ELF, FILM, Problem.TYPE_MISMATCH, "executable"),
    ("21 zip", lambda: ZIP, FILM, Problem.TYPE_MISMATCH, "application/zip"),
    ("22 html", lambda: HTML, FILM, Problem.TYPE_MISMATCH, "text/html"),
    (
        "30 grows",
        lambda: making.growing((64, 48), (6100, 6100)),
        "video/quicktime",
        Problem.FRAME_OVER_LIMIT,
        "6100x6100",
    ),
    ("31 streams", making.many_streams, FILM, Problem.TOO_MANY_STREAMS, "100[0-9]"),
    ("32 backward", making.backward_times, "video/x-matroska", Problem.TIMESTAMPS, "no later time"),
    ("32 huge", making.huge_times, FILM, Problem.TIMESTAMPS, "claims"),
    ("56 entity bomb", making.entity_bomb, "application/xml", Problem.BAD_STRUCTURE, "entities"),
]
IDS = [one[0] for one in CASES]


@pytest.mark.parametrize(("make", "kind", "problem", "told"), [one[1:] for one in CASES], ids=IDS)
def test_each_input_gives_its_error(
    make: Callable[[], bytes], kind: str, problem: Problem, told: str
) -> None:
    found = examined(make(), kind)
    assert (found.problem, bool(re.search(told, found.detail))) == (problem, True), found.detail
    assert "\n" not in found.detail
    assert len(found.detail) < 250


def test_7_hidden_index_is_taken_with_a_note() -> None:
    found = examined(making.hidden_index())
    assert found.problem is None, found.detail
    assert "index (moov) hidden in another box" in [note.what for note in found.notes]
    assert {one.examiner for one in found.findings} == {
        "container",
        "frames",
        "fingerprint",
        "motion",
    }


def test_23_sound_alone_is_examined_with_a_note() -> None:
    found = examined(making.voice(), "audio/ogg")
    assert found.problem is None, found.detail
    assert "no video stream" in [note.what for note in found.notes]
    heard = next(one for one in found.findings if one.examiner == "fingerprint")
    assert heard.facts["heard_ms"] > 1_500


def test_29_endless_duration_meets_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BASE_CPU_S", 0.01)
    monkeypatch.setattr(limits, "CPU_S_PER_MB", 0.0)
    found = examined(making.film(frames=900, rate=30))
    assert found.problem is Problem.TIME_LIMIT
    assert re.search(r"after 0 s of CPU, \d+ s into the clip", found.detail)


def test_what_was_found_before_the_cut_is_kept() -> None:
    found = examined(cut(making.mp4_index_first(), 0.7))
    assert found.problem is Problem.TRUNCATED
    motion = next(one for one in found.findings if one.examiner == "motion")
    assert motion.facts["pictures"] > 3


def test_nan_duration_is_no_obstacle() -> None:
    found = examined(making.nan_duration(), "video/x-matroska")
    assert found.problem is None, found.detail
