"""`muniment verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from muniment.cli import console, stamp
from muniment.errors import UsageError
from muniment.model.display import count, visible

if TYPE_CHECKING:
    from muniment.custody.judged import StampPins
    from muniment.model.verify import Verdict

#: So many stamps are printed, the latest.
MOST_STAMPS: Final = 12
MARKS: Final = {"pass": "pass", "fail": "FAIL", "not checked": "not checked"}


def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="The case folder [default: found upward from here].", callback=console.usable
        ),
    ] = None,
    case: Annotated[
        Path | None,
        typer.Option(
            "--case",
            help="The same as FOLDER, as other commands name it; give one of them.",
            callback=console.usable,
        ),
    ] = None,
    root: Annotated[
        str | None, typer.Option("--root", help="Root fingerprint, got from the owner another way.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", help="A checkpoint held elsewhere: SIZE:ROOT-HEX, or its file."),
    ] = None,
    authorities: Annotated[
        list[Path] | None,
        typer.Option(
            "--authority",
            help="PEM file: certificate of a time-stamping authority you trust; may be repeated.",
        ),
    ] = None,
    headers: stamp.HeadersOption = None,
    blocks: stamp.BlocksOption = None,
    witnessed: Annotated[
        list[Path] | None,
        typer.Option("--witnessed", help="A cosigned checkpoint that a witness gave you."),
    ] = None,
    witnesses: Annotated[
        list[str] | None,
        typer.Option("--witness", help="Key of a witness you trust, besides those the case names."),
    ] = None,
    as_json: console.JsonOption = False,
) -> None:
    """Check a case offline against its checkpoint and name whatever differs; changes nothing."""
    from muniment.case import verifying

    if folder is not None and case is not None:
        raise UsageError(
            "a folder was given twice", subject="--case", remedy="Give FOLDER or --case, not both."
        )
    pins = verifying.pins(root, since)
    stamps = _stamp_pins(authorities, headers, blocks)
    if witnessed or witnesses:
        notes = [(str(path), stamp.read(path, stamp.MOST_PEM_BYTES)) for path in witnessed or ()]
        stamps = verifying.with_witnesses(stamps, notes, witnesses or [])
    here = folder or case or Path()
    with console.Watch(as_json=as_json) as watch:
        verdict = verifying.verify(verifying.case_folder(here), pins, watch, stamps)
    if as_json:
        import msgspec

        content = msgspec.to_builtins(verdict)
        console.print_json("verify", content | {"exit_code": verdict.exit_code})
    else:
        _print(verdict)
    console.report_errors(verdict.exit_code)


def _stamp_pins(
    authorities: list[Path] | None, headers: Path | None, blocks: list[str] | None
) -> StampPins:
    from muniment.case import verifying
    from muniment.custody.judged import StampPins

    pems = [(str(path), stamp.read(path, stamp.MOST_PEM_BYTES)) for path in authorities or ()]
    return StampPins(
        verifying.authority_pins(pems) if pems else frozenset(),
        stamp.block_pins(blocks),
        stamp.read(headers, stamp.MOST_HEADERS_BYTES) if headers else None,
    )


def _print(verdict: Verdict) -> None:
    console.say(f"Case         {verdict.case or 'unknown'}")
    console.say(f"Root         {verdict.root_sha256 or 'none'}")
    console.say(f"Checkpoint   {verdict.checkpoint or 'none'}")
    console.say()
    for check in verdict.checks:
        console.say(f"{MARKS[check.status]:<12} {check.name}: {check.detail}")
        for finding in check.findings:
            console.say(f"             - {visible(finding.piece)}: {visible(finding.what)}")
        if check.found > len(check.findings):
            console.say(f"             - and {check.found - len(check.findings)} more")
    for one in verdict.stamps[-MOST_STAMPS:]:
        before = f"existed before {one.before_utc}" if one.before_utc else str(one.status)
        covered = count(one.covers, "entry", "entries")
        console.say(f"stamp        the first {covered} {before}: {visible(one.detail)}")
    if len(verdict.stamps) > MOST_STAMPS:
        console.say(
            f"             - and {len(verdict.stamps) - MOST_STAMPS} earlier; --json has all"
        )
    for note in verdict.notes:
        console.say(f"note         {visible(note)}")
    console.say()
    console.say("This does not show:")
    for line in verdict.not_proved:
        console.say(f"  {line}")
    console.say()
    console.say(f"Outcome      {_outcome(verdict)}")


def _outcome(verdict: Verdict) -> str:
    """The last line: what a person who reads nothing else must know."""
    failed = [check.name for check in verdict.checks if check.status == "fail"]
    if failed:
        return f"FAILED: {', '.join(failed)} (exit code {verdict.exit_code})"
    open_names = [check.name for check in verdict.checks if check.status == "not checked"]
    left = f"; not checked: {', '.join(open_names)}" if open_names else ""
    return f"every check that was made passed{left} (exit code {verdict.exit_code})"
