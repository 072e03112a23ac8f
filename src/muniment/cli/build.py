"""`muniment build`, `init` and `collect`: what writes to a case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muniment.cli import console, stamp
from muniment.errors import EXIT_PARTLY, UsageError
from muniment.model.display import count, visible

if TYPE_CHECKING:
    from muniment.case.building import Built
    from muniment.sandbox.host import Zygote

Sources = Annotated[
    list[str], typer.Argument(help="Folders, files, or Telegram Desktop export folders.")
]
NewCase = Annotated[
    Path,
    typer.Option("--case", help="The case folder; made when it is new.", callback=console.usable),
]


def build(
    sources: Sources,
    case: NewCase,
    by: console.ByOption,
    why: console.WhyOption,
    stated_source: console.FromOption = None,
    title: console.TitleOption = None,
    unconfined: console.UnconfinedOption = False,
    as_json: console.JsonOption = False,
) -> None:
    """Collect the sources into a case, look inside, find copies, seal, report: the main job.

    Makes the case when it is new. Run again after an interruption, it goes on where it was;
    files that have not changed since are not collected again.
    """
    from muniment.case.confining import confined

    # Before any key is unlocked, so that no worker can ever hold one.
    with confined(unconfined=unconfined) as zygote:
        _run("build", sources, case, by, why, stated_source, title, zygote, as_json=as_json)


def collect(
    sources: Sources,
    by: console.ByOption,
    why: console.WhyOption,
    case: console.CaseOption = None,
    stated_source: console.FromOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Collect the sources, also what is held already: a new act of collecting, sealed."""
    folder = console.case_folder(case).path
    _run("collect", sources, folder, by, why, stated_source, None, None, as_json=as_json)


def _run(
    command: str,
    sources: list[str],
    case: Path,
    by: str,
    why: str,
    stated_source: str | None,
    title: str | None,
    zygote: Zygote | None,
    *,
    as_json: bool,
) -> None:
    from muniment.case import building
    from muniment.case.collecting import Request
    from muniment.case.told import NAME_CHARACTERS, told
    from muniment.custody.keyring import KeyFolder
    from muniment.store.layout import CaseFolder

    by, why = told(by, "--by", NAME_CHARACTERS), told(why, "--why")
    origin = told(stated_source, "--from") if stated_source is not None else None
    again = command == "collect"
    if "" in sources:
        raise UsageError("a source is empty", remedy="Name a file or a folder; `.` is this folder.")
    requests = [Request(Path(source), by, why, origin, again) for source in sources]
    secrets = console.Passphrases()
    with console.Watch(as_json=as_json) as watch:
        built = building.run(
            CaseFolder(case),
            requests,
            by=by,
            why=why,
            title=title,
            keys=KeyFolder(),
            secrets=secrets,
            progress=watch,
            make=command == "build",
            with_report=command == "build",
            zygote=zygote,
        )
    watch.close()
    _print(command, built, as_json=as_json)
    console.report_errors(0 if built.is_whole else EXIT_PARTLY)


def init(
    by: console.ByOption,
    why: console.WhyOption,
    case: NewCase = Path(),
    title: console.TitleOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Make a case: keys, root, first entries, first checkpoint."""
    from muniment.case import building
    from muniment.custody.keyring import KeyFolder
    from muniment.store.layout import CaseFolder

    with console.Watch(as_json=as_json) as watch:
        built = building.initialise(
            CaseFolder(case),
            by=by,
            why=why,
            title=title,
            keys=KeyFolder(),
            secrets=console.Passphrases(),
            progress=watch,
        )
    _print("init", built, as_json=as_json)


def _print(command: str, built: Built, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        console.print_json(command, msgspec.to_builtins(built))
        return
    totals: dict[str, int] = {}
    for counts in built.sources.values():
        for name, number in counts.items():
            totals[name] = totals.get(name, 0) + number
    console.say(f"Case         {visible(built.folder)}")
    if totals:
        kept = f"{totals['found']:,} new, {totals['duplicate']:,} held already"
        unchanged = (
            f", {totals['unchanged']:,} unchanged since last time" if totals["unchanged"] else ""
        )
        console.say(f"Collected    {count(totals['attempted'], 'file')}: {kept}{unchanged}")
        absent = totals["absent_media"]
        name = "names" if absent == 1 else "name"
        missing = f" ({absent:,} {name} a file their export lacks)" if absent else ""
        services = totals["service_messages"]
        posts = f"{totals['posts'] - services:,} and {count(services, 'service message')}"
        console.say(f"Posts        {posts}{missing}")
        failed = totals["failed"] + totals["refused"] + totals["absent"]
        console.say(
            f"Not kept     {failed:,} (each listed above and in the report)"
            if failed
            else "Not kept     nothing failed"
        )
    if built.examined is not None:
        console.say(f"Examined     {examined_line(built.examined)}")
    if built.traced is not None:
        console.say(f"Traced       {tracing_line(built.traced)}")
    for one in built.stamped.made if built.stamped else ():
        console.say(f"Stamped      {stamp.made_line(one)}")
    if built.notices:
        console.say(f"To look at   {count(len(built.notices), 'line')} above")
    console.say(f"Root         {built.root_sha256}")
    console.say(f"Checkpoint   {built.checkpoint}")
    console.say("             keep both outside this machine: `muniment verify --root … --since …`")
    if built.report:
        console.say(f"Report       {visible(built.report)}")


def examined_line(examined: dict[str, int]) -> str:
    """What this run examined, in the words of the report.

    Example:
        >>> examined_line({"examined": 1, "partly": 1, "failed": 0, "not_tried": 0, "failed_before": 0})
        '2 files: 1 wholly, 1 in part (listed above, and in the report under Absences and failures)'
    """
    words = {
        "examined": "wholly",
        "partly": "in part",
        "failed": "could not be examined",
        "not_tried": "not tried",
    }
    parts = [f"{examined[name]:,} {word}" for name, word in words.items() if examined[name]]
    told = count(sum(examined[name] for name in words), "file")
    if sum(examined[name] for name in words) > examined["examined"]:
        told += (
            f": {', '.join(parts)} (listed above, and in the report under Absences and failures)"
        )
    before = examined["failed_before"]
    earlier = f"; {before:,} failed in earlier runs: `muniment examine --again` tries them again"
    return f"{told}{earlier if before else ''}"


def tracing_line(traced: dict[str, int]) -> str:
    """The clusters of the whole case, in words."""
    clips = count(traced["clips"], "clip")
    if not traced["clusters"]:
        return f"{clips}, no two share footage"
    apart = traced["same_camera_other_moment"]
    others = f"; {count(apart, 'pair')} of the same camera at another moment" if apart else ""
    decided = traced["decided"]
    others += f"; {count(decided, 'pair')} decided by people" if decided else ""
    return (
        f"{clips}: {traced['in_clusters']:,} share footage, in"
        f" {count(traced['clusters'], 'cluster')}{others}"
    )
