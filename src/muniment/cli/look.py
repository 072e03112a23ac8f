"""`muniment report`, `log`, `show` and `proof`: looking at a case."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY
from muniment.model.display import visible

if TYPE_CHECKING:
    from muniment.case.looking import Shown


def report(
    case: console.CaseOption = None,
    clear: Annotated[
        Path | None,
        typer.Option(
            "--clear", help="Write clear pictures to this new file instead; the log records it."
        ),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Your name; needed with --clear.")] = None,
    why: Annotated[str | None, typer.Option("--why", help="What for; needed with --clear.")] = None,
    as_json: console.JsonOption = False,
) -> None:
    """Write report/index.html again, as of the latest checkpoint; its pictures are blurred.

    With --clear, clear key pictures go into a file of their own outside the case, marked on every
    page as not to be forwarded.
    """
    from muniment.case import reporting
    from muniment.errors import UsageError

    folder = console.case_folder(case)
    if clear is not None:
        from muniment.case import clearing

        if not by or not why:
            raise UsageError("--clear needs --by and --why", remedy="Say who wants it, what for.")
        written = clearing.write_clear(folder, clear, by=by, why=why, secrets=console.Passphrases())
    else:
        written = reporting.write(folder)
    path = os.fspath(written.path)
    for line in written.notices:
        console.tell(visible(line) + "\n")
    if as_json:
        name = "report" if clear is None else "clear"
        console.print_json("report", {name: path, "notices": list(written.notices)})
    elif clear is not None:
        console.say(f"Clear        {visible(path)} (not to be forwarded)")
    else:
        console.say(f"Report       {visible(path)}")
    console.report_errors(EXIT_PARTLY if written.notices else 0)


def log(
    case: console.CaseOption = None,
    start: Annotated[int, typer.Option("--start", min=0, help="First entry to list.")] = 0,
    as_json: console.JsonOption = False,
) -> None:
    """List the log's entries, with their private values."""
    from muniment.case import looking

    entries = looking.read(console.case_folder(case), start)
    if as_json:
        import msgspec

        console.print_json("log", {"entries": [msgspec.to_builtins(one) for one in entries]})
        return
    for one in entries:
        if sys.stdout is None:
            break
        console.say(f"{one.index:>7}  {one.at_utc}  {one.kind:<22}{one.id:<27}{_gist(one)}")


def _gist(one: Shown) -> str:
    for field in ("name", "channel", "source", "because"):
        value = one.values.get(field)
        if isinstance(value, dict):
            value = value.get("path") or value.get("name")
        if isinstance(value, str):
            return visible(value)[:60]
    return ""


def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="An id such as item:3f2a91bc07de.")],
    case: console.CaseOption = None,
    copy_to: Annotated[
        Path | None,
        typer.Option(
            "--copy-to",
            help="Write the item's bytes there; the log records it.",
            callback=console.usable,
        ),
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", help="Your name; needed with --copy-to.")
    ] = None,
    why: Annotated[
        str | None, typer.Option("--why", help="What for; needed with --copy-to.")
    ] = None,
    as_json: console.JsonOption = False,
) -> None:
    """Show what the log says of one thing; with --copy-to, take a working copy of an item."""
    from muniment.case import looking

    folder = console.case_folder(case)
    found = looking.show(folder, identity)
    copied = _copy(found, copy_to, by, why, folder.path) if copy_to else None
    if as_json:
        import msgspec

        content = {"entries": [msgspec.to_builtins(one) for one in found], "copied_to": copied}
        console.print_json("show", content)
        return
    for one in found:
        console.say(f"{one.id}  {one.kind}  entry {one.index}  {one.at_utc}")
        for name, value in one.values.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            console.say(f"  {name:<14}{visible(text)}")
        console.say()
    if copied:
        console.say(f"Working copy {visible(copied)}")


def _copy(found: list[Shown], target: Path, by: str | None, why: str | None, folder: Path) -> str:
    from muniment.case.copying import copy_out
    from muniment.errors import UsageError

    digest = found[0].values.get("object") if found[0].kind == "item.acquired" else None
    if not digest:
        raise UsageError("only an item can be copied", subject=found[0].id)
    if not by or not why:
        raise UsageError("--copy-to needs --by and --why", remedy="Say who takes it and what for.")
    return copy_out(folder, digest, target, by=by, why=why, secrets=console.Passphrases())


def proof(
    identity: Annotated[str, typer.Argument(metavar="ID", help="An id such as item:3f2a91bc07de.")],
    case: console.CaseOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="File to write [default: the terminal].", callback=console.usable
        ),
    ] = None,
    with_mldsa: Annotated[
        bool, typer.Option("--with-mldsa", help="Enclose the ML-DSA-44 signature too (3.2 kB).")
    ] = False,
    as_json: console.JsonOption = False,
) -> None:
    """Write the proof (C2SP tlog-proof) that an entry stands in the log under its checkpoint."""
    from muniment.case import looking
    from muniment.store.disk import storage

    data = looking.proof(console.case_folder(case), identity, with_mldsa=with_mldsa)
    if out is not None:
        with storage(out):
            out.write_bytes(data)
    if as_json:
        console.print_json("proof", {"id": identity, "proof": data.decode()})
    elif out is None:
        console.say(data.decode().removesuffix("\n"))
    else:
        console.say(f"Proof        {visible(os.fspath(out))}")
