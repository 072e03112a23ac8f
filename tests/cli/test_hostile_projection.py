"""The projection is anybody's file: whatever lies at its name or beside it, nothing hangs, nothing of
it is sealed or shown, and the commands get over it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from muniment import verify
from muniment.errors import EXIT_INTEGRITY, EXIT_OK, EXIT_PARTLY
from muniment.model.verify import Status
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, BuildCase, RunCommand

WHO = ("--by", PERSON, "--why", "a test")
PAGE_FIELD, SECTOR = 16, 512


def poison(index: Path, sql: str) -> None:
    """Leave a rollback journal beside the projection that, rolled back, makes it what `sql` says."""
    poisoned = index.with_name("poisoned.db")
    shutil.copy(index, poisoned)
    with sqlite3.connect(poisoned) as db:
        db.executescript(sql)
    db.close()
    ours, theirs = index.read_bytes(), poisoned.read_bytes()
    poisoned.unlink()
    size = struct.unpack(">H", ours[PAGE_FIELD : PAGE_FIELD + 2])[0]
    nonce, records = 12345, []
    for number in range(len(theirs) // size):
        page = theirs[number * size : (number + 1) * size]
        if page != ours[number * size : (number + 1) * size]:
            check = nonce + sum(page[at] for at in range(size - 200, 0, -200))
            records.append(struct.pack(">I", number + 1) + page + struct.pack(">I", check))
    head = bytes.fromhex("d9d505f920a163d7") + struct.pack(
        ">IIIII", len(records), nonce, len(theirs) // size, SECTOR, size
    )
    journal = index.with_name(index.name + "-journal")
    journal.write_bytes(head.ljust(SECTOR, b"\0") + b"".join(records))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Texts only: nothing in them is decoded."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(3):
        (folder / f"note-{number}.txt").write_text(f"The north gate was open {number} times.\n")
    return folder


@pytest.fixture
def built(build_case: BuildCase, source: Path, tmp_path: Path) -> CaseFolder:
    build_case(source, report=True)
    return CaseFolder(tmp_path / "case")


def test_a_planted_journal_is_never_rolled_into_what_is_shown(
    muniment: RunCommand, built: CaseFolder
) -> None:
    before = (built.report / "index.html").read_bytes()
    poison(built.index, "UPDATE item SET path='LIE.mp4'")
    verdict = verify(built.path)
    check = verdict.check("projection")
    assert check.status is Status.NOT_CHECKED
    assert [one.piece for one in check.findings] == ["work/index.sqlite-journal"]
    assert verdict.exit_code == EXIT_PARTLY
    assert muniment("report", "--case", "case").returncode == EXIT_OK
    assert (built.report / "index.html").read_bytes() == before
    done = muniment("log", "--case", "case")
    item = next(word for word in done.stdout.split() if word.startswith("item:"))
    assert "LIE" not in muniment("show", item, "--case", "case").stdout
    assert muniment("rebuild", "--case", "case").returncode == EXIT_OK
    assert verify(built.path).exit_code == EXIT_OK


def test_a_planted_journal_does_not_decide_what_is_collected(
    muniment: RunCommand, built: CaseFolder, source: Path
) -> None:
    import hashlib

    (source / "new.txt").write_text("new\n")
    digest = hashlib.sha256(b"new\n").hexdigest()
    poison(built.index, f"INSERT INTO erased SELECT '{digest}', 5")
    done = muniment("build", source, "--case", "case", *WHO)
    assert done.returncode == EXIT_OK, done.stderr
    assert built.object(digest).is_file()
    assert verify(built.path).exit_code == EXIT_OK


def a_folder(path: Path) -> None:
    path.mkdir()
    (path / "mine.txt").write_text("mine\n")


def a_link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


MAKERS: list[Callable[[Path], None]] = [os.mkfifo, a_folder, a_link, a_loop]


@pytest.mark.parametrize("make", MAKERS, ids=["fifo", "folder", "link", "loop"])
@pytest.mark.parametrize(
    "name",
    ["index.sqlite", "index.sqlite-journal", "index.sqlite-wal", "index.sqlite-shm", "index.new"],
)
def test_odd_files_at_the_projection_neither_hang_nor_stop_anything(
    muniment: RunCommand, built: CaseFolder, source: Path, name: str, make: Callable[[Path], None]
) -> None:
    odd = built.work / name
    odd.unlink(missing_ok=True)
    make(odd)
    expected = {"index.sqlite": EXIT_INTEGRITY, "index.new": EXIT_OK}.get(name, EXIT_PARTLY)
    assert verify(built.path).exit_code == expected
    assert muniment("report", "--case", "case").returncode == EXIT_OK
    assert muniment("show", "entry:0000000000", "--case", "case").returncode == 1
    done = muniment("rebuild", "--case", "case")
    assert done.returncode == EXIT_OK, done.stderr
    assert verify(built.path).exit_code == EXIT_OK
    if make is a_folder:
        assert [path.read_text() for path in built.recovered.glob("*/mine.txt")] == ["mine\n"]
    if not os.path.lexists(odd):
        make(odd)
    (source / "new.txt").write_text("new\n")
    done = muniment("build", source, "--case", "case", *WHO)
    assert done.returncode == EXIT_OK, done.stderr


@pytest.mark.parametrize("table", ["meta", "entry"])
def test_an_endless_view_is_never_run(muniment: RunCommand, built: CaseFolder, table: str) -> None:
    db = sqlite3.connect(built.index)
    columns = {"meta": "'schema' AS name, '1' AS value", "entry": "n AS idx"}[table]
    db.executescript(
        f"DROP TABLE {table}; CREATE VIEW {table} AS WITH RECURSIVE r(n) AS"
        f" (SELECT 1 UNION ALL SELECT n+1 FROM r) SELECT {columns} FROM r WHERE n<0"
    )
    db.close()
    assert verify(built.path).check("projection").status is Status.FAIL
    for command in ("report", "rebuild"):
        assert muniment(command, "--case", "case").returncode == EXIT_OK
    assert verify(built.path).exit_code == EXIT_OK


def test_a_projection_in_wal_mode_is_refused_before_sqlite_sees_it(built: CaseFolder) -> None:
    with sqlite3.connect(built.index) as db:
        db.execute("PRAGMA journal_mode=WAL")
    db.close()
    before = sorted(path.name for path in built.work.iterdir())
    assert verify(built.path).check("projection").status is Status.FAIL
    assert sorted(path.name for path in built.work.iterdir()) == before


def test_what_the_projection_hides_is_found(muniment: RunCommand, built: CaseFolder) -> None:
    done = muniment("log", "--case", "case")
    item = next(word for word in done.stdout.split() if word.startswith("item:"))
    with sqlite3.connect(built.index) as db:
        db.execute("DELETE FROM item")
    db.close()
    assert muniment("show", item, "--case", "case").returncode == EXIT_OK


def test_looking_changes_nothing_and_works_without_a_projection(
    muniment: RunCommand, built: CaseFolder
) -> None:
    done = muniment("log", "--case", "case")
    item = next(word for word in done.stdout.split() if word.startswith("item:"))
    shutil.rmtree(built.work)
    for command in ("show", "proof"):
        assert muniment(command, item, "--case", "case").returncode == EXIT_OK
    assert not built.work.exists()
