"""Bad input is normal: one line naming it and the remedy, the rest done, the exit code that fits,
nothing stored lost; the case verifies afterwards. Numbers are those of the list of bad inputs that
the project keeps (24-28, 33, 50-55, 58), and the issue's own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import muniment
from muniment.errors import (
    EXIT_ERROR,
    EXIT_INTEGRITY,
    EXIT_LOCKED,
    EXIT_NO_CASE,
    EXIT_OK,
    EXIT_PARTLY,
    EXIT_USAGE,
)
from muniment.store.layout import CaseFolder
from muniment.store.lock import WriterLock
from tests.conftest import PERSON, RunCommand

WHO = ("--by", PERSON, "--why", "a test")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A source with one good file; each test adds what is bad."""
    path = tmp_path / "in"
    path.mkdir()
    (path / "good.txt").write_text("good\n")
    return path


def build(
    muniment: RunCommand, *sources: Path | str, **changes: str | None
) -> tuple[int, list[str]]:
    done = muniment("build", *sources, "--case", "case", *WHO, **changes)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr.splitlines()


def check_case(tmp_path: Path, *, items: int) -> dict[str, Any]:
    """The case verifies; `items` files were kept."""
    verdict = muniment.verify(tmp_path / "case")
    assert verdict.exit_code == EXIT_OK, verdict
    entries = list(muniment.Case.open(tmp_path / "case").entries())
    acquired = [entry.values for entry in entries if entry.kind == "item.acquired"]
    assert len(acquired) == items
    missed = [entry.values for entry in entries if entry.kind == "item.missed"]
    posts = [entry.values for entry in entries if entry.kind == "post.recorded"]
    return {"acquired": acquired, "missed": missed, "posts": posts}


def muniment_case(tmp_path: Path) -> muniment.Case:
    return muniment.Case.open(tmp_path / "case")


def write_export(folder: Path, messages: list[Any], **header: Any) -> Path:
    export = {"name": "Gate", "type": "public_channel", "id": 7, **header, "messages": messages}
    path = folder / "result.json"
    path.write_text(json.dumps(export), "utf-8")
    return path


def message(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": "message",
        "date": "2026-05-02T10:00:00",
        "date_unixtime": str(1777716000 + number),
        "from": "Gate",
        "from_id": "channel7",
        "text": f"post {number}",
        **fields,
    }


# ---------------------------------------------------------------- files that are none


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda path: path.symlink_to("/etc/hostname"), "a symbolic link"),
        (lambda path: path.symlink_to("good.txt"), "a symbolic link"),
        (lambda path: path.symlink_to("nowhere"), "a symbolic link"),
        (lambda path: os.mkfifo(path), "a named pipe"),
        (make_socket, "a socket"),
    ],
    ids=["24 link out", "24 link in", "24 dangling", "25 fifo", "socket"],
)
def test_not_a_regular_file(
    muniment: RunCommand, folder: Path, tmp_path: Path, make: Callable[[Path], None], word: str
) -> None:
    make(folder / "odd")
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY
    assert any("odd: is not a regular file but " + word in line for line in lines)
    (missed,) = check_case(tmp_path, items=1)["missed"]
    assert missed["outcome"] == "refused"


