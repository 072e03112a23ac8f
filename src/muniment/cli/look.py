"""`muniment report`, `log`, `show` and `proof`: looking at a case."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from muniment.cli import console
from muniment.errors import EXIT_PARTLY
from muniment.model.display import count, visible
from muniment.model.ids import short

if TYPE_CHECKING:
    from muniment.case.looking import Shown

Values = dict[str, Any]
#: So much of an entry is told on its line of `log`.
_GIST_CHARACTERS: Final = 80
IDENTITY: Final = (
    "An id such as item:3f2a91bc07de, as `muniment log`, `search` and the report give it."
)


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

    folder, watch = console.case_folder(case), console.Watch(as_json=as_json)
    if clear is not None:
        from muniment.case import clearing

        if not by or not why:
            raise UsageError("--clear needs --by and --why", remedy="Say who wants it, what for.")
        secrets = console.Passphrases()
        written = clearing.write_clear(
            folder, clear, by=by, why=why, secrets=secrets, progress=watch
        )
    else:
        written = reporting.write(folder)
    path = os.fspath(written.path)
    for line in written.notices:
        if line not in watch.told:
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
    """One line on what an entry says; nothing when all of it was erased."""
    values = one.values
    told = _GISTS[one.kind](values) if one.kind in _GISTS else ""
    return visible(told or _named(values))[:_GIST_CHARACTERS]


def _named(values: Values) -> str:
    for field in ("name", "channel", "source", "title", "because"):
        value = values.get(field)
        if isinstance(value, dict):
            value = value.get("path") or value.get("name")
        if isinstance(value, str):
            return value
    return ""


def _item(values: Values) -> str:
    digest = values.get("object")
    return short("item", digest) if isinstance(digest, str) else "an item not named"


def _list(values: Values, field: str) -> list[Any]:
    """A field that is a list in an entry of ours; anybody may have written this one."""
    value = values.get(field)
    return value if isinstance(value, list) else []


def _observed(values: Values) -> str:
    outcome = values.get("outcome")
    parts = (outcome.get("status"), outcome.get("problem")) if isinstance(outcome, dict) else ()
    became = ": ".join(str(part) for part in parts if part)
    step = f"{values.get('step') or ''} {values.get('step_version') or ''}".strip()
    return f"{step} of {_item(values)}: {became}" if step else ""


def _viewed(values: Values) -> str:
    purpose, by = str(values.get("purpose") or ""), values.get("by")
    who = "" if purpose.startswith(f"{by}: ") else f"by {by}: "
    return f"{_item(values)}, {who}{purpose}" if purpose else ""


def _erased(values: Values) -> str:
    objects, entries = _list(values, "objects"), _list(values, "entries")
    told = f"{count(len(objects), 'object')}, {count(len(entries), 'entry', 'entries')}"
    return f"{told}: {values.get('why')}"


def _custody(values: Values) -> str:
    objects = values.get("objects")
    which = (
        short("item", str(objects[0])) if isinstance(objects, list) and len(objects) == 1 else ""
    )
    told = (values.get("event"), values.get("premis"), which, values.get("outcome"))
    return " ".join(str(part) for part in told if part)


def _recovered(values: Values) -> str:
    moved = [part for part in _list(values, "moved") if isinstance(part, dict)]
    files = ", ".join(str(part.get("file")) for part in moved)
    return f"moved aside, from {files}" if files else ""


_GISTS: Final[dict[str, Callable[[Values], str]]] = {
    "observation.made": _observed,
    "object.viewed": _viewed,
    "object.erased": _erased,
    "custody.recorded": _custody,
    "log.recovered": _recovered,
    "acquisition.finished": lambda values: str(values.get("outcome") or ""),
}


def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help=IDENTITY)],
    case: console.CaseOption = None,
    as_json: console.JsonOption = False,
) -> None:
    """Show what the log says of one thing."""
    from muniment.case import looking

    found = looking.show(console.case_folder(case), identity)
    if as_json:
        import msgspec

        listed = [msgspec.to_builtins(one) for one in found]
        console.print_json("show", {"entries": listed})
        return
    for one in found:
        console.say(f"{one.id}  {one.kind}  entry {one.index}  {one.at_utc}")
        for name, value in one.values.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            console.say(f"  {name:<14}{visible(text)}")
        console.say()


def proof(
    identity: Annotated[str, typer.Argument(metavar="ID", help=IDENTITY)],
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
