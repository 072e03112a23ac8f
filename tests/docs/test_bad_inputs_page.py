"""tests/BAD_INPUTS.md: every test it names is there, and every numbered input stands in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "tests" / "BAD_INPUTS.md").read_text("utf-8")
#: Of the list: the media inputs, those of a source, text and captions. The others (archives, the
#: web) come with what reads them.
NUMBERS = {*range(1, 35), *range(50, 56), 56, 58}


def test_every_test_it_names_is_there() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)
    assert len(named) > 40
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        functions = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
        assert name in functions, (path, name)


def test_every_numbered_input_stands_in_it() -> None:
    first = " ".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| "))
    found = {int(one) for one in re.findall(r"\b\d{1,2}\b", first)}
    for start, end in re.findall(r"\b(\d{1,2}) to (\d{1,2})\b", first):
        found |= set(range(int(start), int(end) + 1))
    assert found >= NUMBERS, NUMBERS - found
