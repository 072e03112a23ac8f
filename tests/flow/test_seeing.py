"""The example built whole: examined in confinement, traced, reported, searched, erased."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import muniment
from muniment.case import building, clearing, comparing, erasing, examining, projecting, searching
from muniment.case import traced as tracings
from muniment.case.collecting import Request
from muniment.case.confining import confined
from muniment.case.progress import Silent
from muniment.cli.build import examined_line
from muniment.custody.keyring import KeyFolder
from muniment.errors import InputError, StorageError, UsageError
from muniment.examine import registry
from muniment.model.ids import short
from muniment.report.story import story, unexamined
from muniment.sandbox.host import Zygote
from muniment.store.layout import CaseFolder
from muniment.trace.through import BY_WAY
from tests.conftest import PERSON, FixedSecrets

EXAMPLE = Path(__file__).parents[2] / "examples" / "courtyard"
TRUTH = json.loads((EXAMPLE / "truth" / "truth.json").read_text())


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with confined() as started:
        yield started


def build(
    folder: Path, sources: list[Path], keys: KeyFolder, zygote: Zygote | None
) -> building.Built:
    return building.run(
        CaseFolder(folder),
        [Request(one, PERSON, "a test") for one in sources],
        by=PERSON,
        why="a test",
        title="Courtyard",
        keys=keys,
        secrets=FixedSecrets(),
        progress=Silent(),
        make=True,
        with_report=True,
        zygote=zygote,
    )


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, keys: KeyFolder, zygote: Zygote
) -> tuple[CaseFolder, building.Built]:
    folder = tmp_path_factory.mktemp("seen") / "case"
    sources = sorted((EXAMPLE / "input" / "telegram").iterdir())
    return CaseFolder(folder), build(
        folder, [*sources, EXAMPLE / "input" / "articles"], keys, zygote
    )


@pytest.fixture
def copied(built: tuple[CaseFolder, building.Built], tmp_path: Path) -> CaseFolder:
    shutil.copytree(built[0].path, tmp_path / "case")
    return CaseFolder(tmp_path / "case")


@pytest.fixture
def own_keys(keys: KeyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFolder:
    """The keys with a memory of their own: each test goes on from the same case."""
    shutil.copytree(keys.path, tmp_path / "keys")
    monkeypatch.setenv("MUNIMENT_KEYS", os.fspath(tmp_path / "keys"))
    return KeyFolder(tmp_path / "keys")


def observations(folder: CaseFolder) -> list[dict[str, Any]]:
    return [
        entry.values
        for entry in muniment.Case.open(folder.path).entries()
        if entry.kind == "observation.made"
    ]


def test_every_item_has_every_examiner_made_for_it(
    built: tuple[CaseFolder, building.Built],
) -> None:
    folder, result = built
    assert result.examined and result.examined["failed"] == 0
    done = {(one["object"], one["step"].partition(".")[2]) for one in observations(folder)}
    for entry in muniment.Case.open(folder.path).entries():
        if entry.kind == "item.acquired" and not entry.values["name"]["path"].endswith(".json"):
            media = entry.values["media_type"]
            for name in registry.wanted_for(media["by_content"]):
                assert (entry.values["object"], name) in done, (entry.values["name"], name)


def test_observations_say_how_they_were_made(built: tuple[CaseFolder, building.Built]) -> None:
    (one, *_) = [one for one in observations(built[0]) if one["step"] == "examine.container"]
    assert one["tool"]["confinement"]["seccomp"] is True
    assert {"libavcodec", "numpy"} <= one["tool"]["libraries"].keys()
    assert one["step_version"] == registry.versions()["container"]
    listed = {view.name: view for view in muniment.Case.open(built[0].path).report_data().libraries}
    for name, version in one["tool"]["libraries"].items():
        assert listed[name].version == version
        assert "examine.container" in listed[name].steps
    assert listed["numpy"].steps[-1] == "trace"


def test_pairs_are_sorted_and_name_the_clip_they_go_by_way_of(
    built: tuple[CaseFolder, building.Built],
) -> None:
    found = tracings.listing(built[0])
    order = ["same_footage", "same_camera_other_moment", "undetermined"]
    keys = [(order.index(pair["verdict"]), -pair["score"]) for pair in found["pairs"]]
    assert keys == sorted(keys) and {key[0] for key in keys} == {0, 1, 2}
    names = {one["name"].rpartition("/")[2] for pair in found["pairs"] for one in sources(pair)}
    ways = [pair["reasons"][0] for pair in found["pairs"] if BY_WAY in pair["reasons"][0]]
    assert ways and all(re.search(r"item:[0-9a-f]{12} \((.+?)\)", way)[1] in names for way in ways)  # type: ignore[index]
    assert not re.search(r"[0-9a-f]{64}", "".join(ways))
    stills = {one["name"] for pair in found["pairs"] for one in sources(pair) if one["still"]}
    assert stills and all(name.lower().endswith((".jpg", ".png")) for name in stills)


def sources(pair: dict[str, Any]) -> list[dict[str, Any]]:
    return [pair["a_source"], pair["b_source"]]


def test_the_case_verifies_and_the_page_is_its_own(
    built: tuple[CaseFolder, building.Built],
) -> None:
    verdict = muniment.Case.open(built[0].path).verify()
    assert verdict.exit_code == 0
    assert {check.name: str(check.status) for check in verdict.checks}["report"] == "pass"


def test_every_copy_not_marked_hard_is_found_and_no_false_one(
    built: tuple[CaseFolder, building.Built],
) -> None:
    found = tracings.listing(built[0])
    same = {
        frozenset((pair["a"], pair["b"]))
        for pair in found["pairs"]
        if pair["verdict"] == "same_footage"
    }
    digest = {clip["id"]: clip["files"][0]["sha256"] for clip in TRUTH["clips"]}
    copies = {clip["id"] for clip in TRUTH["clips"] if clip["is_copy_of"] == "first"} | {"first"}
    hard = {clip["id"] for clip in TRUTH["clips"] if clip.get("may_be_missed_for_now")}
    for name in copies - hard - {"first"}:
        assert frozenset((digest["first"], digest[name])) in same, name
    true_copies = {digest[name] for name in copies}
    for pair in same:
        assert pair <= true_copies, pair


def test_what_sets_each_copy_apart_is_told_and_stands_in_the_report(
    built: tuple[CaseFolder, building.Built],
) -> None:
    (cluster,) = tracings.listing(built[0])["differences"]
    digest = {clip["id"]: clip["files"][0]["sha256"] for clip in TRUTH["clips"]}
    ids = {short("item", found): name for name, found in digest.items()}
    assert ids[cluster["fullest"]["item"]] == "first"
    told = {ids[one["copy"]["item"]]: one for one in cluster["copies"]}
    assert "no sound track; the fullest version has sound" in told["muted"]["says"]
    assert "mirrored left to right" in told["mirror"]["says"]
    assert told["letterbox"]["bars"] == pytest.approx([0.0, 0.125, 1.0, 0.875], abs=0.02)
    assert [one["in_copy"] for one in told["caption"]["covered"]] == [True, True]
    assert [one["where"] for one in told["trim"]["missing"]] == ["beginning", "end"]
    assert len(told["montage"]["added"]) == 2
    made = told["small"]["making"]
    assert (made["width_px"], made["height_px"], made["codec"]) == (426, 240, "h264")
    assert made["generations"]["at_least"] == 2 and "guess" in told["small"]["says"][-1]
    assert told["reencode"]["says"][0] == "the same sound"
    assert {ids[one["clip"]] for one in cluster["composite"]["best"]} == {"first"}
    page = (built[0].path / "report" / "index.html").read_text("utf-8")
    assert page.count('<article class="differ"') == len(told)
    assert page.count('<g class="covered">') == 4 and "original" not in cluster["why"]


def test_segments_are_where_the_truth_has_them(built: tuple[CaseFolder, building.Built]) -> None:
    found = tracings.listing(built[0])
    by_pair = {(pair["a"], pair["b"]): pair for pair in found["pairs"]}
    digest = {clip["id"]: clip["files"][0]["sha256"] for clip in TRUTH["clips"]}
    for clip in TRUTH["clips"]:
        if clip["is_copy_of"] != "first" or clip.get("may_be_missed_for_now"):
            continue
        pair = by_pair.get((digest["first"], digest[clip["id"]]))
        turned = pair is None
        pair = pair or by_pair[digest[clip["id"]], digest["first"]]
        own, other = ("b", "a") if turned else ("a", "b")
        for truth in clip["segments"]:
            middle_s = (truth["source_start_s"] + truth["source_end_s"]) / 2
            there_s = truth["copy_start_s"] + (middle_s - truth["source_start_s"]) * truth["speed"]
            assert any(
                abs(on_line(segment, own, other, middle_s) - there_s) < 0.25
                for segment in pair["segments"]
            ), (clip["id"], pair["segments"], truth)


def on_line(segment: dict[str, float], own: str, other: str, at_s: float) -> float:
    """Where the segment's line has the moment `at_s` of the one clip in the other."""
    length_s = segment[f"{own}_end_s"] - segment[f"{own}_start_s"]
    rate = (segment[f"{other}_end_s"] - segment[f"{other}_start_s"]) / length_s
    return segment[f"{other}_start_s"] + (at_s - segment[f"{own}_start_s"]) * rate


