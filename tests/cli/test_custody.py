"""The commands of custody, as a person calls them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from muniment.errors import EXIT_INTEGRITY
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, RunCommand

WHO = ("--by", PERSON, "--why", "a test", "--case", "case")


def test_a_damaged_original_ends_check_with_20_and_the_chain_says_so(
    muniment: RunCommand, case: CaseFolder, source: Path
) -> None:
    note = hashlib.sha256((source / "note.txt").read_bytes()).hexdigest()
    item = f"item:{note[:12]}"
    assert muniment("transfer", item, "--to", "a court", "--channel", "post", *WHO).returncode == 0
    case.object(note).chmod(0o640)
    case.object(note).write_bytes(b"other")
    done = muniment("check", *WHO)
    assert done.returncode == EXIT_INTEGRITY, done.stderr
    assert f"Different    {item}" in done.stdout
    shown = muniment("custody", item, "--case", "case", "--json")
    links = json.loads(shown.stdout)["links"]
    assert [(one["premis"], one["outcome"]) for one in links[-2:]] == [
        ("tra", "success"),
        ("fix", "failure"),
    ]
    assert "tra  transferred  success" in muniment("custody", item, "--case", "case").stdout
