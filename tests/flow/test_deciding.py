"""People decide on real clips: joined, split, remembered, contradicted, superseded, erased."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import muniment
from muniment.case import building, deciding, decisions, erasing, projecting
from muniment.case import traced as tracings
from muniment.case.collecting import Request
from muniment.case.confining import confined
from muniment.case.progress import Silent
from muniment.custody import root as roots
from muniment.custody.keyring import KeyFolder, unlock
from muniment.custody.log import LogWriter
from muniment.errors import InputError, IntegrityError, KeyFileError, SignatureError, UsageError
from muniment.model.entries import Role
from muniment.model.trace import Decision
from muniment.sandbox.host import Zygote
from muniment.store.layout import CaseFolder
from tests.conftest import PASSPHRASE, PERSON, FixedSecrets

EXAMPLE = Path(__file__).parents[2] / "examples" / "courtyard"
TRUTH = json.loads((EXAMPLE / "truth" / "truth.json").read_text())
SAME, NOT_SAME, SAME_CAMERA = Decision
#: name in the case -> what it is in the example; `other` is the same camera an hour later.
CLIPS = {
    "trim": "trim",
    "montage": "montage",
    "tilted": "screen-tilted",
    "other": "IMG_0421.MP4",
}
Decide = Callable[..., deciding.Made]


def clip(name: str) -> Path:
    """A file of the example: by its id in the truth, or by its name."""
    for one in (*TRUTH["clips"], *TRUTH["stills"]):
        if one["id"] == name:
            return Path(EXAMPLE / "input" / one["files"][0]["file"])
    return next(EXAMPLE.rglob(name))


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with confined() as started:
        yield started


def build(
    folder: Path, sources: list[Path], keys: KeyFolder, zygote: Zygote, **changes: Any
) -> building.Built:
    return building.run(
        CaseFolder(folder),
        [Request(one, PERSON, "a test") for one in sources],
        by=PERSON,
        why="a test",
        title="Courtyard",
        keys=keys,
        secrets=FixedSecrets(),
        progress=changes.get("progress", Silent()),
        make=True,
        with_report=True,
        zygote=zygote,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, keys: KeyFolder, zygote: Zygote) -> CaseFolder:
    """A case of clips of one recording, one of another hour, a still, a text and a broken clip."""
    base = tmp_path_factory.mktemp("decided")
    source = base / "source"
    source.mkdir()
    for name, known in CLIPS.items():
        shutil.copyfile(clip(known), source / f"{name}.mp4")
    shutil.copyfile(clip("still-1"), source / "still.jpg")
    (source / "note.txt").write_text("The gate was open.\n")
    (source / "broken.mp4").write_bytes(clip("first").read_bytes()[:1_000])
    build(base / "case", [source], keys, zygote)
    return CaseFolder(base / "case")


@pytest.fixture
def copied(built: CaseFolder, tmp_path: Path) -> CaseFolder:
    shutil.copytree(built.path, tmp_path / "case")
    return CaseFolder(tmp_path / "case")


@pytest.fixture
def own_keys(keys: KeyFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFolder:
    """The keys with a memory of their own: each test goes on from the same case."""
    shutil.copytree(keys.path, tmp_path / "keys")
    monkeypatch.setenv("MUNIMENT_KEYS", os.fspath(tmp_path / "keys"))
    return KeyFolder(tmp_path / "keys")


@pytest.fixture
def decide(copied: CaseFolder, own_keys: KeyFolder) -> Decide:
    def act(a: str, b: str, decision: Decision, because: str = "seen side by side") -> Any:
        return deciding.decide(
            copied,
            (a, b),
            decision,
            because=because,
            by=PERSON,
            secrets=FixedSecrets(),
            progress=Silent(),
        )

    return act


def clusters(folder: CaseFolder) -> list[set[str]]:
    return [{one["name"] for one in found} for found in tracings.listing(folder)["clusters"]]


def pair(folder: CaseFolder, *names: str) -> dict[str, Any]:
    (found,) = [
        one
        for one in tracings.listing(folder)["pairs"]
        if {one["a_source"]["name"], one["b_source"]["name"]} == set(names)
    ]
    return dict(found)


def sound(folder: CaseFolder) -> None:
    """The case verifies, page and all, and its projection is the one the log gives."""
    verdict = muniment.Case.open(folder.path).verify()
    assert verdict.exit_code == 0, [check for check in verdict.checks if check.exit_code]
    statuses = {check.name: str(check.status) for check in verdict.checks}
    assert statuses["report"] == "pass" and statuses["projection"] == "pass"
    assert muniment.Case.open(folder.path).rebuild().differing == ()


def page(folder: CaseFolder) -> str:
    return (folder.report / "index.html").read_text("utf-8")


def test_two_decided_to_be_the_same_are_one_cluster_and_the_verdict_stays(
    copied: CaseFolder, decide: Decide
) -> None:
    assert clusters(copied) == [{"trim.mp4", "montage.mp4"}]
    made = decide("tilted.mp4", "trim.mp4", SAME, "filmed off a screen; the cart turns alike")
    # Which verdict it is is the program's matter: that it did not call them the same, and stays.
    assert made.program and made.program["verdict"] != "same_footage"
    assert clusters(copied) == [{"trim.mp4", "montage.mp4", "tilted.mp4"}]
    after = pair(copied, "trim.mp4", "tilted.mp4")
    assert after["verdict"] == made.program["verdict"]
    assert after["decision"]["decision"] == "same_footage" and after["decision"]["by"] == PERSON
    assert "in this cluster by decision of A. Example" in page(copied)
    assert "filmed off a screen; the cart turns alike" in page(copied)
    *_, entry = muniment.Case.open(copied.path).entries()
    assert entry.kind == "match.decided" and entry.values["a"] < entry.values["b"]
    assert entry.id == made.id
    public = json.loads((copied.entries / "000000.jsonl").read_text().splitlines()[-1])
    assert public["sig"] and "because" in public["_sd"]
    assert "cart" not in json.dumps(public)
    sound(copied)


@pytest.mark.parametrize("decision", [NOT_SAME, SAME_CAMERA])
def test_two_kept_apart_are_split_and_a_later_merge_is_said(
    decision: Decision, copied: CaseFolder, decide: Decide, own_keys: KeyFolder, zygote: Zygote
) -> None:
    assert decide("montage.mp4", "trim.mp4", decision).warnings == ()
    assert clusters(copied) == []
    assert "Contradict" not in page(copied)
    more = copied.path.parent / "more"
    more.mkdir()
    shutil.copyfile(clip("first"), more / "first.mp4")
    told: list[str] = []

    class Watch(Silent):
        def notice(self, line: str) -> None:
            told.append(line)

    result = build(copied.path, [more], own_keys, zygote, progress=Watch())
    (line,) = result.warnings
    assert told.count(line) == 1 and result.is_whole
    assert line.startswith(f"warning: {PERSON} decided on ")
    for name in ("montage.mp4", "trim.mp4", "by way of item:", "(first.mp4)"):
        assert name in line
    assert {"trim.mp4", "montage.mp4", "first.mp4"} <= clusters(copied)[0]
    assert tracings.listing(copied)["warnings"] == [line]
    assert "Contradiction." in page(copied) and "Contradicted" in page(copied)
    sound(copied)
    with_first = decide("first.mp4", "montage.mp4", NOT_SAME)
    assert with_first.warnings == ()
    assert clusters(copied) == [{"trim.mp4", "first.mp4"}]
    assert "Contradiction." not in page(copied)
    sound(copied)


def test_a_later_decision_supersedes_and_both_stay(copied: CaseFolder, decide: Decide) -> None:
    first = decide("montage.mp4", "trim.mp4", NOT_SAME, "first thought")
    second = decide("trim.mp4", "montage.mp4", SAME, "second thought")
    assert second.supersedes == (first.id,)
    assert clusters(copied) == [{"trim.mp4", "montage.mp4"}]
    found = pair(copied, "trim.mp4", "montage.mp4")["decision"]
    assert found["id"] == second.id
    assert [(one["id"], one["because"]) for one in found["earlier"]] == [
        (first.id, "first thought")
    ]
    assert "second thought" in page(copied) and "first thought" in page(copied)
    kinds = [one.kind for one in muniment.Case.open(copied.path).entries()]
    assert kinds.count("match.decided") == 2
    (shown,) = muniment.Case.open(copied.path).show(second.id)
    assert shown.values["supersedes"].startswith(first.id.partition(":")[2])
    sound(copied)


def test_what_was_never_compared_can_be_decided(copied: CaseFolder, decide: Decide) -> None:
    made = decide("broken.mp4", "trim.mp4", SAME, "the same upload, cut short on the way")
    assert made.program and made.program["verdict"] == "not_compared"
    assert pair(copied, "broken.mp4", "trim.mp4")["verdict"] == "not_compared"
    assert {"trim.mp4", "montage.mp4", "broken.mp4"} in clusters(copied)
    counts = tracings.listing(copied)["verdicts"]
    assert "not_compared" not in counts and min(counts.values()) >= 0
    sound(copied)


@pytest.mark.parametrize("decision", [SAME_CAMERA, SAME])
def test_a_person_may_follow_the_program_or_not_and_its_verdict_stays(
    decision: Decision, copied: CaseFolder, decide: Decide
) -> None:
    before = pair(copied, "other.mp4", "trim.mp4")
    made = decide("other.mp4", "trim.mp4", decision)
    assert made.program and made.program["verdict"] == "same_camera_other_moment"
    after = pair(copied, "other.mp4", "trim.mp4")
    assert after.pop("decision")["decision"] == str(decision)
    assert before.pop("decision") is None and before == after
    assert any("other.mp4" in one for one in clusters(copied)) is (decision is SAME)
    sound(copied)


def test_what_cannot_be_decided_is_named_and_nothing_is_written(
    copied: CaseFolder, decide: Decide
) -> None:
    before = copied.checkpoint.read_bytes()
    digest = next(
        one.values["object"]
        for one in muniment.Case.open(copied.path).entries()
        if one.kind == "item.acquired" and one.values["name"]["path"] == "trim.mp4"
    )
    same = f"item:{digest[:12]}"
    refused: list[tuple[str, str, type[Exception], str]] = [
        ("trim.mp4", same, UsageError, "both are one item"),
        ("trim.mp4", "absent.mp4", InputError, "no item of this id or file name"),
        ("trim.mp4", "item:" + "0" * 12, InputError, "no item of this id or file name"),
        ("trim.mp4", "item:nothex", UsageError, "not an id"),
        ("trim.mp4", "still.jpg", InputError, "is a still"),
        ("note.txt", "trim.mp4", InputError, "is text/plain, no footage"),
    ]
    for a, b, kind, words in refused:
        with pytest.raises(kind, match=words):
            decide(a, b, SAME)
    with pytest.raises(UsageError, match="--because: is empty"):
        decide("trim.mp4", "montage.mp4", SAME, "  \n")
    assert copied.checkpoint.read_bytes() == before


@pytest.mark.parametrize(
    ("by", "passphrase", "words"),
    [
        ("Nobody Here", PASSPHRASE, "no person key of Nobody Here"),
        ("test machine", PASSPHRASE, "no person key of test machine"),
        (PERSON, "wrong", "passphrase is wrong"),
    ],
)
def test_only_a_person_with_an_open_key_decides(
    by: str, passphrase: str, words: str, copied: CaseFolder, own_keys: KeyFolder
) -> None:
    with pytest.raises(KeyFileError, match=words):
        deciding.decide(
            copied,
            ("trim.mp4", "montage.mp4"),
            SAME,
            because="x",
            by=by,
            secrets=FixedSecrets(passphrase),
            progress=Silent(),
        )


def test_a_stranger_to_the_root_cannot_decide(
    copied: CaseFolder, own_keys: KeyFolder, decide: Decide
) -> None:
    own_keys.create(Role.PERSON, "B. Stranger", PASSPHRASE)
    with pytest.raises(SignatureError, match=r"may not sign match\.decided"):
        deciding.decide(
            copied,
            ("trim.mp4", "montage.mp4"),
            SAME,
            because="x",
            by="B. Stranger",
            secrets=FixedSecrets(),
            progress=Silent(),
        )
    sound(copied)


def test_a_root_older_than_decisions_says_so(
    tmp_path: Path, own_keys: KeyFolder, zygote: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = roots.make

    def older(case: str, person: Any) -> roots.Root:
        root = made(case, person)
        (key,) = root.keys
        signs = tuple(one for one in key.signs if one != "match.decided")
        return msgspec.structs.replace(root, keys=(roots.RootKey(key.key, signs),))

    monkeypatch.setattr(roots, "make", older)
    source = tmp_path / "source"
    source.mkdir()
    for name in ("trim", "montage"):
        shutil.copyfile(clip(name), source / f"{name}.mp4")
    build(tmp_path / "case", [source], own_keys, zygote)
    with pytest.raises(SignatureError, match="build the case anew"):
        deciding.decide(
            CaseFolder(tmp_path / "case"),
            ("trim.mp4", "montage.mp4"),
            SAME,
            because="x",
            by=PERSON,
            secrets=FixedSecrets(),
            progress=Silent(),
        )


def test_a_decision_that_an_agent_wrote_fails_verify(
    copied: CaseFolder, decide: Decide, own_keys: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide("trim.mp4", "montage.mp4", SAME)
    *_, entry = muniment.Case.open(copied.path).entries()
    writing = building.writing(
        copied,
        by=PERSON,
        why="a test",
        title=None,
        keys=own_keys,
        secrets=FixedSecrets(),
        progress=Silent(),
        make=False,
    )
    with writing as log:
        with pytest.raises(SignatureError, match=r"agent key may not sign match\.decided"):
            log.append("match.decided", entry.values)
        monkeypatch.setattr(LogWriter, "_check_author", lambda *_: None)
        log.append("match.decided", entry.values)
    verdict = muniment.Case.open(copied.path).verify()
    assert verdict.exit_code == 21
    (failed,) = [check for check in verdict.checks if check.exit_code == 21]
    assert any("may not author match.decided" in str(one) for one in failed.findings)


def test_erasing_an_item_erases_what_was_decided_of_it(copied: CaseFolder, decide: Decide) -> None:
    decide("tilted.mp4", "trim.mp4", SAME, "a telling reason")
    made = decide("trim.mp4", "montage.mp4", NOT_SAME, "another reason")
    identity = pair(copied, "tilted.mp4", "trim.mp4")["a_source"]
    other = pair(copied, "tilted.mp4", "trim.mp4")["b_source"]
    target = identity if identity["name"] == "tilted.mp4" else other
    erasing.erase_signed(
        copied,
        [target["item"]],
        by=PERSON,
        why="a test",
        out_of_reach="nobody",
        secrets=FixedSecrets(),
        progress=Silent(),
    )
    private = "".join(path.read_text() for path in copied.private.iterdir())
    assert "a telling reason" not in private and "another reason" in private
    assert "a telling reason" not in page(copied) and "another reason" in page(copied)
    index = projecting.reading(copied)
    try:
        (left,) = decisions.latest(index)
    finally:
        index.close()
    assert made.id.endswith(left.leaf[:12])
    sound(copied)


def test_an_entry_that_holds_no_decision_is_named(
    copied: CaseFolder, decide: Decide, own_keys: KeyFolder
) -> None:
    decide("trim.mp4", "montage.mp4", SAME)
    *_, entry = muniment.Case.open(copied.path).entries()
    person = own_keys.find(Role.PERSON, PERSON)
    assert person is not None
    with building.writing(
        copied,
        by=PERSON,
        why="a test",
        title=None,
        keys=own_keys,
        secrets=FixedSecrets(),
        progress=Silent(),
        make=False,
    ) as log:
        signer = unlock(person, PASSPHRASE)
        log.append("match.decided", entry.values | {"decision": "perhaps"}, person=signer)
    with pytest.raises(IntegrityError, match="holds no decision"):
        tracings.listing(copied)
