"""What the sandbox is told and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["done", "crashed", "lost", "killed", "time", "cpu", "memory", "output"]

#: A request travels in one piece; larger input belongs into the file.
REQUEST_BYTES = 64 << 10


@dataclass(frozen=True)
class Limits:
    """What one worker may use.

    Args:
        memory_bytes: address space over what the zygote already has mapped.
        cpu_s: processor time; the kernel counts whole seconds, so it is rounded up.
        wall_s: time on the clock.
        output_bytes: sum of all that is emitted.
    """

    memory_bytes: int = 1 << 30
    cpu_s: float = 600.0
    wall_s: float = 1800.0
    output_bytes: int = 256 << 20


@dataclass(frozen=True)
class Layers:
    """Which layers of confinement a probe worker found in force, by trying what they forbid.

    `landlock_abi` is 0 where Landlock is not in force. `namespaces` are those the zygote left its
    parent's for (`user`, `net`, `pid`, `ipc`, `mnt`, `uts`, `cgroup`). `empty_root`: its file
    system is an empty directory. `unprivileged`: no capability and not root. `reason` says why
    something is missing.
    """

    seccomp: bool
    landlock_abi: int
    no_new_privs: bool
    rlimits: bool
    unreadable: bool
    unprivileged: bool
    empty_root: bool
    namespaces: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Ended:
    """How a worker ended, and what it gave.

    Args:
        outcome: done; crashed; lost (its zygote ended before it, not by its own doing, as far as is
            known); killed (from outside, far below its limits: the system was short of memory, or
            somebody did it); or the limit it met (time, cpu, memory, output).
        signal: name of the signal that ended it, `SIGSYS` for a forbidden system call.
        payload: all that was emitted, in order; incomplete unless done.
        cpu_s: processor time of the worker, user and system.
        elapsed_s: time on the clock from fork to end.
        peak_bytes: largest resident memory, what it shares with the zygote included.
        detail: one line: what the worker or the zygote said of a crash. Not trusted: escape it.
    """

    outcome: Outcome
    signal: str | None
    payload: bytes
    cpu_s: float
    elapsed_s: float
    peak_bytes: int
    detail: str = ""
