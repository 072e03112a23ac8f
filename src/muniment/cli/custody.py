"""`muniment custody`, `tell`, `check`, `copy`, `export` and `transfer`: what is done with originals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muniment.cli import console
from muniment.errors import EXIT_INTEGRITY, EXIT_PARTLY
from muniment.model.display import count, visible
from muniment.model.ids import short

if TYPE_CHECKING:
    from muniment.case.touching import Copied, Recorded

ItemArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The item, e.g. item:3f2a91bc07de.")
]
OutArgument = Annotated[
    Path, typer.Argument(metavar="OUT", help="New file, outside the case.", callback=console.usable)
]


def custody(
    identity: ItemArgument, case: console.CaseOption = None, as_json: console.JsonOption = False
) -> None:
    """List an item's whole chain of custody, each event with its PREMIS code."""
    import msgspec

    from muniment.case.chain import chain

    found = chain(console.case_folder(case), identity)
    if as_json:
        console.print_json("custody", msgspec.to_builtins(found))
        return
    console.say(f"{found.item}  SHA-256 {found.sha256}")
    for one in found.links:
        before = "  (before intake, as told)" if one.before_intake else ""
        outcome = f"  {one.outcome}" if one.outcome else ""
        event = one.event.replace("_", " ")
        console.say(f"{one.at_utc}  {one.premis}  {visible(event)}{outcome}{before}  {one.id}")
        who = f"{one.by}, recorded by {one.agent}" if one.by not in (None, one.agent) else one.agent
        tool = f", with {one.instrument}" if one.instrument else ""
        console.say(f"    {visible(who + tool)}")
        for line in (one.told, f"why: {one.why}" if one.why else ""):
            if line:
                console.say(f"    {visible(line)}")


def tell(
    identity: ItemArgument,
    event: Annotated[
        str, typer.Option("--event", help="received, captured, transferred, viewed, ...")
    ],
    what: Annotated[str, typer.Option("--what", help="What happened, as told.")],
    source: Annotated[str, typer.Option("--source", help="Who or what says so.")],
    by: console.ByOption,
    why: console.WhyOption,
    when: Annotated[
        str | None, typer.Option("--when", help="When, in the words of the source.")
    ] = None,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Record what is told of an item before its intake, and who says so. Signed with your key."""
    from muniment.case import touching

    done = touching.tell(
        console.case_folder(case),
        identity,
        event=event,
        what=what,
        source=source,
        when=when,
        by=by,
        why=why,
        secrets=console.Passphrases(),
        progress=console.Watch(as_json=as_json),
    )
    _recorded("tell", done, as_json=as_json)


def transfer(
    identities: Annotated[list[str], typer.Argument(metavar="ID...", help="Items.")],
    to: Annotated[str, typer.Option("--to", help="Who has them now.")],
    channel: Annotated[str, typer.Option("--channel", help="How they went, e.g. by hand, sealed.")],
    by: console.ByOption,
    why: console.WhyOption,
    giver: Annotated[
        str | None, typer.Option("--from", help="Who had them before [default: you].")
    ] = None,
    receipt: Annotated[
        str | None, typer.Option("--receipt", help="How it was acknowledged.")
    ] = None,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Record that items went from one holder to another. Signed with your key."""
    from muniment.case import touching

    done = touching.transfer(
        console.case_folder(case),
        identities,
        giver=giver,
        to=to,
        channel=channel,
        receipt=receipt,
        by=by,
        why=why,
        secrets=console.Passphrases(),
        progress=console.Watch(as_json=as_json),
    )
    _recorded("transfer", done, as_json=as_json)


def _recorded(command: str, done: Recorded, *, as_json: bool) -> None:
    if as_json:
        console.print_json(command, {"entry": done.id, "notices": list(done.notices)})
    else:
        console.say(f"Recorded     {done.id}")
    console.report_errors(EXIT_PARTLY if done.notices else 0)


def check(
    by: console.ByOption,
    why: Annotated[str, typer.Option("--why", help="The occasion.")] = "routine fixity check",
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Draw so many at random [default: all].")
    ] = None,
    seed: Annotated[
        str | None, typer.Option("--seed", help="Draw this sample again [default: a new one].")
    ] = None,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Compare originals with their digests, and record the outcome. `verify` records nothing."""
    from muniment.case import touching

    done = touching.check(
        console.case_folder(case),
        number=sample,
        seed=seed,
        by=by,
        why=why,
        secrets=console.Passphrases(),
        progress=console.Watch(as_json=as_json),
    )
    result = done.result
    if as_json:
        import msgspec

        console.print_json("check", msgspec.to_builtins(done))
    else:
        console.say(
            f"Checked      {result.checked} of {count(done.of, 'original')}: {result.outcome}"
        )
        if done.seed:
            console.say(f"Seed         {visible(done.seed)}")
        for digest, what in result.bad:
            console.say(f"Different    {short('item', digest)}: {visible(what)}")
        for digest, what in result.unread:
            console.say(f"Not read     {short('item', digest)}: {visible(what)}")
    partly = EXIT_PARTLY if result.unread or done.notices else 0
    console.report_errors(EXIT_INTEGRITY if result.bad else partly)


def copy(
    identity: ItemArgument,
    out: OutArgument,
    by: console.ByOption,
    why: console.WhyOption,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Take a working copy of an item; the log records it, and that it reads back the same."""
    _copy("copy", identity, out, None, by, why, case, as_json=as_json)


def export(
    identity: ItemArgument,
    out: OutArgument,
    to: Annotated[str, typer.Option("--to", help="Whom it is for.")],
    by: console.ByOption,
    why: console.WhyOption,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Write an item out for somebody else; the log records it, and that it reads back the same."""
    _copy("export", identity, out, to, by, why, case, as_json=as_json)


def _copy(
    command: str,
    identity: str,
    out: Path,
    to: str | None,
    by: str,
    why: str,
    case: Path | None,
    *,
    as_json: bool,
) -> None:
    from muniment.case import touching

    done: Copied = touching.copy_out(
        console.case_folder(case),
        identity,
        out,
        to=to,
        by=by,
        why=why,
        secrets=console.Passphrases(),
        progress=console.Watch(as_json=as_json),
    )
    if as_json:
        console.print_json(command, {"path": done.path, "notices": list(done.notices)})
    else:
        console.say(f"{'Working copy' if to is None else 'Exported    '} {visible(done.path)}")
    console.report_errors(EXIT_PARTLY if done.notices else 0)
