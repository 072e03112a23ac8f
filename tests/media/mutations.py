"""Structure-guided mutations of five formats, each given to the worker in a child of its own.

    python -m tests.media.mutations --count 2000 [--seed 1] [--confined]

Every outcome must be one clear line; the host must survive; what a child may use is limited.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

from muniment.model.examine import Examined, Problem
from tests.media import making
from tests.media.running import Confined, forked

Mutation = Callable[[bytearray, random.Random], None]
#: Sizes and counts that parsers get wrong.
EDGES = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
LINE = 250


def places(data: bytes, marks: tuple[bytes, ...]) -> list[int]:
    """Where any of the marks stands."""
    found = []
    for mark in marks:
        at = data.find(mark)
        while at >= 0:
            found.append(at)
            at = data.find(mark, at + 1)
    return found


BOXES = (b"ftyp", b"moov", b"mvhd", b"trak", b"tkhd", b"mdhd", b"stsd", b"avcC", b"stts", b"ctts")
BOXES += (b"stsc", b"stsz", b"stco", b"elst", b"mdat", b"esds", b"hdlr", b"stss", b"udta", b"meta")
BOXES += (b"pitm", b"iloc", b"iinf", b"infe", b"iref", b"dimg", b"ipco", b"ipma", b"ispe", b"idat")


def box_sizes(data: bytearray, chance: random.Random) -> None:
    """A box's size, or a field of its body."""
    at = chance.choice(places(data, BOXES))
    place = at - 4 if chance.random() < 0.5 else at + 4 + 4 * chance.randrange(6)
    put(data, place, ">I", chance)


def nal_lengths(data: bytearray, chance: random.Random) -> None:
    """The length before a NAL unit, or bytes just after it (slice header, parameter sets)."""
    start = data.find(b"mdat") + 4
    at = start
    units = []
    while at + 4 < len(data) and len(units) < 200:
        length = int.from_bytes(data[at : at + 4], "big")
        if not 0 < length < len(data) - at:
            break
        units.append(at)
        at += 4 + length
    at = chance.choice(units or [start])
    if chance.random() < 0.4:
        put(data, at, ">I", chance)
    else:
        for _ in range(chance.randint(1, 4)):
            flip(data, at + 4 + chance.randrange(24), chance)


