"""The example: the transform of every copy is found beside the fullest version, or is a known miss."""

from __future__ import annotations

from functools import cache

import pytest

from muniment.model.differences import ClusterDifferences, Difference, Sound
from muniment.trace.differences import differences
from muniment.trace.making import making
from tests.trace.test_courtyard import CLIPS, EASY, collection, seen

#: Found in the example, and so kept from being lost: these copies and no others differ in this way.
COVERED = {"caption", "caption-again"}
CROPPED = {"crop10", "crop30"}


@cache
def told() -> ClusterDifferences:
    pairs = [one for one in collection().values() if one.joins]
    members = {name for one in pairs for name in (one.a, one.b)}
    items = {
        name: making(seen(name), {"packets": {"bytes": CLIPS[name]["files"][0]["bytes"]}})
        for name in members
    }
    loudest = {name: None if CLIPS[name].get("sound") == "none" else 20_000 for name in members}
    return differences(items, loudest, pairs, seen)


def of(name: str) -> Difference:
    return next(one for one in told().differences if one.copy == name)


def test_the_fullest_version_is_the_first_publication() -> None:
    assert told().fullest == "first"
    assert {one.copy for one in told().differences} >= set(EASY) - {"first"}
    assert [piece.clip for piece in told().composite.pieces] == ["first"]
    assert [best.clip for best in told().composite.best] == ["first"]


@pytest.mark.parametrize("name", [name for name in EASY if name != "first"])
def test_each_copy_differs_as_the_truth_says_and_in_nothing_else(name: str) -> None:
    truth, found = CLIPS[name], of(name)
    (segment,) = truth["segments"]
    assert found.laid and found.mirrored is truth["mirrored"] and found.speed == 1.0
    assert bool(found.covered) == (name in COVERED)
    assert (found.crop is not None) == (name in CROPPED)
    assert (found.around is not None) == (name == "screen-flat") == found.framed
    assert found.sound is (Sound.NO_TRACK if name == "muted" else Sound.SAME)
    gaps = [
        ("beginning", 0.0, segment["source_start_s"]),
        ("end", segment["source_end_s"], 14.0),
    ]
    wanted = [gap for gap in gaps if gap[2] - gap[1] >= 1.0]
    assert [gap.where for gap in found.missing] == [gap[0] for gap in wanted]
    for gap, (_, start, end) in zip(found.missing, wanted, strict=True):
        assert (gap.start_s, gap.end_s) == (
            pytest.approx(start, abs=0.3),
            pytest.approx(end, abs=0.3),
        )
    assert bool(found.added) == (name == "montage")
    assert not any(one.runs_on or one.also_in for one in found.added)


def test_crops_bars_frame_and_overlays_lie_where_they_are() -> None:
    for name in CROPPED & {one.copy for one in told().differences}:
        left, top, wide, high = CLIPS[name]["crop_box_px"]
        box = (left / 640, top / 360, (left + wide) / 640, (top + high) / 360)
        assert of(name).crop == pytest.approx(box, abs=0.03)
    assert of("letterbox").bars == pytest.approx((0.0, 60 / 480, 1.0, 420 / 480), abs=0.02)
    player = (65 / 640, 38 / 360, 575 / 640, 324 / 360)
    assert of("screen-flat").around == pytest.approx(player, abs=0.04)
    for name in COVERED:
        band, logo = of(name).covered
        assert band.box == pytest.approx((24 / 640, 304 / 360, 616 / 640, 348 / 360), abs=0.05)
        assert band.throughout and band.in_copy
        # The round logo is 56 px wide and high; its upper and lower rim melt into the sky and wall.
        middle = ((logo.box[0] + logo.box[2]) / 2, (logo.box[1] + logo.box[3]) / 2)
        assert middle == pytest.approx((594 / 640, 42 / 360), abs=0.04)
        assert logo.throughout and logo.in_copy
