"""strace: which system calls a command makes on a case, and making the n-th of them fail or kill."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.world import Ended, World, ended

#: What changes a case on disk, or makes a change last.
CHANGES: Final = (
    "openat,write,pwrite64,fsync,fdatasync,rename,mkdir,unlink,ftruncate,rmdir,link,linkat,fchmod"
)
#: Derived files: a call on them is one of hundreds alike, so only some are tried.
DERIVED: Final = ("/work/index.", "/report/")
MOST_DERIVED: Final = 12
_LINE: Final = re.compile(r"(\w+)\((.*)\) += (-?\d+)(.*)$")
_HEX: Final = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True)
class Call:
    """One system call of the main thread: the `number`-th of its name, from 1."""

    name: str
    number: int
    arguments: str
    result: int
    rest: str

    def paths(self) -> list[str]:
        """Paths among the arguments: of descriptors and names."""
        return [decode(one).decode("utf-8", "replace") for one in _texts(self.arguments)]

    def place(self, case: Path) -> str:
        """The path within a case that the call is about: the last such among its paths."""
        inside = [path for path in self.paths() if path.startswith(f"{case}")]
        return inside[-1][len(str(case)) :] if inside else ""

    def is_derived(self, case: Path) -> bool:
        """Whether it is about derived files (SQLite also syncs the folder its file is in)."""
        place = self.place(case)
        return place.startswith(DERIVED) or (self.name == "fdatasync" and place == "/work")

    def text(self, position: int = 0) -> bytes:
        """The string argument at a position among the strings."""
        return decode(re.findall(r'"((?:\\x[0-9a-f]{2})*)"', self.arguments)[position])


def _texts(arguments: str) -> list[str]:
    return re.findall(r'[<"]((?:\\x[0-9a-f]{2})+)[>"]', arguments)


def decode(text: str) -> bytes:
    """The bytes of strace's hexadecimal form."""
    return bytes.fromhex("".join(_HEX.findall(text)))


def missing() -> str:
    """Why strace cannot be used here ("" when it can)."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    probe = subprocess.run(
        ["strace", "-o", os.devnull, "true"], capture_output=True, text=True, check=False
    )
    return "" if probe.returncode == 0 else f"strace may not trace here: {probe.stderr.strip()}"


def traced(world: World, command: list[str], trace: Path, *inject: str) -> Ended:
    """Run a command, its changes written to `trace`; `inject` as strace's -e inject=..."""
    strace = ["strace", "-y", "-xx", "-s", "8000000", "-o", str(trace)]
    faults = [part for one in inject for part in ("-e", f"inject={one}")]
    return ended(world.start([*strace, "-e", f"trace={CHANGES}", *faults, "--", *command]))


def injected(world: World, command: list[str], inject: str) -> Ended:
    """Run a command with a fault injected, e.g. `fsync:error=EIO:when=3`."""
    name = inject.partition(":")[0]
    strace = ["strace", "-o", os.devnull]
    return ended(
        world.start([*strace, "-e", f"trace={name}", "-e", f"inject={inject}", "--", *command])
    )


def calls(trace: Path) -> list[Call]:
    """The main thread's calls, in order; strace follows no other thread and no child."""
    found: list[Call] = []
    counts: dict[str, int] = {}
    with trace.open() as lines:
        for line in lines:
            match = _LINE.match(line)
            if match is None:
                continue
            counts[match[1]] = counts.get(match[1], 0) + 1
            found.append(Call(match[1], counts[match[1]], match[2], int(match[3]), match[4]))
    return found


def points(trace: Path, case: Path, *, reads: bool = False) -> list[Call]:
    """The calls that touch a case, but for opening to read (unless `reads`)."""
    prefix = os.fspath(case)
    found = []
    for call in calls(trace):
        touches = any(path == prefix or path.startswith(prefix + "/") for path in call.paths())
        only_reads = call.name == "openat" and "O_WRONLY" not in call.arguments
        if touches and (reads or not only_reads or "O_RDWR" in call.arguments):
            found.append(call)
    return found


def thinned(found: list[Call], most: int, case: Path) -> list[Call]:
    """At most `most` calls of each name on evidence, and fewer on derived files, spread evenly."""
    kept: list[Call] = []
    for name in sorted({call.name for call in found}):
        these = [call for call in found if call.name == name]
        derived = [call for call in these if call.is_derived(case)]
        evidence = [call for call in these if call not in derived]
        kept += _spread(evidence, most) + _spread(derived, min(most // 3, MOST_DERIVED))
    return kept


def _spread(these: list[Call], most: int) -> list[Call]:
    step = max(1.0, (len(these) - 1) / max(1, most - 1))
    chosen = {round(n * step) for n in range(min(most, len(these)))} & set(range(len(these)))
    return [these[n] for n in sorted(chosen)]
