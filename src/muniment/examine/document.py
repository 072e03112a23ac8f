"""Text of documents, with where each part of it stands in the source.

Language-neutral: what the document holds, in its order, no more. Nothing in a document is run,
fetched or expanded: no scripts, no macros, no external references, no entity declarations.

Blob `text`: UTF-8. Blob `positions`: JSON `{"version": 1, "parts": [[start, end, kind, number,
page, within], ...]}` in the order of the text: characters [start, end) of the text (code points)
are part `number` (counted from 1 within its `kind`: `paragraph`, `block`, `heading`, `cell`,
`header`, `line`) on `page` (from 1, or null), of the file or of `within` (an attachment's or
archive member's name, or null). For kind `line`, `number` is the first line's number.
"""

from __future__ import annotations

import os
import re
import time
from importlib import import_module
from typing import Any, Final

import msgspec

from muniment.collect.content_type import HEAD_BYTES, UNKNOWN, category, identify
from muniment.examine import registry
from muniment.examine.limits import BASE_CPU_S, MAX_TEXT_BYTES
from muniment.examine.probing import size_of
from muniment.examine.problems import UnexaminableError
from muniment.examine.tags import cleaned
from muniment.model import canonical
from muniment.model.examine import Blob, Finding, Note, Problem, Wanted

#: Bytes of a document that are read at most.
MAX_DOCUMENT_BYTES: Final = 200 << 20
_MOST_PARTS: Final = 200_000
_MOST_LINES: Final = 40
#: type -> module with `read(data, out)`
READERS: Final = {
    "text/html": "document_html",
    "application/xhtml+xml": "document_html",
    "application/pdf": "document_pdf",
    "message/rfc822": "document_mail",
    "application/mbox": "document_mail",
    "application/xml": "document_xml",
    "image/svg+xml": "document_xml",
    "application/vnd.openxmlformats-officedocument.": "document_office",
}
_OFFICE: Final = ("application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.open")
_PLAIN: Final = re.compile(r"text/(?!html)|application/(?:json|x-subrip|javascript)")
_BREAK: Final = re.compile(r"\n[ \t]*\n")
_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CYRILLIC: Final = re.compile("[\u0400-\u04ff]")


class Text:
    """The text as it grows, with its parts; bounded in size and in time."""

    def __init__(self, cpu_s: float) -> None:
        self._pieces: list[str] = []
        self._characters = 0
        self._bytes = 0
        self._numbers: dict[tuple[str, str | None], int] = {}
        self._until_s = time.process_time() + cpu_s
        self.parts: list[tuple[int, int, str, int, int | None, str | None]] = []
        self.facts: dict[str, Any] = {}
        self.notes: list[Note] = []
        self.full = False

    def add(
        self,
        kind: str,
        text: str,
        *,
        number: int | None = None,
        page: int | None = None,
        within: str | None = None,
    ) -> bool:
        """Add a part; false when the text is full.

        Raises:
            UnexaminableError: if the time is over.
        """
        if self.full:
            return False
        if time.process_time() > self._until_s:
            raise UnexaminableError(Problem.TIME_LIMIT, "the document takes too long to read")
        text = canonical.text(text).replace("\0", "\ufffd").strip()
        if not text:
            return True
        size = len(text.encode())
        if self._bytes + size > MAX_TEXT_BYTES or len(self.parts) >= _MOST_PARTS:
            self.full = True
            self.notes.append(Note("text cut", f"after {self._bytes} bytes; the rest is not kept"))
            return False
        counted = self._numbers.get((kind, within), 0) + 1
        self._numbers[kind, within] = counted
        start = self._characters
        self._pieces += [text, "\n"]
        self._characters += len(text) + 1
        self._bytes += size + 1
        self.parts.append(
            (start, start + len(text), kind, counted if number is None else number, page, within)
        )
        return True

    def whole(self) -> str:
        """All of it."""
        return "".join(self._pieces)


