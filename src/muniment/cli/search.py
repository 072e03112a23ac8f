"""`muniment search`: words in the case, or footage like a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY, UsageError
from muniment.model.display import visible


def search(
    text: Annotated[
        str | None, typer.Argument(help='Words, or beginnings of words; a "phrase" in quotes.')
    ] = None,
    like: Annotated[
        Path | None, typer.Option("--like", help="Find footage that this file shares instead.")
    ] = None,
    case: console.CaseOption = None,
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="Hits to show.")] = 50,
    unconfined: console.UnconfinedOption = False,
    as_json: console.JsonOption = False,
) -> None:
    """Search names, posts and documents for words, or the case's footage for a file's."""
    if (text is None) == (like is None):
        raise UsageError("give either words or --like FILE", remedy="See `muniment search --help`.")
    folder = console.case_folder(case)
    if text is not None:
        from muniment.case import searching

        hits = searching.search(folder, text, most=most)
        if as_json:
            import msgspec

            console.print_json("search", {"hits": [msgspec.to_builtins(one) for one in hits]})
            return
        for hit in hits:
            console.say(f"{hit.id}  {hit.where:<9}{visible(hit.title)}")
            console.say(f"    {visible(hit.snippet)}")
        if not hits:
            console.say("Nothing found")
        return
    assert like is not None
    _like(folder.path, like, most, unconfined=unconfined, as_json=as_json)


def _like(case: Path, like: Path, most: int, *, unconfined: bool, as_json: bool) -> None:
    from muniment.case import comparing
    from muniment.case.confining import confined
    from muniment.cli.trace import pair_line
    from muniment.store.layout import CaseFolder

    unread: list[str] = []
    with confined(unconfined=unconfined) as zygote:
        pairs = comparing.like(CaseFolder(case), like, zygote, unread.append)[:most]
    for line in unread:
        console.tell(visible(line) + "\n")
    if as_json:
        console.print_json("search", {"like": str(like), "pairs": pairs, "notices": unread})
        console.report_errors(EXIT_PARTLY if unread else 0)
        return
    for pair in pairs:
        console.say(pair_line(pair))
    if not pairs:
        console.say("Nothing in this case shares footage with it")
    console.report_errors(EXIT_PARTLY if unread else 0)
