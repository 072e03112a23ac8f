"""The fingerprint index of a case: whatever lies in its place, answers are the log's."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import muniment
from muniment.case import building, erasing, searching, trace_index, tracing
from muniment.case.collecting import Request
from muniment.case.confining import confined
from muniment.case.damage import Damage
from muniment.case.progress import Silent
from muniment.custody.keyring import KeyFolder
from muniment.model.ids import short
from muniment.sandbox.host import Zygote
from muniment.store.layout import CaseFolder
from muniment.trace.candidates import Collection
from muniment.trace.register import Looked
from tests.conftest import PERSON, FixedSecrets
from tests.flow.test_derived_damaged import CHATS, FILMS, LATER

#: two copies, and other footage
HELD = (FILMS["one.mp4"], FILMS["two.mp4"], CHATS / "chat_3" / "video_files" / "market.mp4")


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with confined() as started:
        yield started


def build(folder: Path, sources: list[Path], keys: KeyFolder, zygote: Zygote) -> None:
    building.run(
        CaseFolder(folder),
        [Request(one, PERSON, "a test") for one in sources],
        by=PERSON,
        why="a test",
        title="Index",
        keys=keys,
        secrets=FixedSecrets(),
        progress=Silent(),
        make=True,
        with_report=False,
        zygote=zygote,
    )


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, keys: KeyFolder, zygote: Zygote
) -> tuple[CaseFolder, Path]:
    """A case of three films, and what this machine remembers of it."""
    folder = tmp_path_factory.mktemp("index")
    shutil.copytree(keys.path, folder / "keys")
    build(folder / "case", list(HELD), KeyFolder(folder / "keys"), zygote)
    return CaseFolder(folder / "case"), folder / "keys"


@pytest.fixture
def own_keys(
    built: tuple[CaseFolder, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> KeyFolder:
    shutil.copytree(built[1], tmp_path / "keys")
    monkeypatch.setenv("MUNIMENT_KEYS", os.fspath(tmp_path / "keys"))
    return KeyFolder(tmp_path / "keys")


@pytest.fixture
def copied(built: tuple[CaseFolder, Path], own_keys: KeyFolder, tmp_path: Path) -> CaseFolder:
    shutil.copytree(built[0].path, tmp_path / "case")
    return CaseFolder(tmp_path / "case")


def rows(folder: CaseFolder) -> int:
    """How many clips of the index are used."""
    return len(trace_index.Kept(folder, searching.memory_of(folder)).rows)


def answers(folder: CaseFolder) -> dict[str, Any]:
    """What the search says of each clip of the case."""
    index = searching.open_index(folder)
    try:
        damage = Damage(folder, index)
        held = tracing.collection(folder, index, damage, searching.memory_of(folder))
        read = tracing.collection(folder, index, damage, None)
        return {
            name: near(held, read.shelf[number]) for number, name in enumerate(read.shelf.names)
        }
    finally:
        index.close()


def near(held: Collection, looked: Looked) -> dict[str, float]:
    """Only what stands is searched by its crops: that of an index differs from one read anew there."""
    found = held.showing_less(looked)
    return {held.shelf.names[number]: round(weight, 6) for number, weight in found.items()}


def turn_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def other_version(folder: Path) -> None:
    path = folder / trace_index.TABLE
    version, table = msgspec.msgpack.decode(path.read_bytes())
    path.write_bytes(msgspec.msgpack.encode([version + "0", table]))


def planted(folder: Path) -> None:
    """Hashes of somebody's making, with a table that fits them."""
    version, table = msgspec.msgpack.decode((folder / trace_index.TABLE).read_bytes())
    for name in (trace_index.WHOLE, trace_index.CROPS):
        (folder / name).write_bytes(bytes((folder / name).stat().st_size))
    made = [[*row[:-1], hashlib.sha256(bytes(32 * (row[4] + row[5]))).hexdigest()] for row in table]
    (folder / trace_index.TABLE).write_bytes(msgspec.msgpack.encode([version, made]))


def linked(folder: Path) -> None:
    for name in (trace_index.WHOLE, trace_index.TABLE):
        (folder / name).rename(folder / (name + "0"))
        (folder / name).symlink_to(folder / (name + "0"))


