"""Every command and where it is: only the one that was asked for is loaded."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated, Final

import typer

import muniment
from muniment.cli import console

#: Command -> the module of this room that holds it, and its name there (`app`: a noun with verbs), in
#: the order in which `--help` lists them.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "build": ("build", "build"),
    "init": ("build", "init"),
    "collect": ("build", "collect"),
    "examine": ("examine", "examine"),
    "trace": ("trace", "app"),
    "search": ("search", "search"),
    "verify": ("verify", "verify"),
    "stamp": ("stamp", "app"),
    "witness": ("witness", "app"),
    "report": ("look", "report"),
    "log": ("look", "log"),
    "show": ("look", "show"),
    "proof": ("look", "proof"),
    "custody": ("custody", "custody"),
    "tell": ("custody", "tell"),
    "check": ("custody", "check"),
    "copy": ("custody", "copy"),
    "export": ("custody", "export"),
    "transfer": ("custody", "transfer"),
    "mirror": ("mirror", "mirror"),
    "rebuild": ("keep", "rebuild"),
    "erase": ("keep", "erase"),
}


def options(
    version: Annotated[bool, typer.Option("--version", help="Say the version and stop.")] = False,
) -> None:
    """Footage of an alleged crime, and what is said about it, as a case a court can test."""
    if version:
        console.say(f"muniment {muniment.__version__}")
        raise typer.Exit


def application(arguments: list[str] | None = None) -> typer.Typer:
    """The command line; given the arguments of a call, with no more than the command they name.

    Loading all took a quarter of the 0.15 CPU s in which a small case is verified.
    """
    app = typer.Typer(
        name="muniment",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich costs half of the 0.3 s in which --help shall answer
        context_settings={"help_option_names": ["-h", "--help"]},
        invoke_without_command=True,
    )
    app.callback()(options)
    asked = (arguments or [""])[0]
    for name in (asked,) if asked in COMMANDS else COMMANDS:
        module, attribute = COMMANDS[name]
        found = getattr(import_module(f"muniment.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)
    return app
