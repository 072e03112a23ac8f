"""What the commands share: options, passphrases, the progress bar, JSON."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from muniment.errors import EXIT_ERROR, EXIT_OK, KeyFileError, MunimentError, UsageError
from muniment.model.display import visible

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import ProgressColumn, TaskID

    from muniment.model.entries import Role
    from muniment.store.layout import CaseFolder

JSON_VERSION: Final = 1
PERSON_VARIABLE: Final = "MUNIMENT_PASSPHRASE"
AGENT_VARIABLE: Final = "MUNIMENT_AGENT_PASSPHRASE"
#: More notices than this are counted, not printed; the report and the log list them all.
MAX_NOTICES: Final = 40
#: The time left is told from when this much of the rest is done.
_FORETOLD: Final = 0.05


def usable(path: Path | None) -> Path | None:
    """A path given as an option, refused when no file system takes its name.

    Raises:
        UsageError: naming it.
    """
    if path is None:
        return None
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return path
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise UsageError(
            f"cannot be a path ({reason})",
            subject=os.fspath(path)[:80],
            remedy="Give another path.",
        ) from error
    return path


CaseOption = Annotated[
    Path | None,
    typer.Option(
        "--case", help="The case folder [default: found upward from here].", callback=usable
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]
ByOption = Annotated[str, typer.Option("--by", help="Your name: on whose behalf this is done.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason, as it shall stand in the log.")]
TitleOption = Annotated[
    str | None, typer.Option("--title", help="Title of a new case [default: the folder's name].")
]
FromOption = Annotated[
    str | None,
    typer.Option("--from", help="Who or what the sources come from, as told."),
]
UnconfinedOption = Annotated[
    bool,
    typer.Option(
        "--unconfined",
        help="Decode without confinement where the kernel offers none: only files you made yourself.",
    ),
]


class Passphrases:
    """Passphrases from the environment (removed from it at once) or from the terminal.

    One variable may serve both keys: the agent's falls back to the person's.
    """

    def __init__(self) -> None:
        person = os.environ.pop(PERSON_VARIABLE, None)
        agent = os.environ.pop(AGENT_VARIABLE, None)
        self._given = {"person": person, "agent": agent or person}

    def passphrase(self, role: Role, name: str, *, is_new: bool) -> str:
        """See `case.signing.Secrets`."""
        given = self._given[str(role)]
        if given is not None:
            return given
        variable = PERSON_VARIABLE if role == "person" else AGENT_VARIABLE
        whose = f"the {role} key of {visible(name)}"
        if sys.stdin is None or not sys.stdin.isatty():
            raise KeyFileError(
                "needs its passphrase and there is nobody to ask",
                subject=whose,
                remedy=f"Set {variable}, or run in a terminal.",
            )
        if not is_new:
            return getpass.getpass(f"Passphrase for {whose}: ")
        first = getpass.getpass(f"New passphrase for {whose}: ")
        if first != getpass.getpass("Again: "):
            raise KeyFileError("the two passphrases differ", subject=whose, remedy="Run again.")
        return first


def _columns() -> tuple[ProgressColumn, ...]:
    """How far a stage is: bytes as MB or GB, all else counted; how fast, and the time left."""
    from rich import filesize, progress
    from rich.text import Text

    size = progress.DownloadColumn()

    class Done(progress.MofNCompleteColumn):
        def render(self, task: progress.Task) -> Text:
            if task.fields["unit"] == "bytes":
                return size.render(task)
            return super().render(task).append(f" {task.fields['unit']}")

    class Speed(progress.ProgressColumn):
        """The mean since the stage began. Rich's own, over the last few steps, made 1,072 files/s
        of three small files while a large one was read."""

        max_refresh = 0.5

        def render(self, task: progress.Task) -> Text:
            elapsed_s = task.finished_time or task.elapsed
            if not elapsed_s or not task.completed:
                return Text("")
            rate, unit = task.completed / elapsed_s, task.fields["unit"]
            speed = filesize.decimal(int(rate)) if unit == "bytes" else f"{rate:,.1f} {unit}"
            # A file counts when it is done: before the first large one nothing can be foretold.
            is_near = task.remaining and task.completed >= _FORETOLD * task.remaining
            left = f", {_clock((task.remaining or 0) / rate)} left" if is_near else ""
            return Text(f"{speed}/s{left}")

    return (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        Done(),
        progress.TimeElapsedColumn(),
        Speed(),
    )


def _clock(seconds: float) -> str:
    """Hours, minutes and seconds.

    Example:
        >>> _clock(3725.9)
        '1:02:05'
    """
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


class Watch:
    """Draws progress on a terminal's stderr; with --json writes acknowledgements there as lines."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._notices = 0
        #: every notice, also those not printed
        self.told: list[str] = []

    def __enter__(self) -> Watch:
        return self

    def _open_bar(self) -> None:
        """Only when there is something to draw: a live bar would paint over a passphrase prompt."""
        if self._bar or self._as_json or sys.stderr is None or not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(*_columns(), console=Console(stderr=True), transient=True)
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def start(self, label: str, total: int | None, unit: str) -> None:
        """See `case.progress.Progress`."""
        self._open_bar()
        if self._bar:
            self._task = self._bar.add_task(label, total=total, unit=unit)

    def advance(self, amount: int = 1) -> None:
        """See `case.progress.Progress`."""
        if self._bar and self._task is not None:
            self._bar.advance(self._task, amount)

    def committed(self, tree_size: int) -> None:
        """See `case.progress.Progress`."""
        if self._as_json:
            tell(json.dumps({"event": "committed", "tree_size": tree_size}) + "\n")

    def notice(self, line: str) -> None:
        """See `case.progress.Progress`."""
        self._notices += 1
        self.told.append(line)
        if self._as_json or self._notices > MAX_NOTICES:
            return
        if self._bar:
            self._bar.console.print(visible(line), markup=False, highlight=False, soft_wrap=True)
        else:
            tell(visible(line) + "\n")

    def close(self) -> None:
        """Say how many notices were not printed."""
        if not self._as_json and self._notices > MAX_NOTICES:
            more = self._notices - MAX_NOTICES
            tell(f"... and {more} more; the report lists them all\n")


