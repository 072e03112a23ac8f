"""Empty and needless files that somebody adds, or a crash leaves, are named: by both verifiers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from muniment import verify
from muniment.custody.keyring import KeyFolder, unlock
from muniment.custody.opening import open_writer
from muniment.errors import EXIT_INTEGRITY, EXIT_PARTLY
from muniment.model.entries import Role
from muniment.store.layout import SEGMENT_ENTRIES, CaseFolder
from tests.conftest import PASSPHRASE, BuildCase
from tests.flow.test_two_machines import build, machine
from tests.vectors.second_verifier import exit_code, read_folder
from tests.vectors.second_verifier import verify as verify_again


def verdicts(folder: CaseFolder) -> tuple[int, int]:
    return verify(folder.path).exit_code, exit_code(verify_again(read_folder(folder.path)))


@pytest.fixture
def full(case: CaseFolder, keys: KeyFolder) -> CaseFolder:
    """A case of exactly one full segment."""
    agent = keys.find(Role.AGENT)
    assert agent
    with open_writer(case, unlock(agent, PASSPHRASE)) as log:
        values = {"object": None, "by": "a test", "purpose": "to fill"}
        while log.size < SEGMENT_ENTRIES:
            log.append("object.viewed", values)
    case.index.unlink()
    assert verdicts(case) == (0, 0)
    return case


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("private",), EXIT_PARTLY),
        (("private", "entries"), EXIT_PARTLY),
        (("entries",), EXIT_PARTLY),
    ],
)
def test_an_empty_segment_behind_a_full_one_is_named(
    full: CaseFolder, build_case: BuildCase, source: Path, names: tuple[str, ...], code: int
) -> None:
    for name in names:
        (full.path / "log" / name / "000001.jsonl").write_bytes(b"")
    assert verdicts(full) == (code, code)
    found = [one for check in verify(full.path).checks for one in check.findings]
    assert [one.piece for one in found] == [f"log/{name}/000001.jsonl" for name in names]
    build_case(source)
    assert verdicts(full) == (0, 0)


def test_an_empty_folder_of_kept_checkpoints(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    case.checkpoints.mkdir()
    assert verdicts(case) == (EXIT_PARTLY, EXIT_PARTLY)
    build_case(source)
    assert not case.checkpoints.exists()
    assert verdicts(case) == (0, 0)


@pytest.mark.parametrize("make", [lambda path: path.symlink_to("entries"), Path.touch])
def test_no_folder_of_kept_checkpoints(case: CaseFolder, make: Callable[[Path], None]) -> None:
    make(case.checkpoints)
    assert verdicts(case) == (EXIT_INTEGRITY, EXIT_INTEGRITY)


def test_a_checkpoint_that_no_takeover_left(
    case: CaseFolder, keys: KeyFolder, build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    def keep(data: bytes) -> None:
        case.checkpoints.mkdir(exist_ok=True)
        (case.checkpoints / f"{int(data.splitlines()[1]):012d}").write_bytes(data)

    older = case.checkpoint.read_bytes()
    keep(older)  # as a takeover that was cut short leaves it
    assert verdicts(case) == (EXIT_PARTLY, EXIT_PARTLY)
    (source / "new.txt").write_text("new\n")
    build_case(source)
    assert not case.checkpoints.exists()
    assert verdicts(case) == (0, 0)
    keep(older)
    assert verdicts(case) == (EXIT_INTEGRITY, EXIT_INTEGRITY)
    (case.checkpoints / f"{int(older.splitlines()[1]):012d}").unlink()
    # A takeover keeps one, and may.
    (source / "newer.txt").write_text("newer\n")
    build(case, source, machine(tmp_path / "second", keys, "second"))
    assert len(list(case.checkpoints.iterdir())) == 1
    assert verdicts(case) == (0, 0)
