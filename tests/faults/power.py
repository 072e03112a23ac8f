"""Power loss: what a run wrote and synced is recorded, and replayed to states a disk may be left in.

The model: bytes of a file last once fsync or fdatasync of it returned; names in a folder last once
fsync of the folder returned. Of what came after, anything may be there, not there, torn or zero:
for each file every write alone, for each folder its first n changes.
"""

from __future__ import annotations

import math
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.faults import tracing
from tests.faults.tracing import Call, decode
from tests.faults.world import acknowledged

SECTOR: Final = 512
MOODS: Final = ("mixed", "lost", "mixed", "zero", "mixed", "torn", "mixed", "kept", "mixed")
_DESCRIPTOR: Final = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2})+)>")
_OPENED: Final = re.compile(r"<((?:\\x[0-9a-f]{2})+)>\s*$")


@dataclass
class File:
    """A file's bytes as last synced, and the writes since: (offset, data), or (length, None)."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def now(self) -> bytearray:
        """Its bytes as a program sees them."""
        data = bytearray(self.synced)
        for offset, part in self.since:
            _apply(data, offset, part)
        return data

    def sync(self) -> None:
        """Everything so far lasts."""
        self.synced, self.since = self.now(), []

    def left(self, rng: random.Random, mood: str) -> bytearray:
        """Its bytes after a power loss."""
        data = bytearray(self.synced)
        for offset, part in self.since:
            fate = mood if mood != "mixed" else rng.choice(("lost", "kept", "torn", "zero"))
            if fate == "kept" or (part is None and fate != "lost"):
                _apply(data, offset, part)
            elif part is not None and fate == "torn":
                step = SECTOR if len(part) > 2 * SECTOR else 1
                _apply(data, offset, part[: rng.randrange(0, len(part) + 1, step)])
            elif part is not None and fate == "zero":
                start = rng.randrange(0, len(part) + 1, SECTOR if len(part) > SECTOR else 1)
                end = rng.randrange(start, len(part) + 1)
                _apply(data, offset, part[:start] + bytes(end - start) + part[end:])
        return data


def _apply(data: bytearray, offset: int, part: bytes | None) -> None:
    if part is None:
        del data[offset:]
        data.extend(bytes(offset - len(data)))
        return
    data.extend(bytes(max(0, offset - len(data))))
    data[offset : offset + len(part)] = part


@dataclass
class Folder:
    """A folder's names as last synced, and the changes since: (name, what stands there or None)."""

    synced: dict[str, File | Folder] = field(default_factory=dict)
    since: list[tuple[str, File | Folder | None]] = field(default_factory=list)

    def now(self) -> dict[str, File | Folder]:
        """Its names as a program sees them."""
        return self.after(len(self.since))

    def after(self, changes: int) -> dict[str, File | Folder]:
        """Its names when the first so many changes lasted."""
        names = dict(self.synced)
        for name, node in self.since[:changes]:
            if node is None:
                names.pop(name, None)
            else:
                names[name] = node
        return names

    def sync(self) -> None:
        """Every name so far lasts."""
        self.synced, self.since = self.now(), []

    def write(self, target: Path, rng: random.Random, mood: str) -> None:
        """Lay the folder down at `target` as a power loss may leave it."""
        target.mkdir()
        kept = {"lost": 0, "mixed": rng.randint(0, len(self.since))}.get(mood, len(self.since))
        for name, node in self.after(kept).items():
            if isinstance(node, Folder):
                node.write(target / name, rng, mood)
            else:
                (target / name).write_bytes(node.left(rng, mood))


