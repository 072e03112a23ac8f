"""The control arm: each attempt in a plain forked process, as the user who runs the tests.

Run as a program: reads the world as JSON on standard input, prints {name: why not, or ""}.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import sys
from typing import Any

from tests.escapes.attempts import ATTEMPTS, World


def _drain(theirs: socket.socket, ours: socket.socket) -> int:
    """A process that reads away what an attempt writes to descriptor 4."""
    child = os.fork()
    if child == 0:
        theirs.close()
        while ours.recv(1 << 20):
            pass
        os._exit(0)
    ours.close()
    return child


def _live(name: str, world: World, say: int) -> None:
    """In the child: never returns. What it says is why the way was not open."""
    signal.alarm(10)

    def emit(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(4, view) :]

    try:
        ATTEMPTS[name][1]({**world, "emit": emit})
    except (OSError, LookupError, AssertionError, RuntimeError, ValueError) as error:
        os.write(say, f"{type(error).__name__}: {error}".encode()[:300])
        os._exit(1)
    os._exit(0)


def one(name: str, world: World) -> str:
    """Why the attempt failed in a plain process; empty when the way was open."""
    reader, say = os.pipe()
    ours, theirs = socket.socketpair()
    drain = _drain(theirs, ours)
    child = os.fork()
    if child == 0:
        os.dup2(say, 10)
        os.dup2(theirs.fileno(), 11)
        source = os.open(world["input"], os.O_RDONLY)
        os.dup2(source, 12)
        for fd, now in ((3, 12), (4, 11), (5, 10)):
            os.dup2(now, fd)
        os.closerange(6, 64)
        _live(name, world, 5)
    os.close(say)
    theirs.close()
    why = b"".join(iter(lambda: os.read(reader, 4096), b"")).decode("utf-8", "replace")
    os.close(reader)
    _, status = os.waitpid(child, 0)
    os.waitpid(drain, 0)
    return why or ("" if status == 0 else f"ended with status {status}")


def keep_to_itself() -> None:
    """Mounts, host name and queues of our own, where they can be had: nothing shall be left."""
    libc = ctypes.CDLL(None)
    if libc.unshare(0x00020000 | 0x04000000 | 0x08000000) == 0:
        libc.mount(b"none", b"/", None, ctypes.c_ulong(0x4000 | 1 << 18), None)


def main() -> None:
    """All of them."""
    world: dict[str, Any] = json.load(sys.stdin)
    keep_to_itself()
    json.dump({name: one(name, world) for name in ATTEMPTS}, sys.stdout)


if __name__ == "__main__":
    main()
