"""HEIC and AVIF: real files by libheif and libavif; what is not put together says so."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from muniment.collect.content_type import identify
from muniment.examine import heif, limits
from muniment.model.examine import Examined, Problem
from tests.media import making
from tests.media.running import LIMITS, Confined, examined
from tests.media.test_unusual import finding, keys, pixels

pillow_heif.register_heif_opener()
Pixels = np.ndarray[Any, Any]


def shown(data: bytes) -> Pixels:
    """The picture as libheif or libavif shows it."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB")).astype(int)


def ours(found: Examined) -> Pixels:
    assert found.problem is None, found.detail
    (key,) = keys(found)
    return pixels(key).astype(int)


def facts(found: Examined) -> dict[str, Any]:
    told: dict[str, Any] = finding(found, "container").facts
    return told


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
@pytest.mark.parametrize("options", [{}, {"quality": 40}], ids=["fine", "coarse"])
def test_one_picture(form: str, options: dict[str, int]) -> None:
    data = making.still(form, **options)
    kind = identify(data, "x").by_content
    assert kind == {"HEIF": "image/heic", "AVIF": "image/avif"}[form]
    found = examined(data, kind)
    assert {one.examiner for one in found.findings} == {"container", "frames", "fingerprint"}
    assert np.abs(ours(found) - shown(data)).mean() < 2
    assert finding(found, "fingerprint").facts["still"] is True


@pytest.mark.parametrize(
    ("size", "tile_px", "tiles"),
    [((160, 120), 64, (2, 3)), ((600, 500), 256, (2, 3)), ((512, 256), 256, (1, 2))],
)
def test_tiles_are_put_together(
    size: tuple[int, int], tile_px: int, tiles: tuple[int, int]
) -> None:
    data = making.heic(size, tile_px)
    found = examined(data, "image/heic")
    told = facts(found)
    assert (told["heif"]["item"], told["heif"]["rows"], told["heif"]["columns"]) == ("grid", *tiles)
    assert len(told["tracks"]) == 1, "a tile is no track"
    assert np.abs(ours(found) - shown(data)).mean() < 2
    fingerprint = finding(found, "fingerprint").facts
    assert (fingerprint["width_px"], fingerprint["height_px"]) == size


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_and_mirrored(orientation: int) -> None:
    exif = Image.Exif()
    exif[274], exif[306] = orientation, "2021:09:13 09:03:17"
    data = making.still("AVIF", exif=exif)
    found = examined(data, "image/avif")
    assert np.abs(ours(found) - shown(data)).mean() < 2
    assert [(one["source"], one["text"]) for one in facts(found)["times"]] == [
        ("EXIF: DateTime", "2021:09:13 09:03:17")
    ]


@pytest.mark.parametrize(("turns", "wanted"), [(1, "rot90"), (3, "rot270"), (2, "rot180")])
def test_a_grid_is_turned_as_a_whole(turns: int, wanted: str) -> None:
    data = making.heic(tile_px=64)
    turned = with_property(data, struct.pack(">I4sB", 9, b"irot", turns))
    found = ours(examined(turned, "image/heic"))
    quarters = {"rot90": 1, "rot180": 2, "rot270": 3}[wanted]
    assert np.abs(found - np.rot90(shown(data), quarters)).mean() < 2
    assert np.abs(found - shown(turned)).mean() < 2, "libheif reads it the same"


def with_property(data: bytes, box: bytes) -> bytes:
    """The file with one more property of its primary item, all sizes and places made to fit."""
    meta = data.index(b"meta") - 4
    (size,) = struct.unpack_from(">I", data, meta)
    body = bytearray(data[meta : meta + size])
    ipco, ipma = body.index(b"ipco") - 4, body.index(b"ipma") - 4
    (number,) = struct.unpack_from(">H", body, body.index(b"pitm") + 8)
    known = len(list(heif._boxes(bytes(body[ipco:ipma]), 8)))
    at = ipma + 16
    while struct.unpack_from(">H", body, at)[0] != number:
        at += 3 + body[at + 2]
    body[at + 2] += 1
    end = at + 2 + body[at + 2]
    body[end:end] = bytes([known + 1])
    body[ipma:ipma] = box
    for name, grown in ((b"ipma", 1), (b"ipco", len(box)), (b"iprp", len(box) + 1)):
        place = body.index(name) - 4
        struct.pack_into(">I", body, place, struct.unpack_from(">I", body, place)[0] + grown)
    struct.pack_into(">I", body, 0, len(body))
    return moved(data[:meta] + bytes(body) + data[meta + size :], len(box) + 1)


def moved(data: bytes, by: int) -> bytes:
    """The file with the places of its items in `mdat` so much further on (iloc of a grid's file)."""
    changed = bytearray(data)
    at = changed.index(b"iloc") + 4
    assert (changed[at], *struct.unpack_from(">H", changed, at + 4)) == (1, 0x4440)
    (count,) = struct.unpack_from(">H", changed, at + 6)
    at += 8
    for _ in range(count):
        _, method, _, base, extents = struct.unpack_from(">HHHIH", changed, at)
        if method == 0:
            struct.pack_into(">I", changed, at + 6, base + by)
        at += 12 + 8 * extents
    return bytes(changed)


