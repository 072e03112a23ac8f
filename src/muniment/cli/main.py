"""`muniment`: the application, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

import typer

from muniment.cli import build, keep, look, verify

app = typer.Typer(
    name="muniment",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich costs half of the 0.3 s in which --help shall answer
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Footage of an alleged crime, and what is said about it, as a case a court can test.",
)
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
    from muniment.errors import MunimentError

    signal.signal(signal.SIGINT, _interrupt)
    try:
        app()
    except MunimentError as error:
        from muniment.cli.console import print_error

        print_error(error, as_json="--json" in sys.argv)
        sys.exit(error.exit_code)
    except Interrupted:
        sys.stderr.write("muniment: interrupted; run the same command again to go on\n")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has gone; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
