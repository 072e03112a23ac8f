"""Cases, sources and keys for measuring: made here, thrown away after."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.measure import Cost, expect, run
from muniment.custody.keys import SigningKey
from muniment.custody.log import LogWriter
from muniment.custody.opening import open_writer, prepare
from muniment.model.entries import Role
from muniment.store.layout import CaseFolder

PASSPHRASE: Final = "a passphrase for measuring only"
#: An `ftyp` box: enough for a file to count as footage.
MP4_HEAD: Final = bytes.fromhex("00000018667479706d703432000000006d70343269736f6d")
MUNIMENT: Final = Path(sys.prefix) / "bin" / "muniment"


@dataclass(frozen=True)
class Keys:
    """A person's and an agent's key, in memory."""

    person: SigningKey
    agent: SigningKey


def environment(scratch: Path) -> dict[str, str]:
    """The environment of a measured `muniment`: its own key folder, bytecode kept as pip keeps it."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "MUNIMENT_KEYS": str(scratch / "keys"),
        "MUNIMENT_PASSPHRASE": PASSPHRASE,
    }


def collected(scratch: Path, case: Path, source: Path) -> Cost:
    """The cost of `muniment collect` as a child, into a new case: nothing is decoded."""
    who: list[str | os.PathLike[str]] = ["--case", case, "--by", "Bench", "--why", "measuring"]
    made, _ = run([MUNIMENT, "init", *who], environment(scratch), scratch)
    expect(made, 0, scratch)
    cost, _ = run([MUNIMENT, "collect", source, *who], environment(scratch), scratch)
    expect(cost, 0, scratch)
    return cost


def told(scratch: Path, case: Path, source: Path) -> tuple[Cost, str]:
    """`muniment build --json` as a child; its cost and the JSON document it printed."""
    command: list[str | os.PathLike[str]] = [
        MUNIMENT,
        "build",
        source,
        "--case",
        case,
        "--by",
        "Bench",
        "--why",
        "measuring",
    ]
    cost, said = run([*command, "--json"], environment(scratch), scratch)
    expect(cost, 0, scratch)
    return cost, said


def verify(scratch: Path, case: Path) -> Cost:
    """`muniment verify` as a child; its cost."""
    cost, _ = run([MUNIMENT, "verify", case], environment(scratch), scratch)
    expect(cost, 0, scratch)
    return cost


def bagit(scratch: Path, bag: Path, *options: str) -> Cost:
    """bagit-python as a child: `--sha256` makes a bag in place, `--validate` checks one."""
    command: list[str | os.PathLike[str]] = [
        sys.executable,
        "-m",
        "bagit",
        "--quiet",
        *options,
        bag,
    ]
    cost, _ = run(command, os.environ, scratch)
    expect(cost, 0, scratch)
    return cost


def linked(source: Path, target: Path) -> Path:
    """A copy of a folder by hard links, for a peer that moves files in place."""
    for folder, _, names in os.walk(source):
        here = target / Path(folder).relative_to(source)
        here.mkdir(parents=True)
        for name in names:
            (here / name).hardlink_to(Path(folder) / name)
    return target


def keys() -> Keys:
    """New keys, without files (making and opening a key file costs Argon2id on purpose)."""
    person = SigningKey(Role.PERSON, "Bench", secrets.token_bytes(32), None)
    agent = SigningKey(Role.AGENT, "bench", secrets.token_bytes(32), secrets.token_bytes(32))
    return Keys(person, agent)


@contextmanager
def writer(path: Path, pair: Keys) -> Iterator[LogWriter]:
    """The writer of a new case at `path`."""
    folder = CaseFolder(path)
    prepare(folder, pair.person, secrets.token_hex(16))
    opening = {
        "title": "bench",
        "purpose": "measuring",
        "opened_by": "Bench",
        "tool": {"name": "muniment", "version": "bench"},
        "data": {},
    }
    with open_writer(folder, pair.agent, person=lambda: pair.person, opening=opening) as log:
        yield log


def random_files(folder: Path, count: int, size_bytes: int, per_folder: int = 1000) -> Path:
    """`count` files of `size_bytes` each, `per_folder` in a subfolder: an MP4 head, then noise."""
    for number in range(count):
        parent = folder / f"{number // per_folder:03d}"
        if number % per_folder == 0:
            parent.mkdir(parents=True)
        with (parent / f"{number:06d}.mp4").open("wb") as out:
            out.write(MP4_HEAD)
            for start in range(len(MP4_HEAD), size_bytes, 1 << 24):
                out.write(os.urandom(min(1 << 24, size_bytes - start)))
    return folder


def total_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
