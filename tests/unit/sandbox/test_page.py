"""docs/confinement.md shows the tables as they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tests.escapes.attempts import ATTEMPTS

DOCS = Path(__file__).parents[3] / "docs"


def test_the_table_of_calls_is_what_is_enforced() -> None:
    path = DOCS / "generate_confinement.py"
    spec = importlib.util.spec_from_file_location("generate_confinement", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = module.PAGE.read_text("utf-8")
    assert module.page(text) == text, "run `python docs/generate_confinement.py`"


def test_the_number_of_attempts_is_the_one_told() -> None:
    text = (DOCS / "confinement.md").read_text("utf-8")
    assert f"of {len(ATTEMPTS)} attempts" in text
