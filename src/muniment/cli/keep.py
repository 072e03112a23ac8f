"""`muniment rebuild` and `erase`: keeping a case in order."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from muniment.cli import console
from muniment.errors import EXIT_INTEGRITY, EXIT_PARTLY, UsageError
from muniment.model.display import count, visible


def rebuild(case: console.CaseOption = None, as_json: console.JsonOption = False) -> None:
    """Delete the projection, derive it from the log again, and say whether it was equal."""
    from muniment.case.facade import Case

    result = Case(console.case_folder(case)).rebuild()
    differing, told = result.differing, count(result.entries, "entry", "entries")
    if as_json:
        content = {"entries": result.entries, "differing": differing, "equal": not differing}
        console.print_json("rebuild", content)
    elif differing is None:
        console.say(f"Rebuilt from {told}; there was nothing usable to compare.")
    elif differing:
        console.say(f"Rebuilt from {told}; it differed in: {', '.join(differing)}.")
    else:
        console.say(f"Rebuilt from {told}; it was equal, table by table.")
    console.report_errors(EXIT_INTEGRITY if differing else 0)


def erase(
    identities: Annotated[
        list[str], typer.Argument(metavar="ID...", help="Items, posts, entries.")
    ],
    by: console.ByOption,
    why: Annotated[str, typer.Option("--why", help="Reason, and the policy or order it follows.")],
    out_of_reach: Annotated[
        str, typer.Option("--out-of-reach", help="Who holds copies this cannot reach.")
    ],
    case: console.CaseOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be undone.")] = False,
    as_json: console.JsonOption = False,
) -> None:
    """Destroy the bytes of items and the private values of entries; the proofs still verify."""
    from muniment.case.erasing import erase_signed

    if not yes and (sys.stdin is None or not sys.stdin.isatty()):
        raise UsageError("nobody is there to confirm it", remedy="Add --yes if you are sure.")
    if not yes:
        typer.confirm(f"Erase {', '.join(identities)} for good?", abort=True)
    with console.Watch(as_json=as_json) as watch:
        result = erase_signed(
            console.case_folder(case),
            identities,
            by=by,
            why=why,
            out_of_reach=out_of_reach,
            secrets=console.Passphrases(),
            progress=watch,
        )
    if as_json:
        import msgspec

        console.print_json("erase", msgspec.to_builtins(result))
        console.report_errors(EXIT_PARTLY if result.notices else 0)
        return
    console.say(
        f"Erased       {count(len(result.objects), 'object')},"
        f" the values of {count(len(result.entries), 'entry', 'entries')}"
    )
    if result.still_named_in:
        console.say(f"Still named  {', '.join(result.still_named_in)} may hold its name or text")
    console.say(f"Not reached  {visible(out_of_reach)}")
    for place in result.copies:
        console.say(f"Not reached  the second copy at {visible(place)}")
    console.report_errors(EXIT_PARTLY if result.notices else 0)