def test_a_second_run_has_nothing_to_do(
    copied: CaseFolder, own_keys: KeyFolder, zygote: Zygote
) -> None:
    before = len(observations(copied))
    index = projecting.catch_up(copied)
    try:
        assert examining.lacking(index) == []
    finally:
        index.close()
    result = build(copied.path, [EXAMPLE / "input" / "articles"], own_keys, zygote)
    assert result.examined and not any(result.examined.values())
    assert len(observations(copied)) == before


def test_search_finds_words_in_names_posts_and_documents(
    built: tuple[CaseFolder, building.Built],
) -> None:
    assert {hit.where for hit in searching.search(built[0], "IMG_0417")} == {"name"}
    hits = searching.search(built[0], "crat")
    assert {"post", "document"} <= {hit.where for hit in hits}
    assert all("[" in hit.snippet for hit in hits)
    assert searching.search(built[0], '"no such phrase here"') == []
    with pytest.raises(UsageError):
        searching.search(built[0], '"')


def test_search_like_and_compare_need_no_case_entry(
    built: tuple[CaseFolder, building.Built], zygote: Zygote
) -> None:
    clip = EXAMPLE / "input" / TRUTH["clips"][1]["files"][0]["file"]
    before = (built[0].path / "log" / "checkpoint").read_bytes()
    found = comparing.like(built[0], clip, zygote)
    assert found[0]["verdict"] == "same_footage"
    assert (built[0].path / "log" / "checkpoint").read_bytes() == before
    first = EXAMPLE / "input" / TRUTH["clips"][0]["files"][0]["file"]
    pair = comparing.compare_files(first, clip, zygote)
    assert pair["verdict"] == "same_footage" and pair["segments"]


