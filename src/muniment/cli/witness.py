"""`muniment witness`: others who have seen the log, and being such a one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from muniment.cli import console
from muniment.cli.stamp import read
from muniment.errors import EXIT_INTEGRITY, EXIT_PARTLY, StorageError
from muniment.model.display import count, visible

if TYPE_CHECKING:
    from muniment.case.witnessing import Pinned

MOST_BYTES: Final = 1 << 16

app = typer.Typer(
    help="Witnesses: others cosign the log, so that a rollback or a second history is found out.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

OutOption = Annotated[
    Path, typer.Option("--out", help="The new file to write.", callback=console.usable)
]


@app.command("add")
def add(
    vkey: Annotated[str, typer.Argument(metavar="VKEY", help="Its verifier key, as it told you.")],
    organisation: Annotated[
        str, typer.Option("--organisation", help="Whose it is; the quorum is counted by this.")
    ],
    by: console.ByOption,
    why: console.WhyOption,
    url: Annotated[
        str | None,
        typer.Option("--url", help="Where it is asked (C2SP tlog-witness); without: by file."),
    ] = None,
    quorum: Annotated[
        int, typer.Option("--quorum", help="How many organisations shall have cosigned.")
    ] = 1,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Name a witness that shall cosign this log, and how many organisations make a quorum."""
    from muniment.case import witnessing

    with console.Watch(as_json=as_json) as watch:
        made = witnessing.add(
            console.case_folder(case),
            vkey,
            organisation=organisation,
            url=url,
            quorum=quorum,
            by=by,
            why=why,
            secrets=console.Passphrases(),
            progress=watch,
        )
    if as_json:
        import msgspec

        console.print_json("witness add", {"witness": msgspec.to_builtins(made)})
    else:
        _print(made)


