"""Lines of the summary and of `log`: numbers with their nouns, every kind of entry in a few words."""

from __future__ import annotations

from typing import Any

import pytest

from muniment.case.looking import Shown
from muniment.cli.build import examined_line, tracing_line
from muniment.cli.look import _gist


def test_one_is_no_plural() -> None:
    one = {"examined": 1, "partly": 0, "failed": 0, "not_tried": 0, "failed_before": 0}
    assert examined_line(one) == "1 file"
    traced = {"clips": 1, "clusters": 0, "in_clusters": 0, "same_camera_other_moment": 1}
    assert tracing_line(traced) == "1 clip, no two share footage"
    two = traced | {"clips": 3, "clusters": 1, "in_clusters": 2, "decided": 1}
    assert tracing_line(two) == (
        "3 clips: 2 share footage, in 1 cluster; 1 pair of the same camera at another moment"
        "; 1 pair decided by people"
    )


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        (
            "observation.made",
            {
                "object": "ab" * 32,
                "step": "examine.frames",
                "step_version": "1",
                "outcome": {"status": "partly", "problem": "truncated"},
            },
            "examine.frames 1 of item:abababababab: partly: truncated",
        ),
        (
            "object.viewed",
            {"object": "ab" * 32, "by": "examine", "purpose": "examine: frames"},
            "item:abababababab, examine: frames",
        ),
        (
            "object.viewed",
            {"object": "ab" * 32, "by": "N. N.", "purpose": "take a working copy: court"},
            "item:abababababab, by N. N.: take a working copy: court",
        ),
        ("acquisition.finished", {"outcome": "complete"}, "complete"),
        (
            "object.erased",
            {"objects": ["ab"], "entries": [[1, "ab", []], [2, "ab", []]], "why": "order 1"},
            "1 object, 2 entries: order 1",
        ),
        (
            "log.recovered",
            {"moved": [{"file": "log/entries/000000.jsonl"}]},
            "moved aside, from log/entries/000000.jsonl",
        ),
        ("case.opened", {"title": "Gate"}, "Gate"),
        ("item.acquired", {"name": {"path": "gate.mp4"}}, "gate.mp4"),
        ("observation.made", {}, ""),
        ("object.viewed", {}, ""),
        ("item.acquired", {}, ""),
        # written by another program: no form is relied on
        ("observation.made", {"outcome": 1, "step": 2, "object": 3}, "2 of an item not named: "),
        ("object.erased", {"objects": 1, "entries": "x"}, "0 objects, 0 entries: None"),
        ("log.recovered", {"moved": [1, {"file": 2}]}, "moved aside, from 2"),
    ],
)
def test_every_kind_is_told_in_a_line(kind: str, values: dict[str, Any], told: str) -> None:
    assert _gist(Shown(0, "entry:0", kind, "author", "now", "leaf", values)) == told
