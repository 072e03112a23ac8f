"""A workplace for faults: sources, keys, the real command line, and what must hold after a fault."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from muniment.case import looking, projecting, verifying
from muniment.custody.keyring import KeyFolder
from muniment.custody.verify import Pins
from muniment.errors import EXIT_NO_CASE, MunimentError
from muniment.model.entries import Role
from muniment.store.layout import CaseFolder
from muniment.store.segments import Segments
from tests.cheap import cheap_keys
from tests.tiny import footage

MUNIMENT: Final = Path(sys.prefix) / "bin" / "muniment"
PASSPHRASE: Final = "a passphrase for faults only"
PERSON: Final = "Ann Example"
#: What `verify` may say of a case that a fault cut short.
AFTER_FAULT: Final = frozenset({0, 3})


@dataclass(frozen=True)
class Size:
    """How much a source holds."""

    small: int
    large_bytes: tuple[int, ...]
    posts: int


FULL: Final = Size(60, (1_500_000, 2_500_000, 4_000_000), 300)
SMALL: Final = Size(5, (150_000,), 12)


@dataclass
class Ended:
    """How a command ended, and the last tree size it acknowledged (0: none)."""

    code: int
    out: str
    err: str
    acknowledged: int

    def said(self) -> list[str]:
        """The lines on stderr but for acknowledgements and the kernel's or strace's."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        return [line for line in lines if not line.startswith(('{"event"', "strace:"))]


@dataclass
class World:
    """One workplace below `path`.

    Attributes:
        sources: what `build` is given: a folder of files and a Telegram Desktop export.
        digests: SHA-256 -> path below `sources` of every file.
        posts: how many the export holds.
    """

    path: Path
    sources: list[Path]
    digests: dict[str, str]
    posts: int
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, case: Path) -> list[str]:
        """The `muniment build` of everything into `case`."""
        told = ["--by", PERSON, "--why", "a test of faults", "--json"]
        return [str(MUNIMENT), "build", *map(str, self.sources), "--case", str(case), *told]

    def start(self, command: list[str], **more: Any) -> subprocess.Popen[str]:
        """Start a command in this world."""
        return subprocess.Popen(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, command: list[str], **more: Any) -> Ended:
        """Run a command to its end."""
        return ended(self.start(command, **more))

    def build(self, case: Path) -> Ended:
        """Run `muniment build` of everything into `case`."""
        return self.run(self.command(case))


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a command's end; strace's code 128 + n and a signal's -n are one."""
    out, err = process.communicate()
    code = process.returncode
    return Ended(-signal.SIGKILL if code == 137 else code, out, err, acknowledged(err))


def acknowledged(err: str) -> int:
    """The last tree size acknowledged on stderr; a torn last line is none."""
    sizes = [0]
    for line in err.splitlines():
        if line.startswith('{"event"') and line.endswith("}"):
            sizes.append(int(json.loads(line)["tree_size"]))
    return sizes[-1]


def make(path: Path, size: Size, seed: int = 1) -> World:
    """Lay down sources and keys below `path`."""
    files, export = path / "source" / "files", path / "source" / "export"
    rng = random.Random(seed)
    for number in range(size.small):
        _put(files / f"{number % 4}" / f"note {number}.mp4", footage(rng.randbytes(900 + number)))
    for number, length in enumerate(size.large_bytes):
        _put(files / f"footage {number}.mp4", footage(rng.randbytes(length)))
    _put(files / "again.mp4", footage(random.Random(seed).randbytes(900)))  # the first one's twin
    for number in range(0, size.posts, 50):
        _put(export / f"video_files/clip_{number}.mp4", footage(rng.randbytes(700)))
    _put(export / "result.json", json.dumps(_export(size.posts), ensure_ascii=False, indent=1))
    os.utime(export / "result.json", (1_777_000_000, 1_777_000_000))
    environment = os.environ | {
        "MUNIMENT_KEYS": str(path / "keys"),
        "MUNIMENT_PASSPHRASE": PASSPHRASE,
    }
    _make_keys(path / "keys")
    found = {
        hashlib.sha256(one.read_bytes()).hexdigest(): os.fspath(one.relative_to(path / "source"))
        for one in sorted((path / "source").rglob("*"))
        if one.is_file()
    }
    return World(path, [files, export], found, size.posts, environment)


