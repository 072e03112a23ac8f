"""What the search proposes, and that going on from an index changes nothing."""

from __future__ import annotations

import numpy as np

from muniment.trace.candidates import Before, Collection, Tracer
from muniment.trace.codes import Codes
from muniment.trace.register import Looked
from tests.unit.trace.test_compare import COPIES, FIRST, Image, filmed, scene

LATER = filmed("copy", scene(1, 1), 8.0, from_s=1.0)
HELD = (
    filmed("short", scene(1, 1), 5.0, from_s=3.0),
    FIRST,
    filmed("mirrored", COPIES["mirrored"], 6.0, from_s=2.0),
    filmed("other", scene(2, 3), 6.0),
)


def flat(level: int) -> Image:
    shape = scene(1, 1)(0.0).shape
    return lambda _: np.full(shape, level, np.float32)


def test_black_and_flat_pictures_propose_nothing() -> None:
    held = Collection([*HELD, *(filmed(f"flat {at}", flat(at), 6.0) for at in (0, 90, 255))])
    for level in (0, 90, 255):
        looked = Looked(filmed("asked", flat(level), 6.0))
        assert held.near(looked) == {} and held.proposed(looked) == []


def test_a_picture_that_many_clips_show_weighs_less() -> None:
    """Of a title that all share, and of one that two share."""

    def titled(name: str, title: int, own: int) -> Image:
        return lambda time_s: scene(title, 1)(0.0) if time_s < 2.0 else scene(own, 1)(time_s)

    many = Collection(filmed(f"{own}", titled("", 50, own), 5.0) for own in range(60, 72))
    few = Collection([filmed("60", titled("", 50, 60), 5.0)])
    asked = Looked(filmed("asked", titled("", 50, 90), 5.0))
    assert many.near(asked)[0] < few.near(asked)[0] / 2


def test_going_on_from_an_index_gives_what_one_run_gives() -> None:
    by_id = {one.id: one for one in HELD}
    one_run = Tracer()
    pairs = {one.id: one_run.trace(one) for one in HELD}
    hashes = one_run._collection._whole._codes, one_run._collection._crops._codes
    read: list[str] = []

    def anew(name: str) -> object:
        read.append(name)
        return by_id[name]

    for count in (0, 1, len(HELD)):
        taken = one_run.taken[:count]
        totals = sum(one.whole for one in taken), sum(one.crops for one in taken)
        whole, crops = (
            Codes(codes.added[:total].copy()) for codes, total in zip(hashes, totals, strict=True)
        )
        before = Before(taken, whole, crops, pairs.__getitem__)
        again = Tracer(read=anew, before=before)  # type: ignore[arg-type]
        for one in HELD[count:]:
            assert again.trace(one) == pairs[one.id]
        assert again.taken == one_run.taken
        read.clear()
        found = again.trace(LATER)
        if count == len(HELD):
            assert "other" not in read and read
            assert found == one_run.trace(LATER)
