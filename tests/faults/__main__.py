"""`python -m tests.faults [--kills 200] [--quick]`: break things on purpose, and count what broke."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults import disks, kills, losses, others, tracing, world
from tests.faults.world import Score


@dataclass(frozen=True)
class Scale:
    """How much of each fault: random kills, calls of one name to kill at and to let fail, disk
    sizes, power-loss states."""

    kills: int
    calls: int
    failing: int
    sizes: int
    states: int


FULL: Final = Scale(200, 10_000, 25, 40, 2_000)
QUICK: Final = Scale(12, 3, 2, 6, 100)


def random_kills(path: Path, scale: Scale) -> Iterator[Score]:
    """kill -9 at random moments of a build of some 370 files and posts."""
    yield kills.random_kills(world.make(path, world.FULL), scale.kills)


def kills_at_calls(path: Path, scale: Scale) -> Iterator[Score]:
    """kill -9 at every call that changes evidence, in four scenes."""
    here = world.make(path, world.SMALL)
    for scene in kills.scenes(here):
        yield kills.at_every_call(here, scene, scale.calls)


def full_disks(path: Path, scale: Scale) -> Iterator[Score]:
    """Disks that are too small."""
    yield disks.full_disks(world.make(path, world.SMALL), scale.sizes)


def failing_calls(path: Path, scale: Scale) -> Iterator[Score]:
    """Calls that fail with ENOSPC or EIO."""
    here = world.make(path, world.SMALL)
    yield from disks.failing_calls(here, kills.opened(here), scale.failing)
    yield from disks.failing_calls(here, kills.torn(here), scale.failing, ("ftruncate", "unlink"))


def power_losses(path: Path, scale: Scale) -> Iterator[Score]:
    """Unsynced writes dropped, torn or zero."""
    yield from losses.losses(world.make(path, world.SMALL), scale.states)


def read_only(path: Path, scale: Scale) -> Iterator[Score]:
    """Disks and folders that may not be written to."""
    here = world.make(path, world.SMALL)
    yield disks.read_only(here)
    yield others.read_only_folder(here)


def other_faults(path: Path, scale: Scale) -> Iterator[Score]:
    """A second writer, the clock, the passphrase, the source, Ctrl-C."""
    here = world.make(path, world.SMALL)
    for check in (
        others.second_writer,
        others.clock_set_back,
        others.wrong_passphrase,
        others.interrupted,
    ):
        yield check(here)
    if not tracing.missing():
        yield others.unreadable_source(here, min(6, scale.calls))


#: name -> what it does, and why it cannot here ("" when it can).
PARTS: Final[dict[str, tuple[Callable[[Path, Scale], Iterator[Score]], Callable[[], str]]]] = {
    "others": (other_faults, str),
    "read-only": (read_only, disks.missing),
    "full-disk": (full_disks, disks.missing),
    "failing-calls": (failing_calls, tracing.missing),
    "power-loss": (power_losses, tracing.missing),
    "kills-at-calls": (kills_at_calls, tracing.missing),
    "random-kills": (random_kills, str),
}


def main() -> int:
    """Run the parts named, or all; 1 when any fault was found."""
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"default: all of {', '.join(PARTS)}")
    parser.add_argument("--kills", type=int, default=FULL.kills, help="random kills")
    parser.add_argument("--quick", action="store_true", help="a sample of everything")
    given = parser.parse_args()
    full = Scale(given.kills, FULL.calls, FULL.failing, FULL.sizes, FULL.states)
    tried = faults = 0
    for name in given.parts or PARTS:
        part, missing = PARTS[name]
        why = missing()
        if why:
            print(f"{name}: not run: {why}", flush=True)
            continue
        start = time.monotonic()
        path = Path(tempfile.mkdtemp(prefix=f"faults-{name}-"))
        path.chmod(0o755)
        for score in part(path, QUICK if given.quick else full):
            tried, faults = tried + score.tried, faults + len(score.faults)
            print(score, flush=True)
        shutil.rmtree(path)
        print(f"  ({name}: {time.monotonic() - start:.0f} s)", flush=True)
    print(f"{tried} states tried, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