class Disk:
    """The part of a disk below one path, as the calls of a trace leave it.

    Args:
        is_whole: all that is on it is known: a file never made before is a hole in this model.
    """

    def __init__(self, top: Path, *, is_whole: bool = True) -> None:
        self.top = str(top)
        self.is_whole = is_whole
        self.root = Folder()
        self._open: dict[int, tuple[File | Folder, int, bool]] = {}

    def _parts(self, path: str) -> list[str] | None:
        if path == self.top:
            return []
        inside = path.startswith(self.top + "/")
        return path[len(self.top) + 1 :].split("/") if inside else None

    def _folder(self, parts: list[str]) -> Folder:
        here = self.root
        for part in parts:
            below = here.now()[part]
            if not isinstance(below, Folder):
                raise ValueError(f"{part} is no folder")
            here = below
        return here

    def _node(self, parts: list[str]) -> File | Folder | None:
        return self._folder(parts[:-1]).now().get(parts[-1]) if parts else self.root

    def do(self, call: Call) -> None:
        """Take in one successful call."""
        if call.result < 0:
            return
        handler = getattr(self, f"_{call.name}", None)
        if handler is not None:
            handler(call)

    def _openat(self, call: Call) -> None:
        opened = _OPENED.search(call.rest)
        parts = self._parts(decode(opened[1]).decode()) if opened else None
        self._open.pop(call.result, None)
        if parts is None:
            return
        node = self._node(parts)
        if node is None and self.is_whole and "O_CREAT" not in call.arguments:
            raise ValueError(f"{'/'.join(parts)} came to be by a call the model does not know")
        if node is None:
            node = File()
            self._folder(parts[:-1]).since.append((parts[-1], node))
        elif isinstance(node, File) and "O_TRUNC" in call.arguments:
            node.since.append((0, None))
        self._open[call.result] = (node, 0, "O_APPEND" in call.arguments)

    def _opened(self, call: Call) -> tuple[int, File | Folder] | None:
        match = _DESCRIPTOR.match(call.arguments)
        if match is None or int(match[1]) not in self._open:
            return None
        if self._parts(decode(match[2]).decode().removesuffix(" (deleted)")) is None:
            return None
        return int(match[1]), self._open[int(match[1])][0]

    def _write(self, call: Call) -> None:
        found = self._opened(call)
        number, file = found or (-1, None)
        if not isinstance(file, File):
            return
        _, offset, appends = self._open[number]
        start = len(file.now()) if appends else offset
        file.since.append((start, call.text()[: call.result]))
        self._open[number] = (file, start + call.result, appends)

    def _pwrite64(self, call: Call) -> None:
        found = self._opened(call)
        file = found[1] if found else None
        if isinstance(file, File):
            offset = int(call.arguments.rpartition(",")[2])
            file.since.append((offset, call.text()[: call.result]))

    def _ftruncate(self, call: Call) -> None:
        found = self._opened(call)
        file = found[1] if found else None
        if isinstance(file, File):
            file.since.append((int(call.arguments.rpartition(",")[2]), None))

    def _fsync(self, call: Call) -> None:
        found = self._opened(call)
        if found is not None:
            found[1].sync()

    _fdatasync = _fsync

    def _mkdir(self, call: Call) -> None:
        parts = self._parts(call.paths()[-1])
        if parts:
            self._folder(parts[:-1]).since.append((parts[-1], Folder()))
        elif parts == []:
            self.root = Folder()

    def _unlink(self, call: Call) -> None:
        parts = self._parts(call.paths()[-1])
        if parts:
            self._folder(parts[:-1]).since.append((parts[-1], None))

    _rmdir = _unlink

    def _rename(self, call: Call) -> None:
        old, new = (self._parts(path) for path in call.paths()[-2:])
        if old and new:
            node = self._node(old)
            # The new name first: that the old one may outlive it is the harmless half.
            self._folder(new[:-1]).since.append((new[-1], node))
            self._folder(old[:-1]).since.append((old[-1], None))

    def _link(self, call: Call) -> None:
        old, new = (self._parts(call.text(position).decode()) for position in (0, 1))
        if old and new:
            self._folder(new[:-1]).since.append((new[-1], self._node(old)))

    _linkat = _link


@dataclass(frozen=True)
class State:
    """A state a power loss may leave: where in the run, in which mood, and what was promised."""

    at: int
    mood: str
    promised: int


def states(
    traces: list[Path],
    top: Path,
    count: int,
    target: Path,
    start: Path | None,
    keys: Path,
    seed: int = 1,
) -> Iterator[State]:
    """Lay down about `count` states of a recorded run at `target`, one after another.

    What the machine remembers in `keys`/seen is laid down as newest: the worst for the case.

    Args:
        traces: of the runs, in order; the loss may come anywhere in the last of them.
        start: the case before the first run (all of it lasting), or None for none.
    """
    rng, disk, promised, due = random.Random(seed), Disk(top), 0, 0.0
    machine = Disk(keys, is_whole=False)
    if start is not None:
        disk.root = _loaded(start)
    for trace in traces[:-1]:
        for call in tracing.calls(trace):
            machine.do(call)
            promised = _step(disk, call, promised)
    recorded = tracing.calls(traces[-1])
    changes = sum(_touches(disk, call) for call in recorded)
    for position, call in enumerate(recorded):
        machine.do(call)
        promised = _step(disk, call, promised)
        if not _touches(disk, call):
            continue
        # Spread evenly; every mood in turn, `mixed` (each write its own fate) most often.
        number, due = due, due + count / changes
        moods = [MOODS[one % len(MOODS)] for one in range(math.ceil(number), math.ceil(due))]
        for mood in moods:
            shutil.rmtree(target, ignore_errors=True)
            disk.root.write(target, rng, mood)
            _remember(machine, keys)
            yield State(position, mood, promised)


def _remember(machine: Disk, keys: Path) -> None:
    """Lay down what the machine remembers of the cases it signed, as the run left it so far."""
    shutil.rmtree(keys / "seen", ignore_errors=True)
    seen = machine.root.now().get("seen")
    if isinstance(seen, Folder):
        seen.write(keys / "seen", random.Random(0), "kept")


def _step(disk: Disk, call: Call, promised: int) -> int:
    disk.do(call)
    if call.name == "write" and call.arguments.startswith("2<") and call.result > 0:
        return max(promised, acknowledged(call.text().decode("utf-8", "replace")))
    return promised


def _touches(disk: Disk, call: Call) -> bool:
    if call.name == "openat" and "O_CREAT" not in call.arguments:
        return False
    inside = any(path.startswith(disk.top) for path in call.paths())
    return inside or (call.name == "write" and call.arguments.startswith("2<"))


def _loaded(path: Path) -> Folder:
    folder = Folder()
    for one in sorted(path.iterdir()):
        loaded = _loaded(one) if one.is_dir() else File(bytearray(one.read_bytes()))
        folder.synced[one.name] = loaded
    return folder
