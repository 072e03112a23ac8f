"""Texts and names in an export that are made to deceive: what a stranger wrote is never taken for
anything but what a stranger wrote, and costs no other post anything."""

from __future__ import annotations

import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

import muniment as program
from muniment import verify
from muniment.case import reporting
from muniment.custody.derived import read_derived
from muniment.errors import EXIT_OK, EXIT_PARTLY, IntegrityError
from muniment.model.report import PostView, ReportData
from muniment.store.layout import CaseFolder
from tests import tiny
from tests.conftest import PERSON, RunCommand

WHO = ("--by", PERSON, "--why", "a test")
LONG = "Z" * 17_000
INNOCENT = "the innocent harbour post"


def message(number: int, text: str, **more: Any) -> dict[str, Any]:
    """A post as an export has it."""
    return {
        "id": number,
        "type": "message",
        "date": "2024-01-01T00:00:00",
        "date_unixtime": str(1704067200 + 60 * number),
        "from": "A",
        "from_id": "channel77",
        "text": text,
        "text_entities": [],
        **more,
    }


def clip(number: int, **more: Any) -> dict[str, Any]:
    """A post of the one clip."""
    return message(number, f"clip {number}", **{"file": "v.mp4", "media_type": "video_file"} | more)


def built(
    muniment: RunCommand, folder: Path, messages: list[dict[str, Any]], name: str = "Chan"
) -> CaseFolder:
    """A case of one export, which verifies and whose projection is the one derived again."""
    source = folder / "source"
    source.mkdir(exist_ok=True)
    (source / "aaa.txt").write_text("a file of the export")
    (source / "v.mp4").write_bytes(tiny.footage(b"1"))
    export = {"name": name, "type": "public_channel", "id": 77, "messages": messages}
    (source / "result.json").write_text(json.dumps(export))
    done = muniment("build", source, "--case", "case", *WHO)
    assert done.returncode in (EXIT_OK, EXIT_PARTLY), done.stderr
    assert "Traceback" not in done.stderr
    case = CaseFolder(folder / "case")
    assert verify(case.path).exit_code == EXIT_OK
    done = muniment("rebuild", "--case", "case")
    assert done.returncode == EXIT_OK and "differ" not in done.stdout
    return case


def posts_of(case: CaseFolder) -> dict[str | None, PostView]:
    facts: ReportData = reporting.facts(case)
    return {post.post_id: post for post in facts.posts}


def found(muniment: RunCommand, words: str) -> list[str]:
    done = muniment("search", words, "--case", "case")
    assert done.returncode == EXIT_OK and not done.stderr, done.stderr
    return done.stdout.splitlines()


PLANTED = hashlib.sha256(b"a file of the export").hexdigest()
STAND_INS = [
    '{"_object":5,"harbour":1}',
    '{"_object":5}',
    '{"_object":' + "[" * 3000,
    '{"_object":"ab\\u0000cd","harbour":1}',
    '{"_object":"../../../../etc/passwd","harbour":1}',
    json.dumps({"_bytes": 20, "_object": PLANTED}),
    json.dumps({"_object": PLANTED, "_bytes": 20, "harbour": 1}),
]


def test_no_text_of_a_post_is_taken_for_the_name_of_an_object(
    muniment: RunCommand, tmp_path: Path
) -> None:
    texts = [INNOCENT, *STAND_INS, "long harbour " * 2_000]
    case = built(muniment, tmp_path, [message(number, text) for number, text in enumerate(texts)])
    hits = [line for line in found(muniment, "harbour") if line.startswith("post:")]
    assert len(hits) == sum("harbour" in text for text in texts)
    assert len(found(muniment, f'"{PLANTED}"')) >= 4
    views = posts_of(case)
    for number, text in enumerate(texts[:-1]):
        assert (views[str(number)].text, views[str(number)].text_object) == (text, None)
    long = views[str(len(texts) - 1)]
    assert long.text and texts[-1].startswith(long.text) and len(long.text) == 20_000
    assert long.text_characters == len(texts[-1])


def test_the_page_shows_the_words_of_a_long_post_and_not_what_stands_for_them(
    muniment: RunCommand, tmp_path: Path
) -> None:
    case = built(muniment, tmp_path, [message(1, INNOCENT), message(2, "harbour " * 3_000)])
    page = html.unescape((case.report / "index.html").read_text())
    assert "_object" not in page and "_bytes" not in page
    assert "harbour harbour harbour" in page and "24,000 characters" in page
    kept = posts_of(case)["2"].text_object
    assert kept and f"kept as object <code>{kept[:12]}…</code>" in page
    assert json.loads(read_derived(case, kept)) == "harbour " * 3_000


