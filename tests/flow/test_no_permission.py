"""A case of which a part may not be read: not checked, and never called damaged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from muniment import verify
from muniment.errors import EXIT_ERROR, StorageError
from muniment.model.verify import Check, Status
from muniment.store.layout import CaseFolder
from muniment.store.objects import open_object
from tests.conftest import BuildCase

NOBODY = 65_534


@pytest.fixture
def readable(build_case: BuildCase, source: Path, tmp_path: Path) -> Iterator[CaseFolder]:
    """A copy of a case that everybody may read, in a folder that everybody may enter."""
    build_case(source)
    above = Path(tempfile.mkdtemp())
    above.chmod(0o755)
    shutil.copytree(tmp_path / "case", above / "case")
    for path in [above / "case", *(above / "case").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    yield CaseFolder(above / "case")
    shutil.rmtree(above)


def as_nobody(do: Callable[[], str]) -> str:
    """What comes of a call by somebody who owns nothing; root may read all."""
    if os.geteuid():
        return do()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        told = ""
        try:
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
            told = do()
        finally:
            os.write(writer, told.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as stream:
        return stream.read().decode()


def checked(folder: CaseFolder, name: str) -> tuple[int, Check]:
    def do() -> str:
        verdict = verify(folder.path)
        return msgspec.json.encode((verdict.exit_code, verdict.check(name))).decode()

    told = as_nobody(do)
    assert told.startswith("["), told
    return msgspec.json.decode(told, type=tuple[int, Check])


def test_an_object_that_may_not_be_read_is_not_checked(readable: CaseFolder) -> None:
    assert checked(readable, "objects")[1].status is Status.PASS
    path = next(readable.objects.glob("*/*"))
    path.chmod(0)
    code, check = checked(readable, "objects")
    assert (code, check.status) == (EXIT_ERROR, Status.NOT_CHECKED)
    assert "permission" in check.detail and path.name in check.findings[0].piece


def test_what_is_damaged_beside_it_still_fails(readable: CaseFolder) -> None:
    one, other = sorted(readable.objects.glob("*/*"))[:2]
    one.chmod(0)
    other.write_bytes(b"changed")
    code, check = checked(readable, "objects")
    assert (code, check.status) == (20, Status.FAIL)


def test_a_projection_that_may_not_be_read_is_not_checked(readable: CaseFolder) -> None:
    readable.index.chmod(0)
    code, check = checked(readable, "projection")
    assert code != 20 and check.status is Status.NOT_CHECKED


def test_a_reader_of_one_object_is_told_who_must_act(readable: CaseFolder) -> None:
    path = next(readable.objects.glob("*/*"))
    path.chmod(0)

    def do() -> str:
        try:
            os.close(open_object(readable, path.parent.name + path.name))
        except StorageError as error:
            return f"{error.what}. {error.remedy}"
        return "opened"

    assert "read permission" in as_nobody(do)