def test_a_file_and_its_exact_copy_are_the_same_footage(tmp_path: Path, zygote: Zygote) -> None:
    still = EXAMPLE / "input" / TRUTH["stills"][0]["files"][0]["file"]
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(still.read_bytes())
    pair = comparing.compare_files(still, copy, zygote)
    assert pair["verdict"] == "same_footage"
    assert "same bytes" in pair["reasons"][0]


@pytest.mark.parametrize("bad", ["absent.mp4", "folder", "text.txt", "empty.mp4"])
def test_compare_names_what_it_cannot_read(bad: str, tmp_path: Path, zygote: Zygote) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.txt").write_text("no footage")
    (tmp_path / "empty.mp4").write_bytes(b"")
    clip = EXAMPLE / "input" / TRUTH["clips"][0]["files"][0]["file"]
    with pytest.raises(InputError) as caught:
        comparing.compare_files(clip, tmp_path / bad, zygote)
    assert bad in str(caught.value)


def test_clear_pictures_lie_apart_marked_and_logged(
    copied: CaseFolder, own_keys: KeyFolder, tmp_path: Path
) -> None:
    secrets = FixedSecrets()
    with pytest.raises(UsageError):
        clearing.write_clear(copied, copied.report / "x.html", by="B", why="look", secrets=secrets)
    target = tmp_path / "clear.html"
    clearing.write_clear(copied, target, by="B", why="look", secrets=secrets)
    page = target.read_text()
    assert "not to be forwarded" in page and "data:image/jpeg" in page
    assert target.stat().st_mode & 0o77 == 0
    assert "data:image/jpeg" not in (copied.report / "index.html").read_text()
    viewed = [
        entry.values
        for entry in muniment.Case.open(copied.path).entries()
        if entry.kind == "object.viewed" and "clear pictures" in entry.values["purpose"]
    ]
    assert viewed and viewed[0]["by"] == "B"
    with pytest.raises(UsageError):
        clearing.write_clear(copied, target, by="B", why="look", secrets=secrets)


@pytest.mark.parametrize("can_be_unnamed", [True, False])
def test_clear_pictures_get_their_name_when_all_are_written(
    can_be_unnamed: bool,
    copied: CaseFolder,
    own_keys: KeyFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    target = folder / "clear.html"

    class KilledError(BaseException):
        pass

    def killed(*_: object) -> None:
        # All that a kill at this moment would leave.
        assert list(folder.iterdir()) == ([] if can_be_unnamed else [target])
        raise KilledError

    if not can_be_unnamed:
        monkeypatch.setattr(clearing, "_unnamed", lambda _: None)
    with monkeypatch.context() as patched:
        patched.setattr(clearing, "_draw", killed)
        with pytest.raises(KilledError):
            clearing.write_clear(copied, target, by="B", why="x", secrets=FixedSecrets())
    assert not list(folder.iterdir())
    clearing.write_clear(copied, target, by="B", why="x", secrets=FixedSecrets())
    assert list(folder.iterdir()) == [target] and target.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["no/clear.html", "x" * 300, "link.html"])
