"""A witness of the C2SP protocol, written from c2sp.org/tlog-witness and tlog-cosignature.

It shares no code with the program: notes are taken apart here, trees are the second verifier's, and a
consistency proof is checked by making the one that RFC 9162 defines from all leaves the test gives it.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.stamps.authorities import serving
from tests.vectors.test_worked_example import second


def proof_from(leaves: list[bytes], old: int) -> list[bytes]:
    """RFC 9162, 2.1.4.1, straight from its definition."""

    def sub(part: list[bytes], first: int, is_whole: bool) -> list[bytes]:
        if first == len(part):
            return [] if is_whole else [second.tree_root(part)]
        split = 1 << ((len(part) - 1).bit_length() - 1)
        if first <= split:
            return [*sub(part[:split], first, is_whole), second.tree_root(part[split:])]
        return [*sub(part[split:], first - split, False), second.tree_root(part[:split])]

    return sub(leaves, old, True) if 0 < old < len(leaves) else []


class Witness:
    """Name, key, and for each log the last head it cosigned."""

    def __init__(self, name: str) -> None:
        self.name, self.url = name, ""
        self._key = Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes_raw()
        self.logs: dict[str, bytes] = {}  # origin -> Ed25519 key
        self.seen: dict[str, tuple[int, bytes]] = {}
        self.leaves: list[bytes] = []  # the log as the test knows it, to check proofs by
        self.asked: list[int] = []  # the statuses it answered with
        self.time_s: int | None = None
        self.spoil = False

    def vkey(self) -> str:
        data = base64.b64encode(b"\x04" + self.public).decode()
        return f"{self.name}+{self._key_id().hex()}+{data}"

    def _key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n\x04" + self.public).digest()[:4]

    def line(self, text: bytes) -> bytes:
        now = int(time.time()) if self.time_s is None else self.time_s
        signature = self._key.sign(b"cosignature/v1\ntime %d\n" % now + text)
        if self.spoil:
            signature = bytes(64)
        data = base64.b64encode(self._key_id() + struct.pack(">Q", now) + signature)
        return "— ".encode() + self.name.encode() + b" " + data + b"\n"

    def add_checkpoint(self, body: bytes) -> tuple[int, bytes]:
        """Status and body, as the protocol has it."""
        top, _, note = body.partition(b"\n\n")
        first, *proof = top.decode().split("\n")
        old = int(first.removeprefix("old "))
        text, _, signatures = note.partition(b"\n\n")
        text += b"\n"
        origin, size_text, root_text = text.decode().splitlines()[:3]
        if origin not in self.logs:
            return 404, b""
        if not self._is_signed(origin, text, signatures):
            return 403, b""
        size, root = int(size_text), base64.b64decode(root_text)
        if old > size:
            return 400, b""
        known = self.seen.get(origin, (0, b""))
        if old != known[0] or (old == size and root != known[1]):
            return 409, b"%d\n" % known[0]
        wanted = [base64.b64encode(one).decode() for one in proof_from(self.leaves[:size], old)]
        is_head = second.tree_root(self.leaves[:size]) == root
        if proof != wanted or not is_head:
            return 422, b""
        self.seen[origin] = (size, root)
        return 200, self.line(text)

    def _is_signed(self, origin: str, text: bytes, signatures: bytes) -> bool:
        public = self.logs[origin]
        key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
        for line in signatures.decode().splitlines():
            raw = base64.b64decode(line.rpartition(" ")[2])
            if raw[:4] == key_id:
                try:
                    Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text)
                except InvalidSignature:
                    return False
                return True
        return False


class _Handler(BaseHTTPRequestHandler):
    witness: Witness

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, data = self.witness.add_checkpoint(body)
        if not self.path.endswith("/add-checkpoint"):
            status, data = 404, b""
        self.witness.asked.append(status)
        self.send_response(status)
        if status == 409:
            self.send_header("Content-Type", "text/x.tlog.size")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running(witness: Witness) -> Iterator[Witness]:
    with serving(type("Handler", (_Handler,), {"witness": witness})) as url:
        witness.url = url
        yield witness
