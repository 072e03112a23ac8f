"""Text of office documents: DOCX, PPTX, XLSX (shared texts), ODT, ODP, ODS. Macros are noted."""

from __future__ import annotations

import re
import zipfile
import zlib
from io import BytesIO
from typing import Any, Final

from lxml import etree

from muniment.examine.document import Text
from muniment.examine.document_xml import events, malformed
from muniment.examine.problems import UnexaminableError
from muniment.examine.tags import cleaned, pairs
from muniment.model.examine import Note, Problem

_MOST_MEMBERS: Final = 10_000
_MOST_MEMBER_BYTES: Final = 64 << 20
_MOST_RATIO: Final = 500
_PARTS: Final = re.compile(
    r"word/(?:document|footnotes|endnotes|comments|header\d*|footer\d*)\.xml|"
    r"ppt/(?:slides/slide|notesSlides/notesSlide)\d+\.xml|xl/sharedStrings\.xml|content\.xml"
)
_PROPERTIES: Final = ("docProps/core.xml", "docProps/app.xml", "meta.xml")
_ENDS: Final = frozenset({"p", "h", "si"})
_NUMBER: Final = re.compile(r"\d+")
_TROUBLE: Final = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, KeyError)


def read(data: bytes, out: Text) -> None:
    """Paragraphs of the main text, then of notes, comments, headers and footers.

    Raises:
        UnexaminableError: damaged, encrypted, a bomb, or malformed inside.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            if len(names) > _MOST_MEMBERS:
                raise UnexaminableError(
                    Problem.BAD_STRUCTURE, f"holds {len(names)} members, at most {_MOST_MEMBERS}"
                )
            _noted(names, out)
            for name in sorted((one for one in names if _PARTS.fullmatch(one)), key=_order):
                _part(_member(archive, name), name, out)
            for name in _PROPERTIES:
                if name in names:
                    _properties(_member(archive, name), out)
    except RuntimeError as error:  # zipfile's word for a member with a password
        raise UnexaminableError(Problem.ENCRYPTED, "members ask for a password") from error
    except _TROUBLE as error:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE, f"the archive cannot be read ({type(error).__name__})"
        ) from error


def _order(name: str) -> tuple[int, int, str]:
    main = name in ("word/document.xml", "content.xml") or "slides/slide" in name
    number = _NUMBER.search(name)
    return (0 if main else 1, int(number[0]) if number else 0, name)


def _noted(names: list[str], out: Text) -> None:
    if any("vbaProject" in name or name.startswith("Basic/") for name in names):
        out.notes.append(Note("macros, not run", "the document carries programs"))
    pictures = sum(name.startswith(("word/media/", "ppt/media/", "Pictures/")) for name in names)
    out.facts["members"] = len(names)
    out.facts["pictures"] = pictures


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > _MOST_MEMBER_BYTES or info.file_size > _MOST_RATIO * max(
        info.compress_size, 1 << 12
    ):
        raise UnexaminableError(
            Problem.BAD_STRUCTURE,
            f"unsafe member {cleaned(name, 80)}: {info.file_size} bytes unpacked",
        )
    with archive.open(info) as member:
        data = member.read(_MOST_MEMBER_BYTES + 1)
    if len(data) > _MOST_MEMBER_BYTES:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE, f"unsafe member {cleaned(name, 80)}: too long"
        )
    return data


def _part(data: bytes, name: str, out: Text) -> None:
    number = _NUMBER.search(name)
    page = int(number[0]) if number and name.startswith("ppt/") else None
    gathered: list[str] = []
    try:
        for event, element in events(data):
            if not isinstance(element.tag, str):
                continue
            local = etree.QName(element).localname
            if event == "end" and local in ("t", "delText") and element.text:
                gathered.append(element.text)
            elif event == "end" and local in ("tab", "br", "line-break", "s"):
                gathered.append(" ")
            elif event == "end" and local in _ENDS:
                if name == "content.xml":
                    gathered = [str(one) for one in element.itertext()]
                kind = "heading" if local == "h" else "cell" if local == "si" else "paragraph"
                within = None if name in ("word/document.xml", "content.xml") else name
                more = out.add(kind, "".join(gathered), page=page, within=within)
                gathered = []
                element.clear()
                if not more:
                    return
    except etree.XMLSyntaxError as error:
        raise malformed(error) from error


def _properties(data: bytes, out: Text) -> None:
    told: list[tuple[Any, Any]] = []
    try:
        for event, element in events(data):
            if (
                event == "end"
                and isinstance(element.tag, str)
                and element.text
                and not len(element)
            ):
                told.append((etree.QName(element).localname, element.text.strip()))
    except etree.XMLSyntaxError as error:
        raise malformed(error) from error
    out.facts["information"] = [*out.facts.get("information", []), *pairs(told)][:120]
