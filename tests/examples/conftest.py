"""Fixtures for the courtyard example: the committed input and its truth."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
COURTYARD = REPOSITORY / "examples" / "courtyard"

if str(REPOSITORY) not in sys.path:
    sys.path.insert(0, str(REPOSITORY))


@pytest.fixture(scope="session")
def courtyard() -> Path:
    """Folder of the example."""
    return COURTYARD


@pytest.fixture(scope="session")
def root() -> Path:
    """The input folder; paths in the truth file start here."""
    return COURTYARD / "input"


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """The truth file."""
    loaded: dict[str, Any] = json.loads((COURTYARD / "truth" / "truth.json").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="session")
def exports(root: Path) -> dict[str, dict[str, Any]]:
    """Parsed result.json files by their path under input."""
    return {
        path.relative_to(root).as_posix(): json.loads(path.read_text("utf-8"))
        for path in sorted(root.glob("telegram/*/result.json"))
    }
