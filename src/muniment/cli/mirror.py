"""`muniment mirror`: second copies."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY, UsageError
from muniment.model.display import count, visible


def mirror(
    target: Annotated[
        str | None,
        typer.Argument(metavar="TARGET", help="A folder, or s3://bucket/folder (AWS_* variables)."),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Your name; needed to make a copy.")
    ] = None,
    off_site: Annotated[
        bool | None,
        typer.Option("--off-site/--on-site", help="Whether the target is elsewhere, as you say."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read back also what was copied before.")
    ] = False,
    overwriting: Annotated[
        bool,
        typer.Option("--overwriting", help="Accept a target that overwrites; the log says so."),
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Only say which copies the log knows; asks no target.")
    ] = False,
    restore: Annotated[
        Path | None,
        typer.Option(
            "--restore",
            help="Write the latest copy at TARGET into this new folder.",
            callback=console.usable,
        ),
    ] = None,
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Copy the case to a second place, read back what was sent, and record it in the log.

    What is there already is not sent again; an interrupted copying goes on where it was. At its first
    use a target must refuse to overwrite what it holds. Keys of a bucket are never recorded.
    """
    if status:
        _status(case, as_json=as_json)
    elif target is None:
        raise UsageError("no target was given", remedy="Name a folder or a bucket, or --status.")
    elif restore is not None:
        _restore(target, restore, as_json=as_json)
    elif by is None:
        raise UsageError("a copy needs your name", subject="--by", remedy="Add --by NAME.")
    else:
        _copy(case, target, by, off_site, overwriting, check, as_json=as_json)


def _copy(
    case: Path | None,
    target: str,
    by: str,
    off_site: bool | None,
    overwriting: bool,
    check: bool,
    *,
    as_json: bool,
) -> None:
    from muniment.case import mirroring

    with console.Watch(as_json=as_json) as watch:
        done = mirroring.mirror(
            console.case_folder(case),
            target,
            by=by,
            off_site=off_site,
            overwriting=overwriting,
            everything=check,
            secrets=console.Passphrases(),
            progress=watch,
        )
    if as_json:
        import msgspec

        console.print_json("mirror", msgspec.to_builtins(done))
    else:
        console.say(f"Copy         {visible(done.place)}")
        console.say(
            f"Files        {count(done.files, 'file')}: {done.copied:,} copied"
            f" ({done.size_bytes:,} bytes), {done.held:,} held already,"
            f" {done.read_back:,} read back and compared"
        )
        if done.put_if_absent != "proved":
            console.say("Overwrites   that place overwrites what it holds: it was accepted so")
        for line in done.notices:
            console.say(f"Failed       {visible(line)}")
        console.say(f"Checkpoint   {done.checkpoint}")
        console.say(f"Copies       {visible(done.standing)}")
    console.report_errors(EXIT_PARTLY if done.notices else 0)


def _status(case: Path | None, *, as_json: bool) -> None:
    import msgspec

    from muniment.case import copies, mirroring, searching

    folder = console.case_folder(case)
    if as_json:
        console.print_json("mirror", {"status": msgspec.to_builtins(mirroring.status(folder))})
        return
    index = searching.open_index(folder)
    try:
        for line in copies.lines(index):
            console.say(visible(line))
        console.say(f"Copies       {copies.standing(index).says}")
    finally:
        index.close()


def _restore(target: str, out: Path, *, as_json: bool) -> None:
    from muniment.case import mirroring

    with console.Watch(as_json=as_json) as watch:
        checkpoint, files = mirroring.restore(target, out, watch)
    if as_json:
        content = {"folder": str(out), "checkpoint": checkpoint, "files": files}
        console.print_json("mirror", {"restored": content})
        return
    console.say(f"Restored     {count(files, 'file')} into {visible(str(out))}")
    console.say(f"Checkpoint   {checkpoint}")
    console.say("             check it: `muniment verify --since` with a checkpoint kept elsewhere")
