"""Loads the example cases of the report's unit tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[1] / "unit" / "report"


def load(name: str) -> ModuleType:
    """A module of the report's tests, once."""
    full = f"report_{name}"
    if full in sys.modules:
        return sys.modules[full]
    spec = importlib.util.spec_from_file_location(full, EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def example() -> ModuleType:
    """The module example_data."""
    return load("example_data")


@pytest.fixture(scope="session")
def footage() -> ModuleType:
    """The module footage_data."""
    return load("footage_data")
