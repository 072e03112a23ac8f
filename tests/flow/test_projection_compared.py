"""`verify` compares the projection and the page without holding or drawing them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from muniment import verify
from muniment.case import index as index_module
from muniment.case import reporting, verifying
from muniment.case.index import Index
from muniment.case.projecting import derived
from muniment.custody.keyring import KeyFolder
from muniment.custody.scan import whole_entries
from muniment.errors import EXIT_INTEGRITY, IntegrityError
from muniment.model.verify import Status
from muniment.store.layout import CaseFolder
from tests.conftest import BuildCase


@pytest.mark.parametrize("every", [1, 3, 1000])
def test_a_drained_projection_has_the_same_digests(case: CaseFolder, every: int) -> None:
    drained = Index(None)
    for number, entry, leaf, values in whole_entries(case):
        drained.apply(number, entry, leaf, values)
        if number % every == 0:
            drained.drain()
    assert drained.table_digests() == derived(case).table_digests()
    assert every != 1 or drained.rows("SELECT * FROM item") == []


def test_a_wrong_row_is_found_behind_a_drain(
    case: CaseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifying, "DRAIN_ENTRIES", 2)
    assert verify(case.path).check("projection").status is Status.PASS
    index = Index(case.index)
    index.db.execute("UPDATE item SET path='other.mp4' WHERE idx=(SELECT min(idx) FROM item)")
    index.close()
    (finding,) = verify(case.path).check("projection").findings
    assert finding.piece == "work/index.sqlite table item"


def test_a_projection_of_an_earlier_version_is_derived_anew(
    build_case: BuildCase, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(index_module, "SCHEMA_VERSION", "3")
        build_case(source)
    case = CaseFolder(tmp_path / "case")
    with pytest.raises(IntegrityError, match="another version"):
        Index(case.index)
    assert reporting.facts(case).posts
    build_case(source)
    assert verify(case.path).check("projection").status is Status.PASS


def test_a_page_is_not_drawn_again_where_this_machine_drew_it(
    case: CaseFolder, keys: KeyFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MUNIMENT_KEYS", str(keys.path))
    reporting.write(case)
    check = verify(case.path).check("report")
    assert check.status is Status.PASS
    assert "this machine drew" in check.detail
    monkeypatch.setenv("MUNIMENT_KEYS", str(tmp_path / "elsewhere"))
    check = verify(case.path).check("report")
    assert check.status is Status.PASS
    assert "this case gives" in check.detail
    monkeypatch.setenv("MUNIMENT_KEYS", str(keys.path))
    page = case.report / "index.html"
    page.write_bytes(page.read_bytes() + b"<!-- more -->")
    check = verify(case.path).check("report")
    assert check.status is Status.FAIL and check.exit_code == EXIT_INTEGRITY
    assert check.findings[0].piece == "report/index.html"
    monkeypatch.setenv("MUNIMENT_KEYS", str(tmp_path / "elsewhere"))
    check = verify(case.path).check("report")
    assert check.status is Status.NOT_CHECKED and "differs" in check.detail
    assert check.findings[0].piece == "report/index.html"