STATES: dict[str, tuple[Callable[[Path], object], int]] = {
    "sound": (lambda _: None, 3),
    "missing": (shutil.rmtree, 0),
    "no table": (lambda folder: (folder / "table").unlink(), 0),
    "no hashes": (lambda folder: (folder / "whole").unlink(), 0),
    "a bit of the table": (lambda folder: turn_a_bit(folder / "table"), 0),
    "cut off": (lambda folder: os.truncate(folder / "whole", 32), 0),
    "another version": (other_version, 0),
    "planted": (planted, 0),
    "links": (linked, 0),
    "a longer file": (lambda folder: (folder / "crops").open("ab").write(b"x" * 33), 3),
}


@pytest.mark.parametrize("state", STATES)
def test_whatever_lies_there_the_answers_are_the_same(
    state: str, built: tuple[CaseFolder, Path], copied: CaseFolder
) -> None:
    expected = answers(copied)
    assert sum(len(one) for one in expected.values()) >= 5
    spoil, usable = STATES[state]
    spoil(copied.trace_index)
    assert rows(copied) == usable
    assert answers(copied) == expected


def test_a_damaged_hash_ends_the_index_there(copied: CaseFolder) -> None:
    expected = answers(copied)
    turn_a_bit(copied.trace_index / "whole")
    assert 0 < rows(copied) < 3
    assert answers(copied) == expected


def test_another_machine_makes_it_anew(copied: CaseFolder, own_keys: KeyFolder) -> None:
    for path in (own_keys.path / "seen").glob("*.trace"):
        path.unlink()
    assert rows(copied) == 0


def last_result(folder: CaseFolder) -> Any:
    found = [
        entry.values["result"]
        for entry in muniment.Case.open(folder.path).entries()
        if entry.kind == "observation.made" and entry.values["step"] == "trace"
    ]
    return len(found), found[-1]


def test_a_clip_joins_and_only_what_it_is_compared_with_is_read(
    copied: CaseFolder,
    own_keys: KeyFolder,
    zygote: Zygote,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fourth clip has the same result with the index, without it and with one that is damaged."""
    shutil.copytree(copied.path, tmp_path / "other")
    other = CaseFolder(tmp_path / "other")
    shutil.copytree(own_keys.path, tmp_path / "other keys")
    turn_a_bit(other.trace_index / "crops")
    assert rows(other) < 3
    read: list[str] = []
    whole = tracing.clip_of

    def told(digest: str, *rest: Any) -> Any:
        read.append(digest)
        return whole(digest, *rest)

    monkeypatch.setattr(tracing, "clip_of", told)
    size = (copied.trace_index / "whole").stat().st_size
    begun = (copied.trace_index / "whole").read_bytes()
    build(copied.path, [LATER], own_keys, zygote)
    with_index = list(read)
    read.clear()
    build(other.path, [LATER], KeyFolder(tmp_path / "other keys"), zygote)
    assert last_result(copied) == last_result(other) and last_result(copied)[0] == 4
    # With it, footage to which the new clip is not near is not read.
    unlike = hashlib.sha256(HELD[2].read_bytes()).hexdigest()
    assert unlike in read and unlike not in with_index
    assert with_index[0] == hashlib.sha256(LATER.read_bytes()).hexdigest()
    assert (copied.trace_index / "whole").read_bytes()[:size] == begun
    assert rows(copied) == 4


def test_a_clip_damaged_since_counts_as_it_was(
    copied: CaseFolder, own_keys: KeyFolder, zygote: Zygote, tmp_path: Path
) -> None:
    """What is not read for a comparison need not be sound: the log has what it was to the others."""
    shutil.copytree(copied.path, tmp_path / "sound")
    shutil.copytree(own_keys.path, tmp_path / "sound keys")
    other = hashlib.sha256(HELD[2].read_bytes()).hexdigest()
    for entry in muniment.Case.open(copied.path).entries():
        if entry.values.get("object") == other and entry.values.get("step") == "examine.motion":
            path = copied.object(entry.values["derived"][0])
            path.chmod(0o640)
            turn_a_bit(path)
    build(copied.path, [LATER], own_keys, zygote)
    build(tmp_path / "sound", [LATER], KeyFolder(tmp_path / "sound keys"), zygote)
    assert last_result(copied) == last_result(CaseFolder(tmp_path / "sound"))


def test_what_is_erased_is_in_the_index_no_more(
    copied: CaseFolder, own_keys: KeyFolder, zygote: Zygote
) -> None:
    first = hashlib.sha256(HELD[0].read_bytes()).hexdigest()
    assert rows(copied) == 3
    erasing.erase_signed(
        copied,
        [short("item", first)],
        by=PERSON,
        why="a test",
        out_of_reach="nobody",
        secrets=FixedSecrets(),
        progress=Silent(),
    )
    assert not any(copied.trace_index.glob("*"))
