"""Copies and items in detail: what is said of them, what is bounded, and that no picture is sharp."""

from __future__ import annotations

import base64
import itertools
import re
import time
from io import BytesIO
from types import ModuleType
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from muniment.errors import MalformedError
from muniment.model.report import LibraryView
from muniment.model.report_seen import (
    THUMBNAIL_PX,
    CompositeView,
    ConfinementView,
    CopyRow,
    ShownSpan,
    Thumbnail,
)
from muniment.model.trace import SCORE_SENTENCE, Pair, Segment, Verdict
from muniment.report import timeline
from muniment.report.bounds import MOST_DETAILED
from muniment.report.composite import composite, uncovered
from muniment.report.copies import MOST_PICTURED
from muniment.report.lineage import lineage
from muniment.report.page import pieces, render
from muniment.report.story import confinement_sentence
from muniment.report.thumbs import MOST_PICTURES, png

PIXELS = st.tuples(st.integers(1, THUMBNAIL_PX), st.integers(1, THUMBNAIL_PX))


@pytest.fixture(scope="module")
def traced(footage: ModuleType) -> str:
    return render(footage.traced(), footage.thumbnail).decode()


def words(html: str) -> str:
    """The page's text on one line, without tags."""
    body = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


# ---------------------------------------------------------------- pictures


@given(PIXELS, st.randoms(use_true_random=False))
def test_a_thumbnail_comes_back_from_its_png(size: tuple[int, int], random: object) -> None:
    width, height = size
    rgb = random.randbytes(width * height * 3)  # type: ignore[attr-defined]
    picture = Image.open(BytesIO(png(Thumbnail(rgb, width, height))))
    picture.load()
    assert picture.size == size and picture.mode == "RGB" and picture.tobytes() == rgb


@pytest.mark.parametrize("size", [(33, 18), (18, 33), (0, 4), (-1, 4), (640, 360)])
def test_nothing_sharper_comes_onto_the_page(size: tuple[int, int], footage: ModuleType) -> None:
    large = Thumbnail(bytes(max(0, size[0] * size[1] * 3)), *size)
    with pytest.raises(MalformedError, match="is no thumbnail"):
        render(footage.examined(), lambda key: large)


def test_bytes_that_are_no_picture_of_that_size_are_refused() -> None:
    with pytest.raises(MalformedError, match="are no picture of"):
        png(Thumbnail(b"\xff\xd8\xff" + bytes(20), 4, 4))


def test_every_picture_on_the_page_is_a_small_png(traced: str) -> None:
    sources = re.findall(r'src="data:image/png;base64,([^"]*)"', traced)
    assert len(sources) == traced.count("<img ")
    for source in set(sources):
        assert max(Image.open(BytesIO(base64.b64decode(source))).size) <= THUMBNAIL_PX


def test_pictures_are_fetched_while_the_page_is_drawn(footage: ModuleType) -> None:
    fetched: list[str] = []

    def fetch(key: str) -> Thumbnail | None:
        fetched.append(key)
        thumbnail: Thumbnail | None = footage.thumbnail(key)
        return thumbnail

    before = [len(fetched) for _ in pieces(footage.crowd(60), fetch)]
    assert len(before) > 4 and before[0] < len(fetched) / 3


def test_a_missing_picture_is_said(footage: ModuleType) -> None:
    html = render(footage.examined(), lambda key: None).decode()
    assert "<img" not in html and "Blurred frame of gate.mp4 at 2.0 s: no picture was kept" in html
    assert "img-src" not in render(footage.examined()).decode()


# ---------------------------------------------------------------- words


