"""Text of PDF files, page by page, with pypdf; nothing in them is run."""

from __future__ import annotations

import logging
import struct
from io import BytesIO
from typing import Any, Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from muniment.examine.document import Text
from muniment.examine.problems import UnexaminableError
from muniment.examine.tags import cleaned, pairs
from muniment.model.examine import Note, Problem

_MOST_PAGES: Final = 5_000
_TROUBLE: Final = (
    *(PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError),
    *(OverflowError, ZeroDivisionError, EOFError, OSError, NotImplementedError, struct.error),
)
_ACTIONS: Final = ("/OpenAction", "/AA", "/JavaScript")

logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def read(data: bytes, out: Text) -> None:
    """Paragraphs of each page; pages that cannot be read are noted.

    Raises:
        UnexaminableError: encrypted with a password, truncated, or unreadable.
    """
    try:
        reader = PdfReader(BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnexaminableError(Problem.ENCRYPTED, "the PDF asks for a password")
        pages = len(reader.pages)
    except _TROUBLE as error:
        if isinstance(error, UnexaminableError):
            raise
        raise _unreadable(data, error) from error
    if reader.is_encrypted:
        out.notes.append(Note("encrypted", "with an empty password, which opens it"))
    out.facts["pages"] = pages
    _said(reader, out)
    missed: list[int] = []
    for at in range(min(pages, _MOST_PAGES)):
        try:
            text = reader.pages[at].extract_text()
        except _TROUBLE:
            missed.append(at + 1)
            continue
        for paragraph in text.split("\n\n") if text else ():
            if not out.add("paragraph", paragraph, page=at + 1):
                return
    if missed:
        out.notes.append(Note("pages not read", ", ".join(map(str, missed[:50]))))
    if pages > _MOST_PAGES:
        out.notes.append(Note("text cut", f"after {_MOST_PAGES} of {pages} pages"))
    if pages and not out.parts:
        out.notes.append(Note("no text", "the pages may be pictures"))


def _unreadable(data: bytes, error: Exception) -> UnexaminableError:
    if b"%%EOF" not in data[-2048:]:
        return UnexaminableError(
            Problem.TRUNCATED, f"truncated at byte {len(data)}: no end mark of a PDF"
        )
    return UnexaminableError(
        Problem.BAD_STRUCTURE, f"the PDF's structure cannot be followed ({type(error).__name__})"
    )


def _said(reader: PdfReader, out: Text) -> None:
    try:
        told: dict[str, Any] = dict(reader.metadata or {})
        out.facts["information"] = pairs((str(name).lstrip("/"), told[name]) for name in told)
        root: Any = reader.trailer["/Root"]
        held = [name for name in _ACTIONS if name in root]
        names: Any = root.get("/Names") or {}
        held += [name for name in ("/JavaScript", "/EmbeddedFiles") if name in names]
    except _TROUBLE as error:
        out.facts["information_trouble"] = type(error).__name__
        return
    if held:
        out.notes.append(Note("active content, not run", cleaned(", ".join(sorted(set(held))))))
