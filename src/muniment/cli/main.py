"""`muniment`: the application, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

import muniment
from muniment.cli import build, console, keep, look, verify
from muniment.errors import EXIT_ERROR, MunimentError

app = typer.Typer(
    name="muniment",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich costs half of the 0.3 s in which --help shall answer
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Say the version and stop.")] = False,
) -> None:
    """Footage of an alleged crime, and what is said about it, as a case a court can test."""
    if version:
        console.say(f"muniment {muniment.__version__}")
        raise typer.Exit


app.command("build")(build.build)
app.command("init")(build.init)
app.command("collect")(build.collect)
app.command("verify")(verify.verify)
app.command("report")(look.report)
app.command("log")(look.log)
app.command("show")(look.show)
app.command("proof")(look.proof)
app.command("rebuild")(keep.rebuild)
app.command("erase")(keep.erase)

INTERRUPTED = 130


class Interrupted(BaseException):
    """Ctrl-C; not KeyboardInterrupt, which the library would turn into a bare `Aborted!`."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted


def main() -> None:
    """Run the command line; every deliberate error is one line, never a traceback."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except MunimentError as error:
        console.print_error(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except Interrupted:
        console.tell("muniment: interrupted; run the same command again to go on\n")
        sys.exit(INTERRUPTED)
    except OSError as error:
        # Only the terminal or the file that output goes to is left: all else is a MunimentError.
        sys.stdout = None
        reason = (error.strerror or str(error)).lower()
        console.tell(f"muniment: the output cannot be written ({reason}). Send it elsewhere.\n")
        sys.exit(EXIT_ERROR)
