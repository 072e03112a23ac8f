"""The picture: every post is drawn once, an uncertain time never as a dot, a claim never as a post."""

from __future__ import annotations

import re
from types import ModuleType

import msgspec
import pytest

from muniment.model.times import Interval
from muniment.report import axis
from muniment.report.page import render
from muniment.report.scene import Picture
from muniment.report.spread import Spread, spread
from muniment.report.survey import narrowed, survey
from muniment.report.wording import duration, fit, line, millis


def drawn(data: object) -> Spread:
    return spread(data, survey(data))  # type: ignore[arg-type]


def overview(data: object) -> Picture:
    return drawn(data).pictures[0]


def counted(picture: Picture) -> int:
    total = 0
    for mark in picture.marks:
        number = re.match(r"(?:.*: )?([\d,]+) (?:more )?posts?\b", mark.title)
        is_group = mark.shape in ("bin", "more") or (mark.shape == "bar" and mark.label)
        total += int(number[1].replace(",", "")) if is_group and number else 1
    return total


def test_every_post_has_a_mark_of_the_right_kind(example: ModuleType) -> None:
    data = example.courtyard()
    picture = overview(data)
    assert counted(picture) == len(data.posts)
    shapes = {mark.target: mark for mark in picture.marks}
    for post, target in zip(data.posts, survey(data).anchors, strict=True):
        mark, exact = shapes[target], post.published.earliest_utc == post.published.latest_utc
        assert (mark.shape == "bar") == (not exact)
        assert mark.edited == (post.edited is not None)
        assert (mark.state == "gone") == (post.media_type is not None and not post.media_item)
        if post.published.earliest_utc is None:
            assert float(mark.x) > float(picture.undated or 0)
        if post.kind == "service":
            assert mark.shape == "service"


def test_marks_do_not_cover_each_other(example: ModuleType) -> None:
    dots = [mark for mark in overview(example.courtyard()).marks if mark.shape == "dot"]
    for index, one in enumerate(dots):
        for other in dots[index + 1 :]:
            apart = abs(float(one.x) - float(other.x)), abs(float(one.y) - float(other.y))
            assert apart[0] >= 10 or apart[1] >= 10


def test_claimed_forwards_end_at_the_border_of_a_lane(example: ModuleType) -> None:
    data = example.courtyard()
    picture = overview(data)
    claims = [post for post in data.posts if post.forwarded_from]
    assert len(picture.edges) == len(claims)
    borders = {float(band.y) for band in picture.bands}
    borders |= {float(band.y) + float(band.height) for band in picture.bands}
    for edge in picture.edges:
        x_from, *_ = map(float, re.findall(r"-?[\d.]+", edge.path))
        *_, x_to, y_to = map(float, re.findall(r"-?[\d.]+", edge.path))
        assert x_from == x_to and y_to in borders
        assert edge.title.startswith("claims to be forwarded from ")


def test_a_name_that_two_channels_bear_is_not_decided(example: ModuleType) -> None:
    outside = {
        band.label: band.note for band in overview(example.courtyard()).bands if band.outside
    }
    assert outside["Courtyard Watch"] == "2 channels of this name"
    assert outside["Quay Letters"] == "named only, not held"
    assert "Harbour Desk" not in outside


def test_a_crowded_stretch_is_drawn_again(example: ModuleType) -> None:
    whole, close = drawn(example.courtyard()).pictures
    assert close.heading == "Close-up"
    assert "not drawn here: 5 posts or service messages." in close.notes[0]
    assert any(mark.open_left for mark in close.marks)
    assert {mark.id for mark in whole.marks}.isdisjoint({mark.id for mark in close.marks})


@pytest.mark.parametrize(
    ("number", "channels", "span_s"),
    [(1, 1, 1), (25, 1, 10), (300, 60, 3600), (2000, 3, 10**9), (5000, 60, 40), (4000, 150, 10**9)],
)
def test_any_size_and_span_is_drawn(
    example: ModuleType, number: int, channels: int, span_s: int
) -> None:
    data = example.many(number, channels, span_s)
    for picture in drawn(data).pictures:
        assert picture.grid or span_s == 1
        for mark in picture.marks:
            assert 196 <= float(mark.x) <= 1160 and 40 <= float(mark.y) <= float(picture.height)
        for band in picture.bands:
            assert float(band.height) >= 27
    picture = overview(data)
    left_out = re.search(r"([\d,]+) posts? of the others", " ".join(picture.notes))
    assert counted(picture) + int((left_out or ["", "0"])[1].replace(",", "")) == number


def test_lanes_beyond_the_hundredth_are_said_not_drawn(example: ModuleType) -> None:
    data = example.many(400, 150, 10**6)
    picture = overview(data)
    assert len([band for band in picture.bands if not band.outside]) == 100
    assert "The 100 fullest of 137 channels are drawn" in picture.notes[0]
    notes = {band.note for band in picture.bands if band.outside}
    assert "held, lane not drawn" in notes or "see the list" in notes
    assert set(narrowed(survey(data), 5).lane_of) == {-1, 0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    ("earliest", "latest"),
    [
        ("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        ("0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"),
        ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ("2026-05-03T00:00:00.000Z", "2026-05-01T00:00:00.000Z"),
        ("2026-05-03T00:00:00.000Z", None),
        (None, None),
    ],
)
def test_the_ends_of_the_calendar_and_odd_intervals(
    example: ModuleType, earliest: str | None, latest: str | None
) -> None:
    one = example.make_post("lane", 2, Interval(earliest, latest, "odd"))
    for copies in (1, 2100):
        posts = tuple(
            msgspec.structs.replace(one, id=f"post:{number:012x}") for number in range(copies)
        )
        data = msgspec.structs.replace(example.empty(), posts=posts)
        assert counted(overview(data)) == copies
        assert render(data)


def test_undated_posts_alone_claim_no_time(example: ModuleType) -> None:
    post = example.make_post("lane", 2, example.NO_TIME)
    picture = overview(msgspec.structs.replace(example.empty(), posts=(post,)))
    assert picture.grid == () and picture.undated
    assert "no known time" in picture.title


@pytest.mark.parametrize("span_ms", [1, 999, 10**4, 10**6, 10**8, 10**10, 10**12, 10**14])
def test_ticks_are_few_even_and_inside(span_ms: int) -> None:
    start = millis("2026-05-02T09:21:07.123Z")
    end = min(start + span_ms, axis.LATEST_MS)
    ticks = axis.ticks(start, end)
    assert len(ticks) <= 11
    assert all(start <= tick.at_ms <= end for tick in ticks)
    step, borders = axis.edges(start, end, 36)
    assert borders[0] <= start and borders[-1] >= end and len(borders) <= 39, step


def test_days_are_named_once_where_they_change() -> None:
    start = millis("2026-05-02T20:00:00.000Z")
    ticks = axis.ticks(start, start + 8 * 3_600_000)
    assert [(tick.label, tick.context) for tick in ticks[::4]] == [
        ("20:00", "2 May 2026"),
        ("00:00", "3 May 2026"),
        ("04:00", ""),
    ]


def test_words_are_exact() -> None:
    assert duration(59_999) == "59 s"
    assert duration(3 * 86_400_000 + 60_000) == "3 d"
    assert fit("ab" * 40, 10) == "ababababa…"
    assert len(fit("漢字" * 40, 10)) <= 6
    assert line("a\r\nb\u202e") == "a\\r ↵ b\\u202e"
