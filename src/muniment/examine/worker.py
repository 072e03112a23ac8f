"""What runs inside a confined process: one request, one descriptor, one answer.

Nothing can be opened in there, so everything is imported and warmed up by `preload` before.
"""

from __future__ import annotations

import encodings
import os
import pkgutil
import platform
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from typing import Final

import av
import av.error
import av.logging
import msgspec
import numpy as np

from muniment.examine import (
    container,
    decode,
    document,
    heif,
    keyframes,
    limits,
    opening,
    probing,
    registry,
    stills,
    structure,
)
from muniment.examine.interface import Examiner
from muniment.examine.pictures import EXIF_TURNS
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Examined, Finding, Note, Problem, Wanted

_MOST_NOTES: Final = 40


def run(request: bytes, fd: int, emit: Callable[[bytes], None]) -> None:
    """Examine the object behind `fd` as `request` (msgpack of `Wanted`) asks; emit one message.

    Raises:
        msgspec.DecodeError: if the request is none; a defect of the host.
    """
    wanted = msgspec.msgpack.decode(request, type=Wanted)
    emit(msgspec.msgpack.encode(examined(wanted, fd)))


def examined(wanted: Wanted, fd: int) -> Examined:
    """All that can be said of the object. Never raises for what the object holds."""
    work = _Work(wanted, fd)
    problem: Problem | None = None
    detail = ""
    try:
        work.do()
    except UnexaminableError as error:
        problem, detail = error.problem, error.detail
    except MemoryError:
        problem, detail = Problem.MEMORY_LIMIT, "the decoder asked for more than it may have"
    return Examined(
        findings=tuple(work.findings),
        notes=tuple(work.notes[:_MOST_NOTES]),
        problem=problem,
        detail=detail,
        libraries=libraries(),
    )


class _Work:
    """One object; findings and notes stand when a later step fails."""

    def __init__(self, wanted: Wanted, fd: int) -> None:
        self.wanted = wanted
        self.fd = fd
        self.findings: list[Finding] = []
        self.notes: list[Note] = []

    def do(self) -> None:
        """Document or media, by what is wanted."""
        media = [name for name in self.wanted.examiners if name != "document"]
        if "document" in self.wanted.examiners:
            self.findings.append(document.examined(self.fd, self.wanted, self.notes))
        if media:
            self._media(media)

    def _media(self, names: Sequence[str]) -> None:
        head = probing.head_of(self.fd)
        kind = probing.kind_of(head)
        probing.check_media(head, kind, self.wanted.media_type)
        found = structure.walked(self.fd, head, kind)
        self.notes += found.notes
        facts = container.Facts(self.fd, found)
        if "container" in names and kind.startswith("image/"):
            facts.still()
        try:
            self._decoded(names, found, facts)
        finally:
            if "container" in names:
                self.findings.insert(0, facts.finding())

    def _decoded(
        self, names: Sequence[str], found: probing.Structure, facts: container.Facts
    ) -> None:
        shown = heif.picture(self.fd) if found.kind in heif.KINDS and not found.traks else None
        opened = self._opened(found, shown)
        try:
            if shown is not None:
                self.notes += shown.notes
            elif opened.is_still:
                opened.turn = EXIF_TURNS.get(stills.orientation(self.fd) or 1)
            facts.opened(opened)
            examiners = registry.fed(names)
            source = decode.source(opened, self.wanted.size_bytes, self.wanted.media_type)
            for one in examiners:
                one.begin(source)
            watched: list[Examiner] = [*examiners]
            if "container" in names:
                watched += facts.watching()
            for one in watched[len(examiners) :]:
                one.begin(source)
            is_quick = self.wanted.parameters.get("keys_only") is True
            kind = keyframes.QuickPass if is_quick else decode.Pass
            done = kind(opened, watched, self._cpu_s())
            try:
                done.run()
            finally:
                facts.decoded(done.seen)
                self.notes += decode.notes(done.seen, opened)
                self.findings += [one.end() for one in examiners]
            if not is_quick:
                structure.judge(found, done.seen, opened.video is not None)
        finally:
            opened.close()

    def _opened(self, found: probing.Structure, shown: heif.Picture | None) -> opening.Opened:
        if found.traks > limits.MAX_STREAMS:
            raise UnexaminableError(
                Problem.TOO_MANY_STREAMS, f"{found.traks}, at most {limits.MAX_STREAMS} are taken"
            )
        try:
            return opening.opened(self.fd, shown)
        except av.error.FFmpegError as error:
            raise structure.unopened(found, error) from error
        except (ValueError, OverflowError) as error:
            raise structure.unopened(found, error) from error

    def _cpu_s(self) -> float:
        asked = self.wanted.parameters.get("cpu_s")
        if isinstance(asked, int) and asked > 0:
            return float(asked)
        return limits.BASE_CPU_S + limits.CPU_S_PER_MB * self.wanted.size_bytes / 1e6


_LIBRARIES: dict[str, str] = {}


def libraries() -> dict[str, str]:
    """What decoded, with versions, and the processor's kind: together they make the bytes."""
    if not _LIBRARIES:
        _LIBRARIES.update(opening.versions())
        _LIBRARIES["numpy"] = np.__version__
        _LIBRARIES["machine"] = platform.machine()
        for name in ("pillow", "pymediainfo", "pypdf", "selectolax", "lxml"):
            _LIBRARIES[name] = version(name)
    return dict(_LIBRARIES)


def preload() -> None:
    """Import and warm up all that is loaded lazily; called by the zygote before confinement."""
    av.logging.set_level(None)
    for package in ("av", "pypdf", "email"):
        module = import_module(package)
        for one in pkgutil.walk_packages(module.__path__, package + "."):
            if not one.name.endswith(("__main__", ".datasets", ".architecture")):
                with suppress(ImportError):  # a part for which its own library is not installed
                    import_module(one.name)
    for reader in sorted(set(document.READERS.values())):
        import_module(f"muniment.examine.{reader}")
    for one in pkgutil.iter_modules(encodings.__path__):
        if one.name not in ("mbcs", "oem", "cp65001"):
            import_module("encodings." + one.name)
    registry.fed(registry.FED)
    container.warm_up()
    libraries()
    _warm_up()


def _warm_up() -> None:
    """Examine a still and a second of silence, so that every table and cache is made once."""
    header = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 54 + 3072, 0, 0, 54, 40, 32, 32, 1, 24, *[0] * 6
    )
    sound = struct.pack(
        "<4sI8sIHHIIHH", b"RIFF", 32_036, b"WAVEfmt ", 16, 1, 1, 16_000, 32_000, 2, 16
    )
    samples = sound + struct.pack("<4sI", b"data", 32_000) + bytes(range(250)) * 128
    for data in (
        header + bytes(range(256)) * 12,
        samples,
        b"<html><body><p>warm</p></body></html>",
    ):
        fd = os.memfd_create("warm-up")
        try:
            os.write(fd, data)
            names = ("document",) if data[:1] == b"<" else tuple(registry.VERSIONS)[:4]
            examined(Wanted(names, None, len(data)), fd)
        finally:
            os.close(fd)
