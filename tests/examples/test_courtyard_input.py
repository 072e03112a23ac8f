"""The committed courtyard input against its truth file; needs nothing but pytest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

MEDIA = {".mp4", ".ogg", ".wav", ".jpg"}
NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"


def chats(export: Json) -> list[Json]:
    """The chats of a full-account or single-chat export."""
    return export["chats"]["list"] if "chats" in export else [export]


def messages(exports: dict[str, Json]) -> Iterator[tuple[str, Json, Json]]:
    """Export path, chat and message of everything exported."""
    for path, export in exports.items():
        for chat in chats(export):
            for message in chat["messages"]:
                yield path, chat, message


def file_records(node: Any) -> Iterator[Json]:
    """Every record of a file with its digest, anywhere in the truth."""
    if isinstance(node, dict):
        if {"file", "sha256", "bytes"} <= node.keys():
            yield node
        for value in node.values():
            yield from file_records(value)
    elif isinstance(node, list):
        for value in node:
            yield from file_records(value)


def test_every_file_of_the_truth_is_there_with_its_digest(truth: Json, root: Path) -> None:
    records = list(file_records(truth))
    assert len(records) >= 25
    for record in records:
        data = (root / record["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == record["sha256"], record["file"]
        assert len(data) == record["bytes"]


def test_every_media_file_is_in_the_truth(truth: Json, root: Path) -> None:
    known = {record["file"] for record in file_records(truth)}
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.suffix.lower() in MEDIA and not path.name.endswith("_thumb.jpg")
    }
    assert found <= known


def test_clips_and_sounds_stay_below_8_megabytes(courtyard: Path) -> None:
    total = sum(p.stat().st_size for p in courtyard.rglob("*") if p.suffix.lower() in MEDIA)
    assert 0 < total <= 8_000_000


def test_at_least_four_channels_and_twenty_posts(exports: dict[str, Json]) -> None:
    channels = {chat["name"] for export in exports.values() for chat in chats(export)}
    posts = [m for _, _, m in messages(exports) if m["type"] == "message"]
    assert len(channels) >= 5
    assert len(posts) >= 26


def test_times_and_ids_of_the_exports_agree_with_the_truth(
    truth: Json, exports: dict[str, Json]
) -> None:
    zones = {e["result"]: timedelta(hours=e["utc_offset_h"]) for e in truth["exports"]}
    true = {(p["export"], p["channel_id"], p["id"]): p for p in truth["posts"]}
    seen = set()
    for path, chat, message in messages(exports):
        key = (path, f"channel{chat['id']}", message["id"])
        seen.add(key)
        utc = datetime.strptime(true[key]["utc"], "%Y-%m-%dT%H:%M:%SZ")
        assert datetime.fromisoformat(message["date"]) == utc + zones[path]
        if "date_unixtime" in message:
            stamp = (utc - datetime(1970, 1, 1)).total_seconds()
            assert int(message["date_unixtime"]) == stamp
        assert message.get("from_id", message.get("actor_id")) == key[1]
    assert seen == true.keys()


def test_one_export_is_older_than_date_unixtime(truth: Json, exports: dict[str, Json]) -> None:
    old = [e["result"] for e in truth["exports"] if not e["has_date_unixtime"]]
    assert len(old) == 1
    for path, _, message in messages(exports):
        assert ("date_unixtime" in message) == (path not in old)
        assert ("text_entities" in message) == (path not in old)
        assert "date" in message and not re.search(r"[Z+]", message["date"])


def test_exported_files_exist_or_say_why_not(exports: dict[str, Json], root: Path) -> None:
    missing = 0
    for path, _, message in messages(exports):
        for field in ("file", "photo", "thumbnail"):
            value = message.get(field)
            if value == NOT_INCLUDED:
                missing += field != "thumbnail"
            elif value:
                assert ((root / path).parent / value).is_file(), value
        if "file_size" in message and message["file"] != NOT_INCLUDED:
            target = (root / path).parent / message["file"]
            assert target.stat().st_size == message["file_size"]
    assert missing >= 1


def test_text_equals_its_entities(exports: dict[str, Json]) -> None:
    kinds = set()
    for _, _, message in messages(exports):
        parts = message["text"] if isinstance(message["text"], list) else [message["text"]]
        flat = "".join(part if isinstance(part, str) else part["text"] for part in parts)
        if "text_entities" in message:
            assert flat == "".join(part["text"] for part in message["text_entities"])
            kinds |= {part["type"] for part in message["text_entities"]}
    assert {"plain", "bold", "italic", "hashtag", "link", "text_link", "mention"} <= kinds


@pytest.mark.parametrize(
    "clip",
    [
        "reencode",
        "small",
        "caption",
        "caption-again",
        "crop10",
        "crop30",
        "mirror",
        "letterbox",
        "screen-flat",
        "screen-tilted",
        "trim",
        "montage",
        "muted",
    ],
)
def test_each_required_copy_is_posted_later_than_the_first(truth: Json, clip: str) -> None:
    record = next(c for c in truth["clips"] if c["id"] == clip)
    assert record["is_copy_of"] == "first" and record["files"] and record["segments"]
    first = truth["earliest_post"]
    by_key = {(p["channel_id"], p["id"]): p for p in truth["posts"]}
    begun = by_key[first["channel_id"], first["id"]]["utc"]
    held = [p for p in truth["posts"] if p["media"] == clip and p["file"]]
    assert held and all(p["utc"] > begun for p in held)
    assert record["reason"] if record["may_be_missed_for_now"] else not record["reason"]


def test_other_required_kinds_of_posts(truth: Json, exports: dict[str, Json]) -> None:
    everything = [m for _, _, m in messages(exports)]
    assert sum("forwarded_from" in m for m in everything) >= 3
    assert any("edited" in m for m in everything)
    assert any("reply_to_message_id" in m for m in everything)
    assert any(m.get("action") == "pin_message" for m in everything)
    assert any(m.get("media_type") == "voice_message" for m in everything)
    assert {n["id"] for n in truth["negatives"]} == {"later", "market"}
    posted = {p["media"] for p in truth["posts"]}
    assert {"first", "later", "market"} <= posted
    digests = [f["sha256"] for c in truth["clips"] for f in c["files"]]
    assert len(digests) == len(set(digests)) + 1, "one file is posted twice with the same bytes"


def test_spread_goes_forward_in_time(truth: Json) -> None:
    times = {(p["channel_id"], p["id"]): p["utc"] for p in truth["posts"]}
    assert len(truth["spread"]) >= 13
    for step in truth["spread"]:
        assert times[tuple(step["from_post"])] < times[tuple(step["to_post"])], step


def test_album_is_consecutive_with_one_text(truth: Json, exports: dict[str, Json]) -> None:
    for album in truth["albums"]:
        chat = next(
            c for e in exports.values() for c in chats(e) if f"channel{c['id']}" in album.values()
        )
        places = [k for k, m in enumerate(chat["messages"]) if m["id"] in album["ids"]]
        assert places == list(range(places[0], places[0] + len(album["ids"])))
        picked = [chat["messages"][k] for k in places]
        assert len({m["date"] for m in picked}) == 1
        assert sum(bool(m["text"]) for m in picked) == 1
        assert all("photo" in m for m in picked)


def test_every_quoted_span_is_verbatim_at_its_offsets(truth: Json, root: Path) -> None:
    assert len(truth["statements"]) >= 20
    for said in truth["statements"]:
        text = (root / said["file"]).read_text("utf-8")
        assert text[said["start_char"] : said["end_char"]] == said["span"]
        for word in (*said["hedges"], *([said["verb"]] if said["verb"] else [])):
            assert word in text, f"{said['id']}: {word}"


def test_statements_cover_what_the_example_promises(truth: Json) -> None:
    said = {s["id"]: s for s in truth["statements"]}
    stances = {s["stance"] for s in said.values()}
    assert {"denies", "alleges", "claims_transfer", "calls_for_action"} <= stances
    assert {"declines_or_cannot_verify", "alternative_explanation"} <= stances
    assert sum(bool(s["hedges"]) for s in said.values()) >= 5
    assert any("place" in s["aspects"] and "Lindvara" in s["span"] for s in said.values())
    for pair in truth["contradictions"]:
        assert said[pair["a"]] and said[pair["b"]]
    for copy in (s for s in said.values() if s["copies_wording_of"]):
        assert copy["span"] == said[copy["copies_wording_of"]]["span"]
    assert {s["origin"] for s in said.values()} - {None} <= truth["origins"].keys()
    files = {d["file"] for d in truth["documents"]}
    assert sum(f.startswith("articles/") for f in files) == 2
    assert sum(f.startswith("statements/") for f in files) >= 5


def test_people_in_the_truth_are_large_enough(truth: Json) -> None:
    height = truth["camera"]["height"]
    for moment in truth["moments"]:
        for frame in moment["frames"]:
            assert len(frame["people"]) >= 3
            for person in frame["people"]:
                _, top, _, low = person["box_px"]
                assert low - top >= 0.05 * height


def test_says_that_it_is_synthetic(courtyard: Path, truth: Json) -> None:
    readme = (courtyard / "README.md").read_text("utf-8")
    assert "synthetic" in readme and "invented" in readme and "Apache-2.0" in readme
    assert truth["synthetic"] and truth["place"]["name_is_invented"]
