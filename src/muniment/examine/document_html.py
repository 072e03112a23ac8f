"""Text of web pages: blocks in document order, without scripts and styles."""

from __future__ import annotations

import re
from typing import Final

from selectolax.lexbor import LexborHTMLParser

from muniment.examine.document import Text, decoded
from muniment.examine.problems import UnexaminableError
from muniment.examine.tags import cleaned, pairs
from muniment.model.examine import Problem

#: Elements may nest this deep; a page of 100,000 is made to break parsers.
MAX_DEPTH: Final = 2_000
#: Attributes of one tag: parsers hold each against all before it.
MAX_ATTRIBUTES: Final = 500
_MOST_NODES: Final = 2_000_000
_UNSEEN: Final = frozenset({"script", "style", "noscript", "template", "head", "svg", "iframe"})
_BLOCKS: Final = frozenset(
    (
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "br",
            "caption",
            "dd",
            "div",
            "dl",
            "dt",
        ),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table"),
        *("tbody", "td", "tfoot", "th", "thead", "title", "tr", "ul", "video", "option"),
    )
)
_HEADINGS: Final = re.compile(r"h[1-6]")
_CHARSET: Final = re.compile(
    rb"<meta[^>]{0,200}charset=[\"']?\s*([A-Za-z0-9_-]{2,30})", re.IGNORECASE
)
_TAG: Final = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
#: What these hold the parser reads as text, tags and all.
_VERBATIM: Final = frozenset(
    ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
)
_OPENING: Final = re.compile(r"<!--|<([A-Za-z][^\s/>]*)")
_ATTRIBUTE: Final = re.compile(
    r"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\s>\"'][^\s>]*+)?)?"
)
_VOID: Final = frozenset(
    (
        *(
            "area",
            "base",
            "br",
            "col",
            "embed",
            "hr",
            "img",
            "input",
            "link",
            "meta",
            "source",
            "wbr",
        ),
        *("p", "li", "td", "tr", "th", "dd", "dt", "option"),
    )
)
_SPACE: Final = re.compile(r"\s+")
_META: Final = ("author", "description", "date", "generator", "keywords")


def read(data: bytes, out: Text, within: str | None = None) -> None:
    """The visible text of a page.

    Raises:
        UnexaminableError: if elements nest deeper than `MAX_DEPTH`, or a tag has more attributes
            than `MAX_ATTRIBUTES`.
    """
    found = _CHARSET.search(data[:4096])
    text = decoded(data, out, found[1].decode() if found else None)
    _check_depth(text)
    _check_attributes(text)
    tree = LexborHTMLParser(text)
    _head(tree, out, within)
    if tree.body is not None:
        _body(tree, out, within)


def _check_depth(text: str) -> None:
    """Open elements, roughly: enough to refuse what is made to overflow a stack."""
    depth = 0
    for found in _TAG.finditer(text):
        if found[2].lower() in _VOID:
            continue
        depth = max(0, depth - 1) if found[1] else depth + 1
        if depth > MAX_DEPTH:
            raise UnexaminableError(
                Problem.BAD_STRUCTURE,
                f"elements nest deeper than {MAX_DEPTH} at character {found.start()}",
            )


def _check_attributes(text: str) -> None:
    """Attributes of each tag, as the parser splits them; one pass."""
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        if opening[1] is None:
            end = text.find("-->", opening.start() + 2)
            at = len(text) if end < 0 else end + 3
            continue
        at, count = opening.end(), 0
        while (one := _ATTRIBUTE.match(text, at)) is not None:
            at, count = one.end(), count + 1
            if count > MAX_ATTRIBUTES:
                raise UnexaminableError(
                    Problem.BAD_STRUCTURE,
                    f"more than {MAX_ATTRIBUTES} attributes at character {opening.start()}",
                )
        name = opening[1].lower()
        if name in _VERBATIM:
            closing = re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE).search(text, at)
            at = len(text) if closing is None else closing.end()


def _head(tree: LexborHTMLParser, out: Text, within: str | None) -> None:
    title = tree.css_first("title")
    if title is not None:
        out.add("heading", _SPACE.sub(" ", title.text()), within=within)
        if within is None:
            out.facts["title"] = cleaned(title.text())
    named: list[tuple[object, object]] = []
    for meta in tree.css("meta[content]")[:200]:
        name = meta.attributes.get("name") or meta.attributes.get("property") or ""
        if name.lower() in _META or name.startswith(("article:", "og:")):
            named.append((name, meta.attributes.get("content") or ""))
    if named and within is None:
        out.facts["meta"] = pairs(named)


def _body(tree: LexborHTMLParser, out: Text, within: str | None) -> None:
    """Text nodes gathered up to the next block boundary."""
    gathered: list[str] = []
    kind = "block"
    hidden: int | None = None
    node, depth, count = tree.body, 0, 0

    def flush() -> None:
        text = _SPACE.sub(" ", "".join(gathered))
        gathered.clear()
        out.add(kind, text, within=within)

    while node is not None and count < _MOST_NODES and not out.full:
        count += 1
        tag = node.tag or ""
        if hidden is None:
            if tag == "-text":
                gathered.append(node.text_content or "")
            elif tag in _BLOCKS:
                flush()
                kind = "heading" if _HEADINGS.fullmatch(tag) else "block"
            elif tag in _UNSEEN:
                hidden = depth
        child = node.child if hidden is None else None
        if child is not None:
            node, depth = child, depth + 1
            continue
        while node is not None and depth > 0 and node.next is None:
            node, depth = node.parent, depth - 1
            if hidden is not None and depth <= hidden:
                hidden = None
            if node is not None and (node.tag or "") in _BLOCKS:
                flush()
                kind = "block"
        if node is None or depth <= 0:
            break
        if hidden is not None and depth <= hidden:
            hidden = None
        if (node.tag or "") in _BLOCKS:
            flush()
            kind = "block"
        node = node.next
    flush()
