"""Words packed into a picture: unpacked no further than any picture needs."""

from __future__ import annotations

import os
import struct
import time
import zlib

import pytest

from muniment.examine import worker
from muniment.model.examine import Examined, Problem, Wanted
from tests.media import making


def chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def with_chunks(*chunks: bytes) -> Examined:
    plain = making.still("PNG")
    data = plain[:33] + b"".join(chunks) + plain[33:]  # after IHDR
    fd = os.memfd_create("picture")
    try:
        os.write(fd, data)
        return worker.examined(Wanted(("container",), "image/png", len(data)), fd)
    finally:
        os.close(fd)


def packed(kind: bytes, size: int) -> bytes:
    before = b"k\0\1\0en\0k\0" if kind == b"iTXt" else b"k\0\0"
    return chunk(kind, before + zlib.compress(b"w" * size, 9))


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_words_that_unpack_to_a_bomb_are_refused_at_once(kind: bytes) -> None:
    bomb = packed(kind, 200_000_000)
    before_s = time.process_time()
    found = with_chunks(bomb)
    assert found.problem is Problem.BAD_STRUCTURE and "unpack to more than" in found.detail
    assert time.process_time() - before_s < 1


def test_many_that_are_a_bomb_together_are_refused() -> None:
    assert with_chunks(*[packed(b"zTXt", 1 << 20)] * 17).problem is Problem.BAD_STRUCTURE


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt"])
def test_words_of_usual_length_are_read(kind: bytes) -> None:
    assert with_chunks(packed(kind, 100_000)).problem is None
    assert with_chunks(chunk(b"iTXt", b"k\0\0\0\0\0plain")).problem is None
    assert with_chunks(chunk(kind, b"")).problem is None
    assert with_chunks(chunk(kind, b"k\0\1\0\0\0not packed at all")).problem is None
