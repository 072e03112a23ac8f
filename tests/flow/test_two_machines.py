"""A second machine, an older checkpoint, keys on a write-protected stick."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from muniment import verify
from muniment.case import building
from muniment.case.building import Built
from muniment.case.collecting import Request
from muniment.custody.keyring import KeyFolder
from muniment.custody.memory import Memory
from muniment.errors import EXIT_INTEGRITY, IntegrityError, StorageError
from muniment.model.entries import Role
from muniment.store.layout import CaseFolder
from tests.conftest import PASSPHRASE, PERSON, FixedSecrets


class Told:
    """A progress that keeps the notices."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def start(self, label: str, total: int | None, unit: str) -> None:
        pass

    def advance(self, amount: int = 1) -> None:
        pass

    def committed(self, tree_size: int) -> None:
        pass

    def notice(self, line: str) -> None:
        self.lines.append(line)


def build(folder: CaseFolder, source: Path, keys: KeyFolder, told: Told | None = None) -> Built:
    return building.run(
        folder,
        [Request(source, PERSON, "a test")],
        by=PERSON,
        why="a test",
        title="Test case",
        keys=keys,
        secrets=FixedSecrets(),
        progress=told or Told(),
        make=True,
        with_report=False,
    )


def machine(folder: Path, keys: KeyFolder, name: str) -> KeyFolder:
    """The key folder of another machine: the person's key, an agent key of its own."""
    folder.mkdir()
    for path in keys.path.glob("person-*.key"):
        shutil.copy(path, folder)
    other = KeyFolder(folder)
    other.create(Role.AGENT, name, PASSPHRASE)
    return other


def lines(folder: CaseFolder) -> int:
    return len((folder.entries / "000000.jsonl").read_bytes().splitlines())


def test_an_older_checkpoint_does_not_make_a_second_machine_cut_off_sealed_entries(
    keys: KeyFolder, source: Path, tmp_path: Path
) -> None:
    folder = CaseFolder(tmp_path / "case")
    build(folder, source, keys)
    older = folder.checkpoint.read_bytes()
    (source / "new.txt").write_text("new\n")
    build(folder, source, keys)
    newer, count = folder.checkpoint.read_bytes(), lines(folder)
    folder.checkpoint.write_bytes(older)
    second = machine(tmp_path / "second", keys, "second")
    (source / "newer.txt").write_text("newer\n")
    with pytest.raises(IntegrityError, match="by another machine's agent") as caught:
        build(folder, source, second)
    assert caught.value.exit_code == EXIT_INTEGRITY
    assert "shorten log/entries/000000.jsonl" in caught.value.remedy
    assert lines(folder) == count
    assert not folder.recovered.exists()
    folder.checkpoint.write_bytes(newer)
    assert build(folder, source, second).is_whole
    assert verify(folder.path).exit_code == 0


def test_a_checkpoint_of_before_the_other_machine_came_is_no_way_round(
    keys: KeyFolder, source: Path, tmp_path: Path
) -> None:
    """The tail then certifies the agent that wrote the rest of it."""
    folder = CaseFolder(tmp_path / "case")
    second = machine(tmp_path / "second", keys, "second")
    build(folder, source, keys)
    older = folder.checkpoint.read_bytes()
    (source / "new.txt").write_text("new\n")
    build(folder, source, second)
    folder.checkpoint.write_bytes(older)
    shutil.rmtree(folder.checkpoints)
    with pytest.raises(IntegrityError, match="by another machine's agent"):
        build(folder, source, keys)


def test_a_machines_own_unfinished_batch_is_moved_aside_and_said(
    keys: KeyFolder, source: Path, tmp_path: Path
) -> None:
    folder = CaseFolder(tmp_path / "case")
    own = machine(tmp_path / "own", keys, "own")
    build(folder, source, own)
    older = folder.checkpoint.read_bytes()
    (source / "new.txt").write_text("new\n")
    build(folder, source, own)
    folder.checkpoint.write_bytes(older)
    shutil.rmtree(own.path / "seen")  # else it remembers what it signed
    told = Told()
    built = build(folder, source, own, told)
    assert not built.is_whole
    assert any("whole entries among them" in line for line in built.notices)
    assert verify(folder.path).exit_code == 0


def test_keys_on_a_write_protected_stick_do_not_stop_a_build(
    keys: KeyFolder, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Memory, *_: object) -> None:
        raise StorageError("read-only file system", subject="keys/seen")

    monkeypatch.setattr(Memory, "keep", refuse)
    monkeypatch.setattr(Memory, "keep_index", refuse)
    folder, told = CaseFolder(tmp_path / "case"), Told()
    assert build(folder, source, keys, told).is_whole
    (notice,) = [line for line in told.lines if "does not remember" in line]
    assert notice.startswith("keys/seen: read-only file system")
    assert verify(folder.path).exit_code == 0
    (source / "new.txt").write_text("new\n")
    assert build(folder, source, keys).is_whole
    assert verify(folder.path).exit_code == 0
