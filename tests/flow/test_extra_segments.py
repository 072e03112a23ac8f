"""A segment that lies wholly beyond the checkpoint: named, no fault of what is sealed, moved aside."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from muniment import verify
from muniment.errors import EXIT_INTEGRITY, EXIT_PARTLY, IntegrityError
from muniment.store.layout import SEGMENT_ENTRIES, CaseFolder
from tests.conftest import BuildCase
from tests.flow.test_empty_pieces import full, verdicts

__all__ = ["full"]


@pytest.mark.parametrize("number", ["000001", "000005", "1000000"])
@pytest.mark.parametrize("names", [("entries", "private"), ("entries",), ("private",)])
def test_a_copy_under_another_number_is_named_and_moved_aside(
    case: CaseFolder, build_case: BuildCase, source: Path, number: str, names: tuple[str, ...]
) -> None:
    for name in names:
        folder = case.path / "log" / name
        shutil.copy(folder / "000000.jsonl", folder / f"{number}.jsonl")
    assert verdicts(case) == (EXIT_PARTLY, EXIT_PARTLY)
    check = verify(case.path).check("sealed to the end")
    assert {one.piece for one in check.findings} == {f"log/{name}/{number}.jsonl" for name in names}
    copied = {name: (case.path / "log" / name / "000000.jsonl").read_bytes() for name in names}
    build_case(source)
    assert verdicts(case) == (0, 0)
    aside = {path.name.partition(".")[0]: path for path in case.recovered.iterdir()}
    for name, data in copied.items():
        assert aside[f"log-{name}-{number}"].read_bytes() == data


def test_a_copy_of_more_than_a_batch_stops_the_next_run(
    full: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    for name in ("entries", "private"):
        folder = full.path / "log" / name
        shutil.copy(folder / "000000.jsonl", folder / "000001.jsonl")
    assert verdicts(full) == (EXIT_PARTLY, EXIT_PARTLY)
    with pytest.raises(IntegrityError, match="more than one batch") as stopped:
        build_case(source)
    assert stopped.value.exit_code == EXIT_INTEGRITY
    assert (full.entries / "000001.jsonl").exists()


def test_lines_beyond_a_full_segment_are_moved_aside(
    full: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    for path in (full.entries / "000000.jsonl", full.private / "000000.jsonl"):
        data = path.read_bytes()
        assert data.count(b"\n") == SEGMENT_ENTRIES
        path.write_bytes(data + data.splitlines(keepends=True)[-1])
    assert verdicts(full) == (EXIT_PARTLY, EXIT_PARTLY)
    build_case(source)
    assert verdicts(full) == (0, 0)


@pytest.mark.parametrize("name", ["0000000", "0000001"])
def test_a_number_of_more_digits_is_no_segment(
    case: CaseFolder, build_case: BuildCase, source: Path, name: str
) -> None:
    shutil.copy(case.entries / "000000.jsonl", case.entries / f"{name}.jsonl")
    assert verdicts(case) == (EXIT_INTEGRITY, EXIT_INTEGRITY)
    build_case(source)  # it stands in nobody's way, and stays named
    assert verdicts(case) == (EXIT_INTEGRITY, EXIT_INTEGRITY)
    (case.entries / f"{name}.jsonl").unlink()
    assert verdicts(case) == (0, 0)
