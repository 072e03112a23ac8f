"""Ctrl-C while the program is still being loaded."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import builtins
from muniment.cli import start
load = builtins.__import__
def interrupted(name, *more, **named):
    if name == "muniment.cli.main":
        raise KeyboardInterrupt
    return load(name, *more, **named)
builtins.__import__ = interrupted
start.main()
"""


def test_an_interrupt_while_loading_is_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 130
    assert done.stderr.splitlines() == [
        "muniment: interrupted; run the same command again to go on"
    ]
