"""Standard streams that are closed, or that cannot hold every character."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PASSPHRASE

CLIP = Path(__file__).parents[2] / "examples" / "courtyard" / "input" / "telegram"
CLIP = CLIP / "ChatExport_2021-09-16" / "video_files" / "no_sound.mp4"


@pytest.mark.parametrize("closed", ["<&- >&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_a_run_with_streams_closed_does_its_work(closed: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "clip.mp4").write_bytes(CLIP.read_bytes())
    program = Path(sys.executable).parent / "muniment"
    command = f"{shlex.quote(str(program))} build source --case case --by A --why t {closed}"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env=os.environ
        | {"MUNIMENT_KEYS": str(tmp_path / "keys"), "MUNIMENT_PASSPHRASE": PASSPHRASE},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    checked = subprocess.run(
        [program, "verify", tmp_path / "case"], capture_output=True, check=False
    )
    assert checked.returncode == 0
    page = (tmp_path / "case" / "report" / "index.html").read_text()
    assert "clip.mp4" in page


def test_output_that_is_not_unicode_escapes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "note.txt").write_text("the harbour – Гавань – 港")
    program = Path(sys.executable).parent / "muniment"
    environment = os.environ | {
        "MUNIMENT_KEYS": str(tmp_path / "keys"),
        "MUNIMENT_PASSPHRASE": PASSPHRASE,
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": "ascii",
    }
    for command in ("build source --case case --by A --why t", "search harbour --case case"):
        done = subprocess.run(
            [program, *command.split()],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert b"\\u0413" in done.stdout and b"Traceback" not in done.stderr
