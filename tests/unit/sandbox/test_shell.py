"""Limits set on the shell are named as such, and are no fault of a file."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest

from muniment.case import examining
from muniment.model.examine import OF_THE_MACHINE
from muniment.sandbox.records import Ended

STARTED = """
import os, sys
from muniment.examine import registry
from muniment.errors import SandboxError
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Limits
try:
    with Zygote.start(registry.ENTRY) as zygote, open(os.devnull, "rb") as null:
        limits = Limits(memory_bytes=3 << 30, cpu_s=300, wall_s=30, output_bytes=1 << 20)
        ended = zygote.spawn(b"", null.fileno(), limits).finish()
        print("ended", ended.outcome, ended.detail)
except SandboxError as error:
    print("refused", error)
"""


def told(which: int, most: int) -> str:
    """What a process says that was started under a hard limit."""

    def limit() -> None:
        resource.setrlimit(which, (most, most))

    done = subprocess.run(
        [sys.executable, "-c", STARTED],
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    return done.stdout + done.stderr[-300:]


@pytest.mark.parametrize(
    ("which", "most", "name"),
    [
        (resource.RLIMIT_AS, 2_000_000 << 10, "ulimit -v 2000000"),
        (resource.RLIMIT_CPU, 200, "ulimit -t 200"),
    ],
)
def test_a_worker_that_cannot_be_limited_names_the_limit(which: int, most: int, name: str) -> None:
    said = told(which, most)
    assert said.startswith("ended lost a layer of confinement could not be put on"), said
    assert name in said


@pytest.mark.parametrize(
    ("which", "most", "name"),
    [(resource.RLIMIT_AS, 400_000 << 10, "ulimit -v 400000"), (resource.RLIMIT_NOFILE, 8, "-n 8")],
)
def test_a_start_that_fails_for_a_limit_names_it_and_no_other_remedy(
    which: int, most: int, name: str
) -> None:
    said = told(which, most)
    assert said.startswith("refused"), said
    assert name in said and "raise that" in said
    assert "--unconfined" not in said and "Install" not in said


def test_it_is_a_reason_of_the_machine() -> None:
    ended = Ended("lost", None, b"", 0.0, 0.0, 0, "a layer of confinement could not be put on")
    assert examining.outcome_of(ended, ("motion",)).problem in OF_THE_MACHINE
