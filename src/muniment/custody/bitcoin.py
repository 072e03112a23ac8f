"""Bitcoin block headers: what a proof that ends in one rests on. Pure.

A run of headers is believed only through a block whose hash is pinned (packaged with the program, or
given by the reader): what stands before that block is bound to it by hash; what stands after it is
believed for the work on it, checked by the rules of the chain, with at least six blocks on top.
Source: Bitcoin Core, `pow.cpp` (targets and their adjustment every 2,016 blocks).
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from muniment.errors import MalformedError

HEADER_BYTES: Final = 80
#: A block's own time may stand so far ahead (the network's rule).
TIME_SLACK: Final = timedelta(hours=2)
#: So many blocks must stand on one that is believed for the work alone.
MIN_ON_TOP: Final = 6
_PERIOD_BLOCKS: Final = 2016
_PERIOD_S: Final = 14 * 24 * 3600
_LIMIT: Final = 0xFFFF << 208

#: height -> block hash, in the byte order of the header (the reverse of how it is printed).
Pins = Mapping[int, bytes]


class Run(msgspec.Struct, frozen=True):
    """Consecutive headers that reach a pinned block.

    Attributes:
        first: height of the first header.
        pinned: height of the last pinned block among them.
    """

    data: bytes
    first: int
    pinned: int

    @property
    def last(self) -> int:
        """Height of the last header."""
        return self.first + len(self.data) // HEADER_BYTES - 1

    def header(self, height: int) -> bytes | None:
        """The header at a height; None when the run does not hold it, or too little stands on it."""
        if not self.first <= height <= self.last:
            return None
        if height > self.pinned and self.last - height < MIN_ON_TOP:
            return None
        return _at(self.data, height - self.first)

    def cut(self, height: int, pins: Pins) -> bytes:
        """The headers that bear on one block: those that bind it to a pinned one."""
        if height <= self.pinned:
            start, stop = height, min(one for one in pins if height <= one <= self.last)
        else:
            # The rules of difficulty look back to the start of a period.
            start = max(self.first, self.pinned - self.pinned % _PERIOD_BLOCKS)
            stop = height + MIN_ON_TOP
        first = HEADER_BYTES * (start - self.first)
        return self.data[first : HEADER_BYTES * (stop + 1 - self.first)]

    def basis(self, height: int) -> str:
        """What a header rests on, in words."""
        if height <= self.pinned:
            return f"bound by hash to the pinned block {self.pinned}"
        return (
            f"after the pinned block {self.pinned}: by proof of work, with"
            f" {self.last - height} blocks on top"
        )


def _at(data: bytes, number: int) -> bytes:
    return data[HEADER_BYTES * number : HEADER_BYTES * (number + 1)]


def block_hash(header: bytes) -> bytes:
    """A block's hash, in the byte order of the header."""
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()


def block_time(header: bytes) -> datetime:
    """The time a block states."""
    return datetime.fromtimestamp(struct.unpack_from("<I", header, 68)[0], UTC)


def merkle_root(header: bytes) -> bytes:
    """The digest over a block's transactions: what a proof must end in."""
    return header[36:68]


def _bits(header: bytes) -> int:
    bits: int = struct.unpack_from("<I", header, 72)[0]
    return bits


def _target(bits: int) -> int:
    size, word = bits >> 24, bits & 0x7FFFFF
    return word << (8 * (size - 3)) if size > 3 else word >> (8 * (3 - size))


def _compact(target: int) -> int:
    size = (target.bit_length() + 7) // 8
    word = target >> (8 * (size - 3)) if size > 3 else target << (8 * (3 - size))
    if word & 0x800000:
        word, size = word >> 8, size + 1
    return size << 24 | word


def read_run(data: bytes, pins: Pins) -> Run:
    """The run that `data` holds, checked header by header.

    Args:
        data: 80 bytes a header, consecutive.
    Raises:
        MalformedError: if the headers do not follow each other, lack the work they claim, or reach no
            pinned block.
    """
    number = len(data) // HEADER_BYTES
    if not number or len(data) % HEADER_BYTES:
        raise MalformedError(f"is no run of block headers ({len(data)} bytes)")
    heights = {digest: height for height, digest in pins.items()}
    first: int | None = None
    last_pin = before = b""
    for index in range(number):
        header = _at(data, index)
        digest = block_hash(header)
        if before and header[4:36] != before:
            raise MalformedError(f"header {index} does not follow the one before it")
        if int.from_bytes(digest, "little") > _target(_bits(header)):
            raise MalformedError(f"header {index} lacks the work it claims")
        if digest in heights:
            if first not in (None, heights[digest] - index):
                raise MalformedError("reaches two pinned blocks that lie otherwise apart")
            first, last_pin = heights[digest] - index, digest
        before = digest
    if first is None:
        raise MalformedError("holds no pinned block, so nothing vouches for its headers")
    run = Run(data, first, heights[last_pin])
    for height, digest in pins.items():
        if run.first <= height <= run.last and block_hash(_at(data, height - first)) != digest:
            raise MalformedError(f"has another block {height} than the pinned one")
    _check_work(run)
    return run


def adjusted(bits: int, spent_s: int) -> int:
    """The difficulty after a period that took so long.

    Example:
        >>> hex(adjusted(0x1D00FFFF, 1022578))
        '0x1d00d86a'
    """
    spent_s = min(max(spent_s, _PERIOD_S // 4), _PERIOD_S * 4)
    return _compact(min(_target(bits) * spent_s // _PERIOD_S, _LIMIT))


def _check_work(run: Run) -> None:
    """After the last pinned block the difficulty follows the rules: else work would cost nothing."""
    for height in range(run.pinned + 1, run.last + 1):
        before = _at(run.data, height - run.first - 1)
        wanted = _bits(before)
        if height % _PERIOD_BLOCKS == 0:
            start = height - _PERIOD_BLOCKS - run.first
            if start < 0:
                raise MalformedError(f"needs the headers from block {height - _PERIOD_BLOCKS} on")
            spent = block_time(before) - block_time(_at(run.data, start))
            wanted = adjusted(wanted, int(spent.total_seconds()))
        if _bits(_at(run.data, height - run.first)) != wanted:
            raise MalformedError(
                f"block {height} has another difficulty than the chain's rules give"
            )
