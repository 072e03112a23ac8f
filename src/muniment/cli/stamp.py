"""`muniment stamp`: authorities that vouch for the time of a case's checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY, MalformedError, UsageError
from muniment.model.display import count, visible

if TYPE_CHECKING:
    from muniment.case.pinning import Added
    from muniment.case.stamping import Made

#: No file of certificates is larger.
MOST_PEM_BYTES: Final = 1 << 16
MOST_HEADERS_BYTES: Final = 1 << 27

app = typer.Typer(
    help="Time stamps: show that the case existed before a time, by others' word.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

HeadersOption = Annotated[
    Path | None,
    typer.Option(
        "--bitcoin-headers",
        help="Consecutive Bitcoin block headers, 80 bytes each, that reach a pinned block.",
        callback=console.usable,
    ),
]
BlocksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--bitcoin-block",
        help="HEIGHT:HASH of a block, as a node you trust gives it; may be repeated.",
    ),
]


@app.command("add")
def add(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where the authority or calendar is asked.")
    ],
    organisation: Annotated[
        str, typer.Option("--organisation", help="Whose it is; authorities are counted by this.")
    ],
    by: console.ByOption,
    why: console.WhyOption,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate",
            help="PEM file: its time-stamping certificate and each issuer's up to the root.",
            callback=console.usable,
        ),
    ] = None,
    calendar: Annotated[
        bool, typer.Option("--calendar", help="It is an OpenTimestamps calendar.")
    ] = False,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Name an authority that shall stamp this case. It is probed first, and refused if what it sends
    does not verify under the certificates given. Named anew, it gets new certificates."""
    from muniment.case import pinning

    if calendar == (certificate is not None):
        raise UsageError(
            "an authority needs its certificates, and a calendar has none",
            remedy="Give --certificate PEM, or --calendar.",
        )
    pem = read(certificate, MOST_PEM_BYTES) if certificate else None
    try:
        with console.Watch(as_json=as_json) as watch:
            added = pinning.add(
                console.case_folder(case),
                url,
                pem=pem,
                organisation=organisation,
                by=by,
                why=why,
                secrets=console.Passphrases(),
                progress=watch,
            )
    except MalformedError as error:
        error.subject = error.subject or str(certificate)
        error.remedy = (
            error.remedy or "Get the PEM file from the authority; put the whole chain in it."
        )
        raise
    _print_added(added, as_json=as_json)


