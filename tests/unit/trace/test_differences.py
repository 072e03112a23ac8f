"""What sets copies apart, on scenes made here with parts that are known to be covered, cut or added."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from muniment.examine.hashing import resampled
from muniment.model.differences import ClusterDifferences, Difference, Making, Sound
from muniment.model.trace import Pair, Segment, Transform, Verdict
from muniment.trace.clip import Clip
from muniment.trace.compare import compare
from muniment.trace.differences import differences
from muniment.trace.heard import heard
from muniment.trace.making import beside, guessed, making
from muniment.trace.overlays import laid, regions
from muniment.trace.stretches import cuts, runs_on
from tests.unit.trace.test_compare import SIDE, Image, Picture, filmed, scene

Box = tuple[float, float, float, float]
LENGTH_S = 10.0
WHOLE = (Segment(0.0, LENGTH_S, 0.0, LENGTH_S, 1.0, 0.99),)
BAND: Box = (0.0, 0.8, 1.0, 0.93)
LOGO: Box = (0.78, 0.06, 0.94, 0.22)


def over(picture: Picture, box: Box, from_s: float = 0.0, to_s: float = 99.0) -> Picture:
    """The picture with a striped plate over a part of it for a while."""

    def at(time_s: float) -> Image:
        out = picture(time_s).copy()
        if from_s <= time_s < to_s:
            left, top, right, bottom = (round(side * SIDE) for side in box)
            out[top:bottom, left:right] = 12
            out[(top + bottom) // 2, left + 4 : right - 4] = 250
        return out

    return at


def ticker(picture: Picture) -> Picture:
    """A white band at the foot in which dark words run."""

    def at(time_s: float) -> Image:
        out = picture(time_s).copy()
        out[-26:] = np.linspace(225, 250, SIDE)[None, :]
        columns = (np.arange(SIDE) + int(time_s * 60)) % 24 < 12
        out[-20:, columns] = 20
        return out

    return at


def worse(picture: Picture) -> Picture:
    """The picture as a poor encoder leaves it: softer, in steps, darker, noisy."""

    def at(time_s: float) -> Image:
        soft = resampled(
            resampled(picture(time_s).astype(np.float32), (0, 0, 1, 1), 96), (0, 0, 1, 1), SIDE
        )
        noise = np.random.default_rng(int(time_s * 1000)).normal(0, 3, soft.shape)
        return np.clip((soft // 6) * 6 * 0.85 + 4 + noise, 0, 255).astype(np.uint8)

    return at


@cache
def first(place: int = 1) -> Clip:
    return filmed("first", scene(place, 1), LENGTH_S)


#: a cell on each side: what is covered in part counts as covered
CELL = 1.5 / 40


def near(one: Box, other: Box) -> bool:
    """Whether two boxes agree to within a cell on each side."""
    return one == pytest.approx(other, abs=CELL)


def found(copy: Clip, transform: Transform | None = None, place: int = 1) -> list[Any]:
    shown = laid(first(place), copy, WHOLE, transform)
    assert shown is not None
    return regions(shown)


@pytest.mark.parametrize("place", [1, 2, 3])
@pytest.mark.parametrize("box", [BAND, LOGO, (0.05, 0.05, 0.36, 0.36)])
def test_what_covers_the_picture_throughout_is_boxed(place: int, box: Box) -> None:
    (region,) = found(filmed("copy", over(scene(place, 1), box), LENGTH_S), place=place)
    assert near(region.box, box) and region.throughout and region.in_b
    # Seen from the other side it is the first one's picture that is covered.
    shown = laid(filmed("copy", over(scene(place, 1), box), LENGTH_S), first(place), WHOLE, None)
    assert shown is not None
    (region,) = regions(shown)
    assert region.in_b is False


def test_two_overlays_are_two_boxes() -> None:
    copy = filmed("copy", over(over(scene(1, 1), BAND), LOGO), LENGTH_S)
    boxes = [region.box for region in found(copy)]
    assert len(boxes) == 2
    assert near(boxes[0], BAND) and near(boxes[1], LOGO)


def test_words_that_run_along_the_foot_are_one_band() -> None:
    (region,) = found(filmed("copy", ticker(scene(2, 1)), LENGTH_S), place=2)
    assert near(region.box, (0.0, 0.9, 1.0, 1.0)) and region.throughout


def test_a_caption_for_a_while_has_its_times() -> None:
    (region,) = found(filmed("copy", over(scene(1, 1), BAND, 3.0, 7.0), LENGTH_S))
    assert near(region.box, BAND) and not region.throughout
    assert region.start_s == pytest.approx(3.0, abs=0.75)
    assert region.end_s == pytest.approx(7.0, abs=0.75)


def test_a_mirrored_copy_has_its_logo_where_it_is_seen() -> None:
    copy = filmed("copy", over(lambda t: scene(1, 1)(t)[:, ::-1], LOGO), LENGTH_S)
    (region,) = found(copy, Transform(mirrored=True))
    assert near(region.box, LOGO)
    assert near(region.box_a, (1 - LOGO[2], LOGO[1], 1 - LOGO[0], LOGO[3]))


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_a_poor_copy_is_covered_nowhere(place: int) -> None:
    assert found(filmed("copy", worse(scene(place, 1)), LENGTH_S), place=place) == []
    crop = (0.06, 0.04, 0.96, 0.94)

    def cut(time_s: float) -> Image:
        return resampled(worse(scene(place, 1))(time_s).astype(np.float32), crop, SIDE).astype(
            np.uint8
        )

    assert found(filmed("copy", cut, LENGTH_S), Transform(crop=crop), place) == []


def test_another_shot_is_no_overlay() -> None:
    assert found(filmed("copy", scene(7, 3), LENGTH_S)) == []


# ---------------------------------------------------------------- seconds


def joined(parts: list[tuple[Picture, float, float]]) -> tuple[Picture, float]:
    """Stretches (picture, from, to) one after the other, and their length."""

    def at(time_s: float) -> Image:
        for picture, start, end in parts:
            if time_s < end - start:
                return picture(start + time_s)
            time_s -= end - start
        return parts[-1][0](parts[-1][2])

    return at, sum(end - start for _, start, end in parts)


def test_cuts_end_what_runs_on() -> None:
    picture, length_s = joined([(scene(5, 1), 0, 4), (scene(1, 1), 2, 8), (scene(6, 1), 0, 4)])
    found_s = cuts(filmed("montage", picture, length_s))
    assert [pytest.approx(one, abs=0.21) for one in (4.0, 10.0)] == found_s
    assert runs_on((0.0, 4.3), found_s, 14.0) == []
    assert runs_on((0.0, 7.0), found_s, 14.0) == [(pytest.approx(4.0, abs=0.21), 7.0)]
    assert runs_on((8.0, 14.0), found_s, 14.0) == [(8.0, pytest.approx(10.0, abs=0.21))]
    assert cuts(first()) == [] and runs_on((3.0, LENGTH_S), (), LENGTH_S) == [(3.0, LENGTH_S)]


def cluster(
    clips: Mapping[str, Clip | None], pairs: list[Pair], made: Mapping[str, Making] | None = None
) -> ClusterDifferences:
    items = {name: (made or {}).get(name, Making(640, 360, 230_400, 500_000)) for name in clips}
    return differences(items, dict.fromkeys(clips), pairs, clips.get)


def same(a: str, b: str, *segments: Segment, transform: Transform | None = None) -> Pair:
    return Pair(a, b, Verdict.SAME_FOOTAGE, 0.95, segments or WHOLE, transform)


def of(told: ClusterDifferences, name: str) -> Difference:
    return next(one for one in told.differences if one.copy == name)


def test_a_part_and_a_montage_lack_seconds_and_add_others() -> None:
    part = filmed("part", scene(1, 1), 4.0, from_s=3.0)
    picture, length_s = joined([(scene(5, 1), 0, 4), (scene(1, 1), 2, 8), (scene(6, 1), 0, 4)])
    montage = filmed("montage", picture, length_s)
    told = cluster(
        {"first": first(), "part": part, "montage": montage},
        [
            same("first", "part", Segment(3.0, 7.0, 0.0, 4.0, 1.0, 0.9)),
            same("montage", "first", Segment(4.0, 10.0, 2.0, 8.0, 1.0, 0.9)),
            same("part", "montage", Segment(0.0, 4.0, 5.0, 9.0, 1.0, 0.9)),
        ],
    )
    assert told.fullest == "first"
    gaps = [(gap.where, gap.start_s, gap.end_s, gap.instead) for gap in of(told, "part").missing]
    assert gaps == [("beginning", 0.0, 3.0, None), ("end", 7.0, 10.0, None)]
    assert of(told, "part").added == ()
    montage_told = of(told, "montage")
    assert [(gap.where, gap.end_s - gap.start_s) for gap in montage_told.missing] == [
        ("beginning", 2.0),
        ("end", 2.0),
    ]
    assert [(gap.start_s, gap.end_s, gap.runs_on) for gap in montage_told.added] == [
        (0.0, 4.0, False),
        (10.0, 14.0, False),
    ]
    # What a cut sets off is no part of the footage; the line is the fullest version's.
    assert [piece.clip for piece in told.composite.pieces] == ["first"]
    assert told.composite.length_s == LENGTH_S


def test_a_cut_in_the_middle_and_what_stands_there_instead() -> None:
    picture, length_s = joined([(scene(1, 1), 0, 4), (scene(1, 1), 6, 10)])
    shorter = filmed("shorter", picture, length_s)
    picture, length_s = joined([(scene(1, 1), 0, 4), (scene(5, 1), 0, 2), (scene(1, 1), 6, 10)])
    changed = filmed("changed", picture, length_s)
    ends = (Segment(0.0, 4.0, 0.0, 4.0, 1.0, 0.9), Segment(6.0, 10.0, 4.0, 8.0, 1.0, 0.9))
    kept = (Segment(0.0, 4.0, 0.0, 4.0, 1.0, 0.9), Segment(6.0, 10.0, 6.0, 10.0, 1.0, 0.9))
    told = cluster(
        {"first": first(), "shorter": shorter, "changed": changed},
        [same("first", "shorter", *ends), same("first", "changed", *kept)],
    )
    (gap,) = of(told, "shorter").missing
    assert (gap.where, gap.start_s, gap.end_s, gap.instead) == ("middle", 4.0, 6.0, None)
    (gap,) = of(told, "changed").missing
    assert (gap.where, gap.instead) == ("middle", (4.0, 6.0))
    assert of(told, "changed").alike == ()
    # The same gap where the pictures are alike after all is neither missing nor added.
    told = cluster(
        {"first": first(), "copy": replace(first(), id="copy")}, [same("first", "copy", *kept)]
    )
    (only,) = told.differences
    assert only.missing == () and only.added == ()
    assert [(gap.start_s, gap.end_s) for gap in only.alike] == [(4.0, 6.0)]


def test_what_only_others_show_lengthens_the_line() -> None:
    early = filmed("early", scene(1, 1), 9.0)
    late = filmed("late", scene(1, 1), 9.0, from_s=6.0)
    told = cluster(
        {"early": early, "late": late},
        [same("early", "late", Segment(6.0, 9.0, 0.0, 3.0, 1.0, 0.9))],
    )
    assert told.fullest == "early"
    assert [(one.clip, one.at_s, one.start_s) for one in told.composite.pieces] == [
        ("early", 0.0, 0.0),
        ("late", 9.0, 3.0),
    ]
    assert told.composite.length_s == 15.0
    assert [(one.clip, one.start_s, one.end_s) for one in told.composite.best] == [
        ("early", 0.0, 9.0),
        ("late", 9.0, 15.0),
    ]
    (added,) = of(told, "late").added
    assert added.runs_on and added.also_in == ()


# ---------------------------------------------------------------- the fullest version


def test_the_fullest_is_the_longest_then_the_widest_then_the_clearest() -> None:
    copies: dict[str, Clip | None] = {
        "a-poor": replace(first(), id="a-poor"),
        "b-good": replace(first(), id="b-good"),
        "c-short": filmed("c-short", scene(1, 1), 5.0),
        "d-cropped": replace(first(), id="d-cropped"),
        "e-captioned": filmed("e-captioned", over(scene(1, 1), BAND), LENGTH_S),
    }
    crop = Transform(crop=(0.1, 0.1, 0.9, 0.9))
    half = Segment(0.0, 5.0, 0.0, 5.0, 1.0, 0.9)
    pairs = [
        same("a-poor", "b-good"),
        same("b-good", "c-short", half),
        same("b-good", "d-cropped", transform=crop),
        same("b-good", "e-captioned"),
        same("a-poor", "e-captioned"),
    ]
    made = {
        "a-poor": Making(320, 180, 57_600, 900_000),
        "b-good": Making(640, 360, 230_400, 400_000),
        "c-short": Making(1920, 1080, 2_073_600, 9_000_000),
        "d-cropped": Making(1920, 1080, 2_073_600, 9_000_000),
        "e-captioned": Making(1280, 720, 921_600, 9_000_000),
    }
    told = cluster(copies, pairs, made)
    assert told.fullest == "b-good"
    assert "original" not in told.why
    # Of its first seconds there is a clearer source.
    best = [(one.clip, one.start_s, one.end_s) for one in told.composite.best]
    assert best == [("c-short", 0.0, 5.0), ("b-good", 5.0, LENGTH_S)]
    without = {name: clip for name, clip in copies.items() if name != "b-good"}
    assert cluster(without, pairs[-1:], made).fullest == "a-poor"


def test_which_of_two_that_differ_is_covered_the_others_tell() -> None:
    clips: dict[str, Clip | None] = {
        f"copy-{at}": replace(first(), id=f"copy-{at}") for at in range(3)
    }
    # A part replaced by itself, moved: it has no edge that tells it from the picture.
    base = scene(1, 1)

    def moved(time_s: float) -> Image:
        out = base(time_s).copy()
        ramp = np.linspace(-1, 1, 60)
        bump = 90 * np.clip(1.1 - np.hypot(ramp[:, None], ramp[None, :]), 0, 1)
        out[100:160, 100:160] = np.clip(out[100:160, 100:160] * 0.4 + bump + 80, 0, 255)
        return out

    clips["other"] = filmed("other", moved, LENGTH_S)
    names = sorted(clips)
    pairs = [same(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    told = cluster(clips, pairs, {"copy-0": Making(1280, 720, 921_600, 1)})
    assert told.fullest == "copy-0"
    assert of(told, "other").covered and all(part.in_copy for part in of(told, "other").covered)
    assert not of(told, "copy-1").covered


def test_a_cluster_of_two_without_clips_and_one_never_laid_on_the_fullest() -> None:
    told = cluster({"a": None, "b": None}, [same("a", "b")])
    (only,) = told.differences
    assert not only.laid and told.composite.length_s == 0.0
    clips: dict[str, Clip | None] = {
        name: replace(first(), id=name) for name in ("a", "b", "c", "d", "e")
    }
    early, late = Segment(0, 4, 0, 4, 1, 0.9), Segment(6, 10, 6, 10, 1, 0.9)
    told = cluster(clips, [same("a", "b"), same("b", "c", early), same("b", "d", late)])
    assert {one.copy: (one.laid, one.by_way) for one in told.differences if one.copy != "e"} in (
        {"b": (True, False), "c": (True, True), "d": (True, True)},
        {"a": (True, False), "c": (True, False), "d": (True, False)},
    )
    assert not of(told, "e").laid, "joined by a person's decision alone, it has no segments"


def test_thirty_copies_are_told_in_one_go() -> None:
    clips: dict[str, Clip | None] = {}
    for at in range(30):
        picture: Callable[[float], Image] = scene(1, 1)
        if at % 3 == 1:
            picture = over(picture, BAND)
        clips[f"copy-{at:02d}"] = filmed(f"copy-{at:02d}", picture, LENGTH_S)
    names = sorted(clips)
    pairs = [same(a, b) for at, a in enumerate(names) for b in names[at + 1 :]]
    told = cluster(clips, pairs)
    assert len(told.differences) == 29 and told.fullest == "copy-00"
    for one in told.differences:
        is_captioned = int(one.copy[-2:]) % 3 == 1
        assert bool(one.covered) == is_captioned, one
        assert all(part.in_copy for part in one.covered)
    assert told == cluster(clips, list(reversed(pairs))), "the order of the pairs is nothing"


def test_a_still_beside_a_clip_says_nothing_it_cannot() -> None:
    still = filmed("still", scene(1, 1), 0.6)
    shot = Segment(2.0, 2.5, 0.0, 0.5, 1.0, 0.9)
    told = cluster({"first": first(), "still": still}, [same("first", "still", shot)])
    (only,) = told.differences
    assert told.fullest == "first" and only.covered == () and only.sound is Sound.NEITHER


def test_speed_mirror_crop_and_bars_are_told_of_the_copy() -> None:
    faster = filmed("faster", scene(1, 1), LENGTH_S / 1.25, speed=1.25)
    told = cluster(
        {"first": first(), "faster": faster},
        [same("faster", "first", Segment(0.0, 8.0, 0.0, 10.0, 1.25, 0.9))],
        {"first": Making(1280, 720, 921_600, 1)},
    )
    assert of(told, "faster").speed == 1.25
    other = Transform(True, (0.1, 0.05, 0.9, 0.85), None, (0.125, 0.0, 0.875, 1.0))
    told = cluster(
        {"first": first(), "copy": replace(first(), id="copy")},
        [same("first", "copy", transform=other)],
    )
    (one,) = told.differences
    assert told.fullest == "first" and one.mirrored and one.bars == (0.125, 0.0, 0.875, 1.0)
    assert one.crop == pytest.approx((0.1, 0.05, 0.9, 0.85), abs=0.01) and one.around is None


def test_a_player_around_the_picture_is_a_frame_and_a_wider_picture_is_none() -> None:
    inner: Box = (0.15, 0.15, 0.85, 0.8)

    def player(time_s: float) -> Image:
        slope = np.linspace(0, 44, SIDE)
        out = (4 + slope[None, :] + slope[:, None] / 2).astype(np.uint8)
        left, top, right, bottom = (round(side * SIDE) for side in inner)
        small = scene(1, 1)(time_s)
        rows = np.linspace(0, SIDE - 1, bottom - top).astype(int)
        columns = np.linspace(0, SIDE - 1, right - left).astype(int)
        out[top:bottom, left:right] = small[rows][:, columns]
        return out

    copy = filmed("player", player, LENGTH_S)
    pair = compare(first(), copy)
    assert pair.verdict is Verdict.SAME_FOOTAGE, pair.reasons
    for made in ({}, {"player": Making(1920, 1080, 2_073_600, 9_000_000)}):
        told = cluster({"first": first(), "player": copy}, [pair], made)
        (one,) = told.differences
        assert told.fullest == "first" and one.framed and one.crop is None
        assert one.around == pytest.approx(inner, abs=0.03)
    crop = (0.1, 0.1, 0.9, 0.9)

    def closer(time_s: float) -> Image:
        picture = scene(1, 1)(time_s).astype(np.float32)
        return resampled(picture, crop, SIDE).astype(np.uint8)

    copy = filmed("closer", closer, LENGTH_S)
    told = cluster({"first": first(), "closer": copy}, [compare(copy, first())])
    (one,) = told.differences
    assert told.fullest == "first" and not one.framed
    assert one.crop == pytest.approx(crop, abs=0.03)


# ---------------------------------------------------------------- sound and making


def sounding(name: str, seed: int, shift_s: float = 0.0, kept: float = 1.0) -> Clip:
    chance = np.random.default_rng(seed)
    hashes = chance.integers(0, 2**32, 400).astype(np.uint32)
    times = np.sort(chance.uniform(0.0, LENGTH_S, 400))
    held = np.random.default_rng(5).uniform(size=400) < kept
    return replace(first(), id=name, sound=hashes[held], sound_s=times[held] + shift_s)


@pytest.mark.parametrize(
    ("copy", "loudest", "wanted"),
    [
        (sounding("b", 1), (9000, 9000), (Sound.SAME, None)),
        (sounding("b", 1, kept=0.1), (9000, 9000), (Sound.SAME, None)),
        (sounding("b", 1, 2.0), (9000, 9000), (Sound.SHIFTED, 2.0)),
        (sounding("b", 2), (9000, 9000), (Sound.OTHER, None)),
        (sounding("b", 2, kept=0.1), (9000, 9000), (Sound.UNKNOWN, None)),
        (sounding("b", 2), (9000, None), (Sound.NO_TRACK, None)),
        (sounding("b", 2), (9000, 3), (Sound.SILENT, None)),
        (sounding("b", 2), (None, 9000), (Sound.ADDED, None)),
        (sounding("b", 2), (None, None), (Sound.NEITHER, None)),
    ],
)
def test_sound_is_the_same_moved_other_or_not_told(
    copy: Clip, loudest: tuple[int | None, int | None], wanted: tuple[Sound, float | None]
) -> None:
    assert heard(sounding("a", 1), copy, WHOLE, loudest) == wanted


def test_sound_at_another_speed_is_not_called_other() -> None:
    fast = (Segment(0.0, 10.0, 0.0, 8.0, 0.8, 0.9),)
    assert heard(sounding("a", 1), sounding("b", 2), fast, (9, 9000)) == (Sound.ADDED, None)
    assert heard(sounding("a", 1), sounding("b", 2), fast, (9000, 9000)) == (Sound.UNKNOWN, None)


def test_the_guess_at_generations_rests_on_what_names_itself() -> None:
    lavf = {"encoders": [{"source": "container: encoder", "text": "Lavf61.7.100"}]}
    phone = {"tags": [{"name": "com.apple.quicktime.make", "value": "Phone Maker"}]}
    assert guessed({}).at_least == 0 and guessed({}).reasons == ()
    assert guessed(lavf).at_least == 2 and "Lavf61.7.100" in guessed(lavf).reasons[0]
    assert guessed(phone).at_least == 1
    assert guessed(lavf | phone).at_least == 2 and len(guessed(lavf | phone).reasons) == 2
    # A handler's name is what every writer puts there; names of people are none of programs.
    names = {"encoders": [{"source": "track 0: handler_name", "text": "VideoHandler"}]}
    assert guessed(names).at_least == 0
    facts = lavf | {
        "packets": {"bytes": 125_000, "pictures": 100, "key_pictures": 4},
        "structure": {"brands": ["isom", "mp41"]},
        "tracks": [{"type": "video", "codec": "h264", "decoded": True}],
    }
    made = making(first(), facts)
    assert (made.bit_rate_bps, made.key_every_s) == (100_000, 2.5)
    assert (made.codec, made.brand, made.encoders) == ("h264", "isom", ("Lavf61.7.100",))
    assert making(first(), None).bit_rate_bps is None
    more = replace_rate(made, 400_000)
    assert "fewer bits" in beside(made, more).generations.reasons[-1]
    assert beside(more, made) == more


def replace_rate(made: Making, rate_bps: int) -> Making:
    import msgspec

    return msgspec.structs.replace(made, bit_rate_bps=rate_bps)
