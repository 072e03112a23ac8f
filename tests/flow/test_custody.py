"""What is done with originals is recorded, by the vault, with its PREMIS code."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import muniment
from muniment.case import touching
from muniment.case.chain import Chain, chain
from muniment.case.erasing import erase_signed
from muniment.case.progress import Silent
from muniment.custody.vault import sample
from muniment.errors import IntegrityError, StorageError, UsageError
from muniment.model.custody_events import OF_KIND, PREMIS, TOLD
from muniment.model.entries import KINDS, Role
from muniment.model.ids import short
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, BuildCase, FixedSecrets
from tests.vectors.second_verifier import exit_code, read_folder
from tests.vectors.second_verifier import verify as verify_again

WHO: dict[str, Any] = {
    "by": PERSON,
    "why": "a test",
    "secrets": FixedSecrets(),
    "progress": Silent(),
}


@pytest.fixture(autouse=True)
def own_keys(monkeypatch: pytest.MonkeyPatch, keys: Any) -> None:
    monkeypatch.setenv("MUNIMENT_KEYS", str(keys.path))


@pytest.fixture
def note(source: Path) -> str:
    return hashlib.sha256((source / "note.txt").read_bytes()).hexdigest()


def recorded(case: CaseFolder) -> list[dict[str, Any]]:
    entries = muniment.Case.open(case.path).entries()
    return [one.values for one in entries if one.kind == "custody.recorded"]


def is_sound(case: CaseFolder) -> bool:
    again = exit_code(verify_again(read_folder(case.path)))
    return muniment.verify(case.path).exit_code == again == 0


def test_the_codes_are_those_of_the_vocabulary_shipped() -> None:
    text = (resources.files("muniment.model") / "data" / "vocab.yaml").read_text("utf-8")
    events = yaml.safe_load(text)["custody_events"]
    known = {one["id"]: (one["premis"], one["premis_label"]) for one in events}
    assert {name: known.get(name) for name in PREMIS} == PREMIS
    assert set(OF_KIND.values()) | set(TOLD) <= set(PREMIS)
    assert set(OF_KIND) <= set(KINDS)


def test_a_full_check_finds_the_one_that_differs(case: CaseFolder, note: str) -> None:
    done = touching.check(case, number=None, seed=None, **WHO)
    assert (done.result.outcome, done.result.checked, done.seed) == ("success", done.of, None)
    path = case.object(note)
    data = path.read_bytes()
    path.chmod(0o640)
    path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    done = touching.check(case, number=None, seed=None, **WHO)
    assert done.result.bad == ((note, found),)
    entry = recorded(case)[-1]
    assert (entry["premis"], entry["outcome"]) == ("fix", "failure")
    assert entry["details"]["bad"] == [[note, found]]
    path.write_bytes(data)
    path.chmod(0o440)
    assert is_sound(case)


def test_a_missing_original_is_a_failure(case: CaseFolder, note: str) -> None:
    case.object(note).unlink()
    done = touching.check(case, number=None, seed=None, **WHO)
    assert [digest for digest, _ in done.result.bad] == [note]


def test_a_sample_can_be_drawn_again_from_its_seed(case: CaseFolder) -> None:
    first = touching.check(case, number=2, seed=None, **WHO)
    again = touching.check(case, number=2, seed=first.seed, **WHO)
    assert first.seed == again.seed and first.result.checked == 2
    one, other = recorded(case)
    assert one["objects"] == other["objects"] and one["details"] == other["details"]
    held = {
        entry.values["object"]
        for entry in muniment.Case.open(case.path).entries()
        if entry.kind == "item.acquired"
    }
    assert one["objects"] == sorted(sample(held, 2, str(first.seed)))
    with pytest.raises(UsageError):
        touching.check(case, number=None, seed="x", **WHO)


def test_samples_differ_and_draw_each_alike() -> None:
    digests = [hashlib.sha256(bytes([number])).hexdigest() for number in range(20)]
    drawn = [one for seed in range(500) for one in sample(digests, 5, str(seed))]
    counts = {one: drawn.count(one) for one in digests}
    assert all(80 <= number <= 170 for number in counts.values()), counts


def test_a_copy_and_an_export_are_read_back(case: CaseFolder, note: str, tmp_path: Path) -> None:
    identity = short("item", note)
    touching.copy_out(case, identity, tmp_path / "copy", to=None, **WHO)
    touching.copy_out(case, identity, tmp_path / "out", to="the court", **WHO)
    assert hashlib.sha256((tmp_path / "out").read_bytes()).hexdigest() == note
    copied, exported = recorded(case)
    assert (copied["event"], copied["premis"]) == ("working_copy_made", "rep")
    assert (exported["event"], exported["premis"]) == ("exported", "exp")
    assert exported["details"]["to"] == "the court"
    assert copied["details"]["copy_sha256"] == exported["details"]["copy_sha256"] == note
    with pytest.raises(StorageError):
        touching.copy_out(case, identity, tmp_path / "copy", to=None, **WHO)
    assert recorded(case)[-1]["outcome"] == "failure"
    assert is_sound(case)


def test_no_byte_of_a_damaged_original_leaves(case: CaseFolder, note: str, tmp_path: Path) -> None:
    path = case.object(note)
    path.chmod(0o640)
    path.write_bytes(b"other")
    with pytest.raises(IntegrityError):
        touching.copy_out(case, short("item", note), tmp_path / "copy", to=None, **WHO)
    assert not (tmp_path / "copy").exists()
    assert recorded(case)[-1]["outcome"] == "failure"


def told(case: CaseFolder, note: str) -> Chain:
    identity = short("item", note)
    touching.tell(
        case,
        identity,
        event="received",
        what="a neighbour brought it",
        source="the neighbour",
        when="in spring",
        **WHO,
    )
    touching.transfer(
        case, [identity], giver=None, to="the court", channel="by hand", receipt=None, **WHO
    )
    return chain(case, identity)


def test_the_chain_holds_all_with_codes_and_a_person_signs(case: CaseFolder, note: str) -> None:
    found = told(case, note)
    assert [(one.event, one.premis) for one in found.links][:3] == [
        ("captured", "cap"),
        ("ingested", "ing"),
        ("captured", "cap"),
    ]
    received, transferred = found.links[-2:]
    assert (received.premis, received.before_intake, received.outcome) == ("acc", True, None)
    assert "told by the neighbour" in received.told
    assert (transferred.premis, transferred.agent) == ("tra", PERSON)
    assert all(one.by or one.agent for one in found.links)
    assert is_sound(case)
    with pytest.raises(UsageError):
        touching.tell(case, found.item, event="deleted", what="x", source="x", when=None, **WHO)


def test_erasing_an_item_takes_what_was_told_of_it(case: CaseFolder, note: str) -> None:
    told(case, note)
    touching.check(case, number=None, seed=None, **WHO)
    erase_signed(case, [short("item", note)], out_of_reach="nobody", **WHO)
    one, other, check = recorded(case)
    assert set(one) == set(other) == {"outcome"}
    assert check["outcome"] == "success"
    assert b"neighbour" not in b"".join(path.read_bytes() for path in case.private.iterdir())
    assert is_sound(case)
    assert touching.check(case, number=None, seed=None, **WHO).result.outcome == "success"
    assert is_sound(case)


def test_under_a_root_older_than_the_kind_the_machine_writes_it(
    build_case: BuildCase, source: Path, note: str, tmp_path: Path
) -> None:
    older = msgspec.structs.replace(KINDS["custody.recorded"], roles=(Role.AGENT,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(KINDS, "custody.recorded", older)
        build_case(source)
    case = CaseFolder(tmp_path / "case")
    assert b"custody.recorded" not in (case.path / "root.json").read_bytes()
    last = told(case, note).links[-1]
    assert (last.by, last.event) == (PERSON, "transferred")
    assert last.agent != PERSON
    assert is_sound(case)


def test_the_report_shows_the_codes(case: CaseFolder, note: str) -> None:
    told(case, note)
    events = muniment.Case.open(case.path).report_data().custody.events
    assert {(one.kind, one.premis) for one in events} >= {
        ("case.opened", ""),
        ("object.viewed", "dsp"),
        ("custody.recorded", "acc"),
        ("custody.recorded", "tra"),
    }
