"""A file cut right after braces, and pieces of JSON made harmless without moving a byte."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from muniment.collect.telegram_record import LONG_NUMBER

BLOCK_BYTES: Final = 256 * 1024

_STRIDE: Final = 100
_SAMPLED_RUN: Final = re.compile(rb"[0-9]{5}")
_PLAIN_BYTES: Final = bytes(
    0x20 if code < 0x20 else code if code < 0x7F else ord("?") for code in range(256)
)
_ESCAPE: Final = re.compile(rb"\\.")
_TOKEN: Final = re.compile(rb'"[^"]*"?|[^"{}\[\],: ][^"{}\[\],:]*')


def blocks(export: BinaryIO) -> Iterator[bytes]:
    """The file in blocks that end right after a brace, wherever one comes within BLOCK_BYTES."""
    rest = b""
    while data := export.read(BLOCK_BYTES):
        buffer = rest + data
        cut = max(buffer.rfind(b"{"), buffer.rfind(b"}")) + 1
        if not cut:
            # No brace: cut anywhere but within a number, whose length must be seen whole, or an
            # escape.
            cut = len(buffer.rstrip(b"0123456789\\")) or len(buffer)
        yield buffer[:cut]
        rest = buffer[cut:]
    if rest:
        yield rest


def has_long_number(block: bytes) -> bool:
    """Whether a run of digits is too long for ijson, which would hand out a broken value."""
    # A run of 600 digits covers six samples in a row, so almost no block needs the full search.
    return bool(_SAMPLED_RUN.search(block[::_STRIDE]) and LONG_NUMBER.search(block))


def neutral_form(piece: bytes, in_string: bool) -> tuple[bytes, bool]:
    """`piece` with the same structure and length, every scalar outside strings being `0`.

    Returns:
        The neutral bytes, and whether a string is open at their end.
    """
    piece = _ESCAPE.sub(b"??", piece.translate(_PLAIN_BYTES))
    if in_string:
        piece = b'"' + piece
    neutral = _TOKEN.sub(_harmless, piece)
    return neutral[1:] if in_string else neutral, piece.count(b'"') % 2 == 1


def _harmless(token: re.Match[bytes]) -> bytes:
    value = token[0]
    return value if value.startswith(b'"') else b"0".ljust(len(value))