def test_26_a_linked_folder_is_not_entered(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("not given\n")
    (folder / "door").symlink_to(outside)
    code, _ = build(muniment, folder)
    assert code == EXIT_PARTLY
    check_case(tmp_path, items=1)


@pytest.mark.skipif(os.geteuid() != 0, reason="making a device needs root")
def test_27_a_device(muniment: RunCommand, folder: Path, tmp_path: Path) -> None:
    os.mknod(folder / "zero", 0o020666, os.makedev(1, 5))
    code, lines = build(muniment, folder, "/dev/zero")
    assert code == EXIT_PARTLY
    assert any("zero: is not a regular file but a character device" in line for line in lines)
    check_case(tmp_path, items=1)


def test_28_a_missing_source_leaves_the_rest_done(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    code, lines = build(muniment, folder, "nowhere")
    assert code == EXIT_PARTLY
    assert any(line.startswith("nowhere: not found. ") for line in lines)
    check_case(tmp_path, items=1)
    entries = muniment_entries(tmp_path)
    outcomes = [one.values["outcome"] for one in entries if one.kind == "acquisition.finished"]
    assert outcomes == ["complete", "failed"], "the failed acquisition is logged too"


def muniment_entries(tmp_path: Path, case: str = "case") -> list[Any]:
    return list(muniment.Case.open(tmp_path / case).entries())


def test_33_a_file_that_changes_while_it_is_read(folder: Path) -> None:
    from muniment.collect.files import SourceFolder

    source = SourceFolder(folder)
    opened = source.open(b"good.txt")
    size = len(os.read(opened.fd, 100))
    assert source.is_unchanged(opened, size)
    with (folder / "good.txt").open("a") as stream:
        stream.write("more\n")
    assert not source.is_unchanged(opened, size)
    os.close(opened.fd)
    source.close()


def test_an_unreadable_folder_is_named(muniment: RunCommand, folder: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (folder / "locked").mkdir(mode=0)
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY
    assert any("locked: the folder cannot be read" in line for line in lines)


# ---------------------------------------------------------------- empty, small, oddly named


def test_an_empty_folder(muniment: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    code, lines = build(muniment, "none")
    assert code == EXIT_PARTLY
    assert any(line.startswith("none: is empty: it holds no file. ") for line in lines)
    check_case(tmp_path, items=0)


def test_a_folder_of_nothing_useful(muniment: RunCommand, tmp_path: Path) -> None:
    path = tmp_path / "junk"
    path.mkdir()
    (path / "a.bin").write_bytes(bytes(range(200, 256)) * 3)
    (path / "b.bin").write_bytes(b"\x80")
    code, lines = build(muniment, path)
    assert code == EXIT_PARTLY
    assert any("none of its 2 files is footage" in line for line in lines)
    check_case(tmp_path, items=2)


def test_files_of_no_and_one_byte(muniment: RunCommand, folder: Path, tmp_path: Path) -> None:
    (folder / "zero.mp4").write_bytes(b"")
    (folder / "one.mp4").write_bytes(b"\x00")
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY
    assert any("zero.mp4: is empty (0 bytes)" in line for line in lines)
    acquired = check_case(tmp_path, items=3)["acquired"]
    types = {one["name"]["path"]: one["media_type"]["by_content"] for one in acquired}
    assert types["zero.mp4"] == "application/x-empty"
    assert types["one.mp4"] == "application/octet-stream"


NAMES = [
    b"line\nbreak.txt",
    "right-to-left \u202egpj.exe".encode(),
    "camera \U0001f4f7.txt".encode(),
    b"a" * 255,
    b"not utf-8 \xff\xfe.txt",
    "decomposed e\u0301.txt".encode(),
    b"--option",
    b"quote'\"<script>.txt",
    b"back\\slash",
]


def test_odd_names_are_kept_told_apart_and_shown_safely(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    for name in NAMES:
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_bytes(name)
    code, lines = build(muniment, folder)
    assert code == EXIT_OK, lines
    acquired = check_case(tmp_path, items=1 + len(NAMES))["acquired"]
    raw = {
        bytes.fromhex(one["name"]["raw_hex"])
        if one["name"]["raw_hex"]
        else one["name"]["path"].encode()
        for one in acquired
    }
    assert raw == {*NAMES, b"good.txt"}
    listed = muniment("log", "--case", "case")
    assert listed.returncode == EXIT_OK
    assert "\u202e" not in listed.stdout
    assert "line\\nbreak" in listed.stdout
    page = (tmp_path / "case" / "report" / "index.html").read_text("utf-8")
    assert "\u202e" not in page
    assert "<script" not in page


def test_an_odd_source_name(muniment: RunCommand, tmp_path: Path) -> None:
    name = os.fsdecode(b"in \xff \xe2\x80\xae")
    (tmp_path / name).mkdir()
    (tmp_path / name / "good.txt").write_text("good\n")
    code, _ = build(muniment, tmp_path / name)
    assert code == EXIT_OK
    check_case(tmp_path, items=1)


# ---------------------------------------------------------------- exports


def test_50_a_path_out_of_the_export(muniment: RunCommand, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("not given\n")
    write_export(folder, [message(1, file="../secret.txt", media_type="video_file"), message(2)])
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY
    assert any("unsafe member ../secret.txt: " in line for line in lines)
    found = check_case(tmp_path, items=2)
    assert [post["media"] and post["media"]["status"] for post in found["posts"]] == [
        "refused",
        None,
    ]


def raw_export(folder: Path, messages: bytes) -> None:
    (folder / "result.json").write_bytes(
        b'{"name":"Gate","type":"public_channel","id":7,"messages":[' + messages + b"]}"
    )


GOOD = json.dumps(message(1)).encode()


@pytest.mark.parametrize(
    ("bad", "posts"),
    [
        (b'{"id":2,"type":"message","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 1),
        (b'{"id":2,"type":"message","views":' + b"9" * 10_000 + b"}", None),
        (b'{"id":2,"type":"message","text":"a","text":"b"}', 1),
        (b'{"id":2,"type":"message","text":"\xff\xfe"}', None),
        (b'{"id":2,"type":"message","text":NaN}', 1),
        (b'{"id":{},"type":[],"text":5,"date":7,"date_unixtime":"soon","from":[]}', None),
        (b'"not a message"', 1),
    ],
    ids=["51 deep", "52 huge", "53 twice", "54 bytes", "52 NaN", "types", "no object"],
)
def test_malformed_records_are_named_and_the_rest_is_read(
    muniment: RunCommand, folder: Path, tmp_path: Path, bad: bytes, posts: int | None
) -> None:
    raw_export(folder, GOOD + b"," + bad)
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY, lines
    assert any("result.json: " in line and "at byte" in line for line in lines), lines
    found = check_case(tmp_path, items=2)
    assert len(found["posts"]) >= 1
    assert posts is None or len(found["posts"]) == posts


def test_54_nul_and_55_bidi_in_text_are_kept_and_shown_escaped(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    text = "nul \u0000 bidi \u202e zero \u200b <script>alert(1)</script>"
    write_export(folder, [message(1, text=text)], name="Gate \u202e <script>")
    code, _ = build(muniment, folder)
    assert code == EXIT_OK
    (post,) = check_case(tmp_path, items=2)["posts"]
    assert post["text"] == text
    page = (tmp_path / "case" / "report" / "index.html").read_text("utf-8")
    assert "<script" not in page, "58"
    assert "\u202e" not in page
    assert "\\u202e" in page


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_export(
    muniment: RunCommand, folder: Path, tmp_path: Path, keep: float
) -> None:
    path = write_export(folder, [message(number) for number in range(1, 21)])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY
    assert any("result.json: " in line for line in lines)
    assert len(check_case(tmp_path, items=2)["posts"]) >= int(20 * keep) - 2


def test_two_chats_of_one_name_and_unknown_media(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    chats = [
        {"name": "Gate", "type": "public_channel", "id": number, "messages": [message(1)]}
        for number in (7, 8)
    ]
    chats[1]["messages"][0]["media_type"] = "hologram"  # type: ignore[index]
    chats[1]["messages"][0]["file"] = "missing.holo"  # type: ignore[index]
    (folder / "result.json").write_text(json.dumps({"chats": {"list": chats}}))
    code, lines = build(muniment, folder)
    assert code in (EXIT_OK, EXIT_PARTLY), lines
    posts = check_case(tmp_path, items=2)["posts"]
    assert [post["channel"]["ordinal"] for post in posts] == [0, 1]
    assert [post["channel"]["id"] for post in posts] == ["7", "8"]
    assert posts[1]["media"]["media_type"] == "hologram"
    assert posts[1]["media"]["status"] == "missing"


def test_an_export_without_date_unixtime_gives_intervals(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    one = message(1)
    del one["date_unixtime"]
    write_export(folder, [one])
    build(muniment, folder)
    (post,) = check_case(tmp_path, items=2)["posts"]
    assert post["time"]["published"] == {
        "earliest_utc": "2026-05-01T20:00:00.000Z",
        "latest_utc": "2026-05-02T22:00:00.000Z",
        "basis": "local date without zone, exporter's claim",
    }


# ---------------------------------------------------------------- the case and its keys


def test_a_second_writer(muniment: RunCommand, folder: Path, tmp_path: Path) -> None:
    build(muniment, folder)
    (folder / "new.txt").write_text("new\n")
    with WriterLock(CaseFolder(tmp_path / "case")):
        code, lines = build(muniment, folder)
    assert code == EXIT_LOCKED
    assert len(lines) == 1
    assert "another process is writing" in lines[0]
    assert build(muniment, folder)[0] == EXIT_OK


def test_a_wrong_passphrase(muniment: RunCommand, folder: Path) -> None:
    code, lines = build(muniment, folder, MUNIMENT_PASSPHRASE="wrong")
    assert code == EXIT_ERROR
    assert len(lines) == 1
    assert "the passphrase is wrong" in lines[0]


def test_no_passphrase_and_nobody_to_ask(muniment: RunCommand, folder: Path) -> None:
    code, lines = build(muniment, folder, MUNIMENT_PASSPHRASE=None)
    assert code == EXIT_ERROR
    assert "Set MUNIMENT_PASSPHRASE" in lines[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere; tests/faults mounts one")
def test_a_read_only_target(muniment: RunCommand, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ro").mkdir(mode=0o555)
    done = muniment("build", folder, "--case", "ro/case", *WHO)
    assert done.returncode == EXIT_ERROR
    assert len(done.stderr.splitlines()) == 1


def test_a_foreign_folder_as_target_is_not_touched(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "thesis.txt").write_text("mine\n")
    code, lines = build(muniment, folder)
    assert code == EXIT_USAGE
    assert "is not empty and holds no case" in lines[0]
    assert [path.name for path in (tmp_path / "case").iterdir()] == ["thesis.txt"]


def test_a_case_inside_its_own_source(muniment: RunCommand, folder: Path) -> None:
    refused = muniment("build", folder, "--case", folder / "case", *WHO)
    (line,) = refused.stderr.splitlines()
    assert refused.returncode == 2 and "lies inside the source" in line and "Give --case" in line
    assert not (folder / "case").exists()
    assert muniment("build", folder, "--case", folder.parent / "case", *WHO).returncode == 0
    (folder.parent / "case").rename(folder / "case")
    done = muniment("build", folder, "--case", folder / "case", *WHO)
    assert done.returncode == EXIT_PARTLY
    assert "case: is this case itself" in done.stderr
    assert muniment("verify", folder / "case").returncode == EXIT_OK


def test_a_case_given_as_a_source_is_refused(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    assert build(muniment, folder)[0] == EXIT_OK
    for sources in (("case",), (folder, "case")):
        done = muniment("build", *sources, "--case", "other", *WHO)
        (line,) = done.stderr.splitlines()
        assert done.returncode == EXIT_USAGE
        assert line.startswith("muniment: case: is a case of its own, no source. Name it with")
        assert not (tmp_path / "other").exists()
    before = (tmp_path / "case" / "log" / "checkpoint").read_bytes()
    assert muniment("collect", "case", "--case", "case", *WHO).returncode == EXIT_USAGE
    assert (tmp_path / "case" / "log" / "checkpoint").read_bytes() == before


def test_a_case_inside_a_source_is_named_once(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    assert build(muniment, folder)[0] == EXIT_OK
    (tmp_path / "case").rename(folder / "older")
    (folder / "not one").mkdir()
    (folder / "not one" / "root.json").write_text("{}")
    done = muniment("build", folder, "--case", "other", *WHO)
    assert done.returncode == EXIT_PARTLY
    (line,) = [line for line in done.stderr.splitlines() if "case of its own" in line]
    assert f"{folder}/older: is a case of its own, collected file by file" in line
    names = {
        entry.values["name"]["path"]
        for entry in muniment_entries(tmp_path, "other")
        if entry.kind == "item.acquired"
    }
    assert {"good.txt", "older/root.json", "older/log/checkpoint"} <= names
    again = muniment("build", folder, "--case", "other", *WHO)
    assert "case of its own" not in again.stderr, "nothing of it is new"


def test_a_path_that_is_no_case_is_told_as_what_it_is(muniment: RunCommand, folder: Path) -> None:
    assert build(muniment, folder)[0] == EXIT_OK
    for arguments, what in [
        (("log", "--case", "nowhere"), "does not exist. Check the path."),
        # Not the case above it: a mistyped folder must not lead there.
        (("log", "--case", "case/objcts"), "does not exist. Check the path."),
        (("verify", "nowhere"), "does not exist. Check the path."),
        (("report", "--case", folder), "is no case, nor lies in one. Name the folder that holds"),
        (("show", "item:1234", "--case", folder / "good.txt"), "is no case, nor lies in one."),
    ]:
        done = muniment(*arguments)
        assert done.returncode == EXIT_NO_CASE
        (line,) = done.stderr.splitlines()
        assert what in line and "A new case is made by" in line.partition(what)[2], line


def test_a_missing_or_unknown_id_says_where_ids_are(muniment: RunCommand, folder: Path) -> None:
    build(muniment, folder)
    for arguments, code in [(("show",), EXIT_USAGE), (("show", "item:0000"), EXIT_ERROR)]:
        done = muniment(*arguments, "--case", "case")
        assert done.returncode == code
        assert "`muniment log` lists every id" in done.stderr
    assert "lists every id" not in muniment("build", "x").stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("verify", "nowhere"), EXIT_NO_CASE),
        (("log", "--case", "nowhere"), EXIT_NO_CASE),
        (("report",), EXIT_NO_CASE),
        (("build", "x"), EXIT_USAGE),
        (("nonsense",), EXIT_USAGE),
        (("verify", "--root", "zz", "nowhere"), EXIT_USAGE),
    ],
)
def test_wrong_calls(muniment: RunCommand, arguments: tuple[str, ...], code: int) -> None:
    done = muniment(*arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_ids_and_pins(muniment: RunCommand, folder: Path) -> None:
    build(muniment, folder)
    for arguments, code in [
        (("show", "nonsense"), EXIT_USAGE),
        (("show", "item:0000"), EXIT_ERROR),
        (("show", "item:xyz"), EXIT_USAGE),
        (("proof", "post:1234"), EXIT_ERROR),
    ]:
        done = muniment(*arguments, "--case", "case")
        assert done.returncode == code, (arguments, done.stderr)
        assert len(done.stderr.splitlines()) == 1
    for pin in (("--root", "zz"), ("--since", "5:zz"), ("--since", "nowhere")):
        done = muniment("verify", "case", *pin)
        assert done.returncode == EXIT_USAGE, done.stderr


def test_errors_as_json(muniment: RunCommand) -> None:
    done = muniment("log", "--case", "nowhere", "--json")
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert document["error"]["exit_code"] == done.returncode == EXIT_NO_CASE


# ---------------------------------------------------------------- a case somebody else touched


@pytest.mark.parametrize(
    "name", ["work", "work/incoming", "report", "log/private", "objects/sha256"]
)
def test_a_link_where_a_folder_of_the_case_should_be(
    muniment: RunCommand, folder: Path, tmp_path: Path, name: str
) -> None:
    build(muniment, folder)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine\n")
    (tmp_path / "case" / name).rename(tmp_path / "aside")
    (tmp_path / "case" / name).symlink_to(mine)
    (folder / "new.txt").write_text("new\n")
    code, lines = build(muniment, folder)
    assert code in (EXIT_INTEGRITY, EXIT_NO_CASE), lines
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    (tmp_path / "case" / name).unlink()
    (tmp_path / "aside").rename(tmp_path / "case" / name)
    assert build(muniment, folder)[0] == EXIT_OK
    check_case(tmp_path, items=2)


def test_a_planted_object_is_never_sealed(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    build(muniment, folder)
    planted = tmp_path / "case" / "objects" / "sha256" / "ab" / ("0" * 62)
    planted.parent.mkdir(exist_ok=True)
    planted.write_text("a lie\n")
    (folder / "new.txt").write_text("new\n")
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY
    assert any("does not hold the bytes of its name" in line for line in lines)
    planted.unlink()
    check_case(tmp_path, items=2)


def damaged(tmp_path: Path, sound: bytes) -> Path:
    """The object of these bytes, with others in it now."""
    (stored,) = [
        path
        for path in (tmp_path / "case" / "objects").rglob("*")
        if path.is_file() and path.read_bytes() == sound
    ]
    stored.chmod(0o640)
    stored.write_bytes(b"evil\n")
    return stored


def test_a_damaged_object_is_not_taken_for_a_duplicate(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    build(muniment, folder)
    stored = damaged(tmp_path, b"good\n")
    (folder / "copy.txt").write_text("good\n")
    (folder / "later.txt").write_text("the rest goes on\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "more.txt").write_text("so do other sources\n")
    code, lines = build(muniment, folder, tmp_path / "other")
    assert code == EXIT_PARTLY
    (line,) = [line for line in lines if "copy.txt" in line]
    assert f"{stored} does not hold the bytes of its name" in line
    assert line.endswith("restore it from a second copy, or remove it.")
    assert stored.read_bytes() == b"evil\n", "nothing is written over what is damaged"
    stored.write_bytes(b"good\n")
    assert build(muniment, folder)[0] == EXIT_OK, "the next run collects what was missed"
    kept = check_case(tmp_path, items=4)
    assert [one["name"]["path"] for one in kept["missed"]] == ["copy.txt"]


def test_a_damaged_export_met_again_stops_nothing(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    raw = write_export(folder, [{"id": 1, "type": "message", "date": "2026-05-02T10:00:00"}])
    build(muniment, folder)
    stored = damaged(tmp_path, raw.read_bytes())
    (folder / "again").mkdir()
    (folder / "again" / "result.json").write_bytes(raw.read_bytes())
    (folder / "new.txt").write_text("new\n")
    code, lines = build(muniment, folder)
    assert code == EXIT_PARTLY
    assert any("again/result.json" in line and str(stored) in line for line in lines), lines
    names = [
        entry.values["name"]["path"]
        for entry in muniment_case(tmp_path).entries()
        if entry.kind == "item.acquired"
    ]
    assert "new.txt" in names


def test_a_damaged_list_of_files_stops_nothing(
    muniment: RunCommand, folder: Path, tmp_path: Path
) -> None:
    build(muniment, folder)
    (started,) = [
        entry.values for entry in muniment_case(tmp_path).entries() if entry.values.get("listing")
    ]
    stored = CaseFolder(tmp_path / "case").object(started["listing"])
    stored.chmod(0o640)
    stored.write_bytes(b"evil\n")
    done = muniment("collect", folder, "--case", "case", *WHO)
    assert done.returncode == EXIT_PARTLY, done.stderr
    assert f"{folder}: the list of its files is held already, and {stored}" in done.stderr
    counts = [one.kind for one in muniment_case(tmp_path).entries()].count("item.acquired")
    assert counts == 2


@pytest.mark.parametrize("option", ["--by", "--why", "--title", "--from"])
@pytest.mark.parametrize("value", ["", " ", "w" * 17_000])
def test_options_that_say_nothing_or_too_much(
    muniment: RunCommand, folder: Path, option: str, value: str
) -> None:
    words = ["build", folder, "--case", "case", *WHO, option, value]
    done = muniment(*words)
    assert done.returncode == EXIT_USAGE, done.stderr
    assert option in done.stderr


def test_output_that_cannot_be_written(muniment: RunCommand, folder: Path, tmp_path: Path) -> None:
    build(muniment, folder)
    program = Path(sys.executable).parent / "muniment"
    for target in (">&-", ">/dev/full", "2>&- >/dev/null", "2>/dev/full >/dev/null"):
        done = subprocess.run(
            ["bash", "-c", f"'{program}' log --case case {target}"],
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, target
