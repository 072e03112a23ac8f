"""Small media files, made by code: good ones of several formats, and parts to spoil them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

COURTYARD = Path(__file__).parents[2] / "examples/courtyard/input/telegram"
Picture = NDArray[np.uint8]


def scene(width: int, height: int, at: int) -> Picture:
    """A picture with structure that moves: ramps, a disc, a corner mark at the top left."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    picture = np.stack([x * 255 // width, y * 255 // height, (x + y + 3 * at) % 256], axis=-1)
    disc = (x - width * (0.3 + 0.01 * at)) ** 2 + (y - height * 0.5) ** 2 < (height * 0.2) ** 2
    picture[disc] = (250, 240, 20)
    picture[: height // 5, : width // 5] = (255, 0, 0)
    return picture.astype(np.uint8)


def tone(samples: int, rate: int) -> NDArray[np.int16]:
    """A gliding tone."""
    t = np.arange(samples) / rate
    return (9000 * np.sin(2 * np.pi * (300 + 120 * t) * t)).astype(np.int16)


def film(
    container: str = "mp4",
    codec: str = "libx264",
    size: tuple[int, int] = (160, 120),
    frames: int = 30,
    rate: int = 10,
    *,
    pixel_format: str = "yuv420p",
    sound: str | None = None,
    times: list[int] | None = None,
    options: dict[str, str] | None = None,
    muxing: dict[str, str] | None = None,
    picture: Callable[[int, int, int], Picture] = scene,
) -> bytes:
    """A film in memory. `times` are presentation times in ticks of 1/1000 s."""
    out = io.BytesIO()
    with av.open(out, "w", format=container, options=muxing or {}) as made:
        video = made.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height = size
        video.pix_fmt = pixel_format
        if times is not None:
            video.time_base = Fraction(1, 1000)
            video.codec_context.time_base = Fraction(1, 1000)
        audio = made.add_stream(sound, rate=48_000, layout="mono") if sound else None
        for at in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(*size, at), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[at], Fraction(1, 1000)
            made.mux(video.encode(frame))
        made.mux(video.encode(None))
        if audio is not None:
            for packet in sounded(audio, frames / rate):
                made.mux(packet)
    return out.getvalue()


def sounded(audio: av.AudioStream, duration_s: float) -> Iterator[av.Packet]:
    """Packets of a tone."""
    rate = audio.codec_context.sample_rate
    step = audio.codec_context.frame_size or 1024
    samples = tone(int(duration_s * rate), rate)
    for start in range(0, len(samples) - step, step):
        frame = av.AudioFrame.from_ndarray(
            samples[None, start : start + step], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        resampled = av.AudioResampler(format=audio.format.name).resample(frame)
        for one in resampled:
            yield from audio.encode(one)
    yield from audio.encode(None)


@cache
def mp4() -> bytes:
    """H.264 and AAC, index at the end, as an encoder without a second pass writes it."""
    return film(sound="aac", options={"bf": "2"})


@cache
def mp4_index_first() -> bytes:
    """The same with the index before the media."""
    data = mp4()
    (index,) = (one for one in boxes(data) if one[0] == b"moov")
    (head,) = (one for one in boxes(data) if one[0] == b"ftyp")
    moved = bytearray(data[index[1] : index[2]])
    at = moved.find(b"stco")
    while at >= 0:
        count = int.from_bytes(moved[at + 8 : at + 12], "big")
        for place in range(at + 12, at + 12 + 4 * count, 4):
            offset = int.from_bytes(moved[place : place + 4], "big") + len(moved)
            moved[place : place + 4] = offset.to_bytes(4, "big")
        at = moved.find(b"stco", at + 4)
    return data[: head[2]] + bytes(moved) + data[head[2] : index[1]] + data[index[2] :]


@cache
def webm() -> bytes:
    """VP9 in WebM."""
    return film("webm", "libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"})


@cache
def avi() -> bytes:
    """MPEG-4 in AVI."""
    return film("avi", "mpeg4")


@cache
def mpegts() -> bytes:
    """H.264 in an MPEG transport stream."""
    return film("mpegts", "libx264")


def still(form: str, size: tuple[int, int] = (160, 120), **options: object) -> bytes:
    """A still of the scene."""
    out = io.BytesIO()
    Image.fromarray(scene(*size, 0)).save(out, form, **options)
    return out.getvalue()


def heic(size: tuple[int, int] = (160, 120), tile_px: int = 0, **options: object) -> bytes:
    """A still as phones write it, by libheif: one picture, or in tiles of so many pixels."""
    pillow_heif.register_heif_opener()
    kept = pillow_heif.options.GRID_TILE_SIZE
    pillow_heif.options.GRID_TILE_SIZE = tile_px
    try:
        return still("HEIF", size, quality=90, **options)
    finally:
        pillow_heif.options.GRID_TILE_SIZE = kept


def gif(frames: int = 5, duration_ms: int = 300) -> bytes:
    """An animated GIF."""
    out = io.BytesIO()
    pictures = [Image.fromarray(scene(64, 48, 5 * at)) for at in range(frames)]
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=duration_ms, loop=0
    )
    return out.getvalue()


