"""Writes docs/cli.md, and the generated tables of docs/format.md, from the program itself.

`make docs` writes; a test fails when what stands on disk is not what this gives.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import typer

from muniment.cli.commands import application
from muniment.cli.console import AGENT_VARIABLE, PERSON_VARIABLE
from muniment.custody.keyring import KEYS_VARIABLE
from muniment.errors import EXIT_CODES

DOCS = Path(__file__).parent

HEAD = """# The command line

<!-- Written by docs/generate.py (`make docs`). Do not edit: change the commands instead. -->

The case is found upward from the current folder, like git, or named with `--case DIR`. Every command
takes `--json` and then prints exactly one JSON document on stdout, with `version` (now 1) and
`command`; `build`, `collect` and `init` then also write one line
`{"event": "committed", "tree_size": N}` to stderr whenever the first N entries are durable.
Long work shows a progress bar on a terminal. After Ctrl-C or a kill, the same command goes on.

Ids are `kind:short-hash`, e.g. `item:3f2a91bc07de`: an item's hash is its object's SHA-256; an
acquisition's, a post's, an observation's, a decision's or another entry's is the entry's leaf hash.
Four digits are enough when they fit only one thing.

Errors are one line: what happened, to which input, and what to do. A traceback is a defect.
"""

VARIABLES = f"""## Environment

| variable | meaning |
|---|---|
| `{KEYS_VARIABLE}` | folder of key files; default: `keys` in the user's data folder for muniment |
| `{PERSON_VARIABLE}` | passphrase of the person key; asked on the terminal when not set |
| `{AGENT_VARIABLE}` | passphrase of this machine's agent key; default: the person's |

Passphrases are removed from the environment as soon as the program has read them. An unattended run
needs only the agent's: the person's key is opened only to make a case, to certify a new machine's
agent key, to decide on a pair, to name or drop an authority or a witness, and
to erase. What stood in the environment when the program started
stays readable in `/proc` for the same user; at a terminal, let it ask instead.

Beside the keys, in `seen/`, a machine remembers the last checkpoint it signed in each case: the next
writing run refuses a case that is no continuation of it. So the folder of keys must be writable.
"""


def cli_page() -> str:
    """docs/cli.md."""
    root: Any = typer.main.get_command(application())
    parts = [HEAD, exit_codes(), VARIABLES, "## Commands\n"]
    parts += [command_section(name, command) for name, command in commands(root)]
    return "\n".join(parts)


def commands(group: Any, before: str = "") -> list[tuple[str, Any]]:
    """Every command that can be run, with its words; those of a group under the group's name."""
    found: list[tuple[str, Any]] = []
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found += commands(command, f"{before}{name} ")
        else:
            found.append((before + name, command))
    return found


def exit_codes() -> str:
    """The table of exit codes."""
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return (
        f"## Exit codes\n\n| code | meaning |\n|---|---|\n{rows}\n| 130 | stopped with Ctrl-C |\n"
    )


def command_section(name: str, command: Any) -> str:
    """One command: what it does, its arguments and options."""
    usage = [f"muniment {name}"]
    rows: list[str] = []
    for parameter in command.params:
        is_argument = parameter.param_type_name == "argument"
        label = parameter.metavar or parameter.name.upper()
        if is_argument:
            many = "…" if parameter.nargs == -1 and not label.endswith("...") else ""
            word = f"{label}{many}" if parameter.required else f"[{label}]"
            usage.append(word)
            rows.append(f"| `{label}` | {one_line(parameter.help)} | {need(parameter)} |")
        else:
            flag = ", ".join(parameter.opts)
            value = "" if parameter.is_flag else f" {parameter.name.upper()}"
            rows.append(f"| `{flag}{value}` | {one_line(parameter.help)} | {need(parameter)} |")
    table = "| argument or option | meaning | |\n|---|---|---|\n" + "\n".join(rows)
    return f"### `{' '.join(usage)}`\n\n{command.help.strip()}\n\n{table}\n"


def need(parameter: Any) -> str:
    """Whether a parameter must be given."""
    return "required" if parameter.required else ""


def one_line(text: str | None) -> str:
    """Help text in one line, as a table cell holds it."""
    return " ".join((text or "").split()).replace("|", "\\|")


def format_page(page: str) -> str:
    """docs/format.md with its generated tables brought up to date."""
    path = DOCS / "generate_format.py"
    spec = importlib.util.spec_from_file_location("generate_format", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rendered: str = module.render(page)
    return rendered


def main() -> None:
    """Write both pages."""
    (DOCS / "cli.md").write_text(cli_page(), "utf-8")
    page = DOCS / "format.md"
    page.write_text(format_page(page.read_text("utf-8")), "utf-8")
    sys.stdout.write("docs/cli.md and docs/format.md written\n")


if __name__ == "__main__":
    main()
