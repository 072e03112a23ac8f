"""Writes the generated tables of docs/format.md from the program itself.

A block between `<!-- generated: NAME -->` and `<!-- end -->` is replaced by what NAME gives; the rest
of the page is left alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from muniment.errors import EXIT_CODES
from muniment.model.custody_events import OF_KIND, PREMIS, TOLD
from muniment.model.entries import KINDS, Role

PAGE = Path(__file__).with_name("format.md")
_BLOCK = re.compile(r"<!-- generated: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def kinds() -> str:
    """Entry kinds: which role may sign each, and what it means."""
    rows = [
        [
            f"`{kind.name}`",
            "signs" if Role.PERSON in kind.roles else "",
            "authors" if Role.AGENT in kind.roles else "",
            kind.meaning,
        ]
        for kind in KINDS.values()
    ]
    return _table(["kind", "person key", "agent key", "meaning"], rows)


def fields() -> str:
    """Private fields of every kind, and whether each holds the digest of an object."""
    rows = [
        [f"`{kind.name}`", f"`{field.name}`", "yes" if field.is_object else "", field.meaning]
        for kind in KINDS.values()
        for field in kind.fields
    ]
    return _table(["kind", "field", "object", "holds"], rows)


def exits() -> str:
    """Exit codes."""
    rows = [[str(code), meaning] for code, meaning in EXIT_CODES.items()]
    return _table(["code", "meaning"], rows)


def custody() -> str:
    """Entry kinds and events, with their PREMIS codes."""
    rows = [[f"`{kind}`", event, *PREMIS[event]] for kind, event in OF_KIND.items()]
    rows += [
        ["`custody.recorded`", event, *pair]
        for event, pair in PREMIS.items()
        if event in TOLD or event not in OF_KIND.values()
    ]
    return _table(["kind", "event", "PREMIS", "label"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


BLOCKS: dict[str, Callable[[], str]] = {
    "kinds": kinds,
    "fields": fields,
    "exits": exits,
    "custody": custody,
}


def render(page: str) -> str:
    """The page with its generated blocks written anew.

    Raises:
        KeyError: if the page asks for a block that is not there.
    """

    def block(match: re.Match[str]) -> str:
        return f"<!-- generated: {match[1]} -->\n{BLOCKS[match[1]]()}\n<!-- end -->"

    return _BLOCK.sub(block, page)


def main() -> None:
    """Write docs/format.md anew."""
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.name} written\n")


if __name__ == "__main__":
    main()