def examined(fd: int, wanted: Wanted, notes: list[Note]) -> Finding:
    """The text of the document behind `fd`.

    Raises:
        UnexaminableError: not a document, encrypted, malformed, nested too deeply, or too large.
    """
    size = size_of(fd)
    if size > MAX_DOCUMENT_BYTES:
        raise UnexaminableError(
            Problem.NOT_READ, f"{size} bytes; at most {MAX_DOCUMENT_BYTES} of a document are read"
        )
    data = os.pread(fd, MAX_DOCUMENT_BYTES, 0)
    kind = kind_of(data[:HEAD_BYTES], wanted.media_type)
    asked = wanted.parameters.get("cpu_s")
    out = Text(float(asked) if isinstance(asked, int) and asked > 0 else BASE_CPU_S)
    try:
        _read(kind, data, out)
    except RecursionError as error:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE, "the document nests deeper than is followed"
        ) from error
    finally:
        notes += out.notes
    return _finding(kind, out)


def kind_of(head: bytes, expected: str | None) -> str:
    """The type to read the document as: by content, where content tells.

    Raises:
        UnexaminableError: if it is media or a program.
    """
    kind = identify(head, "").by_content
    if expected and expected.startswith(_OFFICE) and kind == "application/zip":
        return expected
    if kind == UNKNOWN and (expected is None or category(expected) == "document"):
        return "text/plain"
    if kind == "text/plain" and expected in READERS and expected != "application/pdf":
        return expected
    if kind != "image/svg+xml" and category(kind) != "document":
        taken = expected or "a document"
        raise UnexaminableError(Problem.TYPE_MISMATCH, f"taken for {taken}, holds {kind}")
    return kind


def _read(kind: str, data: bytes, out: Text) -> None:
    module = READERS.get(_OFFICE[0] if kind.startswith(_OFFICE) else kind)
    if module is not None:
        import_module(f"muniment.examine.{module}").read(data, out)
    elif _PLAIN.match(kind):
        plain(data, out)
    else:
        raise UnexaminableError(Problem.NOT_READ, f"documents of type {kind} are not read")


def plain(data: bytes, out: Text, within: str | None = None) -> None:
    """Plain text: paragraphs between empty lines; a long one in pieces of some lines.

    Raises:
        UnexaminableError: at the first byte that no text holds.
    """
    text = decoded(data, out)
    line = 1
    for paragraph in _BREAK.split(text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = paragraph.split("\n")
        for at in range(0, len(lines), _MOST_LINES):
            piece = "\n".join(lines[at : at + _MOST_LINES])
            if not out.add("line", piece, number=line + at, within=within):
                return
        line += len(lines) + 1


def decoded(data: bytes, out: Text, declared: str | None = None) -> str:
    """Bytes as text: byte order mark, the declared encoding, UTF-8, else guessed (and noted).

    Raises:
        UnexaminableError: at a zero byte, which no text in those encodings holds.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    zero = data.find(b"\0")
    if zero >= 0:
        raise UnexaminableError(Problem.MALFORMED, f"malformed at byte {zero}: a zero byte in text")
    for named in ("utf-8", declared):
        try:
            if named:
                return data.decode(named)
        except (UnicodeError, LookupError):
            continue
    guessed = guess(data)
    out.notes.append(Note("encoding guessed", f"{guessed}; the text is not valid UTF-8"))
    return data.decode(guessed, "replace")


def guess(data: bytes) -> str:
    """`cp1251` where most bytes above ASCII then are Cyrillic letters in words, else `cp1252`."""
    sample = data[: 1 << 16].decode("cp1251", "replace")
    high = [char for char in sample if char > "\x7f"]
    letters = sum(char.isalpha() for char in sample)
    cyrillic = len(_CYRILLIC.findall(sample))
    return (
        "cp1251" if high and cyrillic > 0.7 * len(high) and cyrillic > 0.3 * letters else "cp1252"
    )


def _finding(kind: str, out: Text) -> Finding:
    text = out.whole()
    facts: dict[str, Any] = {
        "type": cleaned(kind, 100),
        "characters": len(text),
        "parts": len(out.parts),
        "cut": out.full,
        **out.facts,
    }
    blobs: tuple[Blob, ...] = ()
    if text:
        positions = msgspec.json.encode({"version": 1, "parts": out.parts})
        blobs = (
            Blob("text", "bytes", text.encode(), media_type="text/plain"),
            Blob("positions", "bytes", positions, media_type="application/json"),
        )
    return Finding("document", registry.VERSIONS["document"], facts, blobs)
