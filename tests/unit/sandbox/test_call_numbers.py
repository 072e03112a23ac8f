"""The numbers behind the names, on both machines, against tables that are not ours.

No aarch64 machine runs these tests, so its column is held against the kernel's own header (the
table that arm64 uses) and against libseccomp's; each where it is installed.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from muniment.sandbox.syscalls import (
    AARCH64,
    MACHINES,
    NUMBERS,
    X86_64,
    Machine,
    worker_rules,
    zygote_rules,
)
from tests.escapes.numbers_of_calls import NUMBERS as OF_ESCAPES

GENERIC = Path("/usr/include/asm-generic/unistd.h")
X86 = (
    Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    Path("/usr/include/asm/unistd_64.h"),
)
EVERY = pytest.mark.parametrize(
    ("name", "machine"),
    [
        pytest.param(name, machine, id=f"{name}-{machine.name}")
        for name in sorted({**NUMBERS, **OF_ESCAPES})
        for machine in MACHINES.values()
    ],
)
#: Calls that only x86_64 has -> those with which the C library of aarch64 does the same.
INSTEAD = {
    "access": "faccessat",
    "dup2": "dup3",
    "lstat": "newfstatat",
    "open": "openat",
    "poll": "ppoll",
    "readlink": "readlinkat",
    "stat": "newfstatat",
}

Table = Callable[[str], int | None]


def ours(name: str, machine: Machine) -> int | None:
    """The number of a call in our tables, where two name it the same in both."""
    found = {table[name][machine.column] for table in (NUMBERS, OF_ESCAPES) if name in table}
    assert len(found) == 1, f"two numbers for {name}"
    return found.pop()


def header(machine: Machine) -> dict[str, int]:
    """The kernel's numbers by name.

    Source: `asm-generic/unistd.h` with 64 bits a long, as arm64 includes it; `asm/unistd_64.h`.
    """
    path = GENERIC if machine is AARCH64 else next((one for one in X86 if one.exists()), X86[0])
    if not path.exists():
        pytest.skip(f"{path} is not installed (linux-libc-dev)")
    text = path.read_text()
    plain = dict(re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)$", text, re.MULTILINE))
    known = {name: int(number) for name, number in plain.items()}
    # `#define __NR_fcntl __NR3264_fcntl` for 64 bits; for 32 the same number has another name
    for name, other in re.findall(r"^#define __NR_(\w+) __NR3264_(\w+)$", text, re.MULTILINE):
        if other in known and name in (other, f"new{other}"):
            known[name] = known[other]
    return known


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    """libseccomp, whose tables are kept by others."""
    name = ctypes.util.find_library("seccomp")
    if name is None:
        pytest.skip("libseccomp is not installed")
    found = ctypes.CDLL(name)
    found.seccomp_syscall_resolve_name_arch.argtypes = (ctypes.c_uint32, ctypes.c_char_p)
    found.seccomp_arch_resolve_name.restype = ctypes.c_uint32
    return found


@EVERY
def test_numbers_are_the_kernels(name: str, machine: Machine) -> None:
    assert header(machine).get(name) == ours(name, machine)


@EVERY
def test_numbers_are_those_of_libseccomp(name: str, machine: Machine, library: ctypes.CDLL) -> None:
    number = library.seccomp_syscall_resolve_name_arch(machine.audit, name.encode())
    if number == -1:
        pytest.skip(f"this libseccomp knows no {name}")
    assert (number if number >= 0 else None) == ours(name, machine)


@pytest.mark.parametrize("machine", MACHINES.values(), ids=lambda one: one.name)
def test_machines_have_the_kernels_audit_numbers(machine: Machine, library: ctypes.CDLL) -> None:
    assert library.seccomp_arch_resolve_name(machine.name.encode()) == machine.audit


def test_the_other_machine_may_do_the_same_by_other_names() -> None:
    lone = {name for name, numbers in NUMBERS.items() if numbers[AARCH64.column] is None}
    assert lone == set(INSTEAD)
    assert all(numbers[X86_64.column] is not None for numbers in NUMBERS.values())
    for rules in (worker_rules(empty_root=False), zygote_rules(empty_root=False)):
        for name, other in INSTEAD.items():
            assert (name in rules) == (other in rules), name
            if name in rules:
                assert rules[name] == rules[other], name