def test_copies_are_told_in_full(traced: str) -> None:
    text = words(traced)
    for said in (
        "5 items share footage, in 1 cluster; 36 pairs compared.",
        "Earliest copy found online: gate.mp4 , or screen.webm",
        "Earlier copies may exist outside this case.",
        "Rate of error: unknown for this material.",
        "another moment of the same camera: not the same footage Pictures and what moves in them"
        " agree by 0.62 of 1",
        "undetermined: what is held does not decide it Pictures and what moves in them agree by"
        " 0.48 of 1",
        "9.5–21.5 s , at 0.0–12.0 s of the copy, mirrored",
        "compared with other copies only, not with this one",
        "mirrored left to right",
        "cropped: shows 82 % of the width, 90 % of the height",
        "claimed forward",
        "no post shows it",
        "may be the earliest copy found online",
        "1 pair more is in the case",
    ):
        assert said.replace(" ,", ",") in text.replace(" ,", ","), said


def test_what_could_not_be_examined_stands_with_the_absences(traced: str) -> None:
    section = traced[traced.index('id="absences"') : traced.index('id="acquisitions"')]
    text = words(section[section.index('id="unexamined"') :])
    assert "8 examined wholly, 1 in part, 1 could not be examined, 1 not tried." in text
    rows = re.findall(r'data-label="What became of it"', section)
    assert len(rows) == 3, "one for each item that was not examined wholly"
    for said in (
        "truncated: ended after 18,211 bytes",
        "time limit: after 900 s of CPU",
        "no examiner ran yet",
    ):
        assert said in text, said
    counts = words(section)
    assert "only some of it could be decoded or read 1" in counts
    assert "nothing of it could be decoded or read 1" in counts


def test_pairs_with_thumbnails_are_counted_where_they_are_left_out(footage: ModuleType) -> None:
    data = footage.traced()
    assert "with a thumbnail made by an export" not in words(render(data).decode())
    trace = msgspec.structs.replace(data.trace, apart_small=1)
    more = words(render(msgspec.structs.replace(data, trace=trace)).decode())
    assert "1 pair with a thumbnail made by an export is left out here." in more


def test_libraries_stand_with_the_steps_that_recorded_them(footage: ModuleType) -> None:
    library = LibraryView("libavcodec", "62.28.102", ("examine.container", "examine.frames"))
    data = msgspec.structs.replace(footage.traced(), libraries=(library,))
    tools = words(render(data).decode().partition('id="tools"')[2])
    assert "libavcodec 62.28.102 examine.container , examine.frames" in tools
    assert "Libraries" not in words(render(footage.traced()).decode().partition('id="tools"')[2])


def test_reasons_in_a_row_are_told_apart(footage: ModuleType) -> None:
    data = footage.traced()
    one = data.trace.apart[1]
    view = msgspec.structs.replace(one, reasons=("by way of item:1", "the pictures agree"))
    trace = msgspec.structs.replace(data.trace, apart=(*data.trace.apart, *[view] * 20))
    page = render(msgspec.structs.replace(data, trace=trace), footage.thumbnail).decode()
    assert "by way of item:1; the pictures agree" in page
    assert page.count(SCORE_SENTENCE) == 1


def test_what_people_decided_stands_beside_what_the_program_found(footage: ModuleType) -> None:
    html = render(footage.decided(), footage.thumbnail).decode()
    text = words(html).replace("\xa0", " ").replace(" ,", ",").replace(" .", ".")
    for said in (
        "3 pairs of clips were decided by people.",
        "1 decision to keep two clips apart is contradicted.",
        "A person decided the same footage “The cart turns at the same second.”"
        " A. Example, 3 May 2026 10:09:00 UTC",
        "before: not the same footage (A. Example, 3 May 2026 10:01:00 UTC: “The light looks older.”)",
        "The program found same footage, score 0.97 of 1",
        "Contradiction. A. Example decided on 3 May 2026 10:05:00 UTC that gate.mp4 and screen.webm"
        " are not the same footage (“The sound is another.”)",
        "joined by way of IMG_0007.mp4 (and of 2 more items)",
        "counts no more ; the program had inferred: same footage",
        "in this cluster by decision of A. Example",
        "here by decision of A. Example; not laid on this one",
        "0.5–9.5 s of the copy, speed 0.90, by decision of A. Example",
    ):
        assert said in text, said
    table = html[html.index('id="decided"') : html.index('id="clusters"')]
    assert table.count("<tr>") == 4 and table.count("Contradicted") == 1
    apart = words(html[html.index('id="apart"') : html.index('id="items"')])
    assert apart.index("A person decided") < apart.index("counts no more")
    assert html.count('class="bx decided"') == 1


