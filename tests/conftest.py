"""What the tests share: keys made once, a source to collect, a case built from it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from muniment.case import building
from muniment.case.building import Built
from muniment.case.collecting import Request
from muniment.case.progress import Silent
from muniment.custody.keyring import KeyFolder
from muniment.model.entries import Role
from muniment.store.layout import CaseFolder
from tests import tiny
from tests.cheap import cheap_keys

PASSPHRASE = "a passphrase for tests"
PERSON = "A. Example"

#: Files of tests that take longest, begun first, so that no process is left with one at the end
#: (`pytest --durations=40` tells which belong here).
LONGEST = (
    "tests/cli/test_bad_input.py",
    "tests/faults/test_faults.py",
    "tests/flow/test_verify.py",
    "tests/cli/test_hostile_projection.py",
    "tests/flow/test_derived_damaged.py",
    "tests/flow/test_seeing.py",
    "tests/cli/test_commands.py",
    "tests/unit/trace/test_differences.py",
)

if os.environ.get("PYTEST_XDIST_WORKER"):
    # One process a core: threads of numerical libraries would only wait for each other (of the
    # tests of tracing 27 CPU seconds became 41). `make demo` runs with as many as they like.
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# Started in the background, a shell has its children ignore Ctrl-C; what tests interrupt must not.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all else as collected."""
    first = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.nodeid.partition("::")[0], len(first)))


class FixedSecrets:
    """The same passphrase for every key."""

    def __init__(self, passphrase: str = PASSPHRASE) -> None:
        self._passphrase = passphrase

    def passphrase(self, role: Role, name: str, *, is_new: bool) -> str:
        return self._passphrase


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFolder:
    """A person key and an agent key, made once."""
    folder = KeyFolder(tmp_path_factory.mktemp("keys"))
    with cheap_keys():
        folder.create(Role.PERSON, PERSON, PASSPHRASE)
        folder.create(Role.AGENT, "test machine", PASSPHRASE)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with two files and a small Telegram export."""
    folder = tmp_path / "source"
    (folder / "video_files").mkdir(parents=True)
    (folder / "note.txt").write_text("The north gate was open.\n")
    (folder / "video_files" / "gate.mp4").write_bytes(tiny.footage(bytes(range(256)) * 8))
    messages = [
        {
            "id": 1,
            "type": "message",
            "date": "2026-05-02T10:00:00",
            "date_unixtime": "1777716000",
            "from": "Gate Watch",
            "from_id": "channel7",
            "file": "video_files/gate.mp4",
            "media_type": "video_file",
            "text": "The gate this morning",
        },
        {
            "id": 2,
            "type": "message",
            "date": "2026-05-02T11:00:00",
            "date_unixtime": "1777719600",
            "from": "Gate Watch",
            "from_id": "channel7",
            "forwarded_from": "Market News",
            "file": "(File not included. Change data exporting settings to download.)",
            "media_type": "video_file",
            "text": "",
        },
    ]
    export = {"name": "Gate Watch", "type": "public_channel", "id": 7, "messages": messages}
    (folder / "result.json").write_text(json.dumps(export, indent=1))
    return folder


BuildCase = Callable[..., Built]


@pytest.fixture
def build_case(keys: KeyFolder, tmp_path: Path) -> BuildCase:
    """Builds (or goes on building) a case under tmp_path in this process."""

    def run(*sources: Path, case: str = "case", again: bool = False, report: bool = False) -> Built:
        return building.run(
            CaseFolder(tmp_path / case),
            [Request(path, PERSON, "a test", None, again) for path in sources],
            by=PERSON,
            why="a test",
            title="Test case",
            keys=keys,
            secrets=FixedSecrets(),
            progress=Silent(),
            make=True,
            with_report=report,
        )

    return run


@pytest.fixture
def case(build_case: BuildCase, source: Path, tmp_path: Path) -> CaseFolder:
    """A sealed case of `source`."""
    build_case(source)
    return CaseFolder(tmp_path / "case")


RunCommand = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def muniment(keys: KeyFolder, tmp_path: Path) -> RunCommand:
    """Runs the real command line in tmp_path."""
    program = shutil.which("muniment", path=str(Path(sys.executable).parent))
    assert program, "the console script is installed beside the interpreter"

    def run(*arguments: str | Path, **changes: str | None) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "MUNIMENT_KEYS": str(keys.path),
            "MUNIMENT_PASSPHRASE": PASSPHRASE,
        }
        for name, value in changes.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        return subprocess.run(
            [program, *map(os.fspath, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=120,
            check=False,
        )

    return run
