"""Cases, keys and outputs that somebody prepared, and calls that cannot be served: one line each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from muniment import Case, verify
from muniment.custody.keyring import KeyFolder
from muniment.errors import (
    EXIT_ERROR,
    EXIT_OK,
    EXIT_PARTLY,
    EXIT_USAGE,
    InputError,
    IntegrityError,
    KeyFileError,
    StorageError,
)
from muniment.model.entries import Role
from muniment.store import disk
from muniment.store.layout import CaseFolder
from tests.conftest import PASSPHRASE, PERSON, RunCommand

WHO = ("--by", PERSON, "--why", "a test")
LONG = "a" * 300


def one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("muniment: ")
    return line


@pytest.mark.parametrize(
    "arguments",
    [
        ("build",),
        ("build", "in"),
        ("nosuch",),
        ("--nosuch",),
        ("log", "--start", "x"),
        ("verify", "case", "--root"),
        ("build", "in", "--case", LONG, *WHO),
        ("verify", LONG),
        ("verify", "case", "--since", LONG),
        ("log", "--case", LONG),
        ("proof", "entry:0123456789ab", "--case", "case", "--out", LONG),
        ("erase", "item:0123", "--case", "case", *WHO, "--out-of-reach", "nobody"),
    ],
    ids=" ".join,
)
def test_wrong_calls_are_one_line_with_a_remedy(
    muniment: RunCommand, case: CaseFolder, arguments: tuple[str, ...]
) -> None:
    line = one_line(muniment(*arguments), EXIT_USAGE)
    assert ". " in line, "what happened, and what to do"


def test_a_wrong_call_as_json(muniment: RunCommand) -> None:
    done = muniment("log", "--start", "x", "--json")
    assert '"exit_code": 2' in done.stdout


def test_a_working_copy_never_goes_into_the_case(muniment: RunCommand, case: CaseFolder) -> None:
    item = next(
        word for word in muniment("log", "--case", "case").stdout.split() if "item:" in word
    )
    target = case.path / "objects" / "zz"
    done = muniment("copy", item, target, "--case", "case", *WHO)
    assert "lies in the case" in one_line(done, EXIT_USAGE)
    assert not target.exists()


def test_a_folder_in_place_of_the_page_is_named(muniment: RunCommand, case: CaseFolder) -> None:
    (case.report / "index.html").mkdir(parents=True)
    line = one_line(muniment("report", "--case", "case"), EXIT_ERROR)
    assert "report/index.html: is a directory. A folder lies where" in line


def test_a_reader_that_goes_away_does_not_stop_the_work(
    muniment: RunCommand, tmp_path: Path, keys: KeyFolder
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02d}").write_bytes(b"")  # a notice each
    program = Path(sys.executable).parent / "muniment"
    command = f"'{program}' build many --case case --by A --why t"
    done = subprocess.run(
        ["bash", "-c", f"{command} 2>&1 | head -1 >/dev/null; echo ${{PIPESTATUS[0]}}"],
        cwd=tmp_path,
        env=os.environ | {"MUNIMENT_KEYS": str(keys.path), "MUNIMENT_PASSPHRASE": PASSPHRASE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{EXIT_PARTLY}\n", "as without a pipe"
    entries = list(Case.open(tmp_path / "case").entries())
    assert entries[-1].kind != "acquisition.started"
    assert verify(tmp_path / "case").exit_code == EXIT_OK


def test_a_full_output_is_said_and_nothing_else_is_called_output(
    muniment: RunCommand, case: CaseFolder, tmp_path: Path
) -> None:
    program = Path(sys.executable).parent / "muniment"
    done = subprocess.run(
        ["bash", "-c", f"'{program}' log --case case >/dev/full"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert "the output cannot be written (no space" in one_line(done, EXIT_ERROR)
    done = muniment("proof", "entry:ffffffffffff", "--case", "case", "--out", "/nonexistent/x")
    assert "output" not in one_line(done, EXIT_ERROR)


def test_one_file_larger_than_the_disk_does_not_stop_the_rest(
    muniment: RunCommand, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    free = shutil.disk_usage(tmp_path).free
    with (folder / "a-sparse.bin").open("wb") as stream:
        try:
            stream.truncate(free * 3)
        except OSError:
            pytest.skip("no sparse file of that size here")
    (folder / "b.txt").write_text("good\n")
    done = muniment("build", folder, "--case", "case", *WHO)
    assert done.returncode == EXIT_PARTLY
    assert "a-sparse.bin: has" in done.stderr
    assert "larger than the free space" in done.stderr
    entries = list(Case.open(tmp_path / "case").entries())
    assert [one.values["name"]["path"] for one in entries if one.kind == "item.acquired"] == [
        "b.txt"
    ]
    assert [one.values["outcome"] for one in entries if one.kind == "item.missed"] == ["failed"]
    assert verify(tmp_path / "case").exit_code == EXIT_OK


# ---------------------------------------------------------------- what may not be read


def deny(monkeypatch: pytest.MonkeyPatch, denied: Path, *names: str) -> None:
    """Make calls of `pathlib` and `os` on one path fail as they do without permission (the tests
    may run as root, who may read everything)."""

    def wrap(call: object) -> object:
        def guarded(path: object = ".", *rest: object, **more: object) -> object:
            if os.fspath(path) == os.fspath(denied):  # type: ignore[call-overload]
                raise PermissionError(13, "Permission denied", os.fspath(denied))
            return call(path, *rest, **more)  # type: ignore[operator]

        return guarded

    for name in names:
        owner = Path if name in {"iterdir", "read_bytes"} else os
        monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))


@pytest.mark.parametrize("name", ["entries", "private"])
def test_an_unreadable_log_folder_is_one_line(
    case: CaseFolder, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    deny(monkeypatch, case.path / "log" / name, "iterdir", "listdir")
    with pytest.raises(InputError, match="cannot be read \\(permission denied\\)") as caught:
        list(Case.open(case.path).entries())
    assert caught.value.exit_code == EXIT_ERROR


def test_an_unreadable_checkpoint_is_no_tampering(
    case: CaseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, case.checkpoint, "read_bytes")
    with pytest.raises(InputError, match="cannot be read \\(permission denied\\)") as caught:
        Case.open(case.path).checkpoint()
    assert caught.value.exit_code == EXIT_ERROR
    monkeypatch.undo()
    case.checkpoint.write_bytes(b"none\n")
    with pytest.raises(IntegrityError, match="is no checkpoint"):
        Case.open(case.path).checkpoint()


def test_storage_errors_name_the_path_a_person_knows(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    with pytest.raises(StorageError) as caught:
        disk.replace(tmp_path / "page", b"data", temp_folder=tmp_path)
    assert caught.value.subject == str(tmp_path / "page")


# ---------------------------------------------------------------- keys


@pytest.fixture
def own_keys(tmp_path: Path, keys: KeyFolder) -> KeyFolder:
    shutil.copytree(keys.path, tmp_path / "own-keys")
    return KeyFolder(tmp_path / "own-keys")


def test_a_pipe_or_folder_among_the_keys_is_named(own_keys: KeyFolder) -> None:
    odd = own_keys.path / "a.key"
    os.mkfifo(odd)
    with pytest.raises(KeyFileError, match="not a regular file"):
        own_keys.find(Role.AGENT)
    odd.unlink()
    odd.mkdir()
    with pytest.raises(KeyFileError, match="cannot be read") as caught:
        own_keys.find(Role.AGENT)
    assert caught.value.remedy


def test_a_changed_role_does_not_make_a_new_key(own_keys: KeyFolder) -> None:
    (agent,) = own_keys.path.glob("agent-*.key")
    agent.write_bytes(agent.read_bytes().replace(b'"role":"agent"', b'"role":"person"'))
    with pytest.raises(KeyFileError, match="it says it is person-") as caught:
        own_keys.find(Role.AGENT)
    assert caught.value.subject == str(agent)


def test_keys_that_are_a_file(muniment: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "kk").write_text("")
    (tmp_path / "in").mkdir()
    done = muniment("build", "in", "--case", "case", *WHO, MUNIMENT_KEYS=str(tmp_path / "kk"))
    line = one_line(done, EXIT_ERROR)
    assert "kk: is no folder. Point MUNIMENT_KEYS at" in line