def test_nothing_is_logged_of_clear_pictures_that_cannot_be_written(
    name: str, copied: CaseFolder, own_keys: KeyFolder, tmp_path: Path
) -> None:
    (tmp_path / "link.html").symlink_to("elsewhere.html")
    size = len(list(muniment.Case.open(copied.path).entries()))
    with pytest.raises((UsageError, StorageError)):
        clearing.write_clear(copied, tmp_path / name, by="B", why="x", secrets=FixedSecrets())
    assert len(list(muniment.Case.open(copied.path).entries())) == size
    assert not (tmp_path / "elsewhere.html").exists()


def test_erasing_an_item_destroys_what_was_derived_from_it(
    copied: CaseFolder, own_keys: KeyFolder, zygote: Zygote
) -> None:
    target = TRUTH["clips"][0]["files"][0]["sha256"]
    derived = {
        digest
        for one in observations(copied)
        if one["object"] == target
        for digest in one["derived"]
    }
    assert derived
    others = {
        digest
        for one in observations(copied)
        if one["object"] != target
        for digest in one["derived"]
    }
    erasing.erase_signed(
        copied,
        [f"item:{target[:12]}"],
        by=PERSON,
        why="a test",
        out_of_reach="nobody",
        secrets=FixedSecrets(),
        progress=Silent(),
    )
    assert not any(copied.object(digest).exists() for digest in derived - others)
    assert target not in json.dumps(tracings.listing(copied))
    assert muniment.Case.open(copied.path).verify().exit_code == 0
    build(copied.path, [], own_keys, zygote)
    found = tracings.listing(copied)
    assert any(pair["verdict"] == "same_footage" for pair in found["pairs"])
    assert muniment.Case.open(copied.path).verify().exit_code == 0


def test_what_cannot_be_decoded_is_recorded_once_and_named(
    tmp_path: Path, keys: KeyFolder, zygote: Zygote
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "noise.mp4").write_bytes(os.urandom(5000))
    (source / "page.mp4").write_bytes(b"<!DOCTYPE html><html><body>hello</body></html>")
    clip = EXAMPLE / "input" / TRUTH["clips"][1]["files"][0]["file"]
    (source / "cut.mp4").write_bytes(clip.read_bytes()[:90_000])
    result = build(tmp_path / "case", [source], keys, zygote)
    told = result.examined or {}
    assert told["examined"] == told["not_tried"] == told["failed_before"] == 0
    assert told["partly"] + told["failed"] == 3
    # The report tells the same: in its sentence, and one row for each file.
    data = muniment.Case.open(tmp_path / "case").report_data()
    assert dict(story(data).outcomes) == {k: v for k, v in told.items() if v}
    assert {one.name for one in unexamined(data.items)} == {"noise.mp4", "page.mp4", "cut.mp4"}
    assert examined_line(told).startswith(f"3 files: {told['partly']} in part")
    lines = {line.partition(":")[0]: line for line in result.notices}
    assert "not media" in lines["noise.mp4"] and "type mismatch" in lines["page.mp4"]
    assert "truncated" in lines["cut.mp4"]
    again = build(tmp_path / "case", [source], keys, zygote)
    assert again.examined and {k: v for k, v in again.examined.items() if v} == {"failed_before": 2}
    assert muniment.Case.open(tmp_path / "case").verify().exit_code == 0


def test_erasing_bytes_that_another_item_also_gave_leaves_a_usable_case(
    tmp_path: Path, own_keys: KeyFolder, zygote: Zygote
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "plain.txt").write_text("the needle stands in this plain text")
    (source / "same.html").write_text("<p>the needle stands in this plain text</p>")
    folder = CaseFolder(tmp_path / "case")
    build(folder.path, [source], own_keys, zygote)
    digest = hashlib.sha256((source / "plain.txt").read_bytes()).hexdigest()
    erasing.erase_signed(
        folder,
        [f"item:{digest[:12]}"],
        by=PERSON,
        why="a test",
        out_of_reach="nobody",
        secrets=FixedSecrets(),
        progress=Silent(),
    )
    assert muniment.Case.open(folder.path).verify().exit_code == 0
    build(folder.path, [], own_keys, zygote)
    assert muniment.Case.open(folder.path).verify().exit_code == 0
    assert {hit.title for hit in searching.search(folder, "needle")} == {"same.html"}
