"""What `trace run` prints: copies first, stills folded, by way of whom, what the score is."""

from __future__ import annotations

from typing import Any

import pytest

from muniment.cli import trace
from muniment.model.trace import SCORE_SENTENCE
from muniment.trace import through


def pair(verdict: str, *, still: bool = False, reasons: tuple[str, ...] = ("why",)) -> Any:
    return {
        "a": "a",
        "b": "b",
        "verdict": verdict,
        "score": 0.5,
        "segments": [],
        "reasons": list(reasons),
        "a_source": {"item": "item:aaaa", "name": "a.mp4", "still": False},
        "b_source": {"item": "item:bbbb", "name": "b", "still": still},
    }


def listed(capsys: pytest.CaptureFixture[str], *pairs: Any, every: bool = False) -> list[str]:
    found = {"pairs": pairs, "clips": 1, "clusters": [[]], "differences": [], "notices": []}
    trace._list(found, every=every)
    return capsys.readouterr().out.splitlines()


def test_undetermined_pairs_with_a_still_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    pairs = (
        pair("same_footage", still=True),
        pair("undetermined"),
        pair("undetermined", still=True),
    )
    lines = listed(capsys, *pairs)
    assert [line.split()[0] for line in lines[:2]] == ["same_footage", "undetermined"]
    assert lines[2].startswith("1 undetermined pair with a still picture not listed (--all")
    assert lines[3] == "1 clip, 1 cluster of copies, 3 pairs sharing picture"
    assert lines[4] == SCORE_SENTENCE and len(lines) == 5
    whole = listed(capsys, *pairs, every=True)
    assert [line.split()[0] for line in whole[:3]][2] == "undetermined" and len(whole) == 5


def test_a_decided_pair_is_listed_also_with_a_still(capsys: pytest.CaptureFixture[str]) -> None:
    decision = {"decision": "same_footage", "by": "N.", "at_utc": "", "because": "", "earlier": []}
    lines = listed(capsys, pair("undetermined", still=True) | {"decision": decision})
    assert lines[0].startswith("undetermined") and "not listed" not in " ".join(lines)


def test_by_way_of_whom_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    way = f"{trace.BY_WAY}item:cccc (c.mp4), which shows the same footage as both"
    lines = listed(capsys, pair("same_footage", reasons=(way, "more")))
    assert lines[1] == f"    {way}" and "more" not in "".join(lines)
    assert trace.BY_WAY == through.BY_WAY


def test_nothing_to_score(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys) == ["1 clip, 1 cluster of copies, 0 pairs sharing picture"]