def _print_added(added: Added, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        console.print_json("stamp add", msgspec.to_builtins(added))
        return
    console.say(f"Authority    {visible(added.organisation)} ({visible(added.url)}), {added.id}")
    tools = ", ".join(
        f"{tool} {version}" for tool, version in added.checked_with.items() if version
    )
    console.say(f"Probe        it answered and verifies ({tools})")
    for line in added.notices:
        console.say(f"Notice       {visible(line)}")
    console.say(
        f"In all       {count(added.organisations, 'organisation')}{_few(added.organisations)}"
    )


def _few(organisations: int) -> str:
    return "; name at least one more, of another organisation" if organisations < 2 else ""


@app.command("drop")
def drop(
    name: Annotated[
        str, typer.Argument(metavar="AUTHORITY", help="Its address, or its id in `stamp list`.")
    ],
    by: console.ByOption,
    why: console.WhyOption,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Ask an authority no more. What it stamped stays and is verified as before."""
    from muniment.case import pinning

    with console.Watch(as_json=as_json) as watch:
        told = pinning.drop(
            console.case_folder(case),
            name,
            by=by,
            why=why,
            secrets=console.Passphrases(),
            progress=watch,
        )
    if as_json:
        console.print_json("stamp drop", {"dropped": told})
    else:
        console.say(f"Dropped      {visible(told)}; what it stamped stays")


@app.command("list")
def listing(case: console.CaseOption = None, as_json: console.JsonOption = False) -> None:
    """The authorities of this case, how far their stamps reach, and what waits. Asks nobody."""
    from muniment.case import searching, stamping

    index = searching.open_index(console.case_folder(case))
    try:
        found = stamping.standing(index)
    finally:
        index.close()
    if as_json:
        import msgspec

        console.print_json("stamp list", {"authorities": msgspec.to_builtins(found)})
        return
    for one in found:
        covers = f"the first {one.covers:,} entries" if one.covers else "nothing yet"
        when = f" ({one.time_utc})" if one.time_utc else ""
        console.say(f"{one.id}  {visible(one.organisation)}  {visible(one.url)}  {one.method}")
        console.say(f"  stamped    {covers}{when}")
        if one.waiting_entries:
            console.say(f"  queued     {count(one.waiting_entries, 'entry', 'entries')} since")
        if one.pending:
            console.say(f"  pending    {count(one.pending, 'proof')} not in a block yet")
    organisations = len({one.organisation for one in found})
    console.say(f"In all       {count(organisations, 'organisation')}{_few(organisations)}")


@app.command("run")
def run(
    headers: HeadersOption = None,
    blocks: BlocksOption = None,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Seal, ask every authority for a stamp of what it has not stamped, and calendars for what they
    owe. `build` does this at its end, with less patience. What cannot be had now stays queued."""
    from muniment.case import pinning

    with console.Watch(as_json=as_json) as watch:
        done = pinning.run(
            console.case_folder(case),
            headers=read(headers, MOST_HEADERS_BYTES) if headers else None,
            blocks=block_pins(blocks),
            secrets=console.Passphrases(),
            progress=watch,
        )
    if as_json:
        import msgspec

        console.print_json("stamp run", msgspec.to_builtins(done))
    else:
        for one in done.made:
            console.say(f"Stamped      {made_line(one)}")
        for line in (*done.waiting, *done.notices):
            console.say(f"Waiting      {visible(line)}")
        if done.pending:
            console.say(f"Pending      {count(done.pending, 'Bitcoin proof')} not in a block yet")
        if not (done.made or done.waiting or done.pending):
            console.say("Stamped      nothing new: everything is stamped")
    console.report_errors(EXIT_PARTLY if done.waiting or done.notices else 0)


def made_line(one: Made) -> str:
    """A stamp in one line."""
    covered = f"the first {count(one.covers, 'entry', 'entries')}"
    if one.state == "pending":
        return f"{covered}, {visible(one.organisation)}: pending, proves nothing yet"
    if one.time_utc is None:
        return f"{covered}, {visible(one.organisation)}: in a block whose header is not known here"
    return f"{covered} existed before {one.time_utc}, {visible(one.organisation)}"


def read(path: Path, most_bytes: int) -> bytes:
    """A small file that an option names.

    Raises:
        UsageError: if it cannot be read or is larger than any of its kind.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(most_bytes + 1)
    except OSError as error:
        raise UsageError(
            f"cannot be read ({(error.strerror or '').lower()})", subject=str(path)
        ) from error
    if len(data) > most_bytes:
        raise UsageError(f"has more than {most_bytes:,} bytes", subject=str(path))
    return data


def block_pins(words: list[str] | None) -> dict[int, bytes]:
    """Pinned blocks from `HEIGHT:HASH`.

    Raises:
        UsageError: if one is not in that form.
    Example:
        >>> block_pins(["0:" + "00" * 32]) == {0: bytes(32)}
        True
    """
    pins: dict[int, bytes] = {}
    for word in words or ():
        height, _, digest = word.partition(":")
        is_hash = len(digest) == 64 and set(digest.lower()) <= set("0123456789abcdef")
        if not (height.isascii() and height.isdigit() and len(height) < 10 and is_hash):
            raise UsageError(
                "is no HEIGHT:HASH of a block",
                subject=word[:90],
                remedy="Give the height and the 64 digits that `bitcoin-cli getblockhash` prints.",
            )
        pins[int(height)] = bytes.fromhex(digest)[::-1]
    return pins
