"""What the progress bar says: bytes as MB, all else counted; nothing where nobody watches."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console
from rich.progress import Progress

from muniment.cli import console


def drawn(total: int | None, done: int, unit: str, elapsed_s: float) -> str:
    """One line of the bar, after so much in so many seconds."""
    out, now = io.StringIO(), [0.0]
    bar = Progress(
        *console._columns(), console=Console(file=out, width=120), get_time=lambda: now[0]
    )
    task = bar.add_task("Examining", total=total, unit=unit)
    now[0] = elapsed_s
    bar.advance(task, done)
    bar.console.print(bar.get_renderable())
    return " ".join(out.getvalue().replace("━", "").replace("╸", "").replace("╺", "").split())


def test_bytes_are_shown_as_mb_with_speed_and_time_left() -> None:
    line = drawn(503_500_000, 100_700_000, "bytes", 4)
    assert line == "Examining 100.7/503.5 MB 0:00:04 25.2 MB/s, 0:00:16 left"
    assert drawn(503_500_000, 400_000, "bytes", 4).endswith("0:00:04 100.0 kB/s")
    assert "1.5/2.0 GB" in drawn(2_000_000_000, 1_500_000_000, "bytes", 10)


def test_files_are_counted() -> None:
    assert drawn(6, 3, "files", 2) == "Examining 3/6 files 0:00:02 1.5 files/s, 0:00:02 left"
    assert drawn(6, 6, "files", 2) == "Examining 6/6 files 0:00:02 3.0 files/s"
    assert drawn(6, 0, "files", 2) == "Examining 0/6 files 0:00:02"
    assert drawn(None, 9, "posts", 3).endswith("9/? posts 0:00:03 3.0 posts/s")


def test_nothing_is_drawn_where_stderr_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = io.StringIO()
    monkeypatch.setattr(sys, "stderr", silent)
    with console.Watch(as_json=False) as watch:
        watch.start("Examining", 10, "bytes")
        watch.advance(10)
    assert silent.getvalue() == ""