def safe(text: str) -> str:
    """`text` with what UTF-8 cannot hold as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def say(text: str = "") -> None:
    """One line on stdout."""
    if sys.stdout is None:  # the caller closed it, or its reader has gone
        return
    try:
        sys.stdout.write(safe(text) + "\n")
    except OSError as error:
        code = give_up_output(error)
        if code:
            raise typer.Exit(code) from error


def give_up_output(error: OSError) -> int:
    """Write no more to stdout; the exit code. A reader that has gone (`… | head`) has what it
    wanted, and the command goes on to its end; a full disk is said."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # else Python complains of what is left in its buffer
    os.close(nowhere)
    sys.stdout = None
    if isinstance(error, BrokenPipeError):
        return EXIT_OK
    reason = (error.strerror or str(error)).lower()
    tell(f"muniment: the output cannot be written ({reason}). Send it elsewhere.\n")
    return EXIT_ERROR


def tell(text: str) -> None:
    """Text on stderr; a reader that has gone must not stop the work."""
    with contextlib.suppress(OSError, AttributeError):
        sys.stderr.write(safe(text))
        sys.stderr.flush()


def print_json(command: str, content: dict[str, Any]) -> None:
    """The command's one JSON document on stdout."""
    document = {"version": JSON_VERSION, "command": command, **content}
    say(json.dumps(document, ensure_ascii=True, indent=2))


def print_error(error: MunimentError, *, as_json: bool) -> None:
    """One line on stderr: what happened, to which input, what to do; with --json a document too."""
    tell(f"muniment: {visible(error.diagnostics())}\n")
    if as_json:
        content = {
            "kind": type(error).__name__,
            "what": error.what,
            "subject": error.subject,
            "remedy": error.remedy,
            "exit_code": error.exit_code,
        }
        print_json("error", {"error": content})


def case_folder(path: Path | None) -> CaseFolder:
    """The case of `--case`, or the one found upward from here.

    Raises:
        NoCaseError: if there is none.
    """
    from muniment.store.layout import find

    return find(path if path is not None else Path.cwd())


def report_errors(exit_code: int) -> None:
    """End the command with that exit code, if it is not 0."""
    if exit_code:
        raise typer.Exit(exit_code)
