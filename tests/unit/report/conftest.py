"""Loads the example cases, which stand beside the tests and in no package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load(name: str) -> ModuleType:
    """A module beside this file, once."""
    full = f"report_{name}"
    if full in sys.modules:
        return sys.modules[full]
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(full, path)
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