def _put(path: Path, data: bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def _export(posts: int) -> dict[str, Any]:
    messages = [
        {
            "id": number,
            "type": "message",
            "date": "2026-05-02T12:00:00",
            "date_unixtime": str(1_777_723_200 + number),
            "from": "Invented Channel",
            "from_id": "channel1000000001",
            "text": f"smoke over the bridge, {number}",
            "text_entities": [{"type": "plain", "text": f"smoke over the bridge, {number}"}],
        }
        | ({"file": f"video_files/clip_{number}.mp4"} if number % 50 == 0 else {})
        for number in range(posts)
    ]
    return {
        "name": "Invented Channel",
        "type": "public_channel",
        "id": 1000000001,
        "messages": messages,
    }


def _make_keys(folder: Path) -> None:
    with cheap_keys():
        for role, name in ((Role.PERSON, PERSON), (Role.AGENT, "faulty machine")):
            KeyFolder(folder).create(role, name, PASSPHRASE)


# ---------------------------------------------------------------- what must hold


def verify_code(case: Path) -> tuple[int, str]:
    """The exit code of `verify`, and what it found, in one line."""
    try:
        verdict = verifying.verify(verifying.case_folder(case), Pins())
    except MunimentError as error:
        return error.exit_code, str(error)
    found = [
        f"{check.name}: {check.findings[0].piece} {check.findings[0].what}"
        for check in verdict.checks
        if check.findings
    ]
    return verdict.exit_code, "; ".join(found)


def lines(case: Path) -> list[tuple[bytes, bytes]]:
    """(entry line, private line) of the log as it lies there."""
    folder = CaseFolder(case)
    public, private = Segments(folder.entries).lines(), Segments(folder.private).lines()
    return [(one, other) for (_, one), (_, other) in zip(public, private, strict=False)]


def faults_after(case: Path, promised: int) -> list[str]:
    """What is wrong right after a fault, when `promised` entries were acknowledged."""
    code, why = verify_code(case)
    held = len(lines(case))
    found = []
    if held < promised:
        found.append(f"{promised} entries were acknowledged, {held} are there")
    never_opened = code == EXIT_NO_CASE and promised == 0
    if code not in AFTER_FAULT and not never_opened:
        found.append(f"verify says {code}: {why}")
    return found


def finish(world: World, case: Path, before: list[tuple[bytes, bytes]], promised: int) -> list[str]:
    """Build again to the end; what is wrong then.

    Args:
        before: the lines right after the fault; the first `promised` must stay, byte for byte.
    """
    again = world.build(case)
    notices = json.loads(again.out)["notices"] if again.code == 3 else []
    # 3: whole entries of the unfinished batch were moved aside, and that is said.
    if again.code not in (0, 3) or any("work/recovered" not in notice for notice in notices):
        told = " / ".join([*again.said(), *notices])
        return [f"the next build ended {again.code}: {told[-300:]}"]
    found = [] if lines(case)[:promised] == before[:promised] else ["acknowledged lines changed"]
    return found + faults_of_whole(world, case)


def faults_of_whole(world: World, case: Path) -> list[str]:
    """What is wrong with a case that should be whole."""
    found = []
    code, why = verify_code(case)
    if code != 0:
        found.append(f"verify of the finished case says {code}: {why}")
    index, rebuilt = projecting.rebuild(CaseFolder(case))
    index.close()
    if rebuilt.differing != ():
        found.append(f"rebuild differs: {rebuilt.differing}")
    return found + _wrong_content(world, case) + _left_over(case)


def _wrong_content(world: World, case: Path) -> list[str]:
    names: Counter[str] = Counter()
    posts: Counter[int] = Counter()
    held: set[str] = set()
    for shown in looking.read(CaseFolder(case), 0):
        if shown.kind == "item.acquired":
            held.add(shown.values["object"])
            name = shown.values["name"]
            if name is not None:
                names[name["path"]] += 1
        elif shown.kind == "post.recorded":
            posts[shown.values["bytes"][0]] += 1
    found = []
    lost = [path for digest, path in world.digests.items() if digest not in held]
    twice = [name for name, number in names.items() if number > 1]
    if lost:
        found.append(f"{len(lost)} files lost: {lost[:3]}")
    if twice:
        found.append(f"{len(twice)} files acquired more than once: {twice[:3]}")
    if len(posts) != world.posts or max(posts.values(), default=1) > 1:
        found.append(f"{len(posts)} posts recorded {sum(posts.values())} times, not {world.posts}")
    return found


def _left_over(case: Path) -> list[str]:
    incoming = CaseFolder(case).incoming
    left = sorted(os.listdir(incoming)) if incoming.is_dir() else []
    return [f"{len(left)} temporaries left in work/incoming"] if left else []


@dataclass
class Score:
    """How many states were tried, and each fault found."""

    name: str
    tried: int = 0
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, where: str, found: list[str]) -> None:
        """Take in one state."""
        self.tried += 1
        self.faults += [f"{where}: {one}" for one in found]

    def __str__(self) -> str:
        """The score, and its faults: those that differ in numbers only as one, the first named."""
        alike: dict[str, list[str]] = {}
        for one in self.faults:
            what = re.sub(r"[0-9a-f]{6,}|\d+", "N", one.partition(": ")[2])
            alike.setdefault(what, []).append(one)
        kinds = [f"{len(ones)} x {ones[0]}" for ones in alike.values()]
        head = f"{self.name}: {self.tried} states, {len(self.faults)} faults"
        return "\n  ".join([head, *self.notes, *kinds[:40]])


def forget(keys: Path) -> None:
    """Let the machine forget the checkpoints it signed: each state is tried as if it were the only
    one (that an older state is refused otherwise is tested in tests/flow)."""
    shutil.rmtree(keys / "seen", ignore_errors=True)


def copy(template: Path | None, target: Path) -> Path:
    """A fresh copy of a template case at `target`; nothing there when there is no template."""
    shutil.rmtree(target, ignore_errors=True)
    forget(target.parent / "keys")
    if template is not None:
        shutil.copytree(template, target)
    return target
