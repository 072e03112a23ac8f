"""Loads the example cases, which stand beside the tests and in no package."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def example() -> ModuleType:
    """The module example_data."""
    path = Path(__file__).with_name("example_data.py")
    spec = importlib.util.spec_from_file_location("report_example_data", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
