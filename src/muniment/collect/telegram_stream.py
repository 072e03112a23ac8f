"""Where each message of a Telegram Desktop `result.json` starts and ends, in constant memory.

ijson parses the structure. It is fed in pieces cut right after every brace, so that when it
reports the start or end of an object, the number of bytes fed so far is the offset of that brace.
Only the bytes of the message now open are kept; `telegram_record` decodes them.

A message that is no JSON in itself (bad UTF-8, `NaN`, an escape of the exporter's own making) need
not end the reading: its bytes are fed again with every string and token replaced by a harmless one
of the same length. Braces, brackets, commas and quotes stay, so ijson still finds where the message
ends. Only when these are damaged does reading stop, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final, NamedTuple

import ijson
from ijson.backends import yajl2_c

from muniment.collect.telegram_blocks import blocks, has_long_number, neutral_form
from muniment.collect.telegram_record import LONG_NUMBER, MAX_DEPTH, bounded, find_fault
from muniment.model.canonical import text
from muniment.model.collect import Channel, Trouble
from muniment.model.display import visible

#: A message larger than this is passed over; real ones stay below 100 kB.
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
#: yajl holds an unfinished string, and one byte a nesting level, in memory: beyond this, stop.
MAX_HELD_BYTES: Final = 16 * 1024 * 1024

EXPORT_AGAIN: Final = "Export the chat again; keep this file as it is."
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_BRACE: Final = re.compile(rb"[{}]")
_STRING_END: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_PARSE_ERRORS: Final = (ijson.JSONError, ValueError, ArithmeticError)
_HEADER: Final = frozenset({"name", "type", "id"})
_OPENS: Final = frozenset({"start_map", "start_array"})
_CLOSES: Final = frozenset({"end_map", "end_array"})


class RawMessage(NamedTuple):
    """One message's bytes: `[start, end)` in the export file, and the chat it stands in."""

    start: int
    end: int
    raw: bytes
    channel: Channel
    number: int
    """Counts the chat's messages from 1, for troubles about messages without a readable id."""


class _Chat:
    """What is known of one chat so far."""

    def __init__(self) -> None:
        self.header: dict[str, str | None] = {}
        self.channel: Channel | None = None
        self.count = 0
        self.told_late = False


class _Frame:
    """One open container on the way to the messages."""

    def __init__(self, kind: str, chat: _Chat | None = None) -> None:
        self.kind = kind  # root, chats, list, chat or messages
        self.chat = chat
        self.key = ""
        self.seen: set[str] = set()


def raw_messages(export: BinaryIO) -> Iterator[RawMessage | Trouble]:
    """Every message of an export in file order, with troubles where they arise.

    Args:
        export: `result.json`, opened for reading bytes; read once, from its current position 0.
    Yields:
        Messages (their bytes unchecked beyond structure) and troubles. After a trouble that ends
        in "nothing after this could be read" nothing follows.
    Example:
        >>> import io
        >>> export = io.BytesIO(b'{"name": "A", "id": 7, "messages": [{"id": 1}]}')
        >>> [(m.start, m.end, m.raw, m.channel.name) for m in raw_messages(export)]
        [(36, 45, b'{"id": 1}', 'A')]
    """
    reader = _Reader()
    for block in blocks(export):
        reader.feed(block)
        yield from reader.found
        reader.found.clear()
        if reader.stopped:
            return
    reader.finish()
    yield from reader.found


def place(channel: Channel) -> str:
    """The chat as a trouble names it.

    Example:
        >>> place(Channel("A\\u202e", None, None, 2))
        'chat 2 (A\\\\u202e)'
    """
    return f"chat {channel.ordinal}" + (f" ({visible(channel.name[:60])})" if channel.name else "")


