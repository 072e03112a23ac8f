"""The host's side of confinement: starts the zygote, has workers forked, takes what they give.

Nothing here reads a file of a stranger; whatever comes from a worker is bytes, counted and bounded.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from muniment.errors import SandboxError
from muniment.sandbox import shell
from muniment.sandbox.protocol import REQUEST, STATUS_BYTES, Command, Exit, Frames, Order, Status
from muniment.sandbox.records import REQUEST_BYTES, Ended, Layers, Limits, Outcome
from muniment.sandbox.zygote import FAILED, PROBE_LIMITS, READY

_BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from muniment.sandbox.zygote import main; "
#: The environment holds nothing of the host's. One thread: a fork keeps only one. A fixed hash
#: seed: the same bytes in give the same bytes out. Large pages for the heap: a fresh process faults
#: in all it touches, and this saves some CPU (docs/confinement.md).
_ENVIRONMENT = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
_START_S = 120.0
#: How long the zygote may take to do what it is told before it counts as dead.
_GRACE_S = 10.0
#: A worker that is killed with less of its memory in use than this share was not the reason.
_NEAR_LIMIT = 0.75
_NOT_PUT_ON = "a layer of confinement could not be put on"
_READ_BYTES = 1 << 18
_READS_AT_ONCE = 16
_UNCONFINED = (
    "Run on Linux 5.13 or newer where seccomp is allowed, or say --unconfined to decode without "
    "protection: then a file made to attack the decoder can do whatever you can"
)


class Running:
    """One worker at work. Watch `fileno()`; call `advance()` when it is readable or time is up."""

    def __init__(
        self, zygote: Zygote, number: int, limits: Limits, channel: socket.socket, status_fd: int
    ) -> None:
        self._zygote, self._number = zygote, number
        self._limits = limits
        self._channel, self._status_fd = channel, status_fd
        self._frames = Frames(limits.output_bytes)
        self._killed_for: Outcome | None = None
        self._channel_open = True
        self._started_s = time.monotonic()
        self.ended: Ended | None = None
        self._epoll = select.epoll()
        self._epoll.register(channel.fileno(), select.EPOLLIN)
        self._epoll.register(status_fd, select.EPOLLIN)

    @property
    def deadline_s(self) -> float:
        """On the monotonic clock: when to look again even if nothing is readable."""
        return self._started_s + self._limits.wall_s + _GRACE_S

    def fileno(self) -> int:
        """A descriptor that is readable when there is something to do."""
        return self._epoll.fileno()

    def kill(self, reason: Outcome = "time") -> None:
        """Ends the worker; `reason` becomes its outcome. `advance()` tells when it is gone."""
        if self._killed_for is None and self.ended is None:
            self._killed_for = reason
            self._zygote._kill(self._number)

    def advance(self, *, is_ready: bool = True) -> bool:
        """Takes what came, without waiting; whether the worker has ended (see `ended`)."""
        if self.ended is None:
            if is_ready:
                self._take()
                self._look_at_status()
            if self.ended is None and time.monotonic() > self.deadline_s:
                # The zygote ends workers in time; it did not, so it hangs or is gone.
                self._killed_for = self._killed_for or "time"
                self._zygote._destroy()
                self._look_at_status()
        return self.ended is not None

    def receive(self) -> None:
        """The same as `advance()`, for whoever looks at `ended` afterwards."""
        self.advance()

    def finish(self) -> Ended:
        """Waits until the worker has ended, by itself or at its deadline."""
        poll = select.poll()
        poll.register(self._epoll.fileno(), select.POLLIN) if self.ended is None else None
        killed_s = time.monotonic() if self._killed_for else None
        while self.ended is None:
            ready = poll.poll(250)
            self.advance(is_ready=bool(ready))
            killed_s = killed_s or (time.monotonic() if self._killed_for else None)
            if killed_s is not None and time.monotonic() - killed_s > _GRACE_S:
                self._zygote._destroy()
        return self.ended

    def _take(self) -> None:
        for _ in range(_READS_AT_ONCE):
            if not self._channel_open:
                return
            try:
                piece = self._channel.recv(_READ_BYTES)
            except BlockingIOError:
                return
            except ConnectionResetError:
                piece = b""
            if not piece:
                self._channel_open = False
                self._epoll.unregister(self._channel.fileno())
                return
            self._frames.feed(piece)
            if self._frames.over:
                self.kill("output")
            elif self._frames.malformed:
                self.kill("crashed")

    def _look_at_status(self) -> None:
        try:
            data = os.read(self._status_fd, STATUS_BYTES)
        except BlockingIOError:
            return
        # The worker is dead, or never was: what is still in the channel is the last of it.
        while self._channel_open and data:
            self._take()
        self.ended = self._ending(Status.decode(data) if len(data) == STATUS_BYTES else None)
        self._epoll.close()
        self._channel.close()
        os.close(self._status_fd)

    def _ending(self, status: Status | None) -> Ended:
        payload = bytes(self._frames.data)
        self._frames.data = bytearray()  # may be a hundred megabytes
        words = self._frames.words.decode("utf-8", "replace")
        if status is None:
            outcome = self._killed_for or "lost"
            took_s = time.monotonic() - self._started_s
            return Ended(outcome, None, payload, 0.0, took_s, 0, "its zygote ended before it")
        code = status.wait_status
        number = os.WTERMSIG(code) if os.WIFSIGNALED(code) else 0
        outcome, why = self._outcome(status, number)
        return Ended(
            outcome=outcome,
            signal=_signal_name(number) if number else None,
            payload=payload,
            cpu_s=status.cpu_s,
            elapsed_s=status.elapsed_s,
            peak_bytes=status.peak_bytes,
            detail=words or why,
        )

    def _outcome(self, status: Status, number: int) -> tuple[Outcome, str]:
        if self._killed_for is not None:
            return self._killed_for, "malformed answer" if self._frames.malformed else ""
        if status.out_of_time:
            return "time", ""
        if number == signal.SIGXCPU:
            return "cpu", ""
        if number == signal.SIGKILL:
            if status.cpu_s >= self._limits.cpu_s:
                return "cpu", ""
            # No limit of ours kills so; the system does when memory runs out, also another's.
            if status.peak_bytes >= _NEAR_LIMIT * self._limits.memory_bytes:
                return "memory", "killed by the system"
            return "killed", f"SIGKILL at {status.peak_bytes >> 20} MiB"
        if number:
            return "crashed", ""
        return _by_exit_code(os.waitstatus_to_exitcode(status.wait_status), self._frames)


def _by_exit_code(code: int, frames: Frames) -> tuple[Outcome, str]:
    if code == Exit.DONE:
        return ("done", "") if frames.complete else ("crashed", "answer cut short")
    if code == Exit.MEMORY:
        return "memory", ""
    if code == Exit.OUTPUT:
        return "output", ""
    if code == Exit.SETUP:
        return "lost", ", ".join((_NOT_PUT_ON, *shell.low_limits()))
    return "crashed", f"left with code {code}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"


class Zygote:
    """The process that workers are forked from, as the host sees it. Use `start`."""

    def __init__(
        self, entry: str, *, confined: bool, without: tuple[str, ...], paths: tuple[str, ...]
    ):
        self._entry, self._confined = entry, confined
        self._without, self._paths = without, paths
        self._numbers = 0
        self._restarts_left = 1
        self._process, self._control, lines = self._launch()
        self.layers = self._measured(lines)

    @classmethod
    def start(
        cls,
        entry: str,
        *,
        confined: bool = True,
        without: Iterable[str] = (),
        paths: Iterable[str] = (),
    ) -> Zygote:
        """Executes a fresh interpreter and measures what confines its workers.

        Call it before any key is unlocked.

        Args:
            entry: `module:function`; the function gets (request, fd, emit). A `preload()` in the
                module is called first, where files can still be opened.
            confined: False: go on with whatever layers can be had.
            without: layers to leave out (`confining.LAYERS`), to measure the others.
            paths: folders to import from besides; for tests.
        Raises:
            SandboxError: if the entry cannot be loaded, or seccomp is not in force.
        """
        zygote = cls(entry, confined=confined, without=tuple(without), paths=tuple(paths))
        if confined and not zygote.layers.seccomp:
            zygote.close()
            reason = zygote.layers.reason or "the probe was not stopped"
            raise shell.not_confined(reason, _UNCONFINED)
        return zygote

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the interpreter that was started."""
        return self._process.pid

    def close(self) -> None:
        """Ends the zygote and with it all workers."""
        self._control.close()
        try:
            self._process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def spawn(self, request: bytes, fd: int, limits: Limits | None = None) -> Running:
        """Has a worker forked for one file.

        Args:
            request: handed to the entry, at most 64 KiB.
            fd: the file, opened read-only for this worker alone (the offset is shared); it may be
                closed when this returns.
        Raises:
            ValueError: if the request is too long or the descriptor can be written to.
            SandboxError: if the zygote died, and died again when it was started anew.
        """
        if len(request) > REQUEST_BYTES:
            raise ValueError(f"a request has at most {REQUEST_BYTES} bytes, not {len(request)}")
        if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY:
            raise ValueError("the descriptor of a worker must be read-only")
        while True:
            try:
                return self._spawn(Order.SPAWN, request, fd, limits or Limits())
            except OSError as error:
                self._restart(error)

    def _spawn(self, order: Order, request: bytes, fd: int, limits: Limits) -> Running:
        self._numbers += 1
        status_fd, status_out = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        channel, theirs = socket.socketpair()
        try:
            channel.sendall(REQUEST.pack(len(request)) + request)
            channel.setblocking(False)
            command = Command(order, self._numbers, limits).encode()
            socket.send_fds(self._control, [command], [fd, theirs.fileno(), status_out])
        except OSError:
            channel.close()
            os.close(status_fd)
            raise
        finally:
            theirs.close()
            os.close(status_out)
        return Running(self, self._numbers, limits, channel, status_fd)

    def _kill(self, number: int) -> None:
        try:
            self._control.send(Command(Order.KILL, number).encode())
        except OSError:
            return  # no zygote, no worker

    def _destroy(self) -> None:
        """Ends a zygote that does not answer; its workers go with it."""
        self._process.kill()
        self._process.wait()

    def _restart(self, error: OSError) -> None:
        self._destroy()
        if not self._restarts_left:
            raise SandboxError(
                f"the process that decodes ended twice ({error.strerror or error})",
                remedy="Run the command again: it goes on where it was.",
            ) from error
        self._restarts_left -= 1
        self._control.close()
        before = self.layers
        self._process, self._control, lines = self._launch()
        self.layers = self._measured(lines)
        if self._confined and self.layers != before:
            self.close()
            raise SandboxError(
                "the process that decodes ended, and its successor is confined in another way",
                remedy="Run the command again.",
            )

    def _launch(self) -> tuple[subprocess.Popen[bytes], socket.socket, list[str]]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        home = str(Path(__file__).parents[2])
        boot = _BOOT + "main(sys.argv[2:])"
        with theirs:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-s", "-P", "-c", boot, home),
                    *(str(theirs.fileno()), self._entry, ",".join(self._without), *self._paths),
                ],
                env=_ENVIRONMENT,
                cwd="/",
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.settimeout(_START_S)
        try:
            answer = ours.recv(1 << 16)
        except OSError:
            answer = b""
        if not answer.startswith(READY):
            ours.close()
            process.kill()
            process.wait()
            why = answer.removeprefix(FAILED).decode("utf-8", "replace") or "it gave no answer"
            raise shell.not_started(why, self._entry)
        ours.settimeout(_GRACE_S)
        return process, ours, answer.removeprefix(READY).decode("utf-8", "replace").splitlines()

    def _measured(self, lines: list[str]) -> Layers:
        """The layers, from what the zygote's scout found and from a probe that must die."""
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            ended = self._spawn(Order.PROBE, b"", null, PROBE_LIMITS).finish()
        finally:
            os.close(null)
        found = {*lines, *ended.payload.decode("ascii", "replace").splitlines()}

        def told(what: str) -> list[str]:
            return [line.removeprefix(what) for line in lines if line.startswith(what)]

        return Layers(
            seccomp=ended.signal == "SIGSYS" and "refuses" in found,
            landlock_abi=int(told("abi=")[0]) if "landlock" in found else 0,
            no_new_privs="no_new_privs" in found,
            rlimits="rlimits" in found,
            unreadable="unreadable" in found,
            unprivileged="unprivileged" in found,
            empty_root="empty_root" in found,
            namespaces=tuple(told("namespace=")),
            reason="; ".join(told("reason=")),
        )
