"""Turns a table of rules into a classic-BPF program for seccomp: pure, no system call.

The kernel runs the program on `struct seccomp_data` (number, architecture, six arguments) at every
system call. Numbers are found by bisection, so a call costs about a dozen instructions.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from muniment.sandbox.syscalls import Machine, OneOf, Rule, Without, numbered

LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
JUMP = 0x05  # BPF_JMP | BPF_JA
IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
IF_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K

ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
ERRNO = 0x00050000

_NUMBER_AT = 0
_ARCHITECTURE_AT = 4
_ARGUMENTS_AT = 16


class Instruction(NamedTuple):
    """One `struct sock_filter`: code, jump if true, jump if false, constant."""

    code: int
    true: int
    false: int
    constant: int


Program = tuple[Instruction, ...]


def _return(action: int) -> Instruction:
    return Instruction(RETURN, 0, 0, action)


def _refusal(rule: Rule) -> int:
    return KILL_PROCESS if rule.refusal is None else ERRNO | rule.refusal


def _low_word(argument: int) -> int:
    """Offset of an argument's lower half: both machines are little-endian."""
    return _ARGUMENTS_AT + 8 * argument


def _test(test: OneOf | Without, otherwise: int) -> Program:
    """Falls through when the test holds, else returns `otherwise`."""
    low = _low_word(test.argument)
    if isinstance(test, Without):
        return (
            Instruction(LOAD, 0, 0, low),
            Instruction(IF_ANY_BIT, 0, 1, test.bits),
            _return(otherwise),
        )
    count = len(test.values)
    choices = tuple(
        Instruction(IF_EQUAL, count - at, 0, value & 0xFFFFFFFF)
        for at, value in enumerate(test.values)
    )
    return (
        Instruction(LOAD, 0, 0, low + 4),
        Instruction(IF_EQUAL, 1, 0, 0),
        _return(otherwise),
        Instruction(LOAD, 0, 0, low),
        *choices,
        _return(otherwise),
    )


def _verdict(rule: Rule) -> Program:
    otherwise = _refusal(rule)
    if rule.refused:
        return (_return(otherwise),)
    tests = tuple(step for test in rule.tests for step in _test(test, otherwise))
    return (*tests, _return(ALLOW))


def _search(ranges: Sequence[tuple[int, Program]]) -> Program:
    """A bisection over ranges, each given by its first number; the number is loaded."""
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    left, right = _search(ranges[:middle]), _search(ranges[middle:])
    pivot = ranges[middle][0]
    if len(left) <= 255:
        return (Instruction(IF_AT_LEAST, len(left), 0, pivot), *left, *right)
    hop = Instruction(JUMP, 0, 0, len(left))
    return (Instruction(IF_AT_LEAST, 0, 1, pivot), hop, *left, *right)


def _ranges(rules: dict[int, Rule]) -> list[tuple[int, Program]]:
    """Consecutive numbers of one verdict as one range; what lies between is death."""
    kill: Program = (_return(KILL_PROCESS),)
    found: list[tuple[int, Program]] = [(0, kill)]
    after = 0
    for number, rule in rules.items():
        if number > after:
            found.append((after, kill))
        found.append((number, _verdict(rule)))
        after = number + 1
    found.append((after, kill))
    merged: list[tuple[int, Program]] = []
    for start, program in found:
        if merged and merged[-1][0] == start:
            merged.pop()
        if not merged or merged[-1][1] != program:
            merged.append((start, program))
    return merged


def assemble(rules: dict[str, Rule], machine: Machine) -> Program:
    """The program that lets through what the rules allow and kills at everything else.

    A call of another architecture, or of x32 on x86_64, kills too: their numbers mean other calls.

    Source: Linux `Documentation/userspace-api/seccomp_filter.rst`.
    """
    head: list[Instruction] = [
        Instruction(LOAD, 0, 0, _ARCHITECTURE_AT),
        Instruction(IF_EQUAL, 1, 0, machine.audit),
        _return(KILL_PROCESS),
        Instruction(LOAD, 0, 0, _NUMBER_AT),
    ]
    if machine.foreign_from is not None:
        head += [Instruction(IF_AT_LEAST, 0, 1, machine.foreign_from), _return(KILL_PROCESS)]
    return (*head, *_search(_ranges(numbered(rules, machine))))


def encoded(program: Program) -> bytes:
    """The program as the kernel reads it, an array of `struct sock_filter`."""
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
