"""`muniment search`: words in the case, or footage like a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY, UsageError
from muniment.model.display import visible

if TYPE_CHECKING:
    from muniment.store.layout import CaseFolder


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
    """Search names, posts and documents for words, or the case's footage for a file's.

    A text is found when all the words stand in it, wherever. It comes once, with its best
    passage and the number of places where any of them stands; in JSON as `hits` of `where`
    (`name`, `post`, `document`), `id`, `title`, `snippet`, `places`, `start_char` and
    `end_char` (which characters of the text the snippet shows), and `more`: whether there
    are others than the best `--most`. A text that is damaged or gone is named on stderr and
    in `notices`; the others are searched, and the exit code is 3.
    """
    if (text is None) == (like is None):
        raise UsageError("give either words or --like FILE", remedy="See `muniment search --help`.")
    folder = console.case_folder(case)
    if text is not None:
        _words(folder, text, most, as_json=as_json)
        return
    assert like is not None
    _like(folder.path, like, most, unconfined=unconfined, as_json=as_json)


def _words(folder: CaseFolder, text: str, most: int, *, as_json: bool) -> None:
    import msgspec

    from muniment.case import searching

    unread: list[str] = []
    found = searching.search(folder, text, most=most + 1, unread=unread.append)
    hits, is_more = found[:most], len(found) > most
    for line in unread:
        console.tell(visible(line) + "\n")
    if as_json:
        listed = [msgspec.to_builtins(one) for one in hits]
        console.print_json("search", {"hits": listed, "more": is_more, "notices": unread})
    else:
        for hit in hits:
            places = "" if hit.places == 1 else f"  ({hit.places} places)"
            console.say(f"{hit.id}  {hit.where:<9}{visible(hit.title)}{places}")
            console.say(f"    {visible(hit.snippet)}")
        if is_more:
            console.say("There is more; see --most")
        if not hits:
            console.say("Nothing found")
    console.report_errors(EXIT_PARTLY if unread else 0)


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
