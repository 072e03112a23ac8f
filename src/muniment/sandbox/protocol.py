"""The fixed records between host, zygote and worker. Nothing is pickled, nothing is executed.

Host to zygote (a SEQPACKET socket): a command of fixed size, descriptors beside it. The request of
a worker does not pass through the zygote, so that no later worker can find it there: the host
writes it into the worker's own channel. Zygote to host: one status record per worker, in a pipe of
its own that no worker holds. Worker to host: frames of kind and length in the channel.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from enum import IntEnum

from muniment.sandbox.records import Limits


class Order(IntEnum):
    """What the host orders of the zygote."""

    SPAWN = 1
    KILL = 2
    PROBE = 3


class Exit(IntEnum):
    """How a worker leaves by itself."""

    DONE = 0
    MEMORY = 81
    OUTPUT = 82
    RAISED = 83
    SETUP = 84


class Kind(IntEnum):
    """What a frame of the channel holds."""

    DATA = 1
    WORDS = 2


_COMMAND = struct.Struct("<BQQddQ")
_STATUS = struct.Struct("<iBddQ")
FRAME = struct.Struct("<BI")
REQUEST = struct.Struct("<I")
STATUS_BYTES = _STATUS.size
COMMAND_BYTES = _COMMAND.size
#: A longer frame than this is not ours: emit() cuts what it is given into pieces.
FRAME_BYTES = 1 << 20
WORDS_BYTES = 2000


@dataclass(frozen=True)
class Command:
    """One order about one worker."""

    order: Order
    worker: int
    limits: Limits = field(default_factory=Limits)

    def encode(self) -> bytes:
        """The record as it travels."""
        one = self.limits
        return _COMMAND.pack(
            self.order, self.worker, one.memory_bytes, one.cpu_s, one.wall_s, one.output_bytes
        )

    @staticmethod
    def decode(data: bytes) -> Command:
        """Reads a record; the host is trusted, so a wrong one is a defect (struct.error)."""
        order, worker, memory_bytes, cpu_s, wall_s, output_bytes = _COMMAND.unpack(data)
        return Command(Order(order), worker, Limits(memory_bytes, cpu_s, wall_s, output_bytes))


@dataclass(frozen=True)
class Status:
    """What the zygote measured of a worker that ended: the wait status, and what it used."""

    wait_status: int
    out_of_time: bool
    cpu_s: float
    elapsed_s: float
    peak_bytes: int

    def encode(self) -> bytes:
        """The record as it travels."""
        return _STATUS.pack(
            self.wait_status, self.out_of_time, self.cpu_s, self.elapsed_s, self.peak_bytes
        )

    @staticmethod
    def decode(data: bytes) -> Status:
        """Reads a record of the zygote's."""
        wait_status, out_of_time, cpu_s, elapsed_s, peak_bytes = _STATUS.unpack(data)
        return Status(wait_status, bool(out_of_time), cpu_s, elapsed_s, peak_bytes)


@dataclass
class Frames:
    """Reads the frames of a channel as they come; holds no more than `limit_bytes` of data."""

    limit_bytes: int
    data: bytearray = field(default_factory=bytearray)
    words: bytearray = field(default_factory=bytearray)
    over: bool = False
    malformed: bool = False
    _head: bytearray = field(default_factory=bytearray)
    _kind: int = 0
    _missing: int = 0

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes; once over the limit or malformed, takes no more."""
        view = memoryview(piece)
        while view and not (self.over or self.malformed):
            view = self._body(view) if self._missing else self._header(view)

    @property
    def complete(self) -> bool:
        """Whether the bytes so far end with a whole frame."""
        return not (self._head or self._missing or self.over or self.malformed)

    def _header(self, view: memoryview) -> memoryview:
        taken = FRAME.size - len(self._head)
        self._head += view[:taken]
        if len(self._head) == FRAME.size:
            self._kind, self._missing = FRAME.unpack(self._head)
            self._head.clear()
            known = self._kind in (Kind.DATA, Kind.WORDS)
            self.malformed = not known or not 0 < self._missing <= FRAME_BYTES
        return view[taken:]

    def _body(self, view: memoryview) -> memoryview:
        taken = min(self._missing, len(view))
        into = self.data if self._kind == Kind.DATA else self.words
        most = self.limit_bytes if self._kind == Kind.DATA else WORDS_BYTES
        if len(into) + taken > most:
            self.over = True
            return view[taken:]
        into += view[:taken]
        self._missing -= taken
        return view[taken:]