def test_a_long_text_that_is_gone_is_named_and_the_others_are_searched(
    muniment: RunCommand, tmp_path: Path
) -> None:
    case = built(muniment, tmp_path, [message(1, INNOCENT), message(2, "harbour " * 3_000)])
    kept = posts_of(case)["2"].text_object
    assert kept
    case.object(kept).unlink()
    done = muniment("search", "harbour", "--case", "case")
    assert (
        done.returncode == EXIT_PARTLY and INNOCENT.replace("harbour", "[harbour]") in done.stdout
    )
    (line,) = done.stderr.splitlines()
    assert re.match(r"the text of post:\w{12} \(Chan #2\) cannot be read: ", line)
    done = muniment("report", "--case", "case")
    assert done.returncode == EXIT_PARTLY
    assert re.match(
        r"the text of post:\w{12} of item:\w{12} \(result.json\) cannot be read", done.stderr
    )
    page = html.unescape((case.report / "index.html").read_text())
    assert f"object <code>{kept[:12]}…</code>, which holds it, is damaged or gone" in page


# What the export says, and what of it a record must still show.
STRINGS: list[dict[str, Any]] = [
    {"file_name": LONG},
    {"mime_type": LONG},
    {"media_type": LONG},
    {"performer": LONG},
    {"sticker_emoji": LONG},
    {"title": LONG, "media_type": "audio_file"},
    {"thumbnail": LONG},
    {"forwarded_from": LONG},
    {"from": LONG},
    {"actor": LONG, "type": "service", "action": LONG},
    {"type": LONG},
    # Each under the bound alone.
    dict.fromkeys(
        ["file_name", "mime_type", "media_type", "performer", "sticker_emoji"], "\1" * 160
    ),
    dict.fromkeys(
        ["file_name", "mime_type", "forwarded_from", "from", "thumbnail"], "\u958b" * 6000
    ),
]


@pytest.mark.parametrize("name", ["Chan", LONG, "\u958b" * 3000], ids=["short", "long", "wide"])
def test_a_long_name_cuts_no_post_from_its_clip(
    name: str, muniment: RunCommand, tmp_path: Path
) -> None:
    messages = [
        clip(number, reply_to_message_id=1, **more) for number, more in enumerate(STRINGS, 2)
    ]
    gone = [
        clip(number, **{"file": f"gone{number}.mp4", "reply_to_message_id": 1} | more)
        for number, more in enumerate(STRINGS, 100)
    ]
    case = built(muniment, tmp_path, [clip(1), *messages, *gone], name)
    facts = reporting.facts(case)
    views = {post.post_id: post for post in facts.posts}
    (item,) = (one for one in facts.items if one.category == "video")
    assert set(item.posts) == {views[str(one["id"])].id for one in [clip(1), *messages]}
    assert {one.post for one in facts.misses} >= {views[str(one["id"])].id for one in gone}
    for one in [*messages, *gone]:
        view = views[str(one["id"])]
        assert view.reply_to == "1"
        assert view.forwarded_from or not one.get("forwarded_from")
        assert view.author and view.published.earliest_utc
        assert (
            view.channel.id == "77"
            and view.channel.name
            and name.startswith(view.channel.name[:-1])
        )
    for entry in program.Case.open(case.path).entries():
        if entry.kind == "post.recorded":
            assert all("_object" not in (value or ()) for value in entry.values.values())


def test_what_was_cut_is_said_and_stands_in_the_raw_record(
    muniment: RunCommand, tmp_path: Path
) -> None:
    case = built(muniment, tmp_path, [clip(1, file_name=LONG, performer="Ok")])
    (values,) = (
        entry.values
        for entry in program.Case.open(case.path).entries()
        if entry.kind == "post.recorded"
    )
    assert values["extra"]["cut"] == {"file_name": len(LONG)}
    kept = values["media"]["details"]["file_name"]
    assert kept == "Z" * 997 + "…" and values["media"]["details"]["performer"] == "Ok"
    start, end = values["bytes"]
    raw = (tmp_path / "source" / "result.json").read_bytes()[start:end]
    assert json.loads(raw)["file_name"] == LONG


def test_a_path_is_kept_whole_up_to_the_bound_and_refused_beyond(
    muniment: RunCommand, tmp_path: Path
) -> None:
    # Each takes three bytes in NFC for every two it has, and six as hexadecimal digits.
    deep = "/".join(["\u0958" * 20] * 7 + ["v.mp4"])
    messages = [
        clip(1, file=deep, **STRINGS[-1] | {"thumbnail": deep}),
        clip(2, file="x/" * 2_000 + "v.mp4"),
        clip(3, file="\1" * 400),
    ]
    (tmp_path / "source" / deep).parent.mkdir(parents=True)
    (tmp_path / "source" / deep).write_bytes(tiny.footage(b"2"))
    case = built(muniment, tmp_path, messages)
    views = posts_of(case)
    # Named and stored in another form than NFC, which is what the record has.
    assert views["1"].media_item and views["1"].media_status == "included"
    assert {views[number].media_status for number in ("2", "3")} == {"refused"}


@pytest.mark.parametrize(
    "name", ["../../../../etc/passwd", "", "a" * 63, "A" * 64, "a" * 64 + "\n", 5, ["a"], None]
)
def test_only_a_digest_is_opened(name: Any, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="is not the name of an object"):
        read_derived(CaseFolder(tmp_path), name)
