"""The filter programs, run by a small interpreter of classic BPF: both machines' tables."""

from __future__ import annotations

import errno
import itertools
import struct

import pytest

from muniment.sandbox import bpf
from muniment.sandbox.bpf import ALLOW, ERRNO, KILL_PROCESS, Program
from muniment.sandbox.syscalls import (
    AARCH64,
    CHANNEL_FD,
    NUMBERS,
    REFUSED,
    X86_64,
    Machine,
    OneOf,
    Rule,
    number,
    numbered,
    worker_rules,
    zygote_rules,
)

MACHINES = pytest.mark.parametrize("machine", [X86_64, AARCH64], ids=lambda one: one.name)
WORKER = worker_rules(empty_root=False)


def verdict(program: Program, machine: Machine, call: int, *arguments: int) -> int:
    """What the program returns for a call.

    Source: the semantics of Linux `kernel/bpf` for the five instructions used.
    """
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", call, machine.audit, 0, *(one % (1 << 64) for one in padded))
    accumulator = at = 0
    for _ in range(4096):
        code, true, false, constant = program[at]
        at += 1
        if code == bpf.LOAD:
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif code == bpf.JUMP:
            at += constant
        elif code == bpf.IF_EQUAL:
            at += true if accumulator == constant else false
        elif code == bpf.IF_AT_LEAST:
            at += true if accumulator >= constant else false
        elif code == bpf.IF_ANY_BIT:
            at += true if accumulator & constant else false
        elif code == bpf.RETURN:
            return constant
        else:
            raise AssertionError(f"unknown instruction {code:#x}")
    raise AssertionError("the program does not end")


def of(name: str, machine: Machine) -> int:
    found = number(name, machine)
    assert found is not None, name
    return found


@MACHINES
def test_programs_are_well_formed(machine: Machine) -> None:
    for rules in (WORKER, worker_rules(empty_root=True), zygote_rules(empty_root=True)):
        program = bpf.assemble(rules, machine)
        assert len(program) <= 4096  # BPF_MAXINSNS
        assert program[-1].code == bpf.RETURN
        for at, step in enumerate(program):
            assert 0 <= step.true <= 255 and 0 <= step.false <= 255
            assert at + 1 + max(step.true, step.false) < len(program) or step.code == bpf.RETURN
        assert len(bpf.encoded(program)) == 8 * len(program)


@MACHINES
def test_whatever_is_not_listed_kills(machine: Machine) -> None:
    program = bpf.assemble(WORKER, machine)
    listed = numbered(WORKER, machine)
    edges = (0x3FFFFFFF, 0x40000000, 0x40000000 + 39, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    for call in itertools.chain(range(1024), edges):
        got = verdict(program, machine, call)
        if call not in listed:
            assert got == KILL_PROCESS, call
        elif not listed[call].tests and not listed[call].refused:
            assert got == ALLOW, call


@MACHINES
def test_another_architecture_kills(machine: Machine) -> None:
    program = bpf.assemble(WORKER, machine)
    for audit in (0x40000003, 0x40000028, 0, X86_64.audit, AARCH64.audit):
        other = Machine("other", audit, machine.column, None)
        expected = ALLOW if audit == machine.audit else KILL_PROCESS
        assert verdict(program, other, of("read", machine)) == expected


@MACHINES
def test_refused_calls_get_their_error(machine: Machine) -> None:
    program = bpf.assemble(WORKER, machine)
    for name, rule in REFUSED.items():
        call = number(name, machine)
        if call is not None:
            assert verdict(program, machine, call) == ERRNO | (rule.refusal or 0), name


@MACHINES
def test_no_memory_is_executable_or_shared(machine: Machine) -> None:
    program = bpf.assemble(WORKER, machine)
    for protection, flags in itertools.product(range(8), (0x02, 0x22, 0x4022, 0x01, 0x03, 0x21)):
        good = not protection & 4 and not flags & 1
        got = verdict(program, machine, of("mmap", machine), 0, 4096, protection, flags)
        assert got == (ALLOW if good else KILL_PROCESS)
    for protection in range(8):
        got = verdict(program, machine, of("mprotect", machine), 0, 4096, protection)
        assert got == (KILL_PROCESS if protection & 4 else ALLOW)


@MACHINES
@pytest.mark.parametrize("fd", [0, 1, 2, 3, 4, 5, -1, 1 << 32, (1 << 32) + 4])
def test_writes_go_to_the_channel_only(machine: Machine, fd: int) -> None:
    got = verdict(bpf.assemble(WORKER, machine), machine, of("write", machine), fd)
    assert got == (ALLOW if fd in (1, 2, CHANNEL_FD) else KILL_PROCESS)


@MACHINES
def test_the_zygote_forks_but_makes_no_threads_or_namespaces(machine: Machine) -> None:
    program = bpf.assemble(zygote_rules(empty_root=True), machine)
    clone = of("clone", machine)
    assert verdict(program, machine, clone, 0x01200011) == ALLOW
    for flags in (0x00000100, 0x10000000, 0x10000011, 0x40000011, 0x3D0F00, 0x01200111):
        assert verdict(program, machine, clone, flags) == KILL_PROCESS
    for name in ("prctl", "seccomp"):
        assert verdict(program, machine, of(name, machine), 22) == KILL_PROCESS
    assert verdict(program, machine, of("prlimit64", machine), 1) == KILL_PROCESS


@MACHINES
def test_fstat_by_path_only_where_no_path_leads_anywhere(machine: Machine) -> None:
    call = of("newfstatat", machine)
    strict = bpf.assemble(WORKER, machine)
    loose = bpf.assemble(worker_rules(empty_root=True), machine)
    assert verdict(strict, machine, call, 3, 0, 0, 0x1000) == ERRNO | errno.EPERM
    assert verdict(loose, machine, call, 3, 0, 0, 0x1000) == ALLOW
    assert verdict(loose, machine, call, 3, 0, 0, 0) == ERRNO | errno.EPERM


@MACHINES
def test_a_worker_may_do_nothing_its_zygote_may_not(machine: Machine) -> None:
    outer = bpf.assemble(zygote_rules(empty_root=False), machine)
    inner = bpf.assemble(WORKER, machine)
    for call, argument in itertools.product(range(600), (0, 1, 4)):
        if verdict(inner, machine, call, argument, 0, 3, 0x22) == ALLOW:
            assert verdict(outer, machine, call, argument, 0, 3, 0x22) == ALLOW, call


def test_every_listed_call_has_a_number_and_every_number_a_use() -> None:
    used = set(zygote_rules(empty_root=True))
    assert used == set(NUMBERS)
    for column in (0, 1):
        numbers = [one[column] for one in NUMBERS.values() if one[column] is not None]
        assert len(numbers) == len(set(numbers))


@MACHINES
def test_bisection_reaches_far(machine: Machine) -> None:
    """Left halves longer than a jump can be."""
    rules = {name: Rule((OneOf(0, (4, 100 + at)),)) for at, name in enumerate(NUMBERS)}
    program = bpf.assemble(rules, machine)
    assert any(step.code == bpf.JUMP for step in program)
    for name in NUMBERS:
        call = number(name, machine)
        if call is not None:
            assert verdict(program, machine, call, 4) == ALLOW
            assert verdict(program, machine, call, 5) == KILL_PROCESS
