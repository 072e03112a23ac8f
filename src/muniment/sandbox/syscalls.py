"""The system-call allow-lists, by name, and the numbers behind the names on each machine.

Two lists: what a *worker* may call once it is confined, and what the *zygote* may call besides (to
fork and watch workers). A call in neither list kills the process: no program we run calls it, so
whoever does has been taken over. Calls in `REFUSED` get an error instead, because the C library,
Python, libav or numpy make them in passing and cope with a refusal.

Numbers: Linux v6.1 `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass


@dataclass(frozen=True)
class OneOf:
    """The argument, all 64 bits of it, is one of these values."""

    argument: int
    values: tuple[int, ...]


@dataclass(frozen=True)
class Without:
    """None of these bits (of the lower 32) is set in the argument."""

    argument: int
    bits: int


@dataclass(frozen=True)
class Rule:
    """What becomes of one call: let through when every test holds, else refused with `refusal`.

    `refusal` is an errno value; None kills the process. A rule without tests and with `refused`
    set never lets the call through.
    """

    tests: tuple[OneOf | Without, ...] = ()
    refusal: int | None = None
    refused: bool = False


#: name -> (x86_64, aarch64); None where the machine has no such call.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None),
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "close_range": (436, 436),
    "dup": (32, 23),
    "dup2": (33, None),
    "dup3": (292, 24),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fcntl": (72, 25),
    "fstat": (5, 80),
    "futex": (202, 98),
    "getcwd": (79, 17),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "ioctl": (16, 29),
    "landlock_restrict_self": (446, 446),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "newfstatat": (262, 79),
    "open": (2, None),
    "openat": (257, 56),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "poll": (7, None),
    "ppoll": (271, 73),
    "prctl": (157, 167),
    "pread64": (17, 67),
    "prlimit64": (302, 261),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "recvmsg": (47, 212),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "seccomp": (317, 277),
    "sendmsg": (46, 211),
    "sendto": (44, 206),
    "set_robust_list": (273, 99),
    "stat": (4, None),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "uname": (63, 160),
    "wait4": (61, 260),
    "write": (1, 64),
}

#: The only descriptors of a worker: standard streams are /dev/null.
INPUT_FD = 3
CHANNEL_FD = 4

_PROT_EXEC = 0x4
_MAP_SHARED_BITS = 0x01  # MAP_SHARED and MAP_SHARED_VALIDATE; MAP_PRIVATE is 0x02
_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC = 0, 1, 2, 3, 1030
_SIGCHLD = 17
_CLONE_CHILD_CLEARTID, _CLONE_CHILD_SETTID = 0x200000, 0x1000000

_FREE = Rule()
_EPERM = Rule(refusal=errno.EPERM, refused=True)

#: What a confined worker may call: memory without execution, its descriptors, clocks, leaving.
WORKER: dict[str, Rule] = {
    "brk": _FREE,
    "clock_getres": _FREE,
    "clock_gettime": _FREE,
    "close": _FREE,
    "dup": _FREE,
    "exit": _FREE,
    "exit_group": _FREE,
    # No F_SETFL (O_ASYNC sends signals), no F_SETOWN, no locks, no leases, no seals, no pipe sizes.
    "fcntl": Rule(
        (OneOf(1, (_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC)),), errno.EPERM
    ),
    "fstat": _FREE,
    "futex": _FREE,
    "getpid": _FREE,
    "getrandom": _FREE,
    "getrusage": Rule((OneOf(0, (0,)),), errno.EPERM),
    "gettid": _FREE,
    "gettimeofday": _FREE,
    "lseek": _FREE,
    # Known advice only: NORMAL to DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE.
    "madvise": Rule((OneOf(2, (0, 1, 2, 3, 4, 8, 14, 15)),), errno.EINVAL),
    # Code cannot be made at run time, and nothing is shared with another process.
    "mmap": Rule((Without(2, _PROT_EXEC), Without(3, _MAP_SHARED_BITS))),
    "mprotect": Rule((Without(2, _PROT_EXEC),)),
    "mremap": _FREE,
    "munmap": _FREE,
    "pread64": _FREE,
    "read": _FREE,
    "readv": _FREE,
    "restart_syscall": _FREE,
    "rt_sigprocmask": _FREE,
    "rt_sigreturn": _FREE,
    "sched_yield": _FREE,
    # Only the way back to the host; standard output and error are /dev/null.
    "write": Rule((OneOf(0, (1, 2, CHANNEL_FD)),)),
}

#: Calls that programs make in passing: refused with an error they cope with, not by death.
REFUSED: dict[str, Rule] = {
    **dict.fromkeys(
        (
            *("access", "faccessat", "faccessat2", "getcwd", "lstat", "newfstatat", "open"),
            *("openat", "readlink", "readlinkat", "stat", "statx"),
            *("sched_getaffinity", "sysinfo", "uname", "rt_sigaction"),
        ),
        _EPERM,
    ),
    # A library that wants threads is told so; it goes on with one.
    "clone": Rule(refusal=errno.EAGAIN, refused=True),
    "clone3": Rule(refusal=errno.ENOSYS, refused=True),
    # Python asks every file it opens whether it is a terminal.
    "ioctl": Rule(refusal=errno.ENOTTY, refused=True),
}

#: What the zygote may call besides: fork (never a thread or a namespace), watch, restrict.
ZYGOTE: dict[str, Rule] = {
    "clone": Rule((OneOf(0, (_SIGCHLD | _CLONE_CHILD_CLEARTID | _CLONE_CHILD_SETTID,)),)),
    "close_range": _FREE,
    "dup2": _FREE,
    "dup3": _FREE,
    "getppid": _FREE,
    "landlock_restrict_self": _FREE,
    "pidfd_open": _FREE,
    "pidfd_send_signal": _FREE,
    "poll": _FREE,
    "ppoll": _FREE,
    # PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS
    "prctl": Rule((OneOf(0, (1, 3, 39)),)),
    "prlimit64": Rule((OneOf(0, (0,)),)),
    "recvmsg": _FREE,
    "rseq": _FREE,
    "rt_sigaction": _FREE,
    "seccomp": Rule((OneOf(0, (1,)),)),
    "sendmsg": _FREE,
    "sendto": _FREE,
    "set_robust_list": _FREE,
    "wait4": _FREE,
    "write": _FREE,
}

#: Since glibc 2.33 fstat(fd) is newfstatat(fd, "", …, AT_EMPTY_PATH). A filter cannot see that the
#: path is empty, so this is let through only where the root is an empty directory: there, no other
#: path leads anywhere either. Elsewhere it is refused: sizes are had by lseek.
_AT_EMPTY_PATH = 0x1000
FSTAT_BY_PATH = {"newfstatat": Rule((OneOf(3, (_AT_EMPTY_PATH,)),), errno.EPERM)}


def worker_rules(*, empty_root: bool) -> dict[str, Rule]:
    """The whole list of a worker."""
    return {**REFUSED, **WORKER, **(FSTAT_BY_PATH if empty_root else {})}


def zygote_rules(*, empty_root: bool) -> dict[str, Rule]:
    """The whole list of the zygote: what it lets through bounds what its workers can be given."""
    return {**worker_rules(empty_root=empty_root), **ZYGOTE}


@dataclass(frozen=True)
class Machine:
    """One kind of processor: its audit number and its column of `NUMBERS`."""

    name: str
    audit: int
    column: int
    #: Calls from this number on are of another interface (x32) and are refused; None if none.
    foreign_from: int | None


X86_64 = Machine("x86_64", 0xC000003E, 0, 0x40000000)
AARCH64 = Machine("aarch64", 0xC00000B7, 1, None)
MACHINES: dict[str, Machine] = {one.name: one for one in (X86_64, AARCH64)}


def number(name: str, machine: Machine) -> int | None:
    """The number of a call on a machine; None where it has none.

    Example:
        >>> number("read", X86_64), number("read", AARCH64), number("open", AARCH64)
        (0, 63, None)
    """
    return NUMBERS[name][machine.column]


def numbered(rules: dict[str, Rule], machine: Machine) -> dict[int, Rule]:
    """The rules keyed by the numbers of one machine, in the order of the numbers."""
    found = {number(name, machine): rule for name, rule in rules.items()}
    return {key: found[key] for key in sorted(key for key in found if key is not None)}
