"""A zygote with the entries of `confined_entry`, shared by the tests of this room."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muniment.sandbox.host import Running, Zygote
from muniment.sandbox.records import Limits

ROOT = Path(__file__).parents[3]
ENTRY = "tests.unit.sandbox.confined_entry:run"
LIMITS = Limits(memory_bytes=256 << 20, cpu_s=1, wall_s=10, output_bytes=1 << 20)

Start = Callable[..., Running]


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Confined as a user's is."""
    with Zygote.start(ENTRY, paths=[str(ROOT)]) as one:
        yield one


@pytest.fixture
def start(zygote: Zygote, tmp_path: Path) -> Start:
    """Has a worker forked with a small file of its own."""
    path = tmp_path / "file"
    path.write_bytes(b"content")

    def spawn(request: bytes, limits: Limits = LIMITS, by: Zygote = zygote) -> Running:
        fd = os.open(path, os.O_RDONLY)
        try:
            return by.spawn(request, fd, limits)
        finally:
            os.close(fd)

    return spawn
