"""A local OpenTimestamps calendar and the synthetic block chain its proofs end in.

The headers are real in form and carry the little work that their difficulty (that of Bitcoin's
regression-test network) asks for. They are synthetic: no such block was ever mined.
"""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpPrepend, OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp

from tests.stamps.authorities import serving

EASY = 0x207FFFFF


def mined(before: bytes, root: bytes, moment_s: int, bits: int = EASY) -> bytes:
    """A header that follows `before` and has the work that `bits` asks for."""
    target = (bits & 0x7FFFFF) << (8 * ((bits >> 24) - 3))
    for nonce in range(1 << 20):
        header = struct.pack("<I32s32sIII", 4, before, root, moment_s, bits, nonce)
        if int.from_bytes(digest(header), "little") <= target:
            return header
    raise AssertionError("unlucky")


def digest(header: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()


class Chain:
    """Synthetic headers from a height on; the first is what a test pins."""

    def __init__(self, first: int = 1001, start_s: int | None = None) -> None:
        self.first = first
        self._at_s = start_s if start_s is not None else int(time.time()) - 3600
        self.headers = [mined(bytes(32), hashlib.sha256(b"synthetic").digest(), self._at_s)]

    def add(self, root: bytes) -> int:
        """Mine a block with that merkle root; its height."""
        self._at_s += 60
        self.headers.append(mined(digest(self.headers[-1]), root, self._at_s))
        return self.first + len(self.headers) - 1

    def bury(self, blocks: int = 6) -> None:
        for number in range(blocks):
            self.add(hashlib.sha256(b"%d" % number).digest())

    def run(self) -> bytes:
        return b"".join(self.headers)

    def pin(self) -> str:
        """`HEIGHT:HASH` of the first block, as a node prints it."""
        return f"{self.first}:{digest(self.headers[0])[::-1].hex()}"


class Calendar:
    """Takes digests, promises, and puts them into a block when told to."""

    def __init__(self, chain: Chain) -> None:
        self.chain, self.url = chain, ""
        self.stamps: dict[bytes, Timestamp] = {}
        self.asked = 0

    def submit(self, commitment: bytes) -> bytes:
        """As the real one: the commitment is salted, and a promise given for the result."""
        stamp = Timestamp(commitment)
        salted = stamp.ops.add(OpPrepend(b"\\x01" * 4)).ops.add(OpAppend(b"\\x02" * 8))
        salted.attestations.add(PendingAttestation(self.url.rstrip("/")))
        self.stamps[salted.msg] = Timestamp(salted.msg)
        return encode(stamp)

    def mine(self) -> None:
        """One block holds all that was submitted, each as its whole merkle tree."""
        for message, stamp in self.stamps.items():
            if not stamp.ops:
                root = stamp.ops.add(OpSHA256()).ops.add(OpSHA256())
                root.attestations.add(BitcoinBlockHeaderAttestation(self.chain.add(root.msg)))
                assert stamp.msg == message


def encode(stamp: Timestamp) -> bytes:
    context = BytesSerializationContext()
    stamp.serialize(context)
    data: bytes = context.getbytes()
    return data


class _Handler(BaseHTTPRequestHandler):
    calendar: Calendar

    def do_POST(self) -> None:
        self.calendar.asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(200, self.calendar.submit(body))

    def do_GET(self) -> None:
        stamp = self.calendar.stamps.get(bytes.fromhex(self.path.rpartition("/")[2]))
        if stamp is None or not stamp.ops:
            self._send(404, b"not yet")
        else:
            self._send(200, encode(stamp))

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running(calendar: Calendar) -> Iterator[Calendar]:
    with serving(type("Handler", (_Handler,), {"calendar": calendar})) as url:
        calendar.url = url
        yield calendar
