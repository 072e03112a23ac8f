"""A case to witness, and the commands in this process."""

from __future__ import annotations

import base64
import functools
from pathlib import Path

import pytest

from muniment.case import looking, witnessing
from muniment.case.progress import Silent
from muniment.case.witnessing import Pinned, Witnessed
from muniment.custody.keyring import KEYS_VARIABLE, KeyFolder, unlock
from muniment.custody.keys import SigningKey
from muniment.custody.opening import read_checkpoint
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, FixedSecrets
from tests.witness.servers import Witness


@functools.cache
def unlocked(path: Path, passphrase: str) -> SigningKey:
    """Argon2id is slow on purpose: each key once."""
    return unlock(path, passphrase)


@pytest.fixture(autouse=True)
def own_keys(keys: KeyFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEYS_VARIABLE, str(keys.path))
    monkeypatch.setattr("muniment.case.signing.unlock", unlocked)


class Log:
    """The commands on one case."""

    def __init__(self, folder: CaseFolder) -> None:
        self.folder = folder

    def leaves(self) -> list[bytes]:
        return [bytes.fromhex(shown.leaf) for shown in looking.read(self.folder)]

    def introduce(self, witness: Witness) -> None:
        """The witness learns the log's key, and the test's leaves to check proofs by."""
        head = read_checkpoint(self.folder)
        key = witnessing.log_key(self.folder, head)
        witness.logs[head.origin] = base64.b64decode(key.split("+", 2)[2])[1:]

    def add(self, vkey: str, organisation: str, url: str | None = None, quorum: int = 1) -> Pinned:
        return witnessing.add(
            self.folder,
            vkey,
            organisation=organisation,
            url=url,
            quorum=quorum,
            by=PERSON,
            why="a test",
            secrets=FixedSecrets(),
            progress=Silent(),
        )

    def run(self, *witnesses: Witness) -> Witnessed:
        for one in witnesses:
            one.leaves = self.leaves()
        return witnessing.run(self.folder, secrets=FixedSecrets(), progress=Silent())

    def take(self, data: bytes) -> tuple[str, int, str]:
        return witnessing.take(self.folder, data, secrets=FixedSecrets(), progress=Silent())


@pytest.fixture
def log(case: CaseFolder) -> Log:
    return Log(case)