def test_nobody_decided_is_said(traced: str) -> None:
    assert "Nobody has decided on a pair" in words(traced)


def test_a_pair_kept_apart_is_drawn_as_one_that_only_looks_alike(footage: ModuleType) -> None:
    html = render(footage.decided(), footage.thumbnail).decode()
    apart = html[html.index('id="apart"') : html.index('id="items"')]
    assert apart.count('class="bars"') == 0 and apart.count('class="bars alike"') == 4


def test_pairs_that_are_no_copies_stand_apart(traced: str) -> None:
    cluster = traced[traced.index('id="cluster-1"') : traced.index('id="apart"')]
    apart = traced[traced.index('id="apart"') : traced.index('id="items"')]
    for name in ("bridge-am.mp4", "market.mp4"):
        assert name in apart and name not in cluster
    assert "same footage</b>" not in apart.replace("not the same footage</b>", "")
    assert apart.count('class="bars alike"') == 2 and 'class="bars alike"' not in cluster


def test_items_are_told_in_detail(traced: str) -> None:
    text = words(traced)
    for said in (
        "Of 11 items that can be examined: 8 examined wholly, 1 in part, 1 could not be examined, 1 not"
        " tried.",
        "Not wholly examined: 1 time limit, 1 truncated.",
        "8 container facts , 1 disagreement",
        "disagrees: video track says 24.480 s",
        "no video stream",
        "1,204 characters of text on 2 pages, read by text 1",
        "The courtyard is closed from 2 to 5 May.",
        "19 more frames are in the case.",
        "failed truncated: ended after 18,211 bytes",
        "file-system rules (Landlock): ABI 4",
        "examined in part: truncated",
    ):
        assert said.replace(" ,", ",") in text.replace(" ,", ","), said
    assert "No footage was decoded" not in text


def test_what_is_left_is_said_of_an_examined_case(footage: ModuleType) -> None:
    text = words(render(footage.examined(), footage.thumbnail).decode())
    assert "Copies, place and time have not been examined." in text
    assert "Copies were not looked for" in text
    assert "looking for copies; establishing place and time" in text


def test_files_not_held_are_counted_once(traced: str) -> None:
    text = words(traced)
    assert "6 known missing" in text and "among them 1 thumbnail" in text
    assert "Seen from the posts: 3 posts name these." in text
    assert "1 thumbnail made by an export" in text
    named = re.search(r"named by <a href=\"#(post-[0-9a-f]+)\"", traced)
    assert named and f'<tr id="{named[1]}">' in traced


def test_service_messages_are_no_posts_in_the_period(example: ModuleType) -> None:
    service = example.make_post("lane", 1, example.exact(-9000), kind="service", text=None)
    post = example.make_post("lane", 2, example.exact(4))
    data = msgspec.structs.replace(example.empty(), posts=(service, post))
    period = re.search(r"Period of the posts[^.]*\.", words(render(data).decode()))
    assert period and "2 May 2026 09:04:00 to 2 May 2026 09:04:00" in period[0].replace("\xa0", " ")


@pytest.mark.parametrize("layer", ["seccomp", "no_new_privs", "limits"])
def test_a_layer_that_is_missing_is_said(layer: str) -> None:
    whole = ConfinementView(True, True, 4, True, True)
    assert "not in force" not in confinement_sentence(whole)
    missing = confinement_sentence(msgspec.structs.replace(whole, **{layer: False}))
    assert missing.count("not in force") == 1
    assert "Landlock): not in force" in confinement_sentence(ConfinementView(True, True))


def test_unconfined_is_in_the_summary(footage: ModuleType) -> None:
    data = footage.examined()
    items = tuple(
        msgspec.structs.replace(item, confinement=footage.OPEN) if item.examined else item
        for item in data.items
    )
    html = render(msgspec.structs.replace(data, items=items)).decode()
    assert "Some footage was decoded without confinement." in html
    assert "Decoded without confinement (asked for with --unconfined)." in html


