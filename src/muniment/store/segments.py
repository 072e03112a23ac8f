"""The log's two line files: 4,096 lines a segment, appended and synced, never rewritten but to
move an invalid tail aside (recovery) or to blank a value (erasure)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from muniment.store import disk
from muniment.store.layout import SEGMENT_ENTRIES, segment_file

_NAME: Final = re.compile(r"[0-9]{6,9}\.jsonl")


class Segments:
    """One of the two: `log/entries` or `log/private`. Lines are bytes without their newline."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def numbers(self) -> list[int]:
        """Numbers of the segments on disk, ascending; files of other names are not ours."""
        if not self.folder.is_dir():
            return []
        with disk.reading(self.folder):
            names = os.listdir(self.folder)
        numbers = (int(name[:-6]) for name in names if _NAME.fullmatch(name))
        return sorted({number for number in numbers if segment_file(number) in names})

    def path(self, number: int) -> Path:
        """Path of a segment."""
        return self.folder / segment_file(number)

    def lines(self, start: int = 0) -> Iterator[tuple[int, bytes]]:
        """(line number in the log, line) from line `start` on; a last line without newline is
        not a line and is left out."""
        for number in self.numbers():
            first = number * SEGMENT_ENTRIES
            if first + SEGMENT_ENTRIES <= start:
                continue
            lines = _bytes(self.path(number)).split(b"\n")
            lines.pop()
            # A segment never holds more: what does was joined from two, and the rest is not there.
            for offset, line in enumerate(lines[:SEGMENT_ENTRIES]):
                if first + offset >= start:
                    yield first + offset, line

    def line(self, index: int) -> bytes | None:
        """One line of the log, or None when it is not there."""
        path = self.path(index // SEGMENT_ENTRIES)
        if not path.is_file():
            return None
        lines = _bytes(path).split(b"\n")
        lines.pop()
        offset = index % SEGMENT_ENTRIES
        return lines[offset] if offset < len(lines) else None

    def append(self, start: int, lines: list[bytes]) -> None:
        """Append `lines` as lines `start`, `start + 1`, ... and make them durable.

        Raises:
            StorageError: if the disk refuses; some of the lines may then stand there, torn.
        """
        while lines:
            number, offset = divmod(start, SEGMENT_ENTRIES)
            batch, lines = lines[: SEGMENT_ENTRIES - offset], lines[SEGMENT_ENTRIES - offset :]
            self._append_to(self.path(number), b"\n".join(batch) + b"\n")
            start += len(batch)

    def _append_to(self, path: Path, data: bytes) -> None:
        with disk.storage(path):
            disk.make_folder(self.folder)
            is_new = not path.exists()
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                disk.write_all(fd, data)
                os.fdatasync(fd)
            finally:
                os.close(fd)
            if is_new:
                disk.sync_folder(self.folder)

    def rewrite(self, number: int, lines: list[bytes], temp_folder: Path) -> None:
        """Replace a whole segment (erasure only)."""
        data = b"".join(line + b"\n" for line in lines)
        disk.replace(self.path(number), data, temp_folder=temp_folder)

    def tail(self, end: int) -> list[tuple[Path, int]]:
        """What stands at or beyond line `end`: (file, byte offset where it starts), in order."""
        found: list[tuple[Path, int]] = []
        for number in self.numbers():
            path, keep = self.path(number), end - number * SEGMENT_ENTRIES
            offset = _offset_of_line(_bytes(path), keep) if keep > 0 else 0
            if offset < path.stat().st_size or keep <= 0:
                found.append((path, offset))
        return found

    def cut(self, path: Path, offset: int) -> None:
        """Remove a file's bytes from `offset` on (after they were copied aside), durably."""
        with disk.storage(path):
            if offset == 0:
                path.unlink()
                disk.sync_folder(self.folder)
                return
            fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.ftruncate(fd, offset)
                os.fsync(fd)
            finally:
                os.close(fd)


def _bytes(path: Path) -> bytes:
    with disk.reading(path):
        return path.read_bytes()


def _offset_of_line(data: bytes, line: int) -> int:
    """Byte offset at which line `line` starts, or the length when there are fewer lines."""
    offset = 0
    for _ in range(line):
        newline = data.find(b"\n", offset)
        if newline < 0:
            return len(data)
        offset = newline + 1
    return offset
