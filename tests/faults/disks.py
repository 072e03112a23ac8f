"""Disks that refuse: full (a small tmpfs), failing (injected errors), read-only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.faults import kills, tracing, world
from tests.faults.world import MUNIMENT, Ended, Score, World
from tests.tiny import footage

ROOMY: Final = 64 << 20
#: What is injected: the call, and the error a full or failing disk gives for it.
ERRORS: Final = (
    ("write", "ENOSPC"),
    ("pwrite64", "ENOSPC"),
    ("openat", "ENOSPC"),
    ("mkdir", "ENOSPC"),
    ("rename", "EIO"),
    ("ftruncate", "EIO"),
    ("unlink", "EIO"),
    ("fsync", "EIO"),
    ("fdatasync", "EIO"),
)


def missing() -> str:
    """Why file systems cannot be mounted here ("" when they can)."""
    if os.geteuid() != 0:
        return "mounting needs root"
    probe = Path("/tmp") / f"muniment-mount-{os.getpid()}"
    probe.mkdir()
    try:
        done = _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", str(probe))
        if done.returncode == 0:
            subprocess.run(["umount", str(probe)], check=True)
        return done.stderr.strip()
    finally:
        probe.rmdir()


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


@contextmanager
def small_disk(at: Path, size_bytes: int) -> Iterator[Path]:
    """A tmpfs of that size at `at`, gone after."""
    at.mkdir(exist_ok=True)
    done = _mount("-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(at))
    if done.returncode:
        raise RuntimeError(done.stderr)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def remount(at: Path, options: str) -> None:
    """Change a mounted disk: `size=...`, `ro`, `rw`."""
    done = _mount("-o", f"remount,{options}", str(at))
    if done.returncode:
        raise RuntimeError(done.stderr)


def one_line(done: Ended, place: Path, code: int = 1) -> list[str]:
    """What is wrong with how a refused command ended: code, one line, the place, a remedy."""
    said = done.said()
    found = [] if done.code == code else [f"ended {done.code}, not {code}"]
    if len(said) != 1 or not said[0].startswith("muniment: "):
        return [*found, f"said {len(said)} lines: {' / '.join(said)[-300:]}"]
    what, _, remedy = said[0].partition(". ")
    if str(place) not in what:
        found.append(f"does not name the place: {said[0]}")
    if not remedy:
        found.append(f"names no remedy: {said[0]}")
    return found


def full_disks(here: World, sizes: int) -> Score:
    """Build on disks from too small for anything to large enough; then with room."""
    score = Score("full disk (tmpfs)")
    whole = kills.whole(here)
    used = sum(one.stat().st_blocks * 512 for one in whole.rglob("*") if one.is_file())
    largest = used + (1 << 20)
    refused = 0
    for number in range(sizes):
        size = 16384 + (largest - 16384) * number // max(1, sizes - 1)
        with small_disk(here.path / "small", size // 4096 * 4096) as disk:
            case = disk / "case"
            done = here.build(case)
            refused += done.code == 1
            # 3: a file larger than what was left is listed as missed, the rest is there.
            found = one_line(done, disk) if done.code not in (0, 3) else []
            found += _after(here, case, done, lambda: remount(here.path / "small", f"size={ROOMY}"))
            score.add(f"{size:,} bytes", found)
    score.notes.append(f"{refused} of {sizes} disks were too small")
    return score


def _after(here: World, case: Path, done: Ended, mend: object = None) -> list[str]:
    promised = done.acknowledged
    found = world.faults_after(case, promised) if case.exists() else []
    before = world.lines(case) if case.exists() else []
    if callable(mend):
        mend()
    return found + world.finish(here, case, before, promised)


def failing_calls(
    here: World, template: Path | None, most: int, only: tuple[str, ...] = ()
) -> list[Score]:
    """Make calls that change a case fail, one a run; of every name, or `only` of these."""
    case, trace = here.path / "case", here.path / "trace"
    world.copy(template, case)
    if tracing.traced(here, here.command(case), trace).code:
        raise RuntimeError("the build without a fault failed")
    points = tracing.points(trace, case)
    scores = []
    for name, error in ERRORS:
        if only and name not in only:
            continue
        score = Score(f"{name} fails with {error}")
        scores.append(score)
        for call in tracing.thinned([one for one in points if one.name == name], most, case):
            world.copy(template, case)
            inject = f"{name}:error={error}:when={call.number}"
            done = tracing.injected(here, here.command(case), inject)
            # What happens in work/ may be mended by the run itself: it is derived.
            found = [] if done.code == 0 and call.is_derived(case) else one_line(done, case)
            score.add(f"{name} {call.number} {call.place(case)}", found + _after(here, case, done))
    return scores


def read_only(here: World) -> Score:
    """A read-only disk: writing says so in one line, reading works."""
    score = Score("read-only disk")
    with small_disk(here.path / "small", ROOMY) as disk:
        case = world.copy(kills.whole(here), disk / "case")
        remount(disk, "ro")
        extra = here.path / "one more.mp4"
        extra.write_bytes(footage(b"one more"))
        told = ["--by", world.PERSON, "--why", "a test", "--json"]
        for name, words in {
            "build": ["build", str(extra), "--case", str(case), *told],
            "a new case": ["build", str(extra), "--case", str(disk / "new"), *told],
            "rebuild": ["rebuild", "--case", str(case)],
            "report": ["report", "--case", str(case)],
        }.items():
            score.add(name, one_line(here.run([str(MUNIMENT), *words]), disk))
        for words in (["verify", str(case)], ["log", "--case", str(case)]):
            done = here.run([str(MUNIMENT), *words])
            score.add(words[0], [f"ended {done.code}: {done.said()[-2:]}"] if done.code else [])
        remount(disk, "rw")
        score.add("writable again", world.finish(here, case, world.lines(case), 0))
        extra.unlink()
    return score