def test_a_strangers_words_do_nothing(footage: ModuleType) -> None:
    html = render(footage.hostile_traced(), footage.thumbnail).decode()
    assert "<script" not in html and "onclick='x'>b</b>" not in html
    for char in "\u202e\u202c\u200b\x00\x1b":
        assert char not in html
    for picture in re.findall(r'<svg class="(?:spread|bars).*?\n</svg>', html, re.DOTALL):
        for shape in ElementTree.fromstring(picture).iter():
            numbers = " ".join(shape.get(key) or "" for key in ("x", "y", "d", "width", "height"))
            assert "nan" not in numbers and "inf" not in numbers and "e+" not in numbers


# ---------------------------------------------------------------- bounds


def test_five_hundred_copies_stay_readable(footage: ModuleType) -> None:
    data = footage.crowd(500)
    started_s = time.process_time()
    html = render(data, footage.thumbnail).decode()
    assert time.process_time() - started_s < 5
    assert html.count('<article class="pair"') == MOST_PICTURED
    assert html.count('<article class="item"') == MOST_DETAILED
    assert html.count("<img ") <= MOST_PICTURES
    assert "460 are in the table only" in html and "100 items more are in the case" in html
    assert html.count('<tr id="cluster-1-copy-') == 500
    assert len(html) < 8_000_000
    said = re.search(r"The page holds ([\d,]+) blurred pictures", html)
    assert said and int(said[1].replace(",", "")) == html.count("<img ")


# ---------------------------------------------------------------- composite


def test_a_composite_of_two_copies(footage: ModuleType) -> None:
    pair = Pair("b", "a", Verdict.SAME_FOOTAGE, 0.9, (Segment(4.0, 12.0, 1.0, 11.0, 1.25, 0.9),))
    durations = {"a": 20.0, "b": 15.0, "c": 0.0}
    found = footage.differences("a", durations, [pair])
    names = {"a": "A", "b": "B", "c": "C"}
    view = composite(found, names, durations, decided={"b": "A. Person"})
    assert view is not None
    assert [row.item for row in view.rows] == ["a", "b", "c"] and view.length_s == 20.0
    (span,) = view.rows[1].spans
    assert (span.start_s, span.end_s, span.copy_start_s, span.copy_end_s) == (1.0, 11.0, 4.0, 12.0)
    assert span.speed == 0.8 and view.rows[1].decided_by == "A. Person"
    assert [(gap.copy_start_s, gap.copy_end_s, gap.at_s) for gap in view.rows[1].only] == [
        (0.0, 4.0, 1.0),
        (12.0, 15.0, 11.0),
    ]
    assert not view.rows[2].aligned and view.rows[2].spans == ()
    assert composite(footage.differences("c", {"c": 0.0}, []), names, durations) is None


def test_what_a_copy_shows_further_is_put_into_the_line(footage: ModuleType) -> None:
    pair = Pair("a", "b", Verdict.SAME_FOOTAGE, 0.9, (Segment(5.0, 20.0, 0.0, 15.0, 1.0, 0.9),))
    durations = {"a": 20.0, "b": 24.0}
    found = footage.differences("a", durations, [pair])
    view = composite(found, {"a": "A", "b": "B"}, durations)
    assert view is not None and view.length_s == 29.0
    assert [(one.item, one.start_s, one.end_s) for one in view.pieces] == [("b", 20.0, 29.0)]
    assert [(one.item, one.start_s, one.end_s) for one in view.best][-1] == ("b", 20.0, 29.0)
    assert not view.rows[1].only
    drawn = timeline.time_line(view)
    assert len(drawn.further) == 1 and len(drawn.best) == 2
    assert "not in the fullest version" in drawn.further[0].title