IDS = (b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x16\x54\xae\x6b", b"\x1f\x43\xb6\x75", b"\xae")
IDS += (b"\xe0", b"\xb0", b"\xba", b"\x86", b"\x63\xa2", b"\xa3", b"\xe7", b"\x2a\xd7\xb1")


def varints(data: bytearray, chance: random.Random) -> None:
    """The variable-length size of an EBML element, or bytes of its content."""
    mark = chance.choice(IDS)
    at = chance.choice(places(data, (mark,)) or [0]) + len(mark)
    choices = (0x00, 0x01, 0x40, 0x80, 0x81, 0xFE, 0xFF)
    data[min(at, len(data) - 1)] = chance.choice(choices)
    if chance.random() < 0.5:
        flip(data, at + 1 + chance.randrange(8), chance)


CHUNKS = (b"RIFF", b"LIST", b"hdrl", b"avih", b"strh", b"strf", b"movi", b"00dc", b"idx1")


def chunk_lengths(data: bytearray, chance: random.Random) -> None:
    """A RIFF chunk's length or a field of its body."""
    at = chance.choice(places(data, CHUNKS))
    put(data, at + 4 + 4 * chance.choice((0, 0, 1, 2, 5, 8, 9)), "<I", chance)


def segments(data: bytearray, chance: random.Random) -> None:
    """A JPEG segment's length or a byte of its tables."""
    marks = (
        b"\xff\xc0",
        b"\xff\xc4",
        b"\xff\xda",
        b"\xff\xdb",
        b"\xff\xe0",
        b"\xff\xe1",
        b"\xff\xc2",
    )
    at = chance.choice(places(data, marks) or [2]) + 2
    if chance.random() < 0.4:
        put(data, at, ">H", chance)
    else:
        flip(data, at + chance.randrange(20), chance)


def png_chunks(data: bytearray, chance: random.Random) -> None:
    """A PNG chunk's length or a byte of its body (checksums left wrong)."""
    at = chance.choice(places(data, (b"IHDR", b"IDAT", b"IEND", b"pHYs")))
    if chance.random() < 0.5:
        put(data, at - 4, ">I", chance)
    else:
        flip(data, at + 4 + chance.randrange(16), chance)


def transport(data: bytearray, chance: random.Random) -> None:
    """A header of a transport packet, or of the stream packet inside."""
    at = 188 * chance.randrange(len(data) // 188)
    flip(data, at + chance.randrange(24), chance)


def put(data: bytearray, at: int, form: str, chance: random.Random) -> None:
    """An edge value, or the value there slightly changed."""
    size = struct.calcsize(form)
    if not 0 <= at <= len(data) - size:
        return
    most = (1 << (8 * size)) - 1
    (value,) = struct.unpack_from(form, data, at)
    new = chance.choice(EDGES) if chance.random() < 0.6 else value + chance.choice((-8, -1, 1, 8))
    struct.pack_into(form, data, at, new & most)


def flip(data: bytearray, at: int, chance: random.Random) -> None:
    """One bit."""
    if 0 <= at < len(data):
        data[at] ^= 1 << chance.randrange(8)


def shorten(data: bytearray, chance: random.Random) -> None:
    """Cut off the end."""
    del data[chance.randrange(1, len(data)) :]


def bits(data: bytearray, chance: random.Random) -> None:
    """Bits anywhere, rather near the beginning."""
    for _ in range(chance.randint(1, 20)):
        reach = len(data) if chance.random() < 0.5 else min(len(data), 600)
        flip(data, chance.randrange(reach), chance)


def splice(data: bytearray, chance: random.Random) -> None:
    """A stretch copied over another."""
    length = chance.randint(1, min(400, len(data) // 4))
    source, target = (chance.randrange(len(data) - length) for _ in range(2))
    data[target : target + length] = data[source : source + length]


ANY: tuple[Mutation, ...] = (shorten, bits, splice)
FORMATS: dict[str, tuple[Callable[[], bytes], str, tuple[Mutation, ...]]] = {
    "mp4": (making.mp4, "video/mp4", (box_sizes, box_sizes, nal_lengths, *ANY)),
    "mp4-index-first": (making.mp4_index_first, "video/mp4", (box_sizes, nal_lengths, *ANY)),
    "webm": (making.webm, "video/webm", (varints, varints, varints, *ANY)),
    "avi": (making.avi, "video/x-msvideo", (chunk_lengths, chunk_lengths, *ANY)),
    "mpegts": (making.mpegts, "video/mp2t", (transport, transport, *ANY)),
    "jpeg": (lambda: making.still("JPEG"), "image/jpeg", (segments, segments, *ANY)),
    "png": (lambda: making.still("PNG"), "image/png", (png_chunks, png_chunks, *ANY)),
    "gif": (making.gif, "image/gif", ANY),
    "heic": (lambda: making.heic(tile_px=64), "image/heic", (box_sizes, box_sizes, *ANY)),
    "avif": (lambda: making.still("AVIF"), "image/avif", (box_sizes, *ANY)),
}


def mutants(count: int, seed: int) -> Iterator[tuple[str, str, bytes, str]]:
    """Format, mutation, bytes and media type; the same for the same seed."""
    chance = random.Random(seed)
    names = list(FORMATS)
    for number in range(count):
        name = names[number % len(names)]
        make, kind, mutations = FORMATS[name]
        data = bytearray(make())
        mutation = chance.choice(mutations)
        mutation(data, chance)
        if chance.random() < 0.3 and len(data) > 64:
            bits(data, chance)
        yield name, mutation.__name__, bytes(data), kind


def line(found: Examined) -> str:
    """The outcome as a person reads it.

    Raises:
        AssertionError: if it is not one clear line.
    """
    told = "examined" if found.problem is None else str(found.problem)
    if found.detail and found.problem is not Problem.KILLED:
        assert found.detail.isprintable(), repr(found.detail)
        assert len(found.detail) <= LINE, found.detail
        assert "Errno" not in found.detail and "Invalid data" not in found.detail, found.detail
    if found.problem not in (None, Problem.KILLED):
        assert found.detail, found.problem
    return f"{told}: {found.detail}" if found.detail else told


def main() -> int:
    """Run and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--confined", action="store_true", help="in the sandbox")
    asked = parser.parse_args()
    confined = Confined() if asked.confined else None
    outcomes: dict[str, Counter[str]] = {}
    slowest, failures = 0.0, 0
    for name, mutation, data, kind in mutants(asked.count, asked.seed):
        began = time.monotonic()
        try:
            found = confined(data, kind) if confined is not None else forked(data, kind)
            line(found)
        except AssertionError as error:
            failures += 1
            print(f"FAILED {name} {mutation}: {error}", file=sys.stderr)
            continue
        if found.problem is Problem.KILLED:
            print(f"killed {name} {mutation} {found.detail}", file=sys.stderr)
        slowest = max(slowest, time.monotonic() - began)
        outcomes.setdefault(name, Counter())[str(found.problem or "examined")] += 1
    for name, counts in outcomes.items():
        print(name, dict(counts.most_common()))
    total = sum(outcomes.values(), Counter())
    print("all", dict(total.most_common()), f"failures {failures}, slowest {slowest:.1f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
