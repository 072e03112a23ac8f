"""The worker on bytes, in a forked child, so that a crash of a decoder is one outcome more."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import msgspec

from muniment.examine import reading, registry, worker
from muniment.model.examine import Examined, Problem, Wanted
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Limits

LIMITS = Limits(memory_bytes=1 << 30, cpu_s=20, wall_s=60, output_bytes=256 << 20)

_READY = False


def _prepare() -> None:
    global _READY
    if not _READY:
        worker.preload()
        _READY = True


def wanted(
    data: bytes, media_type: str | None, names: tuple[str, ...] = (), **parameters: int
) -> Wanted:
    """A request for these examiners; for all of the type when none is named."""
    names = names or registry.wanted_for(media_type)
    return Wanted(names, media_type, len(data), dict(parameters))


def examined(
    data: bytes,
    media_type: str | None = "video/mp4",
    names: tuple[str, ...] = (),
    **parameters: int,
) -> Examined:
    """What the worker says in this process; checked as the host checks it."""
    _prepare()
    fd = os.memfd_create("input")
    try:
        os.write(fd, data)
        out: list[bytes] = []
        request = msgspec.msgpack.encode(wanted(data, media_type, names, **parameters))
        worker.run(request, fd, out.append)
        return reading.examined(b"".join(out))
    finally:
        os.close(fd)


def forked(
    data: bytes, media_type: str | None, *, memory: int = 1 << 30, cpu_s: int = 20
) -> Examined:
    """The same in a child with limits; a signal comes back as `decoder killed`."""
    _prepare()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reader)
            resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
            found = msgspec.msgpack.encode(examined(data, media_type))
            with os.fdopen(writer, "wb") as stream:
                stream.write(found)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        payload = stream.read()
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        name = signal.Signals(os.WTERMSIG(ended)).name
        problem = Problem.TIME_LIMIT if name in ("SIGXCPU", "SIGKILL") else Problem.KILLED
        return Examined(problem=problem, detail=name)
    assert os.WEXITSTATUS(ended) == 0, "the worker raised"
    return reading.examined(payload)


class Confined:
    """The same in the sandbox, as the program runs it."""

    def __init__(self, *without: str) -> None:
        self._zygote = Zygote.start(registry.ENTRY, confined=True, without=without)

    def __call__(self, data: bytes, media_type: str | None) -> Examined:
        writing = os.memfd_create("input")
        os.write(writing, data)
        reading_fd = os.open(f"/proc/self/fd/{writing}", os.O_RDONLY)
        os.close(writing)
        try:
            request = msgspec.msgpack.encode(wanted(data, media_type))
            ended = self._zygote.spawn(request, reading_fd, LIMITS).finish()
        finally:
            os.close(reading_fd)
        if ended.outcome == "done":
            return reading.examined(ended.payload)
        problem = {
            "time": Problem.TIME_LIMIT,
            "cpu": Problem.TIME_LIMIT,
            "memory": Problem.MEMORY_LIMIT,
            "output": Problem.OUTPUT_LIMIT,
        }.get(ended.outcome, Problem.KILLED)
        return Examined(
            problem=problem, detail=ended.signal or ended.detail[-200:] or ended.outcome
        )

    def close(self) -> None:
        """End the zygote."""
        self._zygote.close()
