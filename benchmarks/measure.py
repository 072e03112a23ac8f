"""How things are measured: CPU seconds (user + system) of this process or of a child, and rows."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

#: A small process between this one and the one measured: a child's ru_maxrss starts at the size of
#: the process that forked it, so only a small one measures peaks honestly.
_LAUNCHER: Final = """
import json, os, subprocess, sys, time
start = time.monotonic()
child = subprocess.Popen(sys.argv[2:])
_, status, used = os.wait4(child.pid, 0)
wall = time.monotonic() - start
figures = [used.ru_utime + used.ru_stime, wall, used.ru_maxrss * 1024]
open(sys.argv[1], "w").write(json.dumps([*figures, os.waitstatus_to_exitcode(status)]))
"""

MB: Final = 1_000_000


@dataclass(frozen=True)
class Cost:
    """What something took. `peak_bytes` and `code` are a child's; 0 otherwise."""

    cpu_s: float
    wall_s: float
    peak_bytes: int = 0
    code: int = 0


@dataclass
class Spent:
    """Filled in when its `with` block ends."""

    cpu_s: float = 0.0
    wall_s: float = 0.0


@dataclass(frozen=True)
class Row:
    """One figure of the table.

    Attributes:
        met: whether the target is met; None where there is no target.
        peer: what stands beside it and its figure, measured in the same run.
        ratio: ours to the peer's, or to the limit, in words.
    """

    name: str
    measured: str
    target: str = "-"
    met: bool | None = None
    peer: str = "-"
    ratio: str = "-"
    cost: str = "-"
    notes: list[str] = field(default_factory=list)


def _cpu_s() -> float:
    mine = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime


@contextmanager
def spent() -> Iterator[Spent]:
    """CPU and wall seconds of the block, in this process and the children it waited for."""
    result, cpu, wall = Spent(), _cpu_s(), time.monotonic()
    yield result
    result.cpu_s, result.wall_s = _cpu_s() - cpu, time.monotonic() - wall


def run(
    command: Sequence[str | os.PathLike[str]], env: Mapping[str, str], scratch: Path
) -> tuple[Cost, str]:
    """Run a command as a child and measure it alone.

    Returns:
        its cost, and its stdout (stderr goes to `scratch/stderr`).
    """
    figures, out = scratch / "figures", scratch / "stdout"
    with out.open("wb") as stdout, (scratch / "stderr").open("wb") as stderr:
        subprocess.run(
            [sys.executable, "-S", "-E", "-c", _LAUNCHER, figures, *command],
            env=dict(env),
            stdout=stdout,
            stderr=stderr,
            check=True,
        )
    cpu_s, wall_s, peak, code = json.loads(figures.read_text())
    return Cost(cpu_s, wall_s, int(peak), int(code)), out.read_text()


def expect(cost: Cost, code: int, scratch: Path) -> None:
    """Stop unless the child ended with that exit code: a failed run has no figures.

    Raises:
        RuntimeError: with the end of the child's stderr.
    """
    if cost.code != code:
        tail = "".join((scratch / name).read_text()[-2000:] for name in ("stdout", "stderr"))
        raise RuntimeError(f"exit {cost.code}, not {code}: {tail}")


def hash_rate() -> float:
    """hashlib's SHA-256 over memory, bytes per CPU second: the best of five, the stricter limit."""
    data, best = bytearray(1 << 17), 0.0
    for _ in range(5):
        sha, start = hashlib.sha256(), time.process_time()
        for _ in range(4096):
            sha.update(data)
        best = max(best, 4096 * len(data) / (time.process_time() - start))
    return best


def median(costs: Sequence[Cost]) -> Cost:
    """The middle one by CPU seconds (of an odd number)."""
    return sorted(costs, key=lambda cost: cost.cpu_s)[len(costs) // 2]


def seconds(cost: Cost | Spent) -> str:
    """CPU and wall, as the table shows them."""
    return f"{cost.cpu_s:.2f} CPU s, {cost.wall_s:.2f} s wall"


def floor(value: float, digits: int = 0) -> str:
    """A figure that is better when larger, never rounded up.

    Example:
        >>> floor(0.799, 2), floor(8999.9)
        ('0.79', '8,999')
    """
    scale = 10**digits
    return f"{int(value * scale) / scale:,.{digits}f}"


def ceil(value: float, digits: int = 0) -> str:
    """A figure that is better when smaller, never rounded down.

    Example:
        >>> ceil(24.001, 1)
        '24.1'
    """
    scale = 10**digits
    return f"{-int(-value * scale // 1) / scale:,.{digits}f}"
