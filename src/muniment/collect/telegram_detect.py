"""Telling a Telegram Desktop export from any other JSON by its first bytes."""

from __future__ import annotations

import contextlib
from typing import Any, Final

import ijson
from ijson.backends import yajl2_c

from muniment.collect.telegram_record import LONG_NUMBER

#: Telegram Desktop's words for a chat's `type`.
CHAT_TYPES: Final = frozenset(
    {
        "saved_messages",
        "replies",
        "verify_codes",
        "personal_chat",
        "bot_chat",
        "private_group",
        "private_supergroup",
        "public_supergroup",
        "private_channel",
        "public_channel",
    }
)
_MESSAGE_TYPES: Final = frozenset({"message", "service", "unsupported"})
_LISTS: Final = ("chats", "left_chats", "contacts", "frequent_contacts", "sessions", "web_sessions")
#: As deep as anything told apart here lies: chats.list.[].messages.[].key
_DEPTH: Final = 6
HEAD_BYTES: Final = 64 * 1024

Path = tuple[str, ...]


def is_export(head: bytes) -> bool:
    """Whether a JSON file that starts with `head` is a Telegram Desktop export.

    Args:
        head: the first bytes, best 64 KiB of them; more is not looked at. May end anywhere.
    Returns:
        True for one chat (`messages`, whose first has the members of a message, or a known chat
        `type` beside them) and for a full account (`chats` or the other lists of one). Never
        raises.
    Example:
        >>> is_export(b'{"name": "A", "type": "public_channel", "id": 7, "messages": [')
        True
        >>> is_export(b'{"name": "A", "messages": ["x"]}')
        False
    """
    seen = _survey(head[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf"))
    if seen.get(()) != "start_map":
        return False
    if _is_chat(seen, ()):
        return True
    for name in ("chats", "left_chats"):
        if seen.get((name, "list")) == "start_array" and _is_chat(seen, (name, "list", "[]")):
            return True
    # A full account whose chats lie beyond `head`: each of its lists stands beside a description.
    if not isinstance(seen.get(("about",)), _Text):
        return False
    described = any(
        isinstance(seen.get((name, "about")), _Text) and seen.get((name, "list")) == "start_array"
        for name in _LISTS
    )
    return described or (
        ("personal_information", "user_id") in seen
        and ("personal_information", "phone_number") in seen
    )


class _Text(str):
    __slots__ = ()


def _is_chat(seen: dict[Path, str], at: Path) -> bool:
    if seen.get((*at, "messages")) != "start_array":
        return False
    chat_type = seen.get((*at, "type"))
    if isinstance(chat_type, _Text) and chat_type in CHAT_TYPES and (*at, "id") in seen:
        return True
    first = (*at, "messages", "[]")
    message_type = seen.get((*first, "type"))
    if not isinstance(message_type, _Text) or message_type not in _MESSAGE_TYPES:
        return False
    if seen.get((*first, "id")) != "number":
        return False
    return message_type == "unsupported" or (*first, "date") in seen


def _survey(head: bytes) -> dict[Path, str]:
    """The first value at each place near the root: its text for a string, else its event."""
    events: Any = ijson.sendable_list()
    parser: Any = yajl2_c.basic_parse_coro(events)
    # Such a number must not reach ijson (see telegram_record); no head of an export holds one.
    long = LONG_NUMBER.search(head)
    with contextlib.suppress(ijson.JSONError, ValueError, ArithmeticError):
        parser.send(head[: long.start()] if long else head)
    seen: dict[Path, str] = {}
    path: list[str] = [""]
    depth = 0
    for event, value in events:
        if event == "map_key":
            if depth <= _DEPTH:
                path[-1] = value
            continue
        if event in ("end_map", "end_array"):
            depth -= 1
            if depth < _DEPTH:
                path.pop()
            continue
        if depth <= _DEPTH:
            where = tuple(path[1:]) if depth else ()
            seen.setdefault(where, _Text(value) if event == "string" else event)
        if event in ("start_map", "start_array"):
            if depth < _DEPTH:
                path.append("[]" if event == "start_array" else "")
            depth += 1
    return seen
