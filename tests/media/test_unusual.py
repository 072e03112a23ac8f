"""Unusual media that must be examined all the same: rotation, rates, depths, sizes, claims."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from muniment.model.examine import Blob, Examined
from tests.media import making
from tests.media.running import examined


def finding(found: Examined, name: str) -> Any:
    return next(one for one in found.findings if one.examiner == name)


def keys(found: Examined) -> list[Blob]:
    return [one for one in finding(found, "frames").blobs if one.form == "rgb24"]


def pixels(blob: Blob) -> np.ndarray:
    return np.frombuffer(blob.data, np.uint8).reshape(blob.height_px, blob.width_px, 3)


def test_two_runs_give_the_same_bytes() -> None:
    data = making.mp4()
    assert examined(data) == examined(data)


def test_skipping_changes_no_picture() -> None:
    with_b = making.film(frames=60, rate=30, options={"bf": "4", "b_strategy": "0"})
    one = examined(with_b)
    from muniment.examine import streams

    kept = streams.Order.begins_cell
    try:
        streams.Order.begins_cell = lambda self, pts, origin: True  # type: ignore[method-assign]
        every = examined(with_b)
    finally:
        streams.Order.begins_cell = kept  # type: ignore[method-assign]
    assert finding(one, "motion") == finding(every, "motion")
    assert finding(one, "fingerprint") == finding(every, "fingerprint")
    assert keys(one) == keys(every)


@pytest.mark.parametrize(("degrees", "corner"), [(90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_rotation_is_applied(degrees: int, corner: tuple[int, int]) -> None:
    found = examined(making.rotated(degrees))
    assert found.problem is None, found.detail
    picture = pixels(keys(found)[0])
    assert picture.shape == ((120, 160, 3) if degrees == 180 else (160, 120, 3))
    y, x = (5 if corner[0] == 0 else -6), (5 if corner[1] == 0 else -6)
    red, green, _ = picture[y, x]
    assert red > 200 and green < 60


def test_variable_rate_is_sampled_by_time() -> None:
    times = [0, 40, 80, 120, 1_000, 1_040, 3_000, 3_500, 3_999]
    found = examined(making.film("matroska", frames=len(times), times=times), "video/x-matroska")
    assert found.problem is None, found.detail
    motion = finding(found, "motion")
    assert motion.facts["pictures"] == 20  # each cell of a fifth of a second, held pictures too


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size"),
    [
        ("libx264", "yuv420p10le", (160, 120)),
        ("libx264", "yuv444p", (161, 121)),
        ("libx264", "yuv420p", (120, 214)),
        ("mpeg4", "yuv420p", (18, 18)),
        ("mjpeg", "yuvj422p", (50, 34)),
    ],
)
def test_depths_and_sizes(codec: str, pixel_format: str, size: tuple[int, int]) -> None:
    found = examined(
        making.film("matroska", codec, size, pixel_format=pixel_format), "video/x-matroska"
    )
    assert found.problem is None, found.detail
    picture = pixels(keys(found)[0])
    assert picture.shape == (size[1], size[0], 3)
    apart = np.abs(picture.astype(int) - making.scene(*size, 0)).mean()
    assert apart < 30


def test_high_dynamic_range_is_named() -> None:
    data = making.film(
        "matroska",
        "libx264",
        pixel_format="yuv420p10le",
        options={"x264-params": "colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"},
    )
    found = examined(data, "video/x-matroska")
    assert found.problem is None, found.detail
    assert finding(found, "container").facts["tracks"][0]["high_dynamic_range"] == "PQ"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_stills(form: str) -> None:
    kind = f"image/{form.lower()}"
    found = examined(making.still(form), kind)
    assert found.problem is None, found.detail
    picture = pixels(keys(found)[0])
    assert picture.shape == (120, 160, 3)
    assert np.abs(picture.astype(int) - making.scene(160, 120, 0)).mean() < 12


def test_turned_photograph_is_upright() -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[274] = 6  # shown turned clockwise
    found = examined(making.still("JPEG", exif=exif), "image/jpeg")
    assert found.problem is None, found.detail
    picture = pixels(keys(found)[0])
    assert picture.shape == (160, 120, 3)
    assert picture[5, -6, 0] > 200 and picture[5, 5, 0] < 120


def test_exif_time_place_and_zone() -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[271], exif[272], exif[306] = "Maker", "Model\x07", "2021:09:13 09:03:17"
    detail = exif.get_ifd(0x8769)
    detail[36867], detail[36881] = "2021:09:13 09:03:17", "+02:00"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (48.0, 30.0, 0.0), "W", (2.0, 15.0, 36.0)
    found = examined(making.still("JPEG", exif=exif), "image/jpeg")
    facts = finding(found, "container").facts
    zones = {one["source"]: one["zone"] for one in facts["times"]}
    assert zones == {"EXIF: DateTime": "unknown", "EXIF: DateTimeOriginal": "+02:00"}
    (place,) = facts["places"]
    assert (place["latitude_deg"], place["longitude_deg"]) == ("48.5000000", "-2.2600000")
    assert {"name": "Model", "value": "Model\\x07"} in facts["still"]["exif"]


def test_thumbnail_that_differs_is_told() -> None:
    jpeg = making.still("JPEG", (320, 240))
    for shown, differs in (
        (making.scene(160, 120, 0), False),
        (255 - making.scene(160, 120, 0), True),
    ):
        data = with_thumbnail(jpeg, shown)
        (thumbnail,) = finding(examined(data, "image/jpeg"), "container").facts["thumbnails"]
        assert thumbnail["differs"] is differs, thumbnail


def with_thumbnail(jpeg: bytes, shown: np.ndarray) -> bytes:
    """A JPEG with an EXIF block whose second directory holds a thumbnail."""
    import io

    from PIL import Image

    body = io.BytesIO()
    Image.fromarray(shown).save(body, "JPEG", quality=80)
    small = body.getvalue()
    first = struct.pack("<HHHII", 1, 0x0112, 3, 1, 1) + struct.pack("<I", 26)
    second = struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 26 + 30)
    second += struct.pack("<HHII", 0x0202, 4, 1, len(small)) + struct.pack("<I", 0)
    tiff = b"II*\0" + struct.pack("<I", 8) + first + second + small
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def test_animated_gif_is_a_film() -> None:
    found = examined(making.gif(), "image/gif")
    assert found.problem is None, found.detail
    assert finding(found, "motion").facts["pictures"] >= 5


def test_ten_hours_claimed() -> None:
    found = examined(making.claimed_duration(10))
    assert found.problem is None, found.detail
    facts = finding(found, "container").facts
    assert facts["durations_disagree"]
    assert len(keys(found)) >= 1


def test_resolution_changes_within_the_limits() -> None:
    found = examined(making.growing((64, 48), (128, 96)), "video/quicktime")
    assert found.problem is None, found.detail
    assert "resolution changes" in [note.what for note in found.notes]


def test_many_tiny_frames() -> None:
    def flat(width: int, height: int, at: int) -> np.ndarray:
        return np.full((height, width, 3), at % 251, np.uint8)

    data = making.film("matroska", "mpeg4", (16, 16), 50_000, 1_000, picture=flat)
    found = examined(data, "video/x-matroska")
    assert found.problem is None, found.detail
    assert finding(found, "container").facts["packets"]["pictures"] == 50_000
    assert finding(found, "motion").facts["pictures"] == 250


@pytest.mark.slow
def test_twelve_hours_of_black() -> None:
    """Nothing to see: every examiner ends, keeps little, and calls no picture a telling one."""

    def black(width: int, height: int, at: int) -> np.ndarray:
        return np.zeros((height, width, 3), np.uint8)

    count = 12 * 360
    times = [10_000 * at for at in range(count)]
    data = making.film("matroska", "mpeg4", (64, 48), count, 10, times=times, picture=black)
    found = examined(data, "video/x-matroska")
    assert found.problem is None, found.detail
    facts = finding(found, "fingerprint").facts
    assert facts["duration_ms"] > 43_000_000 and facts["telling_pictures"] == 0
    assert sum(len(blob.data) for one in found.findings for blob in one.blobs) < 2_000_000


def test_bytes_after_a_picture_are_noted() -> None:
    found = examined(making.still("JPEG") + making.mp4(), "image/jpeg")
    assert found.problem is None, found.detail
    assert "bytes after the picture" in [note.what for note in found.notes]


def test_hostile_tags_are_bounded() -> None:
    import io

    import av

    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as made:
        made.metadata["comment"] = "\u202e" + "x" * 400_000
        for at in range(300):
            made.metadata[f"tag{at}"] = "\x07 y" * 2_000
        video = made.add_stream("mpeg4", rate=5)
        video.width = video.height = 32
        frame = av.VideoFrame.from_ndarray(making.scene(32, 32, 0), format="rgb24")
        made.mux(video.encode(frame))
        made.mux(video.encode(None))
    found = examined(out.getvalue(), "video/x-matroska")
    assert found.problem is None, found.detail
    told = str(finding(found, "container").facts)
    assert "\u202e" not in told and len(told) < 260_000
