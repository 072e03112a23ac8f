"""`muniment`: the one place where errors become lines and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any, Final

import typer

from muniment.cli import console
from muniment.cli.commands import application
from muniment.cli.start import INTERRUPTED, SAID
from muniment.errors import EXIT_ERROR, EXIT_USAGE, MunimentError, StorageError, UsageError

#: What the option library raises for a wrong call; its module of errors is not public.
LIBRARY_ERROR: Final[type[Exception]] = typer.BadParameter.__mro__[2]


class Interrupted(BaseException):
    """Ctrl-C; not KeyboardInterrupt, which the library would turn into a bare `Aborted!`."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def main() -> None:
    """Run the command line; every deliberate error is one line, never a traceback."""
    signal.signal(signal.SIGINT, _interrupt)
    code = _run()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        code = code or console.give_up_output(error)
    sys.exit(code)


def _run() -> int:
    """The exit code of the command that was given."""
    as_json = "--json" in sys.argv
    try:
        return application(sys.argv[1:])(standalone_mode=False) or 0
    except MunimentError as error:
        console.print_error(error, as_json=as_json)
        return error.exit_code
    except typer.Abort:
        console.tell("muniment: nothing was done: it was not confirmed\n")
        return EXIT_ERROR
    except Interrupted:
        console.tell(SAID)
        return INTERRUPTED
    except MemoryError:
        console.tell("muniment: this machine has too little memory for it. Give it less at once.\n")
        return EXIT_ERROR
    except LIBRARY_ERROR as error:
        return _wrong_call(error, as_json=as_json)
    except OSError as error:
        # What this program reads and writes it guards; a path in an option may still be no path.
        reason = (error.strerror or str(error)).lower()
        subject = os.fsdecode(error.filename) if error.filename else ""
        unforeseen = StorageError(
            f"the system refused it ({reason})",
            subject=subject,
            remedy="Check that path and run again.",
        )
        console.print_error(unforeseen, as_json=as_json)
        return EXIT_ERROR


def _wrong_call(error: Any, *, as_json: bool) -> int:
    """One line for what the option library refuses; the help where no command was given."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else "muniment"
    words = " ".join(error.format_message().split())
    if not sys.argv[1:]:
        console.tell(f"{error.format_message()}\n")
        return EXIT_USAGE
    what = words[:1].lower() + words[1:].rstrip(".")
    is_id = str(getattr(getattr(error, "param", None), "metavar", "")).startswith("ID")
    where = "`muniment log` lists every id, `muniment search` finds one by a name or text. "
    remedy = f"{where if is_id else ''}See `{command} --help`."
    wrong = UsageError(what, subject=command, remedy=remedy)
    wrong.subject = "" if command == "muniment" else command.removeprefix("muniment ")
    console.print_error(wrong, as_json=as_json)
    return EXIT_USAGE
