"""Undocumented is red: every command, option, entry kind, private field, exit code; generated pages
are what the program gives now; every Markdown link inside the project leads somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from muniment.cli.commands import application
from muniment.errors import EXIT_CODES
from muniment.model.entries import KINDS

ROOT = Path(__file__).parents[2]
CLI = (ROOT / "docs" / "cli.md").read_text("utf-8")
FORMAT = (ROOT / "docs" / "format.md").read_text("utf-8")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cli_page_is_what_the_program_gives(generate: ModuleType) -> None:
    assert generate.cli_page() == CLI, "run `make docs`"


def test_format_tables_are_what_the_program_gives(generate: ModuleType) -> None:
    assert generate.format_page(FORMAT) == FORMAT, "run `make docs`"


def test_every_command_and_option_is_documented(generate: ModuleType) -> None:
    root: Any = typer.main.get_command(application())
    for name, command in generate.commands(root):
        section = CLI.partition(f"### `muniment {name}")[2].partition("\n### ")[0]
        assert section, name
        assert command.help, name
        for parameter in command.params:
            words = parameter.opts if parameter.param_type_name == "option" else [parameter.metavar]
            for word in words:
                assert (word or parameter.name.upper()) in section, (name, word)
            assert parameter.help, (name, parameter.name)


def test_every_exit_code_is_documented() -> None:
    for code in EXIT_CODES:
        assert f"| {code} |" in CLI


def test_every_kind_and_private_field_is_documented() -> None:
    for kind in KINDS.values():
        assert f"`{kind.name}`" in FORMAT, kind.name
        for field in kind.fields:
            assert f"`{field.name}`" in FORMAT, (kind.name, field.name)


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_make_targets_named_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    readme = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"`?make ([a-z-]+)", readme):
        assert re.search(rf"^{target}:", makefile, re.M), target
