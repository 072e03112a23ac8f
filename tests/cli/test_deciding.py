"""`muniment trace decide` as a person calls it, and as a program does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PERSON, RunCommand

EXAMPLE = Path(__file__).parents[2] / "examples" / "courtyard" / "input"
TRUTH = json.loads((EXAMPLE.parent / "truth" / "truth.json").read_text())
WHO = ("--by", PERSON)
BECAUSE = ("--because", "the cart turns at the same second")


@pytest.fixture
def case(muniment: RunCommand, tmp_path: Path) -> str:
    """A case of three clips that nothing has looked into: they can be decided all the same."""
    source = tmp_path / "source"
    source.mkdir()
    for number, name in enumerate("abc"):
        known = TRUTH["clips"][number]["files"][0]["file"]
        shutil.copyfile(EXAMPLE / known, source / f"{name}.mp4")
    assert muniment("init", "--case", "case", *WHO, "--why", "a test").returncode == 0
    done = muniment("collect", source, "--case", "case", *WHO, "--why", "a test")
    assert done.returncode == 0, done.stderr
    return "case"


def run_json(muniment: RunCommand, *arguments: str) -> dict[str, Any]:
    done = muniment(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_decision_is_made_listed_shown_and_superseded(muniment: RunCommand, case: str) -> None:
    words = ("trace", "decide", "a.mp4", "b.mp4", *BECAUSE, *WHO, "--case", case)
    made = run_json(muniment, *words, "--same")
    assert made["command"] == "trace decide" and made["decision"] == "same_footage"
    assert made["program"] == {"verdict": "not_compared", "score": "0.0000", "step": None}
    done = muniment(*words, "--not-same")
    assert done.returncode == 0 and f"Supersedes   {made['id']}" in done.stdout
    listed = muniment("trace", "run", "--case", case).stdout
    assert "not_compared" in listed
    assert f"decided not_same_footage by {PERSON}" in listed and "(supersedes 1 earlier)" in listed
    shown = run_json(muniment, "show", made["id"], "--case", case)["entries"]
    assert shown[0]["values"]["because"] == BECAUSE[1]
    logged = muniment("log", "--case", case).stdout
    assert logged.count("match.decided") == 2 and BECAUSE[1] in logged
    assert muniment("verify", case).returncode == 0
    assert run_json(muniment, "rebuild", "--case", case)["equal"] is True


def test_a_contradiction_is_a_warning_and_no_failure(muniment: RunCommand, case: str) -> None:
    for a, b in (("a.mp4", "b.mp4"), ("b.mp4", "c.mp4")):
        run_json(muniment, "trace", "decide", a, b, "--same", *BECAUSE, *WHO, "--case", case)
    refusal = ("trace", "decide", "c.mp4", "a.mp4", "--same-camera", *BECAUSE, *WHO, "--case", case)
    done = muniment(*refusal)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 0 and line.startswith(f"warning: {PERSON} decided on ")
    assert "are the same camera at another moment, but they are joined by way of" in line
    assert "(b.mp4)" in line
    listed = muniment("trace", "run", "--case", case)
    assert listed.returncode == 0 and listed.stderr.splitlines() == [line]
    assert run_json(muniment, "trace", "run", "--case", case)["warnings"] == [line]
    settled = muniment(
        "trace", "decide", "c.mp4", "b.mp4", "--not-same", *BECAUSE, *WHO, "--case", case
    )
    assert settled.returncode == 0 and settled.stderr == ""


def test_wrong_calls_are_one_line_with_the_remedy(muniment: RunCommand, case: str) -> None:
    pair = ("a.mp4", "b.mp4")
    wrong: list[tuple[tuple[str, ...], int, str]] = [
        ((*pair, *BECAUSE, *WHO), 2, "does not say what you decided. Give one of --same"),
        ((*pair, "--same", "--not-same", *BECAUSE, *WHO), 2, "more than one thing. Give one of"),
        ((*pair, "--same", *WHO), 2, "--because"),
        ((*pair, "--same", *BECAUSE), 2, "--by"),
        ((*pair, "--same", "--because", " ", *WHO), 2, "--because: is empty. Say it"),
        (("a.mp4", "a.mp4", "--same", *BECAUSE, *WHO), 2, "both are one item"),
        (("a.mp4", "z.mp4", "--same", *BECAUSE, *WHO), 1, "z.mp4: no item of this id or file name"),
        ((*pair, "--same", *BECAUSE, "--by", "Nobody"), 1, "no person key of Nobody here. Point"),
    ]
    for arguments, code, said in wrong:
        done = muniment("trace", "decide", *arguments, "--case", case)
        assert done.returncode == code, (arguments, done.stderr)
        (line,) = done.stderr.splitlines()
        assert said in line, line
    locked = muniment(
        *("trace", "decide", *pair, "--same", *BECAUSE, *WHO, "--case", case),
        MUNIMENT_PASSPHRASE=None,
    )
    assert locked.returncode == 1 and "Set MUNIMENT_PASSPHRASE" in locked.stderr
