"""Puts the layers on: those of the zygote once, those of a worker after each fork.

Every layer is tried by itself; what cannot be had is noted with its reason and told to the host,
which decides. A worker tries only what the zygote could have: there a failure ends it.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from muniment.sandbox import bpf, kernel
from muniment.sandbox.records import Limits
from muniment.sandbox.syscalls import worker_rules, zygote_rules

#: Layers that can be left out by name, to measure what the others do alone.
LAYERS = ("namespaces", "landlock", "seccomp", "rlimits", "privileges")

#: The user nobody: whom the zygote becomes when it is started by root.
_NOBODY = 65534
#: 0 to 4 stand; libav duplicates its input now and then.
_DESCRIPTORS = 16


@dataclass
class Had:
    """What the zygote could have, and all that its workers need to be confined quickly."""

    namespaces: tuple[str, ...] = ()
    empty_root: bool = False
    no_new_privs: bool = False
    rlimits: bool = False
    landlock_abi: int = 0
    ruleset: int = -1
    base_bytes: int = 0
    filter: kernel.Filter | None = None
    reasons: list[str] = field(default_factory=list)

    def attempt(self, what: str, step: Callable[[], None]) -> bool:
        """Does one step; a refusal is noted, not raised."""
        try:
            step()
        except OSError as error:
            self.reasons.append(f"{what}: {error.strerror or error}")
            return False
        return True


def _become_nobody() -> None:
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _leave_namespaces(had: Had) -> None:
    before, uid, gid = kernel.namespace_ids(), os.getuid(), os.getgid()
    # The maps under /proc/self belong to root while the process is not dumpable.
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    if not had.attempt("user namespace", lambda: kernel.unshare("user")):
        return
    if not had.attempt("user map", lambda: kernel.map_self(uid, gid)):
        return
    for name in kernel.NAMESPACES:
        if name != "user":
            had.attempt(f"{name} namespace", lambda name=name: kernel.unshare(name))  # type: ignore[misc]
    after = kernel.namespace_ids()
    had.namespaces = tuple(name for name in before if before[name] != after.get(name))


def leave(had: Had, without: frozenset[str]) -> None:
    """The layers that must be on before the zygote forks itself into its own pid namespace."""
    had.base_bytes = _mapped_bytes()
    if "privileges" not in without and os.geteuid() == 0:
        had.attempt("leaving root", _become_nobody)
    if "namespaces" not in without:
        _leave_namespaces(had)
        if "mnt" in had.namespaces:
            had.empty_root = had.attempt("empty root", kernel.enter_empty_root)
    if "privileges" not in without:
        had.attempt("capabilities", kernel.drop_capabilities)
        had.no_new_privs = had.attempt(
            "no_new_privs", lambda: void(kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1))
        )
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)


def void(_: object) -> None:
    """Drops a value, where only the doing counts."""


def restrict_zygote(had: Had, without: frozenset[str]) -> None:
    """Limits and Landlock: they bind the zygote and all it forks."""
    if "rlimits" not in without:
        had.rlimits = had.attempt("rlimits", _limit_zygote)
    if "landlock" not in without:
        had.attempt("Landlock", lambda: _landlock(had))


def filter_zygote(had: Had, without: frozenset[str]) -> None:
    """Puts the zygote's own filter on and lays out that of the workers."""
    here = kernel.machine()
    if "seccomp" in without:
        had.reasons.append("seccomp: left out")
    elif here is None:
        had.reasons.append(f"seccomp: no system-call table for {os.uname().machine}")
    else:
        rules = (worker_rules, zygote_rules)
        worker, own = (
            kernel.Filter(bpf.encoded(bpf.assemble(one(empty_root=had.empty_root), here)))
            for one in rules
        )
        if had.attempt("seccomp", own.install):
            had.filter = worker


def _landlock(had: Had) -> None:
    ruleset, abi = kernel.landlock_ruleset()
    kernel.landlock_restrict(ruleset)
    had.ruleset, had.landlock_abi = ruleset, abi


def _mapped_bytes() -> int:
    """Address space in use now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _set(which: int, soft: int, hard: int | None = None) -> None:
    """Lowers a limit; one that is lower already stays."""
    top = resource.getrlimit(which)[1]
    most = soft if hard is None else hard
    if top != resource.RLIM_INFINITY:
        soft, most = min(soft, top), min(most, top)
    resource.setrlimit(which, (soft, most))


def _limit_zygote() -> None:
    for which in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_MEMLOCK):
        _set(which, 0)
    for which in (resource.RLIMIT_MSGQUEUE, resource.RLIMIT_NICE, resource.RLIMIT_RTPRIO):
        _set(which, 0)


def _limit_worker(limits: Limits, base_bytes: int) -> None:
    seconds = max(1, int(-(-limits.cpu_s // 1)))
    most = base_bytes + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    # At the soft limit SIGXCPU ends the worker; were it blocked, SIGKILL at the hard one.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))


def restrict_worker(had: Had, limits: Limits) -> None:
    """Everything but seccomp, in the forked worker.

    The rule set is put on once more: a domain of its own parts a worker from zygote and siblings.
    Raises OSError.
    """
    if had.landlock_abi:
        kernel.landlock_restrict(had.ruleset)
    if had.rlimits:
        _limit_worker(limits, had.base_bytes)
