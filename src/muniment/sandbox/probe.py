"""Tries what each layer forbids, harmlessly, and tells what happened: layers are not assumed.

Two processes are forked to be lost. The *scout* leaves before the zygote has its filter, for behind
a filter nothing shows what Landlock does. The *probe* is a worker like any other, but that under
its filter it makes a call that must be refused, and at last one that must kill: that it dies there
is the proof of seccomp.
"""

from __future__ import annotations

import errno
import os
import resource
import socket
from typing import NoReturn

from muniment.sandbox import confining, kernel
from muniment.sandbox.confining import Had
from muniment.sandbox.protocol import Exit, Kind
from muniment.sandbox.records import Limits
from muniment.sandbox.syscalls import CHANNEL_FD
from muniment.sandbox.worker import send


def opening_root() -> int:
    """The errno with which listing `/` is refused; 0 when it is not."""
    try:
        fd = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        return error.errno or -1
    os.close(fd)
    return 0


def _cannot_be_root() -> bool:
    if os.geteuid() == 0:
        return False
    try:
        os.setuid(0)
    except OSError:
        return True
    return False


def scout(could_open: bool) -> list[str]:
    """Forks the scout; the layers it found, one a line.

    Args:
        could_open: whether `/` could be listed before Landlock was on.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        found = []
        try:
            if could_open and opening_root() == errno.EACCES:
                found.append("landlock")
            if _cannot_be_root():
                found.append("unprivileged")
            os.write(writer, "\n".join(found).encode())
        finally:
            os._exit(Exit.DONE)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = pipe.read().decode().split()
    os.waitpid(child, 0)
    return lines


def _memory_is_bounded(limits: Limits) -> bool:
    try:
        bytearray(limits.memory_bytes + (64 << 20))
    except MemoryError:
        return True
    return False


def _findings(had: Had, limits: Limits) -> list[str]:
    found = []
    if kernel.prctl(kernel.PR_GET_NO_NEW_PRIVS) == 1:
        found.append("no_new_privs")
    if kernel.prctl(kernel.PR_GET_DUMPABLE) == 0:
        found.append("unreadable")
    zero = (resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
    at_zero = all(resource.getrlimit(which) == (0, 0) for which in zero)
    if had.rlimits and at_zero and _memory_is_bounded(limits):
        found.append("rlimits")
    return found


def run(had: Had, limits: Limits) -> NoReturn:
    """The life of the probe; ends by SIGSYS when seccomp is in force."""
    try:
        confining.restrict_worker(had, limits)
        kernel.close_from(CHANNEL_FD + 1)
        send(Kind.DATA, "".join(f"{line}\n" for line in _findings(had, limits)).encode())
        if had.filter is not None:
            had.filter.install()
            if opening_root() == errno.EPERM:
                send(Kind.DATA, b"refuses\n")
            socket.socket().close()
    finally:
        os._exit(Exit.DONE)
