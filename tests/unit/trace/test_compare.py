"""Two clips compared, on scenes made here: what is a copy, what is not, and what cannot be told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from muniment.examine.fingerprint import Fingerprint
from muniment.examine.hashing import WHOLE, resampled
from muniment.examine.interface import Source
from muniment.examine.motion import Motion
from muniment.model.trace import Verdict
from muniment.trace.candidates import Tracer, traced
from muniment.trace.clip import Clip, clip
from muniment.trace.compare import compare

Image = NDArray[np.uint8]
Picture = Callable[[float], Image]
SIDE = 256


def ground(seed: int) -> NDArray[np.float32]:
    """A still background with blotches and sharp rectangles."""
    chance = np.random.default_rng([seed, 1])
    base = resampled(chance.uniform(60, 190, (1, 14, 14)).astype(np.float32), WHOLE, SIDE)[0]
    for _ in range(25):
        x, y = chance.integers(0, SIDE - 40, 2)
        w, h = chance.integers(8, 70, 2)
        base[y : y + h, x : x + w] = chance.uniform(30, 230)
    return base


def scene(place: int, moment: int, things: int = 6) -> Picture:
    """Things of many sizes that move about before the background of a place."""
    back = ground(place)
    chance = np.random.default_rng([place, moment, 2])
    paths = chance.uniform(0.1, 0.9, (things, 2)), chance.uniform(0.2, 0.9, (things, 4))
    sizes, greys = chance.integers(18, 46, things), chance.uniform(10, 245, things)

    def at(time_s: float) -> Image:
        picture = back.copy()
        for one in range(things):
            a, b, c, d = paths[1][one]
            x = paths[0][one, 0] + 0.35 * np.sin(a * 1.7 * time_s + 9 * c)
            y = paths[0][one, 1] + 0.35 * np.sin(b * 1.7 * time_s + 9 * d)
            left, top = int(np.clip(x, 0, 1) * (SIDE - 50)), int(np.clip(y, 0, 1) * (SIDE - 50))
            picture[top : top + sizes[one], left : left + sizes[one]] = greys[one]
        return np.clip(picture, 0, 255).astype(np.uint8)

    return at


def filmed(
    name: str, picture: Picture, length_s: float, from_s: float = 0.0, speed: float = 1.0
) -> Clip:
    """The clip that shows `picture` from `from_s` on; faster than it was when `speed` is over 1."""
    one, other = Fingerprint(), Motion()
    source = Source(1, "video/mp4", True, False, False, SIDE, SIDE, length_s)
    for examiner, stream, side, rate in (
        (one, "gray128@2fps", 128, 2),
        (other, "gray48@5fps", 48, 5),
    ):
        examiner.begin(source)
        for number in range(int(length_s * rate)):
            shown = picture(from_s + number / rate * speed)
            small = resampled(shown.astype(np.float32), WHOLE, side)
            examiner.frame(stream, number / rate, np.clip(small + 0.5, 0, 255).astype(np.uint8))
    found = [one.end(), other.end()]
    return clip(name, {x.examiner: (x.facts, {b.name: b.data for b in x.blobs}) for x in found})


FIRST = filmed("first", scene(1, 1), 10.0)


def cropped(picture: Picture) -> Picture:
    return lambda time_s: resampled(
        picture(time_s).astype(np.float32), (0.06, 0.02, 0.96, 0.92), SIDE
    ).astype(np.uint8)


def barred(picture: Picture) -> Picture:
    def at(time_s: float) -> Image:
        out = np.zeros((SIDE, SIDE), np.uint8)
        out[32:-32] = resampled(picture(time_s).astype(np.float32), WHOLE, SIDE)[::4].repeat(3, 0)
        return out

    return at


COPIES: dict[str, Picture] = {
    "the same": scene(1, 1),
    "mirrored": lambda time_s: scene(1, 1)(time_s)[:, ::-1],
    "brighter": lambda t: np.clip(scene(1, 1)(t) * 0.8 + 50.0, 0, 255).astype(np.uint8),
    "cropped": cropped(scene(1, 1)),
    "barred": barred(scene(1, 1)),
}


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_found_with_its_times(how: str) -> None:
    pair = compare(FIRST, filmed("copy", COPIES[how], 6.0, from_s=2.37))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    (segment,) = pair.segments
    assert abs(segment.a_start_s - segment.b_start_s - 2.37) < 0.1
    assert segment.b_end_s - segment.b_start_s > 5.0
    assert pair.transform is not None and pair.transform.mirrored is (how == "mirrored")


def test_a_crop_is_placed() -> None:
    pair = compare(FIRST, filmed("copy", COPIES["cropped"], 6.0, from_s=1.0))
    assert pair.transform is not None and pair.transform.crop is not None
    assert pair.transform.crop == pytest.approx((0.06, 0.02, 0.96, 0.92), abs=0.02)


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_another_speed_is_measured(speed: float) -> None:
    pair = compare(FIRST, filmed("copy", scene(1, 1), 7.0, from_s=1.0, speed=speed))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    assert pair.segments[0].speed == pytest.approx(1 / speed, abs=0.02)


@pytest.mark.parametrize("moment", range(2, 12))
def test_another_moment_of_the_same_camera_is_never_a_copy(moment: int) -> None:
    pair = compare(FIRST, filmed("other", scene(1, moment), 10.0))
    assert pair.verdict in (Verdict.SAME_CAMERA_OTHER_MOMENT, Verdict.UNDETERMINED), pair.reasons


@pytest.mark.parametrize("seed", range(6))
def test_a_camera_that_sways_in_two_moments_is_no_copy(seed: int) -> None:
    def swaying(moment: int) -> Picture:
        phase = np.random.default_rng([seed, moment]).uniform(0, 6.3, 2)
        back = ground(40 + seed)

        def at(time_s: float) -> Image:
            shift = 3.0 * np.sin(0.9 * time_s + phase)
            x, y = (shift / SIDE).tolist()
            return resampled(back, (x, y, 1 + x, 1 + y), SIDE).astype(np.uint8)

        return at

    one, other = filmed("one", swaying(1), 10.0), filmed("other", swaying(2), 10.0)
    assert compare(one, other).verdict is not Verdict.SAME_FOOTAGE


@pytest.mark.parametrize("light", ["none", "fade", "flicker"])
def test_a_still_scene_is_undetermined(light: str) -> None:
    def at(time_s: float) -> Image:
        gain = {"none": 1.0, "fade": 1 - 0.07 * time_s, "flicker": 1 - 0.3 * (int(time_s * 2) % 2)}
        return (ground(7) * gain[light]).astype(np.uint8)

    pair = compare(filmed("one", at, 8.0), filmed("other", at, 8.0))
    assert pair.verdict is Verdict.UNDETERMINED


def test_what_repeats_itself_is_undetermined() -> None:
    def at(time_s: float) -> Image:
        picture = ground(8)
        left = int(100 + 90 * np.sin(2 * np.pi * time_s / 2.0))
        picture[100:150, left : left + 50] = 250
        return picture.astype(np.uint8)

    pair = compare(filmed("one", at, 12.0), filmed("other", at, 12.0, from_s=4.0))
    assert pair.verdict is not Verdict.SAME_FOOTAGE, pair.reasons


def test_other_places_and_black_are_no_match() -> None:
    black = filmed("black", lambda _: np.zeros((SIDE, SIDE), np.uint8), 6.0)
    assert compare(FIRST, filmed("other", scene(2, 1), 8.0)).verdict is Verdict.NO_MATCH
    assert compare(FIRST, black).verdict is Verdict.NO_MATCH
    assert compare(black, black).verdict is Verdict.NO_MATCH


@pytest.mark.parametrize("how", [*COPIES, "another moment"])
def test_both_ways_round_are_one_comparison(how: str) -> None:
    picture = COPIES.get(how) or scene(1, 4)
    other = filmed("copy", picture, 6.0, from_s=2.37)
    one, back = compare(FIRST, other), compare(other, FIRST)
    assert (one.verdict, one.score) == (back.verdict, back.score)
    assert (back.a, back.b) == (one.b, one.a)
    for segment, turned in zip(one.segments, back.segments, strict=True):
        assert (segment.a_start_s, segment.b_end_s) == (turned.b_start_s, turned.a_end_s)


def test_a_still_costs_no_motion(monkeypatch: pytest.MonkeyPatch) -> None:
    still = Clip(**{**vars(filmed("still", scene(1, 1), 0.5)), "still": True})
    monkeypatch.setattr("muniment.trace.windows.shown", None)
    pair = compare(FIRST, still)
    assert pair.verdict is Verdict.UNDETERMINED and "single picture" in pair.reasons[-1]


def test_what_lies_in_a_copy_is_told_by_way_of_it() -> None:
    """The other moment is held against one of the copies, and what it is holds for all."""
    clips = [
        FIRST,
        *(filmed(f"copy {at}", scene(1, 1), 7.0, from_s=at / 5) for at in range(1, 5)),
        filmed("another moment", scene(1, 4), 10.0),
        filmed("a copy of that", scene(1, 4), 8.0, from_s=1.0),
    ]
    pairs = {(pair.a, pair.b): pair for pair in traced(clips)}
    for copy in ("first", "copy 1", "copy 4"):
        for other in ("another moment", "a copy of that"):
            assert pairs[copy, other].verdict is Verdict.SAME_CAMERA_OTHER_MOMENT
    assert pairs["another moment", "a copy of that"].verdict is Verdict.SAME_FOOTAGE
    assert len(pairs) == 21


def test_taking_clips_in_again_changes_nothing() -> None:
    """A run that goes on from results it finds gives what one run would have given."""
    clips = [
        filmed("short", scene(1, 1), 5.0, from_s=3.0),
        FIRST,
        filmed("mirrored", COPIES["mirrored"], 6.0, from_s=2.0),
        filmed("another moment", scene(1, 4), 10.0),
        filmed("copy", scene(1, 1), 8.0, from_s=1.0),
    ]
    by_id = {one.id: one for one in clips}
    whole = Tracer()
    at_once = [whole.trace(one) for one in clips]
    again, read = Tracer(read=by_id.__getitem__), [at_once[0]]
    again.take(clips[0], at_once[0])
    for number in (1, 2):
        again.take(clips[number], at_once[number])
        read.append(at_once[number])
    read += [again.trace(one) for one in clips[3:]]
    assert read == at_once


def test_a_still_of_a_frame_is_undetermined() -> None:
    source = Source(1, "image/jpeg", True, False, True, SIDE, SIDE, None)
    one = Fingerprint()
    one.begin(source)
    small = resampled(scene(1, 1)(3.0).astype(np.float32), WHOLE, 128)
    one.frame("gray128@2fps", 0.0, small.astype(np.uint8))
    found = one.end()
    still = clip("still", {"fingerprint": (found.facts, {b.name: b.data for b in found.blobs})})
    assert compare(FIRST, still).verdict is Verdict.UNDETERMINED
    assert compare(still, FIRST).verdict is Verdict.UNDETERMINED


def test_the_same_sound_makes_no_copy() -> None:
    """Landmarks that are equal do not change the verdict on other pictures."""
    other = filmed("other", scene(2, 1), 8.0)
    sound = np.arange(400, dtype=np.uint32), np.arange(400) * 0.02
    heard = [
        Clip(**{**vars(one), "sound": sound[0], "sound_s": sound[1]}) for one in (FIRST, other)
    ]
    pair = compare(*heard)
    assert pair.sound and pair.verdict is Verdict.NO_MATCH


def test_an_insert_is_found_in_what_surrounds_it() -> None:
    def at(time_s: float) -> Image:
        inside = 3.2 <= time_s < 8.2
        return scene(1, 1)(time_s - 1.0) if inside else scene(3, 1)(time_s)

    pair = compare(FIRST, filmed("montage", at, 11.0))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    (segment,) = pair.segments
    assert segment.b_start_s == pytest.approx(3.2, abs=0.4)
    assert segment.b_end_s == pytest.approx(8.2, abs=0.4)


def test_a_collection_gives_every_pair_once_and_says_by_way_of_what() -> None:
    clips = [
        FIRST,
        filmed("second", scene(1, 1), 8.0, from_s=1.0),
        filmed("elsewhere", scene(5, 1), 8.0),
        filmed("third", COPIES["mirrored"], 6.0, from_s=2.0),
    ]
    pairs = {(pair.a, pair.b): pair for pair in traced(clips)}
    same = {key for key, pair in pairs.items() if pair.verdict is Verdict.SAME_FOOTAGE}
    assert same == {("first", "second"), ("first", "third"), ("second", "third")}
    assert any("by way of" in pair.reasons[0] for pair in pairs.values())
    direct = {(pair.a, pair.b): pair for pair in traced(clips, direct=True)}
    assert set(direct) == set(pairs)
    for key in same:
        one, other = direct[key].segments[0], pairs[key].segments[0]
        assert one.b_start_s - one.a_start_s == pytest.approx(
            other.b_start_s - other.a_start_s, abs=0.1
        )


def captioned(picture: Picture) -> Picture:
    band = np.random.default_rng(77).choice(np.array([15, 240], np.uint8), (12, 60))

    def at(time_s: float) -> Image:
        out = picture(time_s).copy()
        out[200:248, 8:248] = band.repeat(4, 0).repeat(4, 1)
        return out

    return at


def test_clips_that_share_only_a_caption_are_no_match() -> None:
    one, other = (filmed(f"of {place}", captioned(scene(place, 1)), 8.0) for place in (1, 2))
    assert compare(one, other).verdict is Verdict.NO_MATCH


def test_a_captioned_copy_is_found_over_its_whole_length() -> None:
    pair = compare(FIRST, filmed("captioned", captioned(scene(1, 1)), 9.0, from_s=0.5))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    (segment,) = pair.segments
    assert segment.b_end_s - segment.b_start_s > 8.5


def ticking(picture: Picture) -> Picture:
    """A line of text that runs over a band along the lower edge."""
    text = np.random.default_rng(78).choice(np.array([20, 240], np.uint8), (4, 500)).repeat(5, 0)

    def at(time_s: float) -> Image:
        out = captioned(picture)(time_s).copy()
        begin = int(40 * time_s)
        out[232:252] = text[:, begin : begin + SIDE // 4].repeat(4, 1)
        return out

    return at


def test_a_copy_under_a_line_of_text_that_runs_is_found() -> None:
    pair = compare(FIRST, filmed("ticking", ticking(scene(1, 1)), 9.0, from_s=0.5))
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons


def test_another_moment_under_a_line_of_text_that_runs_is_not() -> None:
    pair = compare(FIRST, filmed("ticking", ticking(scene(1, 2)), 9.0, from_s=0.5))
    assert pair.verdict is not Verdict.SAME_FOOTAGE, pair.reasons


def banded(picture: Picture) -> Picture:
    """A screen that is filmed: a brighter band rolls over it."""
    rows = np.arange(SIDE)[:, None] / SIDE

    def at(time_s: float) -> Image:
        gain = 1 + 0.07 * np.sin(2 * np.pi * (rows - 0.4 * time_s))
        return np.clip(picture(time_s) * gain, 0, 255).astype(np.uint8)

    return at


@pytest.mark.parametrize(("moment", "same"), [(1, True), (2, False)])
def test_a_screen_filmed_under_a_rolling_band(moment: int, same: bool) -> None:
    pair = compare(FIRST, filmed("banded", banded(scene(1, moment)), 9.0, from_s=0.5))
    assert (pair.verdict is Verdict.SAME_FOOTAGE) == same, pair.reasons


def turned_by(picture: Picture, quarters: int) -> Picture:
    return lambda time_s: np.ascontiguousarray(np.rot90(picture(time_s), -quarters))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_copy_turned_by_quarters_is_found_and_told_so(quarters: int) -> None:
    copy = filmed("turned", turned_by(scene(1, 1), quarters), 6.0, from_s=2.0)
    pair = compare(FIRST, copy)
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    assert pair.transform is not None
    assert pair.transform.rotated_deg == 360 - 90 * quarters
    (found,) = [one for one in traced([FIRST, copy]) if one.verdict is Verdict.SAME_FOOTAGE]
    assert found.transform == pair.transform


def titled(picture: Picture, title_s: float = 2.6) -> Picture:
    """A title that moves all over, and then a clip."""
    title = scene(90, 1, 14)
    return lambda time_s: title(time_s) if time_s < title_s else picture(time_s - title_s)


def test_a_title_that_clips_share_makes_no_copy() -> None:
    one, other = (filmed(f"titled {place}", titled(scene(place, 1)), 12.0) for place in (1, 2))
    pair = compare(one, other)
    assert pair.verdict is not Verdict.SAME_FOOTAGE, pair.reasons


def test_copies_that_share_a_title_and_the_rest_are_found() -> None:
    one, other = (filmed(name, titled(scene(1, 1)), 12.0) for name in ("one", "other"))
    pair = compare(one, other)
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    assert sum(one.a_end_s - one.a_start_s for one in pair.segments) > 11