def test_each_copy_stands_beside_the_fullest_version(footage: ModuleType) -> None:
    page = render(footage.traced(), footage.thumbnail).decode()
    part = page[page.index('id="cluster-1"') : page.index("Aligned pairs")]
    assert part.count('class="differ"') == 4
    for words in (
        "mirrored left to right",
        "cropped: shows 80 % of the width and 80 % of the height of the fullest version’s frame",
        "lacks 0.0–2.0 s at its beginning",
        "has 0.0–3.5 s besides, that gate (1).mp4 shows too, the same shot going on",
        "covered at the bottom (80 % wide, 15 % high), at 4.0–9.0 s",
        "what is covered in the fullest version",
        "whose picture is covered cannot be told",
        "the same sound, 1.5 s earlier than the picture",
        "runs slower: at 0.90 of the fullest version’s speed",
        "stands inside another picture or a player",
        "no sound track; the fullest version has sound",
        "shares footage with other copies only",
        "1,280 × 720 px, 2,400 kbit/s",
        "a guess: encoded at least twice",
    ):
        assert words in part, words
    # Covered parts are hatched on whose picture is covered, or on the copy's where nobody can tell.
    assert part.count('<g class="covered">') == 3
    assert "original" not in part.lower()


SPANS = st.lists(
    st.tuples(st.integers(-3, 20), st.integers(0, 12)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=6,
)


@given(st.lists(SPANS, max_size=5))
def test_coverage_agrees_with_counting_each_second(copies: list[list[tuple[int, int]]]) -> None:
    rows = tuple(
        CopyRow(f"i{at}", "", tuple(ShownSpan(a, b, a, b) for a, b in spans))
        for at, spans in enumerate(copies)
    )
    found = timeline.coverage(CompositeView("i0", "", 20.0, rows))
    assert found[0][0] == 0 and found[-1][1] == 20
    assert all(one[1] == two[0] and one[2] != two[2] for one, two in itertools.pairwise(found))
    for second in range(20):
        (number,) = (number for start, end, number in found if start <= second < end)
        assert number == sum(any(a <= second < b for a, b in spans) for spans in copies)


@given(SPANS)
def test_uncovered_is_what_no_span_covers(spans: list[tuple[int, int]]) -> None:
    gaps = uncovered([(float(a), float(b)) for a, b in spans], 20.0)
    for second in range(20):
        is_gap = any(a <= second < b for a, b in gaps)
        assert is_gap != any(a <= second < b for a, b in spans)


def test_very_many_stretches_are_brought_into_cells() -> None:
    spans = tuple(ShownSpan(at, at + 0.5, at, at + 0.5) for at in range(1000))
    view = CompositeView("a", "a", 1000.0, (CopyRow("a", "a", spans),))
    drawn = timeline.time_line(view)
    assert len(drawn.counts) == timeline.MOST_CELLS
    assert "in 0 to 1 copies" in drawn.counts[0].title


@pytest.mark.parametrize("length_s", [0.0, float("nan"), float("inf"), -4.0, 0.05, 36_000.0])
def test_any_length_can_be_drawn(length_s: float) -> None:
    view = CompositeView("a", "a", length_s, (CopyRow("a", "a", (ShownSpan(0, 1, 0, 1),)),))
    drawn = timeline.time_line(view)
    assert 0 < len(drawn.ticks) < 40


def test_arrows_go_from_the_source_to_the_copy(footage: ModuleType) -> None:
    cluster = footage.cluster()
    targets = {one.item: f"row-{at}" for at, one in enumerate(cluster.members)}
    drawn = lineage(cluster, "lineage", targets)
    assert drawn and len(drawn.edges) == 4 and len(drawn.marks) == 5 and drawn.undated
    assert [edge.weight for edge in drawn.edges] == [1, 4, 4, 4]
    middles = {mark.id: float(mark.y) for mark in drawn.marks}
    start, *_, end = re.findall(r"[\d.]+ ([\d.]+)", drawn.edges[0].path)
    assert middles["lineage-1"] < float(start) < float(end) < middles["lineage-2"]
    assert lineage(msgspec.structs.replace(cluster, edges=()), "lineage", targets) is None
