"""`muniment examine`: look inside what was collected."""

from __future__ import annotations

from typing import Annotated

import typer

from muniment.cli import build, console
from muniment.errors import EXIT_PARTLY


def examine(
    by: console.ByOption,
    why: console.WhyOption,
    case: console.CaseOption = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Do again also what failed before, or can no longer be read."),
    ] = False,
    unconfined: console.UnconfinedOption = False,
    as_json: console.JsonOption = False,
) -> None:
    """Examine what lacks an examiner's result, trace copies, and seal; `build` does this too."""
    from muniment.case import building
    from muniment.case.confining import confined
    from muniment.custody.keyring import KeyFolder

    folder = console.case_folder(case)
    with confined(unconfined=unconfined) as zygote, console.Watch(as_json=as_json) as watch:
        seen = building.look_inside_only(
            folder,
            by=by,
            why=why,
            keys=KeyFolder(),
            secrets=console.Passphrases(),
            progress=watch,
            zygote=zygote,
            again=again,
        )
    watch.close()
    if as_json:
        import msgspec

        console.print_json("examine", msgspec.to_builtins(seen))
    else:
        console.say(f"Examined     {build.examined_line(seen.examined)}")
        console.say(f"Traced       {build.tracing_line(seen.traced)}")
    console.report_errors(EXIT_PARTLY if seen.notices else 0)