def test_a_sequence_is_seen_whole() -> None:
    pictures = [Image.fromarray(making.scene(160, 120, 9 * at)) for at in range(6)]
    out = io.BytesIO()
    pictures[0].save(out, "AVIF", save_all=True, append_images=pictures[1:], duration=500)
    found = examined(out.getvalue(), "image/avif")
    assert found.problem is None, found.detail
    assert facts(found)["packets"]["pictures"] == 6


def test_the_picture_shown_is_taken_and_not_the_largest() -> None:
    out = io.BytesIO()
    file = pillow_heif.HeifFile()
    for width in (160, 320):
        file.add_from_pillow(Image.fromarray(making.scene(width, 120, 0)))
    file.save(out, primary_index=0)
    assert ours(examined(out.getvalue(), "image/heic")).shape == (120, 160, 3)


def test_a_crop_is_told() -> None:
    data = making.heic((333, 251))
    told = facts(examined(data, "image/heic"))["heif"]
    assert told["shown_px"] == [333, 251]
    at = data.index(b"clap") + 4
    found = examined(making.replaced(data, at, struct.pack(">4I", 100, 1, 90, 1)), "image/heic")
    assert ("cropped for showing", "100x90 of 334x252; examined whole") in [
        (one.what, one.detail) for one in found.notes
    ]


def spoilt(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def grid_of(data: bytes, rows: int, columns: int, width: int, height: int) -> bytes:
    at = data.index(b"idat") + 4
    return making.replaced(data, at + 2, struct.pack(">BBHH", rows - 1, columns - 1, width, height))


@pytest.mark.parametrize(
    ("change", "problem", "told"),
    [
        (lambda d: d[: len(d) // 2], Problem.TRUNCATED, "truncated at byte"),
        (lambda d: spoilt(d, b"pitm", b"free"), Problem.BAD_STRUCTURE, "names no picture"),
        (lambda d: spoilt(d, b"dimg", b"free"), Problem.BAD_STRUCTURE, "0 tiles for 2 rows of 3"),
        (lambda d: grid_of(d, 9, 9, 160, 120), Problem.BAD_STRUCTURE, "6 tiles for 9 rows of 9"),
        (lambda d: grid_of(d, 2, 3, 900, 120), Problem.BAD_STRUCTURE, "do not make up a picture"),
        (lambda d: grid_of(d, 2, 3, 60000, 60000), Problem.DIMENSIONS, "60000x60000"),
        (lambda d: spoilt(d, b"grid", b"iovl"), Problem.REFUSED_CODEC, "HEIF item type iovl"),
        (lambda d: d.replace(b"hvc1", b"j2k1"), Problem.REFUSED_CODEC, "HEIF item type j2k1"),
        (lambda d: spoilt(d, b"iinf", b"\xff" * 4), Problem.BAD_STRUCTURE, "names no picture"),
    ],
)
def test_what_is_not_put_together_says_so(change: Any, problem: Problem, told: str) -> None:
    found = examined(change(making.heic(tile_px=64)), "image/heic")
    assert found.problem is problem and told in found.detail, (found.problem, found.detail)
    assert "\n" not in found.detail and len(found.detail) < 250


@pytest.mark.parametrize("seed", range(60))
def test_a_spoilt_list_of_items_is_an_answer(seed: int) -> None:
    data = bytearray(making.heic(tile_px=64))
    rng, end = np.random.default_rng(seed), bytes(data).index(b"mdat")
    for at in rng.integers(28, end, 4):
        data[at] = rng.integers(256)
    found = examined(bytes(data), "image/heic")
    assert found.problem is None or found.detail


@pytest.mark.parametrize(
    ("form", "kind"),
    [("JPEG2000", "image/jp2"), ("ICO", "image/x-icon"), ("PCX", "image/x-pcx")],
)
def test_other_stills_are_named(form: str, kind: str) -> None:
    if form == "JPEG2000":
        data = making.still(form, no_jp2=False)
        data = data if data[4:6] == b"jP" else boxed(data)
    else:
        data = making.still(form, (64, 64))
    assert identify(data, "").by_content == kind
    found = examined(data, kind)
    assert found.problem is Problem.REFUSED_CODEC
    assert found.detail == f"stills of type {kind} are not decoded: {limits.STILLS_TOLD}"


def boxed(data: bytes) -> bytes:
    """A JPEG 2000 codestream in its file format, as far as its signature."""
    return b"\0\0\0\x0cjP  \r\n\x87\n" + data


def test_as_many_tiles_as_48_megapixels_have_fit_a_worker() -> None:
    data = making.heic((1008, 756), 64)
    confined = Confined()
    try:
        found = confined(data, "image/heic")
    finally:
        confined.close()
    assert found.problem is None, (found.problem, found.detail, LIMITS)
    assert facts(found)["heif"]["rows"] * facts(found)["heif"]["columns"] == 192