class _Reader:
    """The state of one reading; `feed` blocks, take `found`, then `finish`."""

    def __init__(self) -> None:
        self.found: list[RawMessage | Trouble] = []
        self.stopped = False
        self.events: Any = ijson.sendable_list()
        self.parser: Any = yajl2_c.basic_parse_coro(self.events)
        self.offset = 0
        self.silent_bytes = 0
        self.in_text = False
        self.frames: list[_Frame] = []
        self.skipped_depth = 0
        self.complete = False
        self.chats = 0
        # The message now open: none while `maps` (its open objects) is 0.
        self.maps = 0
        self.deepest = 0
        self.start = 0
        self.size = 0
        self.parts: list[bytes] = []
        self.neutral = False
        self.in_string = False

    def feed(self, block: bytes) -> None:
        if self.offset == 0 and block.startswith(_BYTE_ORDER_MARK):
            self.offset = len(_BYTE_ORDER_MARK)
            block = block[self.offset :]
        wary = has_long_number(block)
        position = 0
        while position < len(block) and not self.stopped:
            start = position
            if self.in_text:
                # No brace up to the closing quote is structural. Cutting at each would have yajl
                # read the unfinished string again and again.
                closing = _STRING_END.match(block, position)
                start = closing.end() if closing else len(block)
                self.in_text = closing is None
            brace = _BRACE.search(block, start)
            end = brace.end() if brace else len(block)
            last_event = self._piece(block[position:end], wary)
            if brace:
                self.in_text = last_event not in ("start_map", "end_map")
            position = end

    def finish(self) -> None:
        """Tell what is missing at the end of the file."""
        if self.offset == 0:
            self._tell(0, "malformed at byte 0: the file is empty")
        elif self.maps:
            self._tell(
                self.start,
                f"malformed at byte {self.offset}: {self._message()} is cut off by the end of the "
                f"file (bytes {self.start} to {self.offset})",
            )
        elif not self.complete:
            self._tell(
                self.offset,
                f"malformed at byte {self.offset}: {self._where()}the file ends before its JSON "
                "does; posts may be missing",
            )
        elif not self.chats:
            self._tell(0, "holds no chat", "Give the result.json of a Telegram Desktop export.")

    # -- feeding ijson

    def _piece(self, piece: bytes, wary: bool) -> str:
        """Feed one piece; the last event it gave."""
        self.offset += len(piece)
        if self.maps:
            self._keep(piece)
            if self.stopped:
                return ""
        if self.neutral:
            piece, self.in_string = neutral_form(piece, self.in_string)
            sent = self._send(piece)
        elif wary and LONG_NUMBER.search(piece):
            sent = self._start_again("a number of 600 digits or more", piece)
        else:
            sent = self._send(piece)
        if not sent:
            return ""
        events = self.events
        last_event: str = events[-1][0] if events else ""
        self.silent_bytes = 0 if events else self.silent_bytes + len(piece)
        if self.silent_bytes > MAX_HELD_BYTES:
            self._stop("a single value is too large", self.offset - self.silent_bytes)
        elif self.maps:
            self._inside(last_event)
        else:
            for event, value in events:
                self._outside(event, value)
        events.clear()
        return last_event

    def _send(self, piece: bytes) -> bool:
        try:
            self.parser.send(piece)
        except _PARSE_ERRORS as error:
            lines = str(error).removeprefix("b'").replace("\\n", "\n").splitlines()
            why = lines[0] if lines else "a value that is no JSON"
            return self._start_again(why, piece)
        return True

    def _start_again(self, why: str, piece: bytes) -> bool:
        """Feed the open message once more, in neutral form, to a parser at the same place."""
        if not self.parts or self.neutral:
            self._stop(why, self.offset - len(piece))
            return False
        self.neutral = True
        self.events.clear()
        self.parser = yajl2_c.basic_parse_coro(self.events)
        opening = ("[" if frame.kind in ("list", "messages") else '{"a":' for frame in self.frames)
        self.parser.send("".join(opening).encode())
        self.events.clear()
        whole, self.in_string = neutral_form(b"".join(self.parts), False)
        if not self._send(whole):
            return False
        last = self.events.pop() if self.events else ("", None)
        names = [event for event, _ in self.events]
        self.maps = names.count("start_map") - names.count("end_map")
        self.events[:] = [last]
        return True

    def _stop(self, why: str, at: int) -> None:
        self.stopped = True
        if self.maps and self.parts:
            fault = find_fault(b"".join(self.parts))
            at, why = (self.start + fault.at, fault.why) if fault else (at, why)
            if self.neutral:
                why += ", and its braces or quotes do not close"
        self._tell(
            at,
            f"malformed at byte {at}: {self._where()}{why}; nothing after this could be read",
        )

    # -- inside a message

    def _keep(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size <= MAX_MESSAGE_BYTES:
            self.parts.append(piece)
        elif self.size > MAX_HELD_BYTES:
            self._stop("a message is too large", self.start)
        else:
            self.parts.clear()

    def _inside(self, last_event: str) -> None:
        # A piece ends at its only brace, so only its last event can open or close an object.
        if last_event == "start_map":
            self.maps += 1
            self.deepest = max(self.deepest, self.maps)
        elif last_event == "end_map":
            self.maps -= 1
            if self.maps == 0:
                self._close()

    def _open(self, chat: _Chat) -> None:
        chat.count += 1
        self.maps = self.deepest = self.size = 1
        self.start = self.offset - 1
        self.parts = [b"{"]

    def _close(self) -> None:
        self.neutral = self.in_string = False
        chat = self.frames[-1].chat
        assert chat is not None and chat.channel is not None
        span = f"(bytes {self.start} to {self.offset}, not read)"
        if not self.parts:
            self._tell(
                self.start,
                f"malformed at byte {self.start}: {self._message()} is larger than "
                f"{MAX_MESSAGE_BYTES} bytes {span}",
            )
        elif self.deepest > MAX_DEPTH:
            self._tell(
                self.start,
                f"malformed at byte {self.start}: {self._message()} is nested deeper than "
                f"{MAX_DEPTH} levels {span}",
            )
        else:
            raw = b"".join(self.parts)
            self.found.append(RawMessage(self.start, self.offset, raw, chat.channel, chat.count))
        self.parts = []

    # -- on the way to the messages

    def _outside(self, event: str, value: Any) -> None:
        if self.skipped_depth:
            self.skipped_depth += (event in _OPENS) - (event in _CLOSES)
            if self.skipped_depth > MAX_HELD_BYTES and not self.stopped:
                self._stop("nested too deep", self.offset)
        elif event in _CLOSES:
            self.frames.pop()
            self.complete = not self.frames
        elif event == "map_key":
            self._key(self.frames[-1], value)
        elif not self._enter(event, value) and event in _OPENS:
            self.skipped_depth = 1

    def _key(self, frame: _Frame, key: str) -> None:
        frame.key = key
        wanted = {"root": _HEADER | {"messages", "chats", "left_chats"}, "chats": {"list"}}
        if key not in wanted.get(frame.kind, _HEADER | {"messages"}):
            return
        if key in frame.seen:
            self._tell_here(f'the key "{key}" stands twice')
            if frame.chat and key in _HEADER:
                frame.chat.header[key] = None
        frame.seen.add(key)

    def _enter(self, event: str, value: Any) -> bool:
        """Take one value in; false when it is of no use here."""
        frame = self.frames[-1] if self.frames else None
        kind, key = (frame.kind, frame.key) if frame else ("", "")
        chat = frame.chat if frame else None
        if kind == "messages" and chat:
            if event == "start_map":
                self._open(chat)
                return True
            self._tell_here("a message is not an object")
            chat.count += 1
        elif kind in ("", "list"):
            if event == "start_map":
                self.frames.append(_Frame("chat" if frame else "root", self._chat(bool(frame))))
                return True
            self._tell_here("a chat is not an object" if frame else "the file is not an object")
            self.complete = not frame and event not in _OPENS
        elif kind == "chats" and key == "list" and event == "start_array":
            self.frames.append(_Frame("list"))
            return True
        elif kind == "root" and key in ("chats", "left_chats") and event == "start_map":
            self.frames.append(_Frame("chats"))
            return True
        elif chat and key == "messages" and event == "start_array":
            self.frames.append(_Frame("messages", chat))
            if chat.channel is None:
                self._fix_channel(chat)
            return True
        elif key in ("messages", "list", "chats", "left_chats") and kind != "messages":
            self._misplaced(kind, key)
        elif chat and key in _HEADER:
            self._header(chat, key, event, value)
        return False

    def _misplaced(self, kind: str, key: str) -> None:
        expected = {"messages": "root chat", "list": "chats"}.get(key, "root")
        if kind in expected.split():
            self._tell_here(f"`{key}` is not of the type it should be")

    def _chat(self, in_list: bool) -> _Chat:
        chat = _Chat()
        if in_list:
            chat.header["ordinal"] = str(self.chats)
            self.chats += 1
        return chat

    def _fix_channel(self, chat: _Chat) -> None:
        header = chat.header
        ordinal = header.get("ordinal")
        if ordinal is None:  # the file's root is the chat
            ordinal = str(self.chats)
            self.chats += 1
        chat.channel = Channel(
            header.get("name"), header.get("id"), header.get("type"), int(ordinal)
        )

    def _header(self, chat: _Chat, key: str, event: str, value: Any) -> None:
        if chat.channel is not None:
            if not chat.told_late and event != "null":
                chat.told_late = True
                self._tell_here(f"`{key}` stands after the messages: posts before it lack it")
            return
        if event == "null" or (key in chat.header and chat.header[key] is None):
            return
        if key == "id" and type(value) is int:
            chat.header[key] = str(value)
        elif key != "id" and event == "string":
            chat.header[key] = bounded(value)
            if chat.header[key] != text(value):
                self._tell_here(f"the chat's `{key}` has {len(value)} characters and was cut")
        else:
            self._tell_here(f"the chat's `{key}` is not of the type it should be")

    # -- telling

    def _where(self) -> str:
        frame = self.frames[-1] if self.frames else None
        if frame is None or frame.chat is None or frame.chat.channel is None:
            return ""
        return (self._message() if self.maps else place(frame.chat.channel)) + ": "

    def _message(self) -> str:
        chat = self.frames[-1].chat
        assert chat is not None and chat.channel is not None
        return f"{place(chat.channel)}, message number {chat.count} of the chat"

    def _tell_here(self, what: str) -> None:
        # Outside messages the braces are the only marks: the place is the last one before.
        self._tell(self.offset, f"malformed at byte {self.offset}: {self._where()}{what}")

    def _tell(self, at: int, reason: str, remedy: str = EXPORT_AGAIN) -> None:
        self.found.append(Trouble(at, reason, remedy))
