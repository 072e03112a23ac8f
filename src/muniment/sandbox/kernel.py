"""The few kernel interfaces of confinement that Python lacks, by ctypes, each raising OSError.

Source: Linux man pages prctl(2), seccomp(2), landlock(7), unshare(2), pivot_root(2), capset(2).
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from pathlib import Path

from muniment.sandbox.syscalls import MACHINES, Machine

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_prctl = _libc.prctl

PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE = 1, 3, 4
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39

#: name under /proc/self/ns -> CLONE_NEW… bit
NAMESPACES = {
    "user": 0x10000000,
    "net": 0x40000000,
    "pid": 0x20000000,
    "ipc": 0x08000000,
    "mnt": 0x00020000,
    "uts": 0x04000000,
    "cgroup": 0x02000000,
}
_MS_REC, _MS_PRIVATE, _MS_RDONLY, _MS_REMOUNT, _MS_NOSUID = 0x4000, 1 << 18, 1, 32, 2
_MNT_DETACH = 2
#: numbers used before any filter is on: name -> (x86_64, aarch64)
_SETUP = {
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "seccomp": (317, 277),
    "pivot_root": (155, 41),
    "capset": (126, 91),
    "close_range": (436, 436),
}


def machine() -> Machine | None:
    """The machine we run on; None when it has no table."""
    return MACHINES.get(platform.machine())


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def _call(name: str, *arguments: object) -> int:
    here = machine()
    if here is None:
        raise OSError(38, f"{name}: no table for {platform.machine()}")
    return _checked(_syscall(ctypes.c_long(_SETUP[name][here.column]), *arguments), name)


def prctl(option: int, value: int = 0) -> int:
    """prctl(2) with one argument."""
    zero = ctypes.c_ulong(0)
    return _checked(_prctl(option, ctypes.c_ulong(value), zero, zero, zero), f"prctl {option}")


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


class Filter:
    """A seccomp program laid out in memory once, to be installed after many forks."""

    def __init__(self, code: bytes) -> None:
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = _FilterProgram(len(code) // 8, ctypes.addressof(self._code))
        self._pointer = ctypes.byref(self._program)

    def install(self) -> None:
        """Binds this process for good; no_new_privs must be set. Raises OSError."""
        set_mode_filter, no_flags = ctypes.c_uint(1), ctypes.c_uint(0)
        _call("seccomp", set_mode_filter, no_flags, self._pointer)


#: Landlock file-system rights by the ABI that brought them: 13, then REFER, TRUNCATE, IOCTL_DEV.
_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}


def landlock_ruleset() -> tuple[int, int]:
    """A descriptor of a rule set that denies all it can, and its ABI version.

    File system; from ABI 4 TCP bind and connect; from ABI 6 signals and abstract sockets.
    Raises OSError where the kernel has no Landlock.
    """
    null, version = ctypes.c_void_p(None), ctypes.c_uint(1)
    abi = _call("landlock_create_ruleset", null, ctypes.c_size_t(0), version)
    rights = _FS_RIGHTS[max(key for key in _FS_RIGHTS if key <= abi)]
    fields = [rights, *([0b11] if abi >= 4 else []), *([0b11] if abi >= 6 else [])]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    size, flags = ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)
    return _call("landlock_create_ruleset", ctypes.c_char_p(attributes), size, flags), abi


def landlock_restrict(ruleset: int) -> None:
    """Binds this process to a rule set for good. Raises OSError."""
    _call("landlock_restrict_self", ctypes.c_int(ruleset), ctypes.c_uint(0))


def namespace_ids() -> dict[str, str]:
    """Which namespaces this process (for `pid`: its next child) is in; empty without /proc."""
    found = {}
    for name in NAMESPACES:
        link = "pid_for_children" if name == "pid" else name
        try:
            found[name] = str(Path(f"/proc/self/ns/{link}").readlink())
        except OSError:
            continue
    return found


def unshare(*names: str) -> None:
    """Leaves the named namespaces for new ones. Raises OSError."""
    bits = 0
    for name in names:
        bits |= NAMESPACES[name]
    _checked(_libc.unshare(ctypes.c_int(bits)), "unshare")


def map_self(uid: int, gid: int) -> None:
    """In a new user namespace: be the same user and group as outside. Raises OSError.

    Args:
        uid, gid: as they were outside: in here, until they are mapped, everybody is nobody.
    """
    Path("/proc/self/setgroups").write_text("deny")
    for kind, one in (("uid", uid), ("gid", gid)):
        Path(f"/proc/self/{kind}_map").write_text(f"{one} {one} 1")


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes) -> None:
    number = ctypes.c_ulong(flags)
    _checked(_libc.mount(source, target, kind, number, data), f"mount {os.fsdecode(target)}")


def enter_empty_root() -> None:
    """In a new mount namespace: make an empty, read-only directory the root. Raises OSError.

    pivot_root(".", ".") stacks the old root on the new one, from where it is unmounted.
    """
    _mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, b"")
    _mount(b"none", b"/tmp", b"tmpfs", _MS_NOSUID, b"size=4k,nr_inodes=1,mode=0500")
    os.chdir("/tmp")
    dot = ctypes.c_char_p(b".")
    _call("pivot_root", dot, dot)
    _checked(_libc.umount2(b".", _MNT_DETACH), "umount")
    os.chdir("/")
    _mount(b"none", b"/", None, _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID, b"")


def drop_capabilities() -> None:
    """Gives up every capability of this process. Raises OSError."""
    header = struct.pack("=Ii", 0x20080522, 0)  # version 3, this thread
    _call("capset", ctypes.c_char_p(header), ctypes.c_char_p(bytes(24)))


def close_from(first: int) -> None:
    """Closes every descriptor from this number on."""
    try:
        _call("close_range", ctypes.c_uint(first), ctypes.c_uint(0xFFFFFFFF), ctypes.c_uint(0))
    except OSError:  # before Linux 5.9, or no table for this machine
        os.closerange(first, 4096)
