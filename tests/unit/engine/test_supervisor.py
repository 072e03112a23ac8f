"""The engine over real confined workers: what misbehaves costs its own key and nothing else."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from muniment.engine import supervisor
from muniment.engine.supervisor import MOST_TRIES
from muniment.errors import InputError
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Ended, Limits

LIMITS = Limits(memory_bytes=1 << 28, cpu_s=1, wall_s=20, output_bytes=1 << 22)


class Step:
    """Reads one file a key; the key's first word is what the worker shall do."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stored = folder, dict[str, str]()

    @contextmanager
    def open(self, key: str) -> Iterator[tuple[int, bytes]]:
        if key.startswith("absent"):
            raise InputError("not found", subject=key)
        path = self.folder / key.replace(" ", "-")
        path.write_text(key)
        fd = os.open(path, os.O_RDONLY)
        try:
            yield fd, key.split()[0].encode()
        finally:
            os.close(fd)

    def limits(self, key: str) -> Limits:
        return LIMITS

    def store(self, key: str, ended: Ended) -> str:
        self.stored[key] = ended.payload.decode() if ended.outcome == "done" else ended.outcome
        return key

    def refused(self, key: str, error: Exception) -> str:
        self.stored[key] = "refused"
        return key


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote.start("engine_entry:run", paths=(str(Path(__file__).parent),)) as started:
        yield started


def test_each_key_is_stored_whatever_became_of_it(zygote: Zygote, tmp_path: Path) -> None:
    step = Step(tmp_path)
    keys = [
        "read 1",
        "crash",
        "absent",
        "eat",
        "hang",
        "flood",
        *(f"read {n}" for n in range(2, 9)),
    ]
    assert sorted(supervisor.map(step, keys, zygote)) == sorted(keys)
    misbehaved = {key: step.stored.pop(key) for key in ("crash", "absent", "eat", "hang", "flood")}
    assert misbehaved == {
        "crash": "crashed",
        "absent": "refused",
        "eat": "memory",
        "hang": "cpu",
        "flood": "output",
    }
    assert set(step.stored) == {f"read {n}" for n in range(1, 9)}


def test_what_was_read_is_what_the_key_names(zygote: Zygote, tmp_path: Path) -> None:
    step = Step(tmp_path)
    for _ in supervisor.map(step, ["read a", "read b"], zygote, at_once=1):
        pass
    assert step.stored == {"read a": "read a", "read b": "read b"}


def test_a_zygote_that_dies_costs_no_key(tmp_path: Path) -> None:
    step = Step(tmp_path)
    with Zygote.start("engine_entry:run", paths=(str(Path(__file__).parent),)) as zygote:
        loop = supervisor.map(step, ["read 1", "slow", "read 2", "read 3"], zygote, at_once=2)
        assert next(loop) == "read 1"
        os.kill(zygote.pid, signal.SIGKILL)
        assert sorted(loop) == ["read 2", "read 3", "slow"]
    assert step.stored["slow"] == "slow" and step.stored["read 3"] == "read 3"


@pytest.mark.parametrize(("kills", "stored"), [(1, "hard"), (MOST_TRIES, "killed")])
def test_a_worker_killed_from_outside_is_tried_again(
    zygote: Zygote, tmp_path: Path, kills: int, stored: str
) -> None:
    step, before, killed = Step(tmp_path), set(_below(zygote.pid)), set[int]()

    def killer() -> None:
        until_s = time.monotonic() + 20
        while len(killed) < kills and time.monotonic() < until_s:
            for pid in set(_below(zygote.pid)) - before - killed:
                os.kill(pid, signal.SIGKILL)
                killed.add(pid)
            time.sleep(0.005)

    thread = threading.Thread(target=killer)
    thread.start()
    assert list(supervisor.map(step, ["hard"], zygote)) == ["hard"]
    thread.join()
    assert step.stored == {"hard": stored} and len(killed) == kills


def test_leaving_early_leaves_no_worker_behind(zygote: Zygote, tmp_path: Path) -> None:
    step = Step(tmp_path)
    loop = supervisor.map(step, ["read 1", "hang", "hang 2", "hang 3"], zygote, at_once=2)
    assert next(loop) == "read 1"
    loop.close()
    assert step.stored == {"read 1": "read 1"}
    # Two workers spun for ever: nothing below the zygote may go on using the processor.
    deadline_s = time.monotonic() + 20
    while not all(map(_is_idle, _below(zygote.pid))):
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def _below(pid: int) -> list[int]:
    """Every process below one."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    own = [int(child) for child in text.split()]
    return own + [deeper for child in own for deeper in _below(child)]


def _is_idle(pid: int) -> bool:
    """Neither running nor about to: a zombie, gone, or the zygote's own first process."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state != "R"