def voice(container: str = "ogg", codec: str = "libopus", duration_s: float = 2.0) -> bytes:
    """Sound alone."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as made:
        audio = made.add_stream(codec, rate=48_000, layout="mono")
        for packet in sounded(audio, duration_s):
            made.mux(packet)
    return out.getvalue()


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header declares this size, whatever its data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">II", width & 0xFFFFFFFF, height & 0xFFFFFFFF) + b"\x08\x00\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(data or bytes(1000)))
        + chunk(b"IEND", b"")
    )


def png_bomb(side: int = 20_000) -> bytes:
    """A few hundred kilobytes that unpack to side x side pixels."""
    packer = zlib.compressobj(9)
    row = bytes(side + 1)
    body = b"".join(packer.compress(row * 100) for _ in range(side // 100)) + packer.flush()
    whole = png(side, side)
    plain = zlib.compress(bytes(1000))
    return whole.replace(plain, body)


def boxes(data: bytes) -> list[tuple[bytes, int, int]]:
    """Outermost boxes: type, start, end."""
    found, at = [], 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big") or len(data) - at
        found.append((data[at + 4 : at + 8], at, at + size))
        at += size
    return found


def box(kind: bytes, body: bytes) -> bytes:
    """A box."""
    return struct.pack(">I4s", 8 + len(body), kind) + body


def replaced(data: bytes, start: int, new: bytes) -> bytes:
    """`data` with the bytes at `start` overwritten."""
    return data[:start] + new + data[start + len(new) :]


def hidden_index() -> bytes:
    """The index (moov) named `free`, as if it were padding."""
    data = mp4()
    (_, start, _) = next(one for one in boxes(data) if one[0] == b"moov")
    return replaced(data, start + 4, b"free")


def many_streams(count: int = 1_000) -> bytes:
    """The video track's entry in the index, so many times."""
    data = mp4()
    (_, start, end) = next(one for one in boxes(data) if one[0] == b"moov")
    inside = boxes(data[start + 8 : end])
    track = next(one for one in inside if one[0] == b"trak")
    entry = data[start + 8 + track[1] : start + 8 + track[2]]
    return data[:start] + box(b"moov", data[start + 8 : end] + entry * count) + data[end:]


def growing(first: tuple[int, int], second: tuple[int, int], frames: int = 6) -> bytes:
    """PNG frames in QuickTime whose size changes halfway."""
    out = io.BytesIO()
    with av.open(out, "w", format="mov") as made:
        video = made.add_stream("png", rate=5)
        video.width, video.height, video.pix_fmt = *first, "gray"
        for at in range(frames):
            size = first if at < frames // 2 else second
            body = io.BytesIO()
            flat = np.full((size[1], size[0]), 10 * at, np.uint8)
            Image.fromarray(flat).save(body, "PNG", compress_level=1)
            packet = av.Packet(body.getvalue())
            packet.stream, packet.time_base = video, Fraction(1, 5)
            packet.pts = packet.dts = at
            packet.is_keyframe = True
            made.mux(packet)
    return out.getvalue()


def backward_times() -> bytes:
    """Matroska whose blocks claim ever earlier times."""
    data = bytearray(film("matroska", "mjpeg", pixel_format="yuvj420p"))
    at, step = data.find(b"\xa3"), 0
    while at >= 0:
        length = 9 - data[at + 1].bit_length() if data[at + 1] else 9
        track = at + 1 + length
        if length < 9 and data[track : track + 1] == b"\x81" and data[track + 3] & 0x7F == 0:
            data[track + 1 : track + 3] = struct.pack(">h", 30_000 - 900 * step)
            step += 1
        at = data.find(b"\xa3", at + 1)
    return bytes(data)


def huge_times() -> bytes:
    """MP4 whose every frame claims to last two thirds of a year."""
    data = mp4()
    at = data.index(b"stts") + 4
    assert struct.unpack_from(">I", data, at + 4)[0] == 1
    time_scale = data.index(b"mdhd") + 16
    slow = replaced(data, time_scale, struct.pack(">I", 1))
    return replaced(slow, at + 12, struct.pack(">I", 0x01000000))


def nan_duration() -> bytes:
    """Matroska whose duration is not a number; its frames are sound."""
    data = film("matroska", "mpeg4")
    at = data.index(b"\x44\x89\x88")
    return replaced(data, at + 3, struct.pack(">d", float("nan")))


def claimed_duration(hours: int) -> bytes:
    """MP4 whose header claims to last so many hours."""
    data = mp4()
    at = data.index(b"mvhd") + 4
    scale = struct.unpack_from(">I", data, at + 12)[0]
    return replaced(data, at + 16, struct.pack(">I", min(hours * 3600 * scale, 0xFFFFFFFE)))


def rotated(degrees: int) -> bytes:
    """MP4 that is to be shown turned clockwise."""
    data = mp4()
    at = data.index(b"tkhd") + 4 + 40
    one = 1 << 16
    turns = {90: (0, one, -one, 0), 180: (-one, 0, 0, -one), 270: (0, -one, one, 0)}
    a, b, c, d = turns[degrees]
    return replaced(data, at, struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))


def mail_nested(depth: int) -> bytes:
    """A message whose parts nest so deep."""
    head = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: nested\r\n"
    body = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at)
        for at in range(depth)
    )
    return head + body + b"Content-Type: text/plain\r\n\r\ninnermost\r\n"


def entity_bomb() -> bytes:
    """Ten entities, each ten times the one before."""
    declared = b"".join(
        b'<!ENTITY e%d "%s">' % (at, (b"&e%d;" % (at - 1)) * 10 if at else b"lol")
        for at in range(10)
    )
    return b'<?xml version="1.0"?><!DOCTYPE r [' + declared + b"]><r>&e9;</r>"