@app.command("drop")
def drop(
    name: Annotated[
        str, typer.Argument(metavar="WITNESS", help="Its key, or its id in `witness list`.")
    ],
    by: console.ByOption,
    why: console.WhyOption,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Ask a witness no more. What it cosigned stays and is verified as before."""
    from muniment.case import witnessing

    with console.Watch(as_json=as_json) as watch:
        told = witnessing.drop(
            console.case_folder(case),
            name,
            by=by,
            why=why,
            secrets=console.Passphrases(),
            progress=watch,
        )
    if as_json:
        console.print_json("witness drop", {"dropped": told})
    else:
        console.say(f"Dropped      {visible(told)}; what it cosigned stays")


@app.command("list")
def listing(case: console.CaseOption = None, as_json: console.JsonOption = False) -> None:
    """The witnesses of this case, and how far each has cosigned. Asks nobody."""
    from muniment.case import searching, witnessing

    index = searching.open_index(console.case_folder(case))
    try:
        found = witnessing.pinned(index)
    finally:
        index.close()
    if as_json:
        import msgspec

        console.print_json("witness list", {"witnesses": msgspec.to_builtins(found)})
        return
    for one in found:
        _print(one)
    organisations = len({one.organisation for one in found})
    console.say(f"In all       {count(organisations, 'organisation')}")


def _print(one: Pinned) -> None:
    covers = (
        f"the first {one.cosigned:,} entries, {one.time_utc}" if one.cosigned else "nothing yet"
    )
    where = visible(one.url) if one.url else "by file"
    console.say(f"{one.id}  {visible(one.organisation)}  {where}  quorum {one.quorum}")
    console.say(f"  cosigned   {covers}")
    console.say(f"  key        {one.vkey}")


@app.command("run")
def run(case: console.CaseOption = None, as_json: console.JsonOption = False) -> None:
    """Seal, and ask every witness that has an address to cosign the checkpoint.

    A witness that has seen more of this case, or another history of it, is named: exit code 20.
    """
    from muniment.case import witnessing

    with console.Watch(as_json=as_json) as watch:
        done = witnessing.run(
            console.case_folder(case), secrets=console.Passphrases(), progress=watch
        )
    if as_json:
        import msgspec

        console.print_json("witness run", msgspec.to_builtins(done))
    else:
        for organisation, covers, time_utc in done.made:
            covered = count(covers, "entry", "entries")
            console.say(f"Cosigned     the first {covered}, {time_utc}, {visible(organisation)}")
        for line in done.alarms:
            console.say(f"ALARM        {visible(line)}")
        for line in (*done.waiting, *done.notices):
            console.say(f"Waiting      {visible(line)}")
    left = EXIT_PARTLY if done.waiting or done.notices else 0
    console.report_errors(EXIT_INTEGRITY if done.alarms else left)


@app.command("request")
def request(
    out: OutOption,
    witness: Annotated[
        str | None, typer.Option("--witness", help="Its key or id: what it cosigned before counts.")
    ] = None,
    old: Annotated[
        int | None, typer.Option("--old", help="How many entries it cosigned, as it says.")
    ] = None,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Write what a witness needs to cosign by file, and print the key it shall know this log by."""
    from muniment.case import witnessing

    folder = console.case_folder(case)
    made = witnessing.request(folder, witness, old)
    key = witnessing.log_key(folder, made.head)
    write(out, made.encode())
    content = {"file": str(out), "checkpoint": made.head.short(), "log_key": key}
    if as_json:
        console.print_json("witness request", content)
        return
    console.say(f"Request      {visible(str(out))}, for the checkpoint {made.head.short()}")
    console.say(f"Log key      {key}")
    console.say("             tell the witness this key another way than beside the file")


@app.command("key")
def key(by: console.ByOption, as_json: console.JsonOption = False) -> None:
    """Print the key by which others know you as a witness; it is made on first use."""
    from muniment.case import cosigning

    made = cosigning.vkey(by, console.Passphrases())
    if as_json:
        console.print_json("witness key", {"vkey": made})
    else:
        console.say(made)


@app.command("cosign")
def cosign(
    file: Annotated[
        Path, typer.Argument(metavar="REQUEST", help="The file.", callback=console.usable)
    ],
    by: console.ByOption,
    out: OutOption,
    log_key: Annotated[
        str | None, typer.Option("--log-key", help="The log's key; needed the first time.")
    ] = None,
    as_json: console.JsonOption = False,
) -> None:
    """As a witness: cosign the checkpoint of somebody's request, if it continues what you saw before."""
    from muniment.case import cosigning

    data = cosigning.cosign(
        read(file, MOST_BYTES), log_key=log_key, by=by, secrets=console.Passphrases()
    )
    write(out, data)
    if as_json:
        console.print_json("witness cosign", {"file": str(out)})
    else:
        console.say(f"Cosigned     {visible(str(out))}: give it back, and keep a copy")


@app.command("take")
def take(
    file: Annotated[
        Path, typer.Argument(metavar="COSIGNED", help="The file.", callback=console.usable)
    ],
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Keep a cosigned checkpoint that a witness gave back by file."""
    from muniment.case import witnessing

    with console.Watch(as_json=as_json) as watch:
        organisation, covers, time_utc = witnessing.take(
            console.case_folder(case),
            read(file, MOST_BYTES),
            secrets=console.Passphrases(),
            progress=watch,
        )
    if as_json:
        content = {"organisation": organisation, "covers": covers, "time_utc": time_utc}
        console.print_json("witness take", content)
        return
    covered = count(covers, "entry", "entries")
    console.say(f"Cosigned     the first {covered}, {time_utc}, {visible(organisation)}")


def write(path: Path, data: bytes) -> None:
    """A new file.

    Raises:
        StorageError: if it exists or cannot be written.
    """
    try:
        with path.open("xb") as out:
            out.write(data)
    except OSError as error:
        raise StorageError(
            f"cannot be written ({(error.strerror or '').lower()})",
            subject=str(path),
            remedy="Choose another name.",
        ) from error
