"""Loads the example cases of the report's unit tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[1] / "unit" / "report" / "example_data.py"


@pytest.fixture(scope="session")
def example() -> ModuleType:
    """The module example_data."""
    spec = importlib.util.spec_from_file_location("report_example_data", EXAMPLES)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
