"""Entries for the tests of the sandbox: what a worker can be made to do."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable

Emit = Callable[[bytes], None]
_LAST_SEEN: list[bytes] = []


def preload() -> None:
    """Nothing to load."""


def run(request: bytes, fd: int, emit: Emit) -> None:
    """The first word of the request says what to do."""
    what, _, rest = request.partition(b" ")
    globals()[f"do_{what.decode()}"](rest, fd, emit)


def do_echo(rest: bytes, fd: int, emit: Emit) -> None:
    emit(rest)
    emit(os.pread(fd, 1 << 16, 0))


def do_raise(rest: bytes, fd: int, emit: Emit) -> None:
    raise ValueError(rest.decode())


def do_size(rest: bytes, fd: int, emit: Emit) -> None:
    emit(bytes(int(rest)))


def do_crash(rest: bytes, fd: int, emit: Emit) -> None:
    emit(b"so far")
    ctypes.string_at(0)


def do_memory(rest: bytes, fd: int, emit: Emit) -> None:
    emit(b"%d" % len(bytearray(int(rest))))


def do_fill(rest: bytes, fd: int, emit: Emit) -> None:
    kept = b"x" * int(rest)
    os.read(4, min(1, len(kept)))


def do_cpu(rest: bytes, fd: int, emit: Emit) -> None:
    while True:
        pass


def do_hang(rest: bytes, fd: int, emit: Emit) -> None:
    os.read(4, 1)


def do_deaf(rest: bytes, fd: int, emit: Emit) -> None:
    """Closes its way out and goes on."""
    os.close(4)
    while True:
        pass


def do_rubbish(rest: bytes, fd: int, emit: Emit) -> None:
    os.write(4, b"\xff" * 64)
    os.read(4, 1)


def do_cut(rest: bytes, fd: int, emit: Emit) -> None:
    os.write(4, b"\x01\xff\x00\x00\x00only this")


def do_leave(rest: bytes, fd: int, emit: Emit) -> None:
    os._exit(int(rest))


def do_block_signals(rest: bytes, fd: int, emit: Emit) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while time.monotonic():
        pass


def do_remember(rest: bytes, fd: int, emit: Emit) -> None:
    emit(b",".join(_LAST_SEEN))
    _LAST_SEEN.append(rest)


def do_descriptors(rest: bytes, fd: int, emit: Emit) -> None:
    have = []
    for number in range(64):
        try:
            os.get_inheritable(number)
        except OSError:
            continue
        have.append(number)
    emit(",".join(map(str, have)).encode())


def do_environment(rest: bytes, fd: int, emit: Emit) -> None:
    emit(",".join(sorted(os.environ)).encode())
