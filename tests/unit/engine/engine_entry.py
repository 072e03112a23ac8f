"""A worker of the tests': does what its request says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable


def run(request: bytes, fd: int, emit: Callable[[bytes], None]) -> None:
    """Echo the file, or misbehave."""
    what = request.decode()
    if what == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif what == "hang":
        while True:
            pass
    elif what == "eat":
        kept = [bytearray(1 << 24) for _ in range(1000)]
        emit(bytes(len(kept)))
    elif what == "slow":
        for _ in range(5_000_000):
            pass
    elif what == "hard":
        until_s = time.process_time() + 0.3
        while time.process_time() < until_s:
            pass
    elif what == "flood":
        while True:
            emit(bytes(1 << 20))
    emit(os.read(fd, 100))
