"""The layout: layers and forbidden imports, sizes, one error tree, no machine paths."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import muniment
from muniment import errors

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "muniment"
#: Rooms that see hostile material: they must never import custody or store (DESIGN.md, section 3).
PURE_ROOMS = ("sandbox", "examine", "describe", "trace", "locate", "claims", "collect", "report")


def test_layers_hold() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_pure_room_that_exists_is_in_the_contract() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = {one["id"]: one for one in config["tool"]["importlinter"]["contracts"]}
    listed = set(contracts["pure-rooms"]["source_modules"])
    existing = {f"muniment.{room}" for room in PURE_ROOMS if (SRC / room).is_dir()}
    assert existing <= listed


def functions(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text("utf-8"))
    return [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_files_and_functions_stay_short() -> None:
    for path in SRC.rglob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 420, path
        for name, lines in functions(path):
            assert lines <= 65, (path, name, lines)


def test_every_public_name_has_a_docstring() -> None:
    for path in SRC.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        assert ast.get_docstring(tree), path
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), (path, node.name)


def test_the_error_tree_is_drawn_whole() -> None:
    drawn = errors.__doc__ or ""
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, errors.MunimentError):
            line = next(line for line in drawn.splitlines() if f" {name} " in line)
            assert f"exit {value.exit_code} " in line, name
            assert value.exit_code in errors.EXIT_CODES


def test_public_names_are_lazy_and_there() -> None:
    for name in muniment.__all__:
        assert getattr(muniment, name) is not None
    code = "import sys, muniment; sys.exit('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_general_purpose_drawers() -> None:
    assert not [path for path in SRC.rglob("*") if path.stem in {"utils", "helpers", "common"}]
