"""What runs after a fork: the layers go on, then the entry is called, then the process leaves."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

from muniment.sandbox import confining, kernel
from muniment.sandbox.confining import Had
from muniment.sandbox.protocol import FRAME, FRAME_BYTES, REQUEST, WORDS_BYTES, Exit, Kind
from muniment.sandbox.records import Limits
from muniment.sandbox.syscalls import CHANNEL_FD, INPUT_FD

Emit = Callable[[bytes], None]
Entry = Callable[[bytes, int, Emit], None]


class OutputLimitError(Exception):
    """More was emitted than the limit allows; raised inside a worker by emit()."""


def _read_exactly(count: int) -> bytes:
    pieces = []
    while count:
        piece = os.read(CHANNEL_FD, count)
        if not piece:
            raise EOFError("the host closed the channel")
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def _write_all(data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(CHANNEL_FD, view) :]


def send(kind: Kind, data: bytes | memoryview) -> None:
    """One frame to the host."""
    if len(data) < 4096:
        _write_all(FRAME.pack(kind, len(data)) + bytes(data))
        return
    _write_all(FRAME.pack(kind, len(data)))
    _write_all(data)


def _emitter(output_bytes: int) -> Emit:
    left = output_bytes

    def emit(data: bytes) -> None:
        nonlocal left
        left -= len(data)
        if left < 0:
            raise OutputLimitError
        view = memoryview(data)
        for start in range(0, len(view), FRAME_BYTES):
            send(Kind.DATA, view[start : start + FRAME_BYTES])

    return emit


def run(entry: Entry, had: Had, limits: Limits) -> NoReturn:
    """The life of a worker; its descriptors are in place, everything else of the zygote is closed.

    The fork copied the zygote's clean memory only: the request comes through the worker's own
    channel, after the layers are on.
    """
    code = Exit.SETUP
    try:
        confining.restrict_worker(had, limits)
        kernel.close_from(CHANNEL_FD + 1)
        if had.filter is not None:
            had.filter.install()
        code = Exit.RAISED
        (length,) = REQUEST.unpack(_read_exactly(REQUEST.size))
        entry(_read_exactly(length), INPUT_FD, _emitter(limits.output_bytes))
        code = Exit.DONE
    except MemoryError:
        code = Exit.MEMORY
    except OutputLimitError:
        code = Exit.OUTPUT
    finally:
        try:
            if code == Exit.RAISED:
                _last_words(sys.exc_info()[1])
        finally:
            os._exit(code)  # the last stop: nothing of the zygote's may be run again on the way out


def _last_words(error: BaseException | None) -> None:
    """Tells the host in one line what the entry raised."""
    line = f"{type(error).__name__}: {error}".encode("utf-8", "replace")[:WORDS_BYTES]
    try:
        send(Kind.WORDS, line)
    except OSError:
        return
