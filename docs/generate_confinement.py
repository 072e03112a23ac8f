"""Writes the table of system calls in docs/confinement.md: python docs/generate_confinement.py."""

from __future__ import annotations

import errno
from pathlib import Path

from muniment.sandbox.syscalls import (
    FSTAT_BY_PATH,
    NUMBERS,
    WORKER,
    ZYGOTE,
    OneOf,
    Rule,
    Without,
    worker_rules,
)

PAGE = Path(__file__).with_name("confinement.md")
BEGIN, END = "<!-- system calls: begin -->\n", "<!-- system calls: end -->\n"


def _test(test: OneOf | Without) -> str:
    if isinstance(test, Without):
        return f"argument {test.argument} without {test.bits:#x}"
    return f"argument {test.argument} in {', '.join(map(str, test.values))}"


def _said(rule: Rule | None) -> str:
    if rule is None:
        return "kills"
    refusal = "kills" if rule.refusal is None else errno.errorcode[rule.refusal]
    if rule.refused:
        return refusal
    if not rule.tests:
        return "free"
    return f"{' and '.join(map(_test, rule.tests))}, else {refusal}"


def table() -> str:
    """One line for each call that is named anywhere; every other call kills."""
    worker = worker_rules(empty_root=False)
    lines = ["| call | x86_64 | aarch64 | worker | zygote |", "|---|---|---|---|---|"]
    for name, (x86_64, aarch64) in sorted(NUMBERS.items()):
        mine = _said(worker.get(name))
        if name in FSTAT_BY_PATH:
            mine += "; where the root is empty: " + _said(FSTAT_BY_PATH[name])
        its = _said(ZYGOTE[name]) if name in ZYGOTE else "as the worker"
        numbers = " | ".join("-" if one is None else str(one) for one in (x86_64, aarch64))
        lines.append(f"| `{name}` | {numbers} | {mine} | {its} |")
    allowed = sum(not rule.refused for rule in WORKER.values())
    lines += ["", f"{allowed} calls get through to a worker; {len(worker)} are named for it."]
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table put in anew."""
    head, _, rest = text.partition(BEGIN)
    return head + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
