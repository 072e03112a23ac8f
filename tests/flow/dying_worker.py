"""The worker that decodes, but for files that say they kill it: as a defect of a decoder would."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from muniment.examine import worker
from muniment.examine.worker import preload

__all__ = ["preload", "run"]

#: A file that holds this ends its worker by the signal that is named behind it.
DIES = b"dies by "


def run(request: bytes, fd: int, emit: Callable[[bytes], None]) -> None:
    """Examine, or die."""
    data = os.pread(fd, 1 << 20, 0)
    at = data.find(DIES)
    if at >= 0:
        name = data[at + len(DIES) :].split(b"\0")[0].decode()
        if name == "SIGSEGV":
            _read_nowhere()
        os.kill(os.getpid(), signal.Signals[name])
    worker.run(request, fd, emit)


def _read_nowhere() -> None:
    import ctypes

    ctypes.string_at(8)
