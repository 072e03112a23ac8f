"""A case to copy, and where to."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muniment.case import mirroring
from muniment.case.mirroring import Copied
from muniment.case.progress import Silent
from muniment.custody.keyring import KEYS_VARIABLE, KeyFolder, unlock
from muniment.custody.keys import SigningKey
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, FixedSecrets
from tests.mirror import servers
from tests.mirror.servers import Server


@functools.cache
def unlocked(path: Path, passphrase: str) -> SigningKey:
    """Argon2id is slow on purpose: each key once."""
    return unlock(path, passphrase)


@pytest.fixture(autouse=True)
def own_keys(keys: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEYS_VARIABLE, str(keys.path))
    monkeypatch.setattr("muniment.case.signing.unlock", unlocked)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with servers.serving() as one:
        for name, value in one.environment().items():
            monkeypatch.setenv(name, value)
        yield one


class Mirror:
    """The command, in this process."""

    def __init__(self, folder: CaseFolder) -> None:
        self.folder = folder

    def __call__(self, target: object, **more: Any) -> Copied:
        options: dict[str, Any] = {"off_site": None, "overwriting": False, "everything": False}
        return mirroring.mirror(
            self.folder,
            str(target),
            by=PERSON,
            secrets=FixedSecrets(),
            progress=Silent(),
            **(options | more),
        )

    def restore(self, target: object, out: Path) -> tuple[str, int]:
        return mirroring.restore(str(target), out, Silent())


@pytest.fixture
def mirror(case: CaseFolder) -> Mirror:
    return Mirror(case)
