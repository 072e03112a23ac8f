"""Key files: a wrong passphrase, any changed byte, and hostile costs open nothing."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from muniment.custody.keyring import KeyFolder, unlock
from muniment.errors import KeyFileError
from muniment.model.entries import Role


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = KeyFolder(tmp_path_factory.mktemp("ring"))
    folder.create(Role.PERSON, "A. Example", "pässword")
    path = folder.find(Role.PERSON, "A. Example")
    assert path
    return path


def test_round_trip_and_modes(made: Path) -> None:
    key = unlock(made, "pässword")
    assert key.public.verify(key.sign(b"x"), b"x")
    assert unlock(made, "pa\u0308ssword").public == key.public, "the same word typed decomposed"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


def test_seeds_are_not_in_the_file(made: Path) -> None:
    document = json.loads(made.read_text())
    assert set(document) == {
        "format",
        "public",
        "kdf",
        "memory_kib",
        "passes",
        "lanes",
        "salt",
        "nonce",
        "sealed",
    }
    assert len(bytes.fromhex(document["sealed"])) == 32 + 16


@pytest.mark.parametrize(
    "change",
    [
        {"memory_kib": 2**40},
        {"memory_kib": -1},
        {"passes": 10**9},
        {"lanes": 0},
        {"kdf": "none"},
        {"format": "other"},
        {"salt": "zz"},
        {"nonce": ""},
        {"sealed": "00"},
        {"passes": 1},
        {
            "public": {
                "id": "0" * 32,
                "role": "person",
                "name": "x",
                "ed25519": "00",
                "mldsa44": None,
            }
        },
    ],
    ids=lambda change: ",".join(change),
)
def test_changed_files_open_nothing(made: Path, tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "changed.key"
    path.write_text(json.dumps(json.loads(made.read_text()) | change))
    with pytest.raises(KeyFileError) as caught:
        unlock(path, "pässword")
    assert "\n" not in caught.value.diagnostics()


def test_a_stolen_name_does_not_pass(made: Path, tmp_path: Path) -> None:
    document = json.loads(made.read_text())
    document["public"]["name"] = "B. Example"
    path = tmp_path / "renamed.key"
    path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError):
        unlock(path, "pässword")


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_files_that_are_none(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.key").write_bytes(data)
    with pytest.raises(KeyFileError, match="is no usable key file"):
        KeyFolder(tmp_path).find(Role.PERSON, "A. Example")


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="empty"):
        KeyFolder(tmp_path).create(Role.PERSON, "A. Example", "")
    assert not list(tmp_path.glob("*.key"))


def test_two_keys_of_one_name_are_not_guessed_between(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path)
    folder.create(Role.PERSON, "A. Example", "x")
    folder.create(Role.PERSON, "A. Example", "x")
    with pytest.raises(KeyFileError, match="2 person keys fit"):
        folder.find(Role.PERSON, "A. Example")
