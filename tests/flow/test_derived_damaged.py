"""Derived objects that are planted, damaged or gone cost what they hold, and no more."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

import muniment
from muniment.case import building, clearing, comparing, examining, observed, reporting, searching
from muniment.case import damage as damage_module
from muniment.case import traced as tracings
from muniment.case.collecting import Request
from muniment.case.confining import confined
from muniment.case.damage import Damage
from muniment.case.progress import Silent
from muniment.custody import entry as entries
from muniment.custody import log as custody_log
from muniment.custody.keyring import KeyFolder
from muniment.errors import EXIT_INTEGRITY, StorageError
from muniment.examine import reading
from muniment.examine.frames import HEADER
from muniment.model.examine import Blob, Examined
from muniment.sandbox.host import Zygote
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, FixedSecrets
from tests.unit.examine.test_forms import JPEG, strip

INPUT = Path(__file__).parents[2] / "examples" / "courtyard" / "input" / "telegram"
CHATS = INPUT / "DataExport_2025-03-10" / "chats"
#: the same footage, and what is added later
FILMS = {
    "one.mp4": CHATS / "chat_1" / "video_files" / "IMG_0417.MP4",
    "two.mp4": CHATS / "chat_3" / "video_files" / "yard_240p.mp4",
    "three.mp4": CHATS / "chat_2" / "video_files" / "lindvara_yard.mp4",
}
LATER = CHATS / "chat_2" / "video_files" / "cnw_0913_final.mp4"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with confined() as started:
        yield started


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damaged") / "source"
    folder.mkdir()
    for name, film in FILMS.items():
        shutil.copyfile(film, folder / name)
    (folder / "page.html").write_text("<p>the needle stands here</p>")
    return folder


def build(folder: Path, sources: list[Path], keys: KeyFolder, zygote: Zygote) -> building.Built:
    return building.run(
        CaseFolder(folder),
        [Request(one, PERSON, "a test") for one in sources],
        by=PERSON,
        why="a test",
        title="Damaged",
        keys=keys,
        secrets=FixedSecrets(),
        progress=Silent(),
        make=True,
        with_report=True,
        zygote=zygote,
    )


@pytest.fixture(scope="module")
def built(
    tmp_path_factory: pytest.TempPathFactory, keys: KeyFolder, zygote: Zygote, source: Path
) -> CaseFolder:
    folder = tmp_path_factory.mktemp("damaged") / "case"
    assert build(folder, [source], keys, zygote).is_whole
    return CaseFolder(folder)


@pytest.fixture
def own_keys(keys: KeyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFolder:
    shutil.copytree(keys.path, tmp_path / "keys")
    monkeypatch.setenv("MUNIMENT_KEYS", os.fspath(tmp_path / "keys"))
    return KeyFolder(tmp_path / "keys")


@pytest.fixture
def copied(built: CaseFolder, own_keys: KeyFolder, tmp_path: Path) -> CaseFolder:
    shutil.copytree(built.path, tmp_path / "case")
    return CaseFolder(tmp_path / "case")


def again(folder: CaseFolder, keys: KeyFolder, zygote: Zygote) -> building.Seen:
    return building.look_inside_only(
        folder,
        by=PERSON,
        why="a test",
        keys=keys,
        secrets=FixedSecrets(),
        progress=Silent(),
        zygote=zygote,
        again=True,
    )


def derived(folder: CaseFolder, *steps: str) -> set[str]:
    return {
        digest
        for entry in muniment.Case.open(folder.path).entries()
        if entry.kind == "observation.made" and entry.values["step"] in steps
        for digest in entry.values["derived"]
    }


def spoil(folder: CaseFolder, digest: str) -> None:
    path = folder.object(digest)
    path.chmod(0o640)
    path.write_bytes(b"x" * path.stat().st_size)


def page(folder: CaseFolder) -> str:
    return (folder.report / "index.html").read_text()


# ---------------------------------------------------------------- planted by a taken-over worker


def _packed(count: int, width: int, height: int) -> bytes:
    return HEADER.pack(b"MNBL", 1, 3, count, width, height)


PLANTED: dict[str, Callable[[Blob], Blob | None]] = {
    "strip of nothing": lambda one: _with(one, "blurred", _packed(5_000_000, 0, 0) + bytes(20)),
    "sharp strip": lambda one: _with(one, "blurred", strip(1, 64, 64)),
    "empty strip": lambda one: _with(one, "blurred", strip(0, 8, 8)),
    "sliced picture": lambda one: _with(one, "blurred", strip(300, 32, 32)),
    "false counts of pictures": lambda one: _counts(one, "pictures"),
    "false counts of motion": lambda one: _counts(one, "frames"),
    "script as a key picture": lambda one: (
        Blob(one.name, "bytes", JPEG, "image/jpeg") if one.name == "key-00" else None
    ),
}


def _with(one: Blob, name: str, data: bytes) -> Blob | None:
    return msgspec.structs.replace(one, data=data) if one.name == name else None


def _counts(one: Blob, name: str) -> Blob | None:
    return _with(one, name, one.data[:8] + b"\xff" * 8 + one.data[16:])


@pytest.mark.parametrize("plant", PLANTED)
def test_what_a_worker_plants_fails_its_own_file_only(
    plant: str,
    tmp_path: Path,
    own_keys: KeyFolder,
    zygote: Zygote,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest, hit = reading.examined, list[str]()

    def taken_over(payload: bytes) -> Examined:
        found = msgspec.msgpack.decode(payload, type=Examined)
        names = {one.examiner for one in found.findings}
        if hit or "motion" not in names:
            return honest(payload)
        hit.append(plant)
        findings = tuple(
            msgspec.structs.replace(
                one, blobs=tuple(PLANTED[plant](blob) or blob for blob in one.blobs)
            )
            for one in found.findings
        )
        return honest(msgspec.msgpack.encode(msgspec.structs.replace(found, findings=findings)))

    monkeypatch.setattr(examining.reading, "examined", taken_over)
    result = build(tmp_path / "case", [source], own_keys, zygote)
    folder = CaseFolder(tmp_path / "case")
    (line,) = result.notices
    assert "malformed" in line and line.partition(":")[0] in FILMS
    told = result.examined or {}
    assert {name: number for name, number in told.items() if number} == {"examined": 3, "failed": 1}
    assert result.traced and result.traced["clips"] == 2
    assert reporting.write(folder).notices == ()
    assert muniment.Case.open(folder.path).verify().exit_code == 0
    after = again(folder, own_keys, zygote)
    assert (after.examined["examined"], after.traced["clips"], after.notices) == (1, 3, ())


# ---------------------------------------------------------------- damaged afterwards


@pytest.mark.parametrize("is_gone", [False, True])
def test_whatever_derived_object_is_damaged_the_rest_goes_on(
    is_gone: bool, copied: CaseFolder, own_keys: KeyFolder, zygote: Zygote
) -> None:
    steps = ("examine.frames", "examine.document", "examine.fingerprint", "examine.motion")
    hurt = derived(copied, *steps)
    for digest in hurt:
        if is_gone:
            copied.object(digest).unlink()
        else:
            spoil(copied, digest)
    notices = reporting.write(copied).notices
    assert sum("the picture strip of item:" in line for line in notices) == 3
    (text,) = [line for line in notices if "the text of item:" in line]
    assert "(page.html) cannot be read (object " in text and "examine --again" in text
    assert page(copied).count("picture strip cannot be read") == 3
    assert "text cannot be read" in page(copied) and "needle" not in page(copied)
    assert tracings.listing(copied)["clips"] == 3
    assert muniment.Case.open(copied.path).verify().exit_code == 20

    result = build(copied.path, [LATER], own_keys, zygote)
    assert not result.is_whole and result.traced and result.traced["clips"] == 4
    assert sum("the fingerprint of item:" in line for line in result.notices) == 3

    assert again(copied, own_keys, zygote).notices == ()
    assert reporting.write(copied).notices == ()
    assert "cannot be read" not in page(copied) and "needle" in page(copied)
    assert muniment.Case.open(copied.path).verify().exit_code == 0
    assert {pair["verdict"] for pair in tracings.listing(copied)["pairs"]} == {"same_footage"}


def test_a_clip_that_cannot_be_read_is_left_out_and_compared_once_it_can(
    copied: CaseFolder, own_keys: KeyFolder, zygote: Zygote, source: Path
) -> None:
    digest = hashlib.sha256((source / "two.mp4").read_bytes()).hexdigest()
    for entry in muniment.Case.open(copied.path).entries():
        if entry.values.get("object") == digest and entry.values.get("step") == "examine.motion":
            spoil(copied, entry.values["derived"][0])
    # The fingerprint index was made while it was sound, and would still answer for it.
    shutil.rmtree(copied.trace_index)
    told: list[str] = []
    assert len(comparing.like(copied, LATER, zygote, told.append)) == 2
    assert len(told) == 1 and "the motion of item:" in told[0]
    result = build(copied.path, [LATER], own_keys, zygote)
    (line,) = result.notices
    assert "the motion of item:" in line and "two.mp4" in line
    later = hashlib.sha256(LATER.read_bytes()).hexdigest()

    def found() -> set[str]:
        """What the later film shares footage with."""
        pairs = tracings.listing(copied)["pairs"]
        same = [one for one in pairs if one["verdict"] == "same_footage"]
        return {one["a"] for one in same if one["b"] == later}

    assert len(found()) == 2 and digest not in found()
    size = len(list(muniment.Case.open(copied.path).entries()))
    build(copied.path, [], own_keys, zygote)  # nothing more is compared while it is damaged
    assert len(list(muniment.Case.open(copied.path).entries())) == size
    again(copied, own_keys, zygote)
    assert len(found()) == 3


def keep_as_objects(patch: pytest.MonkeyPatch) -> None:
    """Every value over 700 bytes that is written is kept as an object."""
    short = SimpleNamespace(**(vars(entries) | {"MAX_VALUE_BYTES": 700}))
    patch.setattr(custody_log, "entries", short)
    patch.setattr(damage_module, "entries", short)


def test_damaged_results_are_told_and_made_anew(
    tmp_path: Path,
    own_keys: KeyFolder,
    zygote: Zygote,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    build(tmp_path / "case", [], own_keys, zygote)
    with monkeypatch.context() as short:
        keep_as_objects(short)
        build(tmp_path / "case", [source], own_keys, zygote)
    folder = CaseFolder(tmp_path / "case")
    kept = {
        entry.values["result"]["_object"]: entry.values["step"]
        for entry in muniment.Case.open(folder.path).entries()
        if entry.kind == "observation.made" and "_object" in entry.values["result"]
    }
    assert {"trace", "examine.container"} <= set(kept.values())
    for digest in kept:
        spoil(folder, digest)
    notices = reporting.write(folder).notices
    for what in ("the container facts of", "the result of tracing of"):
        assert any(what in line for line in notices), (what, notices)
    assert "container facts cannot be read" in page(folder)
    assert tracings.listing(folder)["notices"]
    with monkeypatch.context() as short:
        keep_as_objects(short)
        again(folder, own_keys, zygote)
    assert reporting.write(folder).notices == ()
    assert muniment.Case.open(folder.path).verify().exit_code == 0
    verdicts = [pair["verdict"] for pair in tracings.listing(folder)["pairs"]]
    assert verdicts.count("same_footage") == 3


def test_a_damaged_clear_picture_is_left_out_and_told(
    copied: CaseFolder, own_keys: KeyFolder, tmp_path: Path
) -> None:
    spoil(copied, min(derived(copied, "examine.frames")))
    target = tmp_path / "clear.html"
    clear = clearing.write_clear(copied, target, by="B", why="look", secrets=FixedSecrets())
    told = (*clear.notices, *reporting.write(copied).notices)
    assert len(told) == 1
    assert "data:image/jpeg" in target.read_text()


def test_a_damaged_original_is_named_and_the_rest_goes_on(
    tmp_path: Path, own_keys: KeyFolder, zygote: Zygote
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "plain.txt").write_text("the needle stands in this plain text\n")
    folder = CaseFolder(tmp_path / "case")
    build(folder.path, [source], own_keys, zygote)
    digest = hashlib.sha256((source / "plain.txt").read_bytes()).hexdigest()
    assert digest in derived(folder, "examine.document")  # the text is the file's own bytes
    spoil(folder, digest)
    bad = folder.object(digest).read_bytes()
    (line,) = reporting.write(folder).notices
    assert "plain.txt" in line and digest[:12] in line and "restore it from a second copy" in line
    notices = again(folder, own_keys, zygote).notices
    assert any("plain.txt: hash changed" in line for line in notices)
    assert folder.object(digest).read_bytes() == bad, "nothing is written over it"
    assert muniment.verify(folder.path).exit_code == EXIT_INTEGRITY


def test_a_text_read_for_searching_is_none_when_it_is_damaged(copied: CaseFolder) -> None:
    (digest, *_) = derived(copied, "examine.document")
    index = searching.open_index(copied)
    try:
        damage = Damage(copied, index)
        (one,) = observed.each(copied, index, "document", damage=damage)
        assert observed.text(one, damage) == "the needle stands here\n"
        for kept in one.blobs:
            spoil(copied, kept.object)
        assert observed.text(one, damage) is None
        assert len(damage.lines) == 1
        long: Any = {"_object": digest, "_bytes": 20_000}
        if digest != one.blobs[0].object:
            assert damage.value(one.object, "document", long) is None
        assert damage.value(one.object, "document", "short") == "short"
    finally:
        index.close()


# ---------------------------------------------------------------- clear pictures: file, then log


@pytest.mark.parametrize("name", ["absent/x.html", "x" * 300 + ".html", "link.html"])
def test_nothing_is_logged_of_a_clear_page_that_cannot_be_made(
    name: str, copied: CaseFolder, tmp_path: Path
) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "elsewhere.html")
    before = [entry.kind for entry in muniment.Case.open(copied.path).entries()]
    with pytest.raises((StorageError, muniment.errors.UsageError)):
        clearing.write_clear(copied, tmp_path / name, by="B", why="look", secrets=FixedSecrets())
    assert [entry.kind for entry in muniment.Case.open(copied.path).entries()] == before
    assert not (tmp_path / "elsewhere.html").exists()


# ---------------------------------------------------------------- left by an interrupted run


def test_what_an_interrupted_examination_left_is_no_item(
    built: CaseFolder,
    source: Path,
    own_keys: KeyFolder,
    zygote: Zygote,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Objects whose entries a kill took get them again; only what nobody made is adopted."""
    folder = tmp_path / "interrupted"
    with monkeypatch.context() as patched:
        patched.setattr(building, "look_inside", lambda *_: building.Seen({}, {}, ()))
        build(folder, [source], own_keys, zygote)
    shutil.copytree(built.objects, CaseFolder(folder).objects, dirs_exist_ok=True)
    stray = hashlib.sha256(b"by nobody").hexdigest()
    CaseFolder(folder).object(stray).parent.mkdir(exist_ok=True)
    CaseFolder(folder).object(stray).write_bytes(b"by nobody")

    finished = build(folder, [source], own_keys, zygote)

    told = [line for line in finished.notices if "no entry named it" in line]
    assert len(told) == 1 and stray in told[0]
    adopted = [
        entry.values["object"]
        for entry in muniment.Case.open(folder).entries()
        if entry.kind == "item.acquired" and entry.values["outcome"] == "adopted"
    ]
    assert adopted == [stray]
