"""What the host writes of a worker's answer always fits where it is read back from."""

from __future__ import annotations

import pytest

from muniment.case import examining
from muniment.case.observed import outcome
from muniment.custody.entry import MAX_VALUE_BYTES, encode_value
from muniment.examine.reading import MAX_NOTES, MAX_TEXT
from muniment.model.examine import Examined, Note, Problem


@pytest.mark.parametrize("char", ["x", "\u6f22", "\1", "\U0001f600", '"', "\u0958"])
@pytest.mark.parametrize("length", [0, 60, MAX_TEXT])
def test_any_notes_leave_the_outcome_below_the_limit_of_a_value(char: str, length: int) -> None:
    found = Examined(
        notes=tuple(Note(char * length, char * length) for _ in range(MAX_NOTES)),
        problem=Problem.FRAME_OVER_LIMIT,
        detail=char * MAX_TEXT,
    )
    notes = examining._notes(found)
    told = outcome("partly", str(found.problem), examining._short(found.detail), notes)
    assert len(encode_value(told)) <= MAX_VALUE_BYTES
    assert notes[-1] == Note("notes left out", f"{MAX_NOTES - len(notes) + 1} more")


def test_few_notes_are_kept_as_they_are() -> None:
    notes = (Note("one", "a"), Note("two"))
    assert examining._notes(Examined(notes=notes)) == list(notes)
