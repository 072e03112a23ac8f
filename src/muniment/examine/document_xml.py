"""Text inside XML: element texts in document order; entities are never expanded."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Final

from lxml import etree

from muniment.examine.document import Text
from muniment.examine.problems import UnexaminableError
from muniment.model.examine import Problem

_ENTITY: Final = re.compile(rb"<!ENTITY\s", re.IGNORECASE)
_SPACE: Final = re.compile(r"\s+")


def checked(data: bytes) -> BytesIO:
    """The bytes, if they declare no entities.

    Raises:
        UnexaminableError: naming where the first declaration stands.
    """
    found = _ENTITY.search(data)
    if found is None and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace").encode()
        found = _ENTITY.search(text)
    if found is not None:
        raise UnexaminableError(
            Problem.BAD_STRUCTURE,
            f"malformed at byte {found.start()}: declares entities, which are not expanded",
        )
    return BytesIO(data)


def events(data: bytes) -> etree.iterparse:
    """End events of a document, without network, entities or huge trees."""
    return etree.iterparse(
        checked(data),
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
    )


def malformed(error: etree.XMLSyntaxError) -> UnexaminableError:
    """The parser's complaint with its place."""
    line, column = error.position
    deep = "depth" in str(error.msg)
    return UnexaminableError(
        Problem.BAD_STRUCTURE if deep else Problem.MALFORMED,
        f"malformed at line {line}, column {column}"
        + (": elements nest deeper than is followed" if deep else ""),
    )


def read(data: bytes, out: Text) -> None:
    """Each element's own text as a block.

    Raises:
        UnexaminableError: entities declared, nested too deeply, or malformed.
    """
    try:
        for event, element in events(data):
            if event == "end":
                for text in (element.text, *(child.tail for child in element)):
                    if isinstance(text, str) and not out.add("block", _SPACE.sub(" ", text)):
                        return
                for child in element:
                    child.clear()
    except etree.XMLSyntaxError as error:
        raise malformed(error) from error
