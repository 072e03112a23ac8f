"""Two authorities, a calendar, and a case to stamp."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from muniment.case import pinning
from muniment.case.pinning import Added
from muniment.case.progress import Silent
from muniment.case.stamping import Stamped
from muniment.custody.keyring import KEYS_VARIABLE, KeyFolder
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, FixedSecrets
from tests.stamps import authorities, calendars
from tests.stamps.authorities import Authority
from tests.stamps.calendars import Calendar, Chain


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
