"""`muniment trace`: which clips share footage, in a case or of two files, and what people decide."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY, UsageError
from muniment.model.display import count, visible
from muniment.model.trace import SCORE_SENTENCE, Verdict

#: how the first reason of a pair begins that was told by way of a third clip
BY_WAY: Final = "by way of "

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
    every: Annotated[
        bool, typer.Option("--all", help="List also undetermined pairs with a still picture.")
    ] = False,
    unconfined: console.UnconfinedOption = False,
    as_json: console.JsonOption = False,
) -> None:
    """Trace the case's footage: every pair that shares picture, with segments and verdict.

    What lacks a result is examined and traced first and the log sealed (needs --by); without
    --by the results that the log holds are shown: copies first, the highest score first.
    Undetermined pairs with a still picture are only counted, unless --all or --json is given.
    """
    from muniment.case import building, traced
    from muniment.case.confining import confined
    from muniment.custody.keyring import KeyFolder

    folder = console.case_folder(case)
    left = False
    if by is not None:
        with confined(unconfined=unconfined) as zygote, console.Watch(as_json=as_json) as watch:
            seen = building.look_inside_only(
                folder,
                by=by,
                why=why,
                keys=KeyFolder(),
                secrets=console.Passphrases(),
                progress=watch,
                zygote=zygote,
            )
        watch.close()
        left = bool(seen.notices)
    found = traced.listing(folder)
    # A run has told the warnings already.
    for line in (*found["notices"], *(found["warnings"] if by is None else ())):
        console.tell(visible(line) + "\n")
    unread = EXIT_PARTLY if found["notices"] or left else 0
    if as_json:
        console.print_json("trace run", found)
        console.report_errors(unread)
        return
    _list(found, every=every)
    console.report_errors(unread)


def _list(found: dict[str, Any], *, every: bool) -> None:
    shown = [one for one in found["pairs"] if every or not _is_folded(one)]
    for pair in shown:
        console.say(pair_line(pair))
        if "".join(pair["reasons"][:1]).startswith(BY_WAY):
            console.say(f"    {visible(pair['reasons'][0])}")
    folded = len(found["pairs"]) - len(shown)
    if folded:
        console.say(
            f"{count(folded, 'undetermined pair')} with a still picture not listed (--all lists"
            " them): a still cannot be told from the same scene a moment later"
        )
    for number, cluster in enumerate(found["differences"], 1):
        console.say("\n".join(differing_lines(number, cluster)))
    clusters = count(len(found["clusters"]), "cluster")
    pairs = count(len(found["pairs"]), "pair")
    console.say(f"{count(found['clips'], 'clip')}, {clusters} of copies, {pairs} sharing picture")
    if found["pairs"]:
        console.say(SCORE_SENTENCE)


def _is_folded(pair: dict[str, Any]) -> bool:
    is_still = pair["a_source"]["still"] or pair["b_source"]["still"]
    is_open = pair["verdict"] == Verdict.UNDETERMINED and not pair.get("decision")
    return bool(is_open and is_still)


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
    console.say(SCORE_SENTENCE)


@app.command("screen")
def screen(
    files: Annotated[list[Path], typer.Argument(help="Files, or folders of files.")],
    case: console.CaseOption = None,
    unconfined: console.UnconfinedOption = False,
    as_json: console.JsonOption = False,
) -> None:
    """Screen many files by their key frames: which are near footage of the case, to examine first.

    A fraction of the cost of examining: only pictures that can be decoded alone are decoded, and
    no sound. It gives no verdict: near means that pictures look alike, and a copy may be missed.
    Nothing is written. Each file with items of the case that it is near, the nearest first; in JSON
    `files` (how many were screened), `near` (`file`, `nearness`, `items` of `item`, `name`,
    `nearness`) and `notices`. What cannot be screened is named, and the exit code is 3.
    """
    from muniment.case import screening
    from muniment.case.confining import confined

    folder = console.case_folder(case)
    with confined(unconfined=unconfined) as zygote, console.Watch(as_json=as_json) as watch:
        found = screening.screen(folder, files, zygote, watch)
    watch.close()
    for line in found["notices"]:
        console.tell(visible(line) + "\n")
    if as_json:
        console.print_json("trace screen", found)
    else:
        for one in found["near"]:
            console.say(f"{one['nearness']:8.2f}  {visible(one['file'])}")
            for item in one["items"]:
                console.say(f"{item['nearness']:18.2f}  {_named(item)}")
        console.say(
            f"{count(found['files'], 'file')} screened, {len(found['near'])} near footage of the"
            " case. No verdict: collect and trace those."
        )
    console.report_errors(EXIT_PARTLY if found["notices"] else 0)


@app.command("decide")
def decide(
    a: Annotated[str, typer.Argument(help="An item's id, or the name of its file.")],
    b: Annotated[str, typer.Argument(help="Another.")],
    because: Annotated[str, typer.Option("--because", help="The reason, for others to weigh.")],
    by: Annotated[str, typer.Option("--by", help="Your name: your person key signs it.")],
    same: Annotated[bool, typer.Option("--same", help="They are the same footage.")] = False,
    not_same: Annotated[
        bool, typer.Option("--not-same", help="They are not the same footage.")
    ] = False,
    same_camera: Annotated[
        bool,
        typer.Option("--same-camera", help="They are the same camera at another moment."),
    ] = False,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Decide what two clips are to each other; a person signs, and the program's verdict stays.

    The pair is named by its two items, as `trace run` and the report print them, in either
    order; they need not have been compared. One of --same, --not-same, --same-camera is given.
    With --same the two are in one cluster; with the others the pair joins nothing, nor does what
    was only inferred by way of it. Where other pairs still join the two, that is said: a warning,
    which every later run repeats while it is so; it asks for no exit code. A later decision on a
    pair supersedes the one before; both stay in the log.
    """
    from muniment.case import deciding
    from muniment.model.trace import Decision

    said = [
        decision
        for decision, is_said in zip(Decision, (same, not_same, same_camera), strict=True)
        if is_said
    ]
    if len(said) != 1:
        raise UsageError(
            "says more than one thing" if said else "does not say what you decided",
            subject="trace decide",
            remedy="Give one of --same, --not-same and --same-camera.",
        )
    with console.Watch(as_json=as_json) as watch:
        made = deciding.decide(
            console.case_folder(case),
            (a, b),
            said[0],
            because=because,
            by=by,
            secrets=console.Passphrases(),
            progress=watch,
        )
    for line in (one for one in (*made.notices, *made.warnings) if one not in watch.told):
        console.tell(visible(line) + "\n")
    if as_json:
        import msgspec

        console.print_json("trace decide", msgspec.to_builtins(made))
    else:
        program = made.program
        console.say(f"Decided      {made.decision} ({made.id})")
        console.say(f"Items        {made.a} {visible(made.a_name)}")
        console.say(f"             {made.b} {visible(made.b_name)}")
        console.say(f"Program      {program['verdict'] if program else 'cannot be read'}")
        if made.supersedes:
            console.say(f"Supersedes   {', '.join(made.supersedes)}")
    console.report_errors(EXIT_PARTLY if made.notices else 0)


def pair_line(pair: dict[str, Any]) -> str:
    """A pair in a few lines: verdict and names, what a person decided, then each matching segment."""
    lines = [f"{pair['verdict']:<26}{pair['score']:.2f}  {_name(pair, 'a')}  {_name(pair, 'b')}"]
    decided = pair.get("decision")
    if decided:
        before = f" (supersedes {len(decided['earlier']):,} earlier)" if decided["earlier"] else ""
        lines.append(
            f"    decided {decided['decision']} by {visible(decided['by'])},"
            f" {decided['at_utc']}: {visible(decided['because'])}{before}"
        )
    if pair.get("falls_with"):
        lines.append(f"    counts no more: inferred from a pair kept apart by {pair['falls_with']}")
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


def _named(source: dict[str, Any]) -> str:
    return visible(f"{source['item']} {source['name']}")


def _name(pair: dict[str, Any], side: str) -> str:
    source = pair.get(f"{side}_source")
    return _named(source) if source else visible(pair[side])
