"""How workers end, what the host keeps of them, and what becomes of a zygote that dies."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from muniment.errors import SandboxError
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import REQUEST_BYTES
from tests.unit.sandbox.conftest import ENTRY, LIMITS, ROOT, Start


def test_layers_are_measured(zygote: Zygote) -> None:
    assert zygote.layers.seccomp and zygote.layers.no_new_privs
    assert zygote.layers.rlimits and zygote.layers.unreadable and zygote.layers.unprivileged


def test_file_in_answer_out(start: Start) -> None:
    ended = start(b"echo hello ").finish()
    assert (ended.outcome, ended.signal, ended.payload) == ("done", None, b"hello content")
    assert 0 < ended.cpu_s < 1 and ended.elapsed_s > 0 and ended.peak_bytes > 1 << 20


def test_largest_request(start: Start) -> None:
    text = b"x" * (REQUEST_BYTES - 5)
    assert start(b"echo " + text).finish().payload == text + b"content"
    with pytest.raises(ValueError, match="at most"):
        start(b"echo " + text + b"x")


@pytest.mark.parametrize(
    ("request_", "outcome", "signal_name"),
    [
        (b"raise one\ntwo", "crashed", None),
        (b"crash", "crashed", "SIGSEGV"),
        (b"leave 7", "crashed", None),
        (b"rubbish", "crashed", "SIGKILL"),
        (b"cut", "crashed", None),
        (b"memory 400000000", "memory", None),
        (b"memory 1000000", "done", None),
        (b"cpu", "cpu", "SIGXCPU"),
        (b"block_signals", "cpu", "SIGKILL"),
        (b"size 1048577", "output", None),
        (b"size 1048576", "done", None),
    ],
)
def test_endings(start: Start, request_: bytes, outcome: str, signal_name: str | None) -> None:
    ended = start(request_).finish()
    assert (ended.outcome, ended.signal) == (outcome, signal_name), ended
    assert len(ended.payload) <= LIMITS.output_bytes


def test_a_crash_keeps_what_came_and_what_was_said(start: Start) -> None:
    assert start(b"crash").finish().payload == b"so far"
    assert start(b"raise one\ntwo").finish().detail == "ValueError: one\ntwo"


@pytest.mark.parametrize("request_", [b"hang", b"deaf"])
def test_time_is_kept_though_nobody_looks(start: Start, request_: bytes) -> None:
    running = start(request_, replace(LIMITS, wall_s=0.3, cpu_s=30))
    time.sleep(1.5)  # the machine may be busy: the zygote has a second to wake and kill
    ended = running.finish()
    assert ended.outcome == "time" and ended.elapsed_s < 1.3


@pytest.mark.parametrize("request_", [b"hang", b"deaf"])
def test_killed_by_the_host(start: Start, request_: bytes) -> None:
    running = start(request_, replace(LIMITS, cpu_s=30))
    running.kill("memory")
    assert running.finish().outcome == "memory"
    running.kill()
    assert running.finish().outcome == "memory"


@pytest.mark.parametrize(("fill", "outcome"), [(1_000_000, "killed"), (220_000_000, "memory")])
def test_killed_from_outside(start: Start, zygote: Zygote, fill: int, outcome: str) -> None:
    before = set(_alive(zygote.pid))
    running = start(b"fill %d" % fill, replace(LIMITS, cpu_s=30))
    until_s = time.monotonic() + 5
    while _resident(found := set(_alive(zygote.pid)) - before) < fill:
        assert time.monotonic() < until_s
        time.sleep(0.02)
    time.sleep(0.1)
    os.kill(found.pop(), signal.SIGKILL)
    ended = running.finish()
    assert (ended.outcome, ended.signal) == (outcome, "SIGKILL")


def _resident(pids: set[int]) -> int:
    """Bytes of memory that one process has; 0 while there is none."""
    if len(pids) != 1:
        return 0
    pages = int((Path("/proc") / str(min(pids)) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_several_at_once_by_a_selector(start: Start) -> None:
    with selectors.DefaultSelector() as selector:
        waiting = {start(b"echo %d " % number): number for number in range(12)}
        for running in waiting:
            selector.register(running, selectors.EVENT_READ, running)
        while waiting:
            for key, _ in selector.select(5):
                running = key.data
                if running.advance():
                    selector.unregister(key.fileobj)
                    assert running.ended.payload == b"%d content" % waiting.pop(running)


def test_nothing_of_one_worker_is_in_the_next(start: Start) -> None:
    for word in (b"first", b"second"):
        assert start(b"remember " + word).finish().payload == b""


def test_a_worker_has_its_five_descriptors_and_no_environment(start: Start) -> None:
    assert start(b"descriptors").finish().payload in (b"0,1,2,3,4", b"")
    names = start(b"environment").finish().payload.decode().split(",")
    assert not [name for name in names if "MUNIMENT" in name or name in ("HOME", "PATH", "USER")]


def test_a_descriptor_that_can_be_written_to_is_not_passed(zygote: Zygote, tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file, pytest.raises(ValueError, match="read-only"):
        zygote.spawn(b"echo", file.fileno())


def test_a_dead_zygote_is_started_anew_once(start: Start) -> None:
    with Zygote.start(ENTRY, paths=[str(ROOT)]) as mine:
        running = start(b"hang", LIMITS, mine)
        os.kill(mine.pid, signal.SIGKILL)
        ended = running.finish()
        assert (ended.outcome, ended.detail) == ("lost", "its zygote ended before it")
        assert start(b"echo a ", LIMITS, mine).finish().payload == b"a content"
        os.kill(mine.pid, signal.SIGKILL)
        time.sleep(0.2)
        with pytest.raises(SandboxError, match="ended twice"):
            start(b"echo", LIMITS, mine)


def test_an_entry_that_cannot_be_had_is_a_clear_error() -> None:
    with pytest.raises(SandboxError, match="no_such_room"):
        Zygote.start("muniment.no_such_room:run")


def _alive(session: int) -> list[int]:
    """Processes of a session, zombies left out."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(folder.name))
    return found


_HOST = """
import os, sys, time
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Limits
zygote = Zygote.start(sys.argv[1], paths=[sys.argv[2]])
running = zygote.spawn(b"hang", os.open("/etc/hostname", os.O_RDONLY), Limits())
print(zygote.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_everything_dies_with_the_host(number: signal.Signals) -> None:
    command = [sys.executable, "-c", _HOST, ENTRY, str(ROOT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as host:
        assert host.stdout is not None
        session = int(host.stdout.readline())
        assert len(_alive(session)) >= 2
        host.send_signal(number)
        host.wait()
    until_s = time.monotonic() + 5
    while _alive(session) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert _alive(session) == []


def test_the_zygote_imports_nothing_of_custody_or_store() -> None:
    code = (
        "import sys, muniment.sandbox.zygote as z; z.load('muniment.examine.worker:run');"
        "print([m for m in sys.modules if m.startswith(('muniment.custody', 'muniment.store',"
        " 'muniment.case', 'sqlite3'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
