"""The example: every copy not marked hard is found where it lies, and nothing else is a copy."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from muniment.examine import worker
from muniment.model.examine import Examined, Wanted
from muniment.model.trace import Pair, Verdict
from muniment.trace.candidates import traced
from muniment.trace.clip import NEEDED, Clip, clip
from muniment.trace.compare import compare

EXAMPLE = Path(__file__).parents[2] / "examples" / "courtyard"
TRUTH: dict[str, Any] = json.loads((EXAMPLE / "truth" / "truth.json").read_text("utf-8"))
CLIPS = {one["id"]: one for one in TRUTH["clips"]}
EASY = [name for name, one in CLIPS.items() if not one.get("may_be_missed_for_now")]
COPIES = [name for name in EASY if name != "first"]
OTHERS = [one["id"] for one in (*TRUTH["negatives"], *TRUTH["stills"])]


@cache
def seen(name: str) -> Clip:
    """The clip, decoded once a test run, by the examiners' own pass."""
    every = (*TRUTH["clips"], *TRUTH["negatives"], *TRUTH["stills"])
    path = EXAMPLE / "input" / next(one for one in every if one["id"] == name)["files"][0]["file"]
    kind = "image/jpeg" if path.suffix == ".jpg" else "video/mp4"
    out: list[bytes] = []
    handle = os.open(path, os.O_RDONLY)
    try:
        request = Wanted(NEEDED, kind, path.stat().st_size)
        worker.run(msgspec.msgpack.encode(request), handle, out.append)
    finally:
        os.close(handle)
    found = msgspec.msgpack.decode(out[0], type=Examined).findings
    return clip(name, {x.examiner: (x.facts, {b.name: b.data for b in x.blobs}) for x in found})


@cache
def collection() -> dict[tuple[str, str], Pair]:
    """All pairs of the example."""
    pairs = traced([seen(name) for name in (*CLIPS, *OTHERS)])
    return {(pair.a, pair.b): pair for pair in pairs}


@pytest.mark.parametrize("name", COPIES)
def test_every_copy_not_marked_hard_is_found(name: str) -> None:
    pair = compare(seen("first"), seen(name))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    truth = CLIPS[name]["segments"][0]
    (segment,) = pair.segments
    shift = truth["copy_start_s"] - truth["source_start_s"]
    middle = (segment.a_start_s + segment.a_end_s) / 2
    at = segment.b_start_s + (middle - segment.a_start_s) * segment.speed
    assert abs(at - middle - shift) < 0.25
    assert segment.b_start_s == pytest.approx(truth["copy_start_s"], abs=1.0)
    assert segment.b_end_s == pytest.approx(truth["copy_end_s"], abs=1.0)
    assert pair.transform is not None
    assert pair.transform.mirrored is CLIPS[name]["mirrored"]


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_copy_is_none(name: str) -> None:
    for other in CLIPS:
        assert compare(seen(other), seen(name)).verdict is not Verdict.SAME_FOOTAGE, other
        assert compare(seen(name), seen(other)).verdict is not Verdict.SAME_FOOTAGE, other


def test_in_the_collection_all_copies_meet_and_nothing_else_does() -> None:
    same = {key for key, pair in collection().items() if pair.verdict is Verdict.SAME_FOOTAGE}
    assert not [key for key in same if set(key) & set(OTHERS)]
    missed = [
        (one, other)
        for at, one in enumerate(EASY)
        for other in EASY[at + 1 :]
        if (one, other) not in same
    ]
    assert missed == []


def test_the_other_moment_shows_the_same_place() -> None:
    pair = collection()["first", "later"]
    assert pair.verdict in (Verdict.SAME_CAMERA_OTHER_MOMENT, Verdict.UNDETERMINED)
    assert ("first", "market") not in collection()


def test_the_crop_is_placed_and_the_sound_is_heard() -> None:
    pair = compare(seen("first"), seen("crop10"))
    left, top, wide, high = CLIPS["crop10"]["crop_box_px"]
    box = (left / 640, top / 360, (left + wide) / 640, (top + high) / 360)
    assert pair.transform is not None and pair.transform.crop == pytest.approx(box, abs=0.03)
    assert pair.sound
    assert not compare(seen("first"), seen("muted")).sound
