"""`muniment search` as a person calls it: large texts, damaged ones, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import muniment as program
from muniment.case import searching
from muniment.custody.keyring import KeyFolder
from muniment.errors import IntegrityError
from muniment.store.layout import CaseFolder
from tests.conftest import PASSPHRASE, PERSON, RunCommand

WHO = ("--by", PERSON, "--why", "a test")


@pytest.fixture
def searched(muniment: RunCommand, tmp_path: Path) -> CaseFolder:
    """A case of four documents, one of them long."""
    source = tmp_path / "texts"
    source.mkdir()
    (source / "one.txt").write_text("The north gate was open.\n")
    (source / "two.txt").write_text("gate " + "filler " * 40_000 + "\nnorth wall\n")
    (source / "page.html").write_text("<html><body><p>No gate is here.</p></body></html>\n")
    (source / "three.txt").write_text("The south gate was shut.\n")
    done = muniment("build", source, "--case", "case", *WHO)
    assert done.returncode == 0, done.stderr
    return CaseFolder(tmp_path / "case")


def spoil(folder: CaseFolder, title: str) -> str:
    """Damage the text that was read from a file; the item's id."""
    entries = list(program.Case.open(folder.path).entries())
    (item,) = (
        one.values["object"]
        for one in entries
        if one.kind == "item.acquired" and one.values["name"]["path"] == title
    )
    for one in entries:
        if one.kind == "observation.made" and one.values["object"] == item:
            for digest in one.values["derived"]:
                folder.object(digest).chmod(0o640)
                folder.object(digest).write_bytes(b"other")
    return f"item:{item[:12]}"


def test_a_text_comes_once_with_its_best_passage_and_its_places(
    muniment: RunCommand, searched: CaseFolder
) -> None:
    done = muniment("search", "north gate", "--case", "case", "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["more"] is False and document["notices"] == []
    assert {hit["title"]: hit["places"] for hit in document["hits"]} == {"one.txt": 2, "two.txt": 2}
    assert document["hits"][0]["snippet"] == "The [north] [gate] was open."
    assert (document["hits"][0]["start_char"], document["hits"][0]["end_char"]) == (0, 25)
    done = muniment("search", "gate", "--case", "case", "--most", "2")
    assert done.stdout.splitlines()[-1] == "There is more; see --most"


# The text of one.txt is the original's own bytes, that of page.html is derived.
@pytest.mark.parametrize("title", ["one.txt", "page.html"])
def test_a_damaged_text_is_named_and_the_others_are_searched(
    title: str, muniment: RunCommand, searched: CaseFolder
) -> None:
    item = spoil(searched, title)
    done = muniment("search", "gate", "--case", "case")
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"the text of {item} ({title}) cannot be read")
    others = {"one.txt", "two.txt", "three.txt", "page.html"} - {title}
    assert all(f"document {name}" in done.stdout for name in others)
    assert f"document {title}" not in done.stdout
    done = muniment("search", "gate", "--case", "case", "--json")
    assert done.returncode == 3 and json.loads(done.stdout)["notices"] == [line]
    with pytest.raises(IntegrityError, match=item):
        searching.search(searched, "gate")


@pytest.mark.parametrize("after_s", [0.7, 1.2])
def test_ctrl_c_ends_a_long_search(
    after_s: float, muniment: RunCommand, tmp_path: Path, keys: KeyFolder
) -> None:
    source = tmp_path / "texts"
    source.mkdir()
    for space in (" ", "\n"):
        (source / f"{ord(space)}.txt").write_text(f"a{space}" * 2_400_000)
    assert muniment("build", source, "--case", "case", *WHO).returncode == 0
    command = [Path(sys.executable).parent / "muniment", "search", "a", "--case", "case"]
    environment = os.environ | {"MUNIMENT_KEYS": str(keys.path), "MUNIMENT_PASSPHRASE": PASSPHRASE}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert len(errors.splitlines()) == 1, errors
    assert time.monotonic() - sent < 5
