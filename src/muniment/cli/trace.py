"""`muniment trace`: which clips share footage, in a case or of two files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY
from muniment.model.display import visible

app = typer.Typer(
    help="Find copies: which clips share footage, where, and how sure.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("run")
def run(
    by: Annotated[
        str | None, typer.Option("--by", help="Your name; needed where something is to be done.")
    ] = None,
    why: Annotated[str, typer.Option("--why", help="The reason.")] = "find copies",
    case: console.CaseOption = None,
    unconfined: console.UnconfinedOption = False,
    as_json: console.JsonOption = False,
) -> None:
    """Trace the case's footage: every pair that shares picture, with segments and verdict.

    What lacks a result is examined and traced first and the log sealed (needs --by); without
    --by the results that the log holds are shown.
    """
    from muniment.case import building, traced
    from muniment.case.confining import confined
    from muniment.custody.keyring import KeyFolder

    folder = console.case_folder(case)
    if by is not None:
        with confined(unconfined=unconfined) as zygote, console.Watch(as_json=as_json) as watch:
            building.look_inside_only(
                folder,
                by=by,
                why=why,
                keys=KeyFolder(),
                secrets=console.Passphrases(),
                progress=watch,
                zygote=zygote,
            )
        watch.close()
    found = traced.listing(folder)
    for line in found["notices"]:
        console.tell(visible(line) + "\n")
    unread = EXIT_PARTLY if found["notices"] else 0
    if as_json:
        console.print_json("trace run", found)
        console.report_errors(unread)
        return
    for pair in found["pairs"]:
        console.say(pair_line(pair))
    for number, cluster in enumerate(found["differences"], 1):
        console.say("\n".join(differing_lines(number, cluster)))
    console.say(
        f"{found['clips']} clips, {len(found['clusters'])} clusters of copies,"
        f" {len(found['pairs'])} pairs that share picture"
    )
    console.report_errors(unread)


@app.command("compare")
def compare(
    a: Annotated[Path, typer.Argument(help="A clip or picture.")],
    b: Annotated[Path, typer.Argument(help="Another.")],
    unconfined: console.UnconfinedOption = False,
    as_json: console.JsonOption = False,
) -> None:
    """Compare two files, without a case: the same footage, another moment, or neither."""
    from muniment.case import comparing
    from muniment.case.confining import confined

    with confined(unconfined=unconfined) as zygote:
        pair = comparing.compare_files(a, b, zygote)
    if as_json:
        console.print_json("trace compare", pair)
        return
    console.say(pair_line(pair))
    for reason in pair["reasons"]:
        console.say(f"    {visible(reason)}")


def pair_line(pair: dict[str, Any]) -> str:
    """A pair in a few lines: verdict and names, then each matching segment."""
    lines = [f"{pair['verdict']:<26}{pair['score']:.2f}  {_name(pair, 'a')}  {_name(pair, 'b')}"]
    lines += [
        f"    {one['a_start_s']:.2f}-{one['a_end_s']:.2f} s is"
        f" {one['b_start_s']:.2f}-{one['b_end_s']:.2f} s at speed {one['speed']:.2f}"
        for one in pair["segments"]
    ]
    return "\n".join(lines)


def differing_lines(number: int, cluster: dict[str, Any]) -> list[str]:
    """A cluster in lines: its fullest version and why, then what sets each copy apart from it."""
    lines = [
        f"Cluster {number}: fullest version {_named(cluster['fullest'])}",
        f"    {cluster['why']}",
    ]
    for one in cluster["copies"]:
        lines.append(f"  {_named(one['copy'])}")
        lines += [f"    {visible(text)}" for text in one["says"]]
    return lines


def _named(source: dict[str, str]) -> str:
    return visible(f"{source['item']} {source['name']}")


def _name(pair: dict[str, Any], side: str) -> str:
    source = pair.get(f"{side}_source")
    return _named(source) if source else visible(pair[side])
