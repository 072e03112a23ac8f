"""Two writers, a clock set back, a wrong passphrase, a source that cannot be read, Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

from muniment.case import looking
from muniment.store.layout import CaseFolder
from tests.escapes.ordinary import as_user
from tests.faults import kills, tracing, world
from tests.faults.disks import one_line
from tests.faults.world import MUNIMENT, PERSON, Score, World

HOURS = 2
NOBODY = 65534


def second_writer(here: World) -> Score:
    """A second build while the first one stands still in its midst: refused, in one line."""
    score = Score("second writer")
    case = world.copy(kills.opened(here), here.path / "case")
    first = here.start(here.command(case))
    assert first.stderr is not None
    head = first.stderr.readline()
    first.send_signal(signal.SIGSTOP)
    try:
        found = one_line(here.build(case), case, 11)
        found += [
            f"verify beside a writer says {code}: {why}" for code, why in [_bad(case)] if code
        ]
    finally:
        first.send_signal(signal.SIGCONT)
    done = world.ended(first)
    found += [] if done.code == 0 and head else [f"the first ended {done.code}: {done.said()[-2:]}"]
    score.add("two builds", found + world.faults_of_whole(here, case))
    return score


def _bad(case: Path) -> tuple[int, str]:
    code, why = world.verify_code(case)
    return (0, "") if code in world.AFTER_FAULT else (code, why)


def clock_set_back(here: World) -> Score:
    """A run two hours before the last entry: recorded as such, nothing refused."""
    score = Score("clock set back")
    if shutil.which("faketime") is None:
        score.notes.append("not run: faketime is not installed")
        return score
    case = world.copy(kills.opened(here), here.path / "case")
    # `collect`: what faketime does to timeouts, no clock does to the sockets of a zygote.
    command = here.command(case)
    command[1] = "collect"
    done = here.run(["faketime", "-f", f"-{HOURS}h", *command])
    found = [] if done.code in (0, 3) else [f"the build ended {done.code}: {done.said()[-2:]}"]
    started = [
        shown.values["clock"]["set_back_s"]
        for shown in looking.read(CaseFolder(case), 0)
        if shown.kind == "acquisition.started"
    ]
    if not started or not started[0] or abs(float(started[0]) - HOURS * 3600) > 600:
        found.append(f"the log says the clock stood back by {started[:1]} s, not {HOURS * 3600}")
    code, why = world.verify_code(case)
    found += [f"verify says {code}: {why}"] if code else []
    score.add("a build two hours ago", found + world.finish(here, case, world.lines(case), 0))
    return score


def wrong_passphrase(here: World) -> Score:
    """Refused in one line; nothing is changed, nothing is made."""
    score = Score("wrong passphrase")
    case = world.copy(kills.opened(here), here.path / "case")
    before = world.lines(case)
    right = here.environment
    here.environment = right | {"MUNIMENT_PASSPHRASE": "not this one"}
    try:
        score.add("an opened case", one_line(here.build(case), here.path / "keys"))
        new = world.copy(None, here.path / "case2")
        score.add("a new case", one_line(here.build(new), here.path / "keys"))
    finally:
        here.environment = right
    score.add("the case after", [] if world.lines(case) == before else ["its lines changed"])
    score.add("finished after", world.finish(here, case, before, len(before)))
    score.add("the new one finished after", world.finish(here, new, [], 0))
    return score


def unreadable_source(here: World, most: int) -> Score:
    """EIO while a source file is read: listed as missed, the rest kept, collected next time."""
    score = Score("source file fails with EIO")
    case = here.path / "case"
    for number in range(1, most + 1):
        world.copy(kills.opened(here), case)
        done = tracing.injected(here, here.command(case), f"readv:error=EIO:when={number}")
        found = [] if done.code == 3 else [f"ended {done.code}: {done.said()[-2:]}"]
        missed = [one for one in looking.read(CaseFolder(case), 0) if one.kind == "item.missed"]
        found += [] if len(missed) == 1 else [f"{len(missed)} item.missed entries, not 1"]
        code, why = world.verify_code(case)
        found += [f"verify says {code}: {why}"] if code else []
        found += world.finish(here, case, world.lines(case), done.acknowledged)
        score.add(f"read {number}", found)
    return score


def interrupted(here: World) -> Score:
    """Ctrl-C amid a build: one line, exit 130, and the next run goes on."""
    score = Score("Ctrl-C")
    case = world.copy(kills.opened(here), here.path / "case")
    process = here.start(here.command(case))
    assert process.stderr is not None
    head = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    done = world.ended(process)
    promised = max(done.acknowledged, world.acknowledged(head))
    found = [] if done.code in (0, 130) else [f"ended {done.code}"]
    if done.code == 130 and len(done.said()) != 1:
        found.append(f"said {len(done.said())} lines: {done.said()[-2:]}")
    found += world.faults_after(case, promised)
    score.add("SIGINT", found + world.finish(here, case, world.lines(case), promised))
    return score


def read_only_folder(here: World) -> Score:
    """A case folder this user may not write to (as nobody)."""
    score = Score("folder without write permission")
    if os.geteuid() != 0 or not shutil.which("setpriv") or not shutil.which("unshare"):
        score.notes.append("not run: needs root, setpriv and unshare")
        return score
    held = here.path / "held"
    held.mkdir()
    case = world.copy(kills.opened(here), here.path / "case")
    told = ["--by", PERSON, "--why", "a test", "--json"]
    words = [str(MUNIMENT), "build", str(here.sources[0]), "--case", str(case), *told]
    for path in (here.path / "keys").iterdir():
        path.chmod(0o755 if path.is_dir() else 0o644)
    for path in (here.path / "keys", here.path):
        path.chmod(0o755)
    done = here.run(as_user(NOBODY, words, held))
    score.add("build", one_line(done, case) + world.faults_after(case, 0))
    return score
