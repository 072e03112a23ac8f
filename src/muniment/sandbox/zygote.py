"""The clean process that workers are forked from: what runs in it, and nothing else.

It is a fresh interpreter with an empty environment, in a session of its own. It imports the entry
and what the entry decodes with, gives up all it does not need, and then only forks and watches.
It never sees a request, a key or a case, and reads nothing a worker wrote.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from muniment.sandbox import confining, kernel, probe, worker
from muniment.sandbox.confining import Had
from muniment.sandbox.protocol import COMMAND_BYTES, Command, Exit, Order, Status
from muniment.sandbox.records import Limits
from muniment.sandbox.syscalls import CHANNEL_FD, INPUT_FD

READY, FAILED = b"ready\n", b"failed\n"


@dataclass
class _Child:
    pid: int
    pidfd: int
    status_fd: int
    started_s: float
    deadline_s: float
    out_of_time: bool = False


class _Zygote:
    """The loop: orders from the host, deadlines, and the endings of workers."""

    def __init__(self, control: socket.socket, entry: worker.Entry, had: Had) -> None:
        self.control = control
        self.entry = entry
        self.had = had
        self.pid = os.getpid()
        self.children: dict[int, _Child] = {}
        self.by_pidfd: dict[int, int] = {}
        self.poll = select.poll()
        self.poll.register(control.fileno(), select.POLLIN)

    def serve(self) -> None:
        """Until the host closes the socket; the kernel then ends the workers with us."""
        while True:
            for fd, _ in self.poll.poll(self._patience_ms()):
                if fd in self.by_pidfd:
                    self._reap(self.by_pidfd[fd])
                elif not self._order():
                    return
            self._end_late()

    def _patience_ms(self) -> float | None:
        due = [child.deadline_s for child in self.children.values() if not child.out_of_time]
        return max(0.0, min(due) - time.monotonic()) * 1000 + 1 if due else None

    def _end_late(self) -> None:
        now_s = time.monotonic()
        for child in self.children.values():
            if not child.out_of_time and now_s >= child.deadline_s:
                child.out_of_time = True
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)

    def _order(self) -> bool:
        data, fds, _, _ = socket.recv_fds(self.control, COMMAND_BYTES, 3)
        if not data:
            return False
        command = Command.decode(data)
        if command.order == Order.KILL:
            child = self.children.get(command.worker)
            if child is not None:
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
            return True
        self._fork(command, *fds)
        return True

    def _fork(self, command: Command, input_fd: int, channel_fd: int, status_fd: int) -> None:
        started_s = time.monotonic()
        try:
            pid = os.fork()
        except OSError:
            # The status pipe closes without a record: the host sees that no worker came to be.
            for fd in (input_fd, channel_fd, status_fd):
                os.close(fd)
            return
        if pid == 0:
            self._become_worker(command, input_fd, channel_fd)
        os.close(input_fd)
        os.close(channel_fd)
        pidfd = os.pidfd_open(pid)
        deadline_s = started_s + command.limits.wall_s
        self.children[command.worker] = _Child(pid, pidfd, status_fd, started_s, deadline_s)
        self.by_pidfd[pidfd] = command.worker
        self.poll.register(pidfd, select.POLLIN)

    def _become_worker(self, command: Command, input_fd: int, channel_fd: int) -> NoReturn:
        try:
            kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.pid:
                os._exit(0)
            os.dup2(input_fd, INPUT_FD)
            os.dup2(channel_fd, CHANNEL_FD)
            if command.order == Order.PROBE:
                probe.run(self.had, command.limits)
            worker.run(self.entry, self.had, command.limits)
        finally:
            os._exit(Exit.SETUP)

    def _reap(self, number: int) -> None:
        child = self.children.pop(number)
        del self.by_pidfd[child.pidfd]
        self.poll.unregister(child.pidfd)
        os.close(child.pidfd)
        _, wait_status, used = os.wait4(child.pid, 0)
        status = Status(
            wait_status=wait_status,
            out_of_time=child.out_of_time,
            cpu_s=used.ru_utime + used.ru_stime,
            elapsed_s=time.monotonic() - child.started_s,
            peak_bytes=used.ru_maxrss * 1024,
        )
        try:
            os.write(child.status_fd, status.encode())
        except BrokenPipeError:
            return  # the host no longer wants to know
        finally:
            os.close(child.status_fd)


def load(entry: str) -> worker.Entry:
    """Imports `module:function` and calls the module's `preload()` when it has one.

    Raises:
        ImportError, AttributeError: if there is no such entry.
    """
    module_name, _, name = entry.partition(":")
    module = import_module(module_name)
    found: worker.Entry = getattr(module, name)
    if hasattr(module, "preload"):
        module.preload()
    return found


def _enter_own_pid_namespace(control: socket.socket) -> None:
    """Goes on in the child, the first process of the namespace; the parent only waits for it.

    When that first process ends, the kernel kills all workers: none can outlive it.
    """
    child = os.fork()
    if child == 0:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        return
    control.close()
    os.waitpid(child, 0)
    os._exit(0)


def _settle(control: socket.socket, without: frozenset[str]) -> tuple[Had, list[str]]:
    """All layers of the zygote, and the lines that tell the host of them."""
    had = Had()
    confining.leave(had, without)
    if "pid" in had.namespaces:
        _enter_own_pid_namespace(control)
    could_open = probe.opening_root() == 0
    confining.restrict_zygote(had, without)
    lines = probe.scout(could_open)
    gc.collect()
    gc.freeze()
    gc.disable()  # a collection would touch, and so copy, the pages shared with the workers
    confining.filter_zygote(had, without)
    if had.landlock_abi:
        lines.append(f"abi={had.landlock_abi}")
    if had.empty_root:
        lines.append("empty_root")
    lines += [f"namespace={name}" for name in had.namespaces]
    lines += [f"reason={' '.join(reason.split())}" for reason in had.reasons]
    return had, lines


def _reserve() -> None:
    """Takes the numbers a worker's descriptors will have, so that none that comes in has them."""
    null = os.open(os.devnull, os.O_RDONLY)
    for fd in {INPUT_FD, CHANNEL_FD} - {null}:
        os.dup2(null, fd)
    if null > CHANNEL_FD:
        os.close(null)


def main(arguments: Sequence[str]) -> None:
    """Arguments: number of the control socket, the entry, layers to leave out, paths to add."""
    control_fd, entry_name, left_out, *paths = arguments
    control = socket.socket(fileno=fcntl.fcntl(int(control_fd), fcntl.F_DUPFD_CLOEXEC, 10))
    os.close(int(control_fd))
    _reserve()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path[:0] = paths
    try:
        entry = load(entry_name)
    except (ImportError, AttributeError, OSError) as error:
        control.send(FAILED + f"{type(error).__name__}: {error}"[:2000].encode())
        return
    had, lines = _settle(control, frozenset(left_out.split(",")))
    control.send(READY + "\n".join(lines).encode())
    _Zygote(control, entry, had).serve()
    os._exit(0)


#: What the probe may use.
PROBE_LIMITS = Limits(memory_bytes=256 << 20, cpu_s=5, wall_s=10, output_bytes=1 << 16)
