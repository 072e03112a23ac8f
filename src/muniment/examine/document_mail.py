"""Text of e-mail: headers as they stand, bodies, and the attachments listed with their digests."""

from __future__ import annotations

import email
import hashlib
import re
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from typing import Any, Final

from muniment.examine import document_html
from muniment.examine.document import Text, decoded, plain
from muniment.examine.problems import UnexaminableError
from muniment.examine.tags import cleaned
from muniment.model.examine import Note, Problem

_SHOWN: Final = ("From", "To", "Cc", "Reply-To", "Date", "Subject", "Message-ID", "In-Reply-To")
_MOST_PARTS: Final = 1_000
_MOST_DEPTH: Final = 30
_MOST_MESSAGES: Final = 5_000
_MOST_RECEIVED: Final = 30
_FROM: Final = re.compile(rb"^From [^\n]*\n", re.MULTILINE)
_TROUBLE: Final = (MessageError, ValueError, LookupError, TypeError, AttributeError)


def read(data: bytes, out: Text) -> None:
    """One message, or those of an mbox in order.

    Raises:
        UnexaminableError: if parts nest too deeply, or it is no message.
    """
    starts = [found.end() for found in _FROM.finditer(data)] if data.startswith(b"From ") else []
    if not starts:
        _message(data, out, None)
        return
    ends = [*(found.start() for found in _FROM.finditer(data)), len(data)][1:]
    out.facts["messages"] = len(starts)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        if number > _MOST_MESSAGES or out.full:
            out.notes.append(Note("text cut", f"after {number - 1} of {len(starts)} messages"))
            return
        _message(data[start:end], out, f"message {number}")


def _message(data: bytes, out: Text, within: str | None) -> None:
    try:
        message = email.message_from_bytes(data)
    except _TROUBLE as error:
        raise UnexaminableError(
            Problem.MALFORMED, f"the message cannot be parsed ({type(error).__name__})"
        ) from error
    for name in _SHOWN:
        value = _header(message, name)
        if value:
            out.add("header", f"{name}: {value}", within=within)
    received = [cleaned(one, 400) for one in message.get_all("Received") or []]
    if received and within is None:
        out.facts["received"] = received[:_MOST_RECEIVED]
    attachments: list[dict[str, Any]] = []
    _parts(message, out, within, attachments, 0)
    if attachments:
        kept = out.facts.setdefault("attachments", [])
        kept += attachments[: 200 - len(kept)]


def _header(message: Message, name: str) -> str:
    raw = message.get(name)
    if raw is None:
        return ""
    try:
        return cleaned(make_header(decode_header(str(raw))), 2_000)
    except _TROUBLE:
        return cleaned(raw, 2_000)


def _parts(
    message: Message, out: Text, within: str | None, attachments: list[dict[str, Any]], depth: int
) -> None:
    if depth > _MOST_DEPTH:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE, f"parts of the message nest deeper than {_MOST_DEPTH}"
        )
    # asked first: a text's payload would be decoded by a charset that may not decode
    held = message.get_payload() if message.is_multipart() else None
    if isinstance(held, list):
        for part in held[:_MOST_PARTS]:
            if isinstance(part, Message):
                _parts(part, out, within, attachments, depth + 1)
        return
    data = message.get_payload(decode=True)
    body = data if isinstance(data, bytes) else b""
    kind = message.get_content_type()
    name = _file_name(message)
    if name or not kind.startswith("text/"):
        attachments.append(
            {
                "name": cleaned(name or "", 200),
                "type": cleaned(kind, 100),
                "size_bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        )
    elif kind == "text/html":
        document_html.read(body, out, within=within or "html")
    else:
        charset = message.get_content_charset()
        plain(decoded(body, out, charset).encode(), out, within)


def _file_name(message: Message) -> str | None:
    try:
        return message.get_filename()
    except _TROUBLE:
        return "(name cannot be read)"
