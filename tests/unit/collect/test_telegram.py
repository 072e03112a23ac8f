"""Telegram Desktop exports: what a message becomes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muniment.collect import telegram
from muniment.collect.telegram import is_export, read_posts
from muniment.model import canonical
from muniment.model.collect import Channel, Post, Trouble
from muniment.model.times import Interval

NOT_INCLUDED = "(File not included. Change data exporting settings to download.)"


def nothing(path: str) -> int | None:
    return None


def read(
    data: bytes, member_size: Callable[[str], int | None] = nothing
) -> tuple[list[Post], list[Trouble]]:
    found = list(read_posts(io.BytesIO(data), member_size))
    for post in found:
        if isinstance(post, Post):
            assert 0 <= post.start_byte < post.end_byte <= len(data)
            canonical.check(post.extra)
            canonical.check(post.media.details if post.media else None)
    return (
        [one for one in found if isinstance(one, Post)],
        [one for one in found if isinstance(one, Trouble)],
    )


def chat(*messages: Any, **header: Any) -> bytes:
    head = {"name": "Channel", "type": "public_channel", "id": 7, **header}
    return json.dumps({**head, "messages": list(messages)}, ensure_ascii=False).encode()


def one(member_size: Callable[[str], int | None] = nothing, **members: Any) -> Post:
    base = {"id": 1, "type": "message", "date_unixtime": "1770000000", "text": ""}
    posts, troubles = read(chat({**base, **members}), member_size)
    assert not troubles
    return posts[0]


def test_a_message_of_a_channel() -> None:
    post = one(
        **{
            "from": "Channel",
            "from_id": "channel7",
            "text": "hello",
            "date": "2026-02-02T05:40:00",
        },
        text_entities=[{"type": "plain", "text": "hello"}],
    )
    assert post.channel == Channel("Channel", "7", "public_channel", 0)
    assert (post.post_id, post.kind, post.author, post.text) == ("1", "message", "Channel", "hello")
    stamp = "2026-02-02T02:40:00.000Z"
    assert post.published == Interval(stamp, stamp, telegram.BASIS_UNIX)
    assert (post.edited, post.media, post.album_of, post.action) == (None, None, None, None)
    assert post.extra == {"from_id": "channel7", "date": "2026-02-02T05:40:00"}


def test_a_service_message() -> None:
    post = one(type="service", actor="A", actor_id="user5", action="pin_message", message_id=9)
    assert (post.kind, post.author, post.action) == ("service", "A", "pin_message")
    assert post.extra == {"actor_id": "user5", "message_id": "9"}


def test_an_older_export_gives_intervals() -> None:
    posts, troubles = read(
        chat({"id": 1, "type": "message", "date": "2020-05-02T12:00:00", "text": "x"})
    )
    assert not troubles
    assert posts[0].published == Interval(
        "2020-05-01T22:00:00.000Z", "2020-05-03T00:00:00.000Z", telegram.BASIS_LOCAL
    )


def test_edits_and_the_early_non_edit() -> None:
    edited = one(edited="2026-02-02T03:41:00", edited_unixtime="1770000060").edited
    assert edited == Interval(*["2026-02-02T02:41:00.000Z"] * 2, telegram.BASIS_EDITED_UNIX)
    assert one(edited="1970-01-01T05:00:00").edited is None
    local = one(edited="2019-01-01T05:00:00").edited
    assert local is not None and local.basis == telegram.BASIS_LOCAL


def test_formatted_text_is_joined_and_its_parts_kept() -> None:
    parts = ["see ", {"type": "link", "text": "https://example.org"}, ""]
    assert one(text=parts).text == "see https://example.org"
    assert one(text=parts).extra == {"text_parts": parts}
    entities = [{"type": "plain", "text": "see "}, parts[1]]
    assert one(text=parts, text_entities=entities).extra == {"text_entities": entities}
    assert one(text="", text_entities=[]).text is None


def test_forwards_are_names_only() -> None:
    assert one(forwarded_from="Source").forwarded_from == "Source"
    hidden = one(forwarded_from=None)
    assert hidden.forwarded_from is None
    assert hidden.extra == {"forwarded_from_hidden": True}


def test_replies_and_further_fields_are_kept() -> None:
    post = one(
        reply_to_message_id=5,
        reply_to_peer_id="channel9",
        saved_from="S",
        via_bot="@bot",
        reactions=[{"type": "emoji", "count": 3, "emoji": "🔥"}],
        location_information={"latitude": 34.5, "longitude": -0.25},
        poll={"question": "q", "closed": False, "total_voters": 2, "answers": []},
        peer_id=2**63,
        ключ={"вложен": 1},
    )
    assert post.reply_to == "5"
    assert post.extra is not None
    assert post.extra["location_information"] == {"latitude": "34.5", "longitude": "-0.25"}
    assert post.extra["peer_id"] == str(2**63)
    assert post.extra["unknown_fields"] == [["ключ", {"unknown_fields": [["вложен", 1]]}]]
    assert set(post.extra) >= {"reply_to_peer_id", "saved_from", "via_bot", "reactions", "poll"}


def test_a_member_named_as_ours_is_not_mistaken() -> None:
    post = one(omitted="x", forwarded_from=None, forwarded_from_hidden=False)
    assert post.extra == {
        "forwarded_from_hidden": True,
        "unknown_fields": [["forwarded_from_hidden", False], ["omitted", "x"]],
    }


def test_strings_become_canonical() -> None:
    assert one(text="e\u0301").text == "é"
    posts, _ = read(rb'{"messages": [{"id": 1, "type": "message", "from": "\ud800x"}]}')
    assert posts[0].author == "\ufffdx"


# -- media


@pytest.mark.parametrize(
    ("size", "status", "path"),
    [(5, "included", "v/a.mp4"), (0, "empty", "v/a.mp4"), (None, "missing", None)],
)
def test_a_file_in_the_folder_or_not(size: int | None, status: str, path: str | None) -> None:
    media = one(lambda p: size if p == "v/a.mp4" else 99, file="v/a.mp4", media_type="video_file")
    assert media.media and (media.media.status, media.media.path) == (status, path)
    assert media.media.media_type == "video_file"
    assert media.media.details == ({"named_path": "v/a.mp4"} if path is None else {})


@pytest.mark.parametrize("placeholder", telegram.take_media.__globals__["PLACEHOLDERS"])
def test_placeholders(placeholder: str) -> None:
    for named in (placeholder, "name.vcf " + placeholder):
        media = one(lambda p: 1, file=named).media
        assert media and (media.status, media.path) == ("not_included", None)
        assert media.details == {"placeholder": named}


def test_what_the_export_says_of_a_file() -> None:
    media = one(
        lambda p: 5,
        file="f/a.mp3",
        thumbnail="f/t.jpg",
        file_name="a.mp3",
        file_size=1,
        thumbnail_file_size=2,
        media_type="audio_file",
        mime_type="audio/mpeg",
        duration_seconds=3,
        performer="P",
        title="T",
    ).media
    assert media and media.details == {
        "file_name": "a.mp3",
        "size_bytes": 1,
        "thumbnail": "f/t.jpg",
        "thumbnail_status": "included",
        "thumbnail_size_bytes": 2,
        "mime_type": "audio/mpeg",
        "duration_s": 3,
        "performer": "P",
        "title": "T",
    }


@pytest.mark.parametrize(
    ("members", "media_type", "known"),
    [
        ({"photo": "p"}, "photo", None),
        ({"file": "p"}, "file", None),
        ({"file": "p", "media_type": "sticker"}, "sticker", None),
        ({"file": "p", "media_type": "hologram"}, "hologram", False),
        ({"contact_vcard": "p"}, "contact_vcard", None),
    ],
)
def test_media_types(members: dict[str, Any], media_type: str, known: bool | None) -> None:
    media = one(lambda p: 1, **members).media
    assert media and media.media_type == media_type
    assert media.details.get("known") is known


@pytest.mark.parametrize(
    "path",
    ["../a", "a/../../b", "..", "/etc/passwd", "//host/share", "C:\\a", "C:/a", "c:a", "\\\\h\\s",
     "a\\b", "a\0b", "\udc80", "x" * 5000],
)  # fmt: skip
def test_paths_that_point_outside_are_refused(path: str) -> None:
    asked: list[str] = []

    def size(name: str) -> int:
        asked.append(name)
        return 5

    message = {"id": 1, "type": "message", "date_unixtime": "1", "file": path, "thumbnail": path}
    data = json.dumps({"name": "C", "messages": [message]}).encode()
    posts, troubles = read(data, size)
    media = posts[0].media
    assert media and (media.status, media.path) == ("refused", None)
    assert media.details["thumbnail_status"] == "refused"
    assert not asked
    assert all(trouble.reason.startswith("unsafe member ") for trouble in troubles)
    assert len(troubles) == 2
    assert "\0" not in troubles[0].reason


def test_a_decomposed_path_keeps_its_bytes() -> None:
    media = one(lambda p: 1 if p == "e\u0301" else None, file="e\u0301", thumbnail="e\u0301").media
    assert media and media.path == "é"
    shown = {"thumbnail": "é", "thumbnail_status": "included"}
    assert media.details == {"path_utf8_hex": "65cc81", **shown}


def test_a_thumbnail_of_the_wrong_type_costs_itself_only() -> None:
    message = {"id": 1, "type": "message", "file": "a", "thumbnail": 5}
    posts, troubles = read(chat(message), lambda p: 1)
    assert posts[0].media and posts[0].media.details == {}
    assert len(troubles) == 1 and "`thumbnail`" in troubles[0].reason


# -- albums


def picture(number: int, **members: Any) -> dict[str, Any]:
    base = {"id": number, "type": "message", "date_unixtime": "1770000000", "from": "A"}
    return {**base, "photo": f"photos/{number}.jpg", "text": "", **members}


def albums(*messages: dict[str, Any]) -> list[str | None]:
    return [post.album_of for post in read(chat(*messages), lambda p: 1)[0]]


def test_an_album_is_inferred() -> None:
    assert albums(picture(1, text="x"), picture(2), picture(3)) == [None, "1", "1"]
    assert albums(picture(1), picture(2, text="x"), picture(3)) == [None, "1", "1"]


@pytest.mark.parametrize(
    "other",
    [{"id": 4}, {"date_unixtime": "1770000001"}, {"from": "B"}, {"forwarded_from": "B"},
     {"text": "y"}, {"type": "service"}, {"file": "a.mp3", "photo": None}],
)  # fmt: skip
def test_what_is_no_album(other: dict[str, Any]) -> None:
    second = {key: value for key, value in {**picture(2), **other}.items() if value is not None}
    assert albums(picture(1, text="x"), second) == [None, None]


def test_an_album_holds_ten() -> None:
    assert albums(*[picture(n) for n in range(1, 13)]) == [None, *["1"] * 9, None, "11"]


# -- fields of the wrong type


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"id": {}}, "id"),
        ({"id": True}, "id"),
        ({"text": 5}, "text"),
        ({"text": [5]}, "text"),
        ({"text": [{"text": {}}]}, "text"),
        ({"from": 5}, "from"),
        ({"reply_to_message_id": "x"}, "reply_to_message_id"),
        ({"forwarded_from": []}, "forwarded_from"),
        ({"file": {}}, "file"),
        ({"file": "a", "width": "wide"}, "width"),
        ({"file": "a", "file_size": 2**70}, "file_size"),
        ({"file": "a", "media_type": 3}, "media_type"),
        ({"edited_unixtime": "99999999999999999999"}, "edited_unixtime"),
        ({"edited": "yesterday"}, "edited"),
        ({"type": None}, "type"),
    ],
)
def test_a_wrong_type_costs_the_field_only(members: dict[str, Any], named: str) -> None:
    base = {"id": 1, "type": "message", "date_unixtime": "1770000000", "text": "kept"}
    posts, troubles = read(chat({**base, **members}, {**base, "id": 2}))
    assert len(posts) == 2
    assert len(troubles) == 1
    assert f"`{named}`" in troubles[0].reason
    assert troubles[0].reason.startswith(
        f"malformed at byte {posts[0].start_byte}: chat 0 (Channel)"
    )


def test_times_fall_back() -> None:
    base = {"id": 1, "type": "message", "date_unixtime": "abc"}
    posts, troubles = read(chat({**base, "date": "2020-05-02T12:00:00"}, base, {**base, "date": 1}))
    assert [post.published.basis for post in posts] == [
        telegram.BASIS_LOCAL,
        telegram.BASIS_NONE,
        telegram.BASIS_NONE,
    ]
    assert len(troubles) == 4


def test_too_much_extra_is_left_out_with_a_trouble() -> None:
    posts, troubles = read(chat({"id": 1, "type": "message", "odd": "x" * 1_100_000}))
    assert posts[0].extra is not None and set(posts[0].extra) == {"omitted"}
    assert len(troubles) == 1 and "left out" in troubles[0].reason


# -- chats


def test_a_full_account_keeps_two_chats_of_one_name_apart() -> None:
    message = {"id": 1, "type": "message", "text": "x"}
    one_chat = {"name": "Same", "type": "private_group", "id": 5, "messages": [message]}
    data = json.dumps(
        {
            "about": "Here is the data you requested.",
            "personal_information": {"user_id": 1, "messages": [{"id": 99}]},
            "chats": {"about": "a", "list": [one_chat, {**one_chat, "id": 6}]},
            "left_chats": {"about": "a", "list": [{**one_chat, "name": None, "messages": []},
                                                  {**one_chat, "id": 8}]},
        }
    ).encode()  # fmt: skip
    posts, troubles = read(data)
    assert not troubles
    assert [(post.channel.ordinal, post.channel.id) for post in posts] == [
        (0, "5"),
        (1, "6"),
        (3, "8"),
    ]


def test_a_header_after_the_messages_is_told_once() -> None:
    data = b'{"id": 7, "messages": [{"id": 1, "type": "message"}], "name": "A", "type": "x"}'
    posts, troubles = read(data)
    assert posts[0].channel == Channel(None, "7", None, 0)
    assert len(troubles) == 1 and "after the messages" in troubles[0].reason


def test_hostile_names_are_shown_as_escapes() -> None:
    _, troubles = read(chat({"id": {}, "type": "message"}, name="a\u202eb\u200b"))
    assert "a\\u202eb\\u200b" in troubles[0].reason


# -- recognising an export


@pytest.mark.parametrize(
    "head",
    [
        chat({"id": 1, "type": "message", "date": "2020-05-02T12:00:00"}),
        chat(),
        b'{"messages": [{"date": "2020", "type": "service", "id": 1}',
        b'{"messages": [{"id": 3, "type": "unsupported"}',
        b'\xef\xbb\xbf{"id": 4, "type": "saved_messages", "messages": [',
        b'{"about": "Here", "personal_information": {"user_id": 1, "phone_number": "+1"',
        b'{"about": "Here", "contacts": {"about": "x", "list": [{"user_id',
        b'{"left_chats": {"list": [{"id": 1, "type": "bot_chat", "messages": [',
        b'{"chats": {"list": [{"messages": [{"id": 1, "type": "message", "date": "2',
    ],
)
def test_exports_are_recognised(head: bytes) -> None:
    cut = head.endswith(b'"date": "2')  # the date, still open, is not seen
    assert is_export(head) is not cut


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"[]",
        b"5",
        b'"messages"',
        b"{}",
        b"\xff\xfe{\0",
        b'{"messages": ["x"]}',
        b'{"messages": [{"role": "user", "content": "x"}]}',
        b'{"name": "A", "type": "other", "id": 1, "messages": []}',
        b'{"chats": [{"messages": []}]}',
        b'{"about": "x", "version": 1}',
        b'{"type": "FeatureCollection", "features": []}',
        b"[" * 65536,
        b'{"a":' * 13000,
        b'{"id": ' + b"1" * 9000,
    ],
)
def test_other_json_is_not(head: bytes) -> None:
    assert not is_export(head)


@given(st.binary(max_size=300))
def test_is_export_never_raises(head: bytes) -> None:
    is_export(head)
    is_export(b'{"messages": [{"id": 1, "type": "message", "x": ' + head)


# -- byte ranges

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
messages = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "text", "{", "}", 'a"b', "type", "date", "file", "é"]) | st.text(),
        json_values,
        max_size=5,
    ),
    max_size=6,
)


@settings(max_examples=200)
@given(messages, st.sampled_from([None, 1, "\t"]), st.booleans(), st.booleans())
def test_byte_ranges_decode_to_exactly_the_messages(
    written: list[dict[str, Any]], indent: Any, plain: bool, account: bool
) -> None:
    inner = {"name": "{}", "type": "x", "id": 1, "messages": written}
    whole = {"chats": {"list": [inner, inner]}} if account else inner
    data = json.dumps(whole, ensure_ascii=plain, indent=indent).encode("utf-8", "replace")
    expected = json.loads(data)
    inner = expected["chats"]["list"][0] if account else expected
    posts, troubles = read(data)
    assert not any("not read" in trouble.reason for trouble in troubles)
    ranges = [json.loads(data[post.start_byte : post.end_byte]) for post in posts]
    assert ranges == inner["messages"] * (2 if account else 1)
