"""Two authorities, a calendar, and a case to stamp."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from muniment.case import building, pinning
from muniment.case.collecting import Request
from muniment.case.pinning import Added
from muniment.case.progress import Silent
from muniment.case.stamping import Stamped
from muniment.custody.keyring import KEYS_VARIABLE, KeyFolder, unlock
from muniment.custody.keys import SigningKey
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, FixedSecrets
from tests.stamps import authorities, calendars
from tests.stamps.authorities import Authority
from tests.stamps.calendars import Calendar, Chain


@functools.cache
def unlocked(path: Path, passphrase: str) -> SigningKey:
    """Argon2id is slow on purpose: each key once."""
    return unlock(path, passphrase)


@pytest.fixture(scope="session", autouse=True)
def quick_keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("muniment.case.signing.unlock", unlocked)
        yield


@pytest.fixture(autouse=True)
def own_keys(keys: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    if not authorities.has_openssl:
        pytest.skip("openssl is not on this machine")
    monkeypatch.setenv(KEYS_VARIABLE, str(keys.path))


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Authority]:
    with authorities.running(Authority(tmp_path / "tsa-one", "First Office")) as one:
        yield one


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Authority]:
    with authorities.running(Authority(tmp_path / "tsa-two", "Second Office")) as one:
        yield one


@pytest.fixture
def calendar() -> Iterator[Calendar]:
    with calendars.running(Calendar(Chain())) as one:
        yield one


@pytest.fixture(scope="session")
def stamped_once(
    tmp_path_factory: pytest.TempPathFactory, keys: KeyFolder, quick_keys: None
) -> StampedTwice:
    """A case that two authorities have stamped, made once: copy it before you change it."""
    folder = tmp_path_factory.mktemp("stamped")
    source = folder / "source"
    source.mkdir()
    (source / "note.txt").write_text("The north gate was open.\n")
    ones = tuple(Authority(folder / name, f"{name} Office") for name in ("First", "Second"))
    case = CaseFolder(folder / "case")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(KEYS_VARIABLE, str(keys.path))
        request = Request(source, PERSON, "a test", None, False)
        building.run(
            case,
            [request],
            by=PERSON,
            why="a test",
            title="Test case",
            keys=keys,
            secrets=FixedSecrets(),
            progress=Silent(),
            make=True,
            with_report=False,
        )
        for one in ones:
            with authorities.running(one):
                Stamper(case).add(one)
                Stamper(case).run()
    return StampedTwice(case.path, *ones)


@pytest.fixture
def twice(stamped_once: StampedTwice, tmp_path: Path) -> StampedTwice:
    """A copy of it."""
    copy = tmp_path / "stamped"
    shutil.copytree(stamped_once.path, copy)
    return StampedTwice(copy, stamped_once.first, stamped_once.second)


@dataclass(frozen=True)
class StampedTwice:
    """A case stamped by two authorities."""

    path: Path
    first: Authority
    second: Authority


class Stamper:
    """The commands, in this process."""

    def __init__(self, folder: CaseFolder) -> None:
        self.folder = folder

    def add(self, authority: Authority | Calendar) -> Added:
        is_tsa = isinstance(authority, Authority)
        return pinning.add(
            self.folder,
            authority.url,
            pem=authority.chain.read_bytes() if isinstance(authority, Authority) else None,
            organisation=authority.name if isinstance(authority, Authority) else "A Calendar",
            by=PERSON,
            why="a test" if is_tsa else "a test of a calendar",
            secrets=FixedSecrets(),
            progress=Silent(),
        )

    def run(self, headers: bytes | None = None, blocks: dict[int, bytes] | None = None) -> Stamped:
        return pinning.run(
            self.folder,
            headers=headers,
            blocks=blocks or {},
            secrets=FixedSecrets(),
            progress=Silent(),
        )


@pytest.fixture
def stamper(case: CaseFolder) -> Stamper:
    return Stamper(case)
