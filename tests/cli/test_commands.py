"""Every command as a person calls it, and as a program does with --json."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from muniment.custody import proof as proofs
from muniment.custody.keyring import KeyFolder
from muniment.custody.keys import PublicKey
from muniment.errors import IntegrityError
from muniment.store.layout import CaseFolder
from muniment.store.segments import Segments
from tests.conftest import PASSPHRASE, PERSON, RunCommand


def _flat_png() -> bytes:
    out = BytesIO()
    Image.linear_gradient("L").save(out, "PNG")
    return out.getvalue()


FLAT_PNG = _flat_png()
WHO = ("--by", PERSON, "--why", "a test")


@pytest.fixture
def built(muniment: RunCommand, source: Path) -> dict[str, Any]:
    done = muniment("build", source, "--case", "case", *WHO, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    sizes = [json.loads(line)["tree_size"] for line in done.stderr.splitlines()]
    assert sizes == sorted(sizes)
    return document


def run_json(muniment: RunCommand, *arguments: str | Path) -> dict[str, Any]:
    done = muniment(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert document["version"] == 1
    assert document["command"] == arguments[0]
    return document


def test_the_summary_is_short_and_names_the_pins(muniment: RunCommand, source: Path) -> None:
    done = muniment("build", source, "--case", "case", *WHO)
    lines = done.stdout.splitlines()
    assert len(lines) <= 15
    words = {line.split()[0] for line in lines if line[0] != " "}
    told = {
        "Case",
        "Collected",
        "Posts",
        "Not",
        "Examined",
        "Traced",
        "Root",
        "Checkpoint",
        "Report",
    }
    assert words == told
    pins = {line.split()[0]: line.split()[1] for line in lines if line[0] != " "}
    verified = muniment("verify", "case", "--root", pins["Root"], "--since", pins["Checkpoint"])
    assert verified.returncode == 0
    assert "; not checked: time stamps (exit code 0)" in verified.stdout
    assert "This does not show:" in verified.stdout


def test_the_case_is_found_upward(
    muniment: RunCommand, built: dict[str, Any], tmp_path: Path
) -> None:
    inside = tmp_path / "case" / "log"
    done = subprocess.run(
        [Path(sys.executable).parent / "muniment", "log"],
        cwd=inside,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "case.opened" in done.stdout


def test_init_collect_report_rebuild(muniment: RunCommand, source: Path, tmp_path: Path) -> None:
    made = run_json(muniment, "init", "--case", "case", *WHO, "--title", "Gate")
    assert made["checkpoint"].startswith("2:")
    assert muniment("init", "--case", "case", *WHO).returncode == 2
    collected = run_json(
        muniment, "collect", source, "--case", "case", *WHO, "--from", "a colleague"
    )
    assert collected["sources"][str(source)]["found"] == 3
    assert collected["report"] is None
    report = Path(run_json(muniment, "report", "--case", "case")["report"])
    assert report.read_bytes().startswith(b"<!doctype html>")
    assert run_json(muniment, "rebuild", "--case", "case")["equal"] is True
    entries = run_json(muniment, "log", "--case", "case")["entries"]
    (started,) = [one for one in entries if one["kind"] == "acquisition.started"]
    assert started["values"]["stated_source"] == "a colleague"
    assert run_json(muniment, "log", "--case", "case", "--start", "3")["entries"] == entries[3:]


def test_show_and_working_copy(
    muniment: RunCommand, built: dict[str, Any], source: Path, tmp_path: Path
) -> None:
    data = (source / "note.txt").read_bytes()
    identity = f"item:{hashlib.sha256(data).hexdigest()[:12]}"
    (entry,) = run_json(muniment, "show", identity, "--case", "case")["entries"]
    assert entry["values"]["name"]["path"] == "note.txt"
    assert muniment("copy", identity, "copy.txt", "--case", "case").returncode == 2
    run_json(muniment, "copy", identity, "copy.txt", "--case", "case", *WHO)
    assert (tmp_path / "copy.txt").read_bytes() == data
    before, last = run_json(muniment, "log", "--case", "case")["entries"][-2:]
    assert (before["kind"], last["kind"]) == ("object.viewed", "custody.recorded")
    assert before["values"]["by"] == last["values"]["by"] == PERSON
    assert last["values"]["outcome"] == "success"
    again = muniment("copy", identity, "copy.txt", "--case", "case", *WHO)
    assert again.returncode == 1
    assert "file exists" in again.stderr
    assert muniment("verify", "case").returncode == 0


def test_verify_takes_its_folder_also_as_other_commands_do(
    muniment: RunCommand, built: dict[str, Any]
) -> None:
    by_folder = run_json(muniment, "verify", "case")
    assert run_json(muniment, "verify", "--case", "case") == by_folder
    twice = muniment("verify", "case", "--case", "case")
    assert twice.returncode == 2 and "given twice" in twice.stderr
    assert muniment("verify").returncode == 10


@pytest.mark.parametrize("command", ["erase", "copy", "report"])
def test_whole_entries_moved_aside_are_told_by_every_writer(
    muniment: RunCommand, keys: KeyFolder, source: Path, tmp_path: Path, command: str
) -> None:
    """As `build` tells them: named, and exit code 3."""
    own = tmp_path / "own"
    shutil.copytree(keys.path, own)
    changes = {"MUNIMENT_KEYS": str(own)}
    (source / "flat.png").write_bytes(FLAT_PNG)
    assert muniment("build", source, "--case", "case", *WHO, **changes).returncode == 0
    checkpoint = tmp_path / "case" / "log" / "checkpoint"
    older = checkpoint.read_bytes()
    (source / "new.txt").write_text("new\n")
    assert muniment("build", source, "--case", "case", *WHO, **changes).returncode == 0
    checkpoint.write_bytes(older)
    shutil.rmtree(own / "seen")  # else this machine remembers what it signed
    identity = f"item:{hashlib.sha256((source / 'note.txt').read_bytes()).hexdigest()}"
    arguments = {
        "erase": ("erase", identity, "--yes", "--out-of-reach", "nobody"),
        "copy": ("copy", identity, "copy.txt"),
        "report": ("report", "--clear", "clear.html"),
    }[command]
    done = muniment(*arguments, "--case", "case", *WHO, **changes)
    assert done.returncode == 3, done.stderr
    named = [line for line in done.stderr.splitlines() if "stood beyond the checkpoint" in line]
    assert len(named) == len(set(named)) == 2 and "whole entr" in named[0], done.stderr


def test_a_proof_holds_and_is_small(
    muniment: RunCommand, built: dict[str, Any], source: Path, tmp_path: Path
) -> None:
    digest = hashlib.sha256((source / "note.txt").read_bytes()).hexdigest()
    run_json(muniment, "proof", f"item:{digest}", "--case", "case", "--out", "note.tlog-proof")
    data = (tmp_path / "note.tlog-proof").read_bytes()
    assert len(data) < 1500
    entries = run_json(muniment, "log", "--case", "case")["entries"]
    (certified,) = [one["values"] for one in entries if one["kind"] == "key.certified"]
    agent = PublicKey(
        certified["key"],
        certified["role"],
        certified["name"],
        certified["ed25519"],
        certified["mldsa44"],
    )
    proof = proofs.parse(data)
    lines = dict(Segments(CaseFolder(tmp_path / "case").entries).lines())
    proofs.check(proof, lines[proof.index], [agent])
    with pytest.raises(IntegrityError):
        proofs.check(proof, lines[proof.index - 1], [agent])
    full = muniment("proof", f"item:{digest}", "--case", "case", "--with-mldsa")
    assert len(full.stdout) > 3000


def test_erase_asks_and_then_takes(
    muniment: RunCommand, built: dict[str, Any], source: Path, tmp_path: Path
) -> None:
    digest = hashlib.sha256((source / "note.txt").read_bytes()).hexdigest()
    words = ("erase", f"item:{digest}", "--case", "case", *WHO, "--out-of-reach", "none known")
    assert muniment(*words).returncode == 2, "nobody there to confirm"
    assert CaseFolder(tmp_path / "case").object(digest).exists()
    result = run_json(muniment, *words, "--yes")
    assert digest in result["objects"]  # and what was derived from it
    assert not CaseFolder(tmp_path / "case").object(digest).exists()
    verified = run_json(
        muniment, "verify", "case", "--root", built["root_sha256"], "--since", built["checkpoint"]
    )
    assert verified["exit_code"] == 0
    page = (tmp_path / "case" / "report" / "index.html").read_text("utf-8")
    assert digest not in page


def test_the_passphrase_leaves_the_environment() -> None:
    code = (
        "import os; from muniment.cli.console import Passphrases; Passphrases();"
        "print([name for name in os.environ if 'PASSPHRASE' in name])"
    )
    environment = os.environ | {"MUNIMENT_PASSPHRASE": "a", "MUNIMENT_AGENT_PASSPHRASE": "b"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_ctrl_c_says_how_to_go_on(source: Path, tmp_path: Path, keys: Any) -> None:
    for number in range(400):
        (source / f"{number}.txt").write_text(f"{number}\n")
    program = Path(sys.executable).parent / "muniment"
    environment = os.environ | {"MUNIMENT_KEYS": str(keys.path), "MUNIMENT_PASSPHRASE": PASSPHRASE}
    command = [program, "build", source, "--case", tmp_path / "case", *WHO, "--json"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        process.stderr.readline()
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the run was over before the signal came")
    assert process.returncode == 130
    assert errors.splitlines()[-1].endswith("run the same command again to go on")
    subprocess.run(command, env=environment, capture_output=True, check=True)
    verified = subprocess.run([program, "verify", tmp_path / "case"], check=False)
    assert verified.returncode == 0
