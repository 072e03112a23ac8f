"""The main job: collect, resume, collect again, erase, recover, change machines."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

import muniment
from muniment.case import building, erasing, projecting
from muniment.case.collecting import Request, collect
from muniment.case.progress import Silent
from muniment.case.signing import person_key
from muniment.custody.keyring import KeyFolder, unlock
from muniment.custody.log import LogWriter
from muniment.custody.opening import open_writer
from muniment.custody.vault import Vault
from muniment.errors import (
    IntegrityError,
    KeyFileError,
    LockedError,
    SignatureError,
    StorageError,
)
from muniment.model.entries import Role
from muniment.store.layout import CaseFolder
from muniment.store.lock import WriterLock
from tests.conftest import PASSPHRASE, PERSON, BuildCase, FixedSecrets


def kinds(folder: CaseFolder) -> list[str]:
    return [entry.kind for entry in muniment.Case.open(folder.path).entries()]


def values(folder: CaseFolder, kind: str) -> list[dict[str, object]]:
    return [
        entry.values for entry in muniment.Case.open(folder.path).entries() if entry.kind == kind
    ]


def test_intent_comes_before_and_outcome_after(case: CaseFolder) -> None:
    order = kinds(case)
    assert order[:3] == ["case.opened", "key.certified", "acquisition.started"]
    assert order[-1] == "acquisition.finished"
    (started,), (finished,) = (
        values(case, "acquisition.started"),
        values(case, "acquisition.finished"),
    )
    assert started["attempted"] == 3
    assert finished["outcome"] == "complete"
    assert finished["counts"]["found"] == 3  # type: ignore[index]
    listing = case.object(str(started["listing"])).read_bytes().splitlines()
    assert [json.loads(line)["name"]["path"] for line in listing] == [
        "note.txt",
        "result.json",
        "video_files/gate.mp4",
    ]


def test_posts_cite_their_raw_record(case: CaseFolder) -> None:
    posts = values(case, "post.recorded")
    assert len(posts) == 2
    for post in posts:
        raw = case.object(str(post["export"])).read_bytes()
        start, end = post["bytes"]  # type: ignore[misc]
        assert json.loads(raw[start:end])["id"] == int(post["post"]["id"])  # type: ignore[index]
    assert posts[1]["links"]["forwarded_from"] == "Market News"  # type: ignore[index]
    assert posts[1]["media"]["status"] == "not_included"  # type: ignore[index]


def test_originals_are_read_only_and_opened_through_the_vault_alone(case: CaseFolder) -> None:
    assert all(path.stat().st_mode & 0o777 == 0o440 for path in case.objects.glob("*/*"))
    (viewed,) = values(case, "object.viewed")
    assert viewed["purpose"] == "read its posts"


def test_build_again_collects_nothing_that_has_not_changed(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    before = kinds(case)
    built = build_case(source)
    assert kinds(case) == before
    assert built.sources[str(source)]["unchanged"] == 3
    (source / "new.txt").write_text("new\n")
    build_case(source)
    assert kinds(case)[len(before) :] == [
        "acquisition.started",
        "item.acquired",
        "acquisition.finished",
    ]


def test_same_bytes_twice_is_one_object_and_two_acquisitions(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    objects = sorted(case.objects.glob("*/*"))
    build_case(source, again=True)
    assert values(case, "acquisition.finished")[1]["counts"]["duplicate"] == 3  # type: ignore[index]
    assert sorted(case.objects.glob("*/*")) == objects
    assert len(values(case, "post.recorded")) == 2, "its posts are recorded once"


def test_an_interrupted_run_is_gone_on_from(
    keys: KeyFolder, case: CaseFolder, build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for number in range(5):
        (more / f"{number}.txt").write_text(f"{number}\n")

    class Stop(Exception):
        pass

    class StopsAtThree(Silent):
        done = 0

        def advance(self, amount: int = 1) -> None:
            self.done += 1
            if self.done == 3:
                raise Stop

    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    with pytest.raises(Stop), open_writer(case, agent) as log:
        request = Request(more, PERSON, "a test")
        collect(log, Vault(log), projecting.catch_up(case), request, StopsAtThree())
    verdict = muniment.verify(case.path)
    assert verdict.exit_code == 3
    build_case(more)
    assert muniment.verify(case.path).exit_code == 0
    finished = values(case, "acquisition.finished")
    assert [one["outcome"] for one in finished] == ["complete", "complete", "interrupted"]
    names = [item["name"] for item in values(case, "item.acquired") if item["name"]]
    assert sorted(name["path"] for name in names if name["path"][0].isdigit()) == [  # type: ignore[index]
        "0.txt",
        "1.txt",
        "2.txt",
        "3.txt",
        "4.txt",
    ]


def test_bytes_are_told_while_a_file_is_read(
    keys: KeyFolder, case: CaseFolder, tmp_path: Path
) -> None:
    class Counts(Silent):
        def __init__(self) -> None:
            self.stages: list[tuple[str, int | None, str]] = []
            self.steps: list[int] = []

        def start(self, label: str, total: int | None, unit: str) -> None:
            self.stages.append((label, total, unit))

        def advance(self, amount: int = 1) -> None:
            self.steps.append(amount)

    large = tmp_path / "large"
    large.mkdir()
    (large / "a.bin").write_bytes(bytes(1_000_000))
    (large / "b.bin").write_bytes(b"")
    (large / "c.bin").symlink_to("a.bin")
    (large / "d.txt").write_text("d\n")
    told = Counts()
    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    with open_writer(case, agent) as log:
        collect(log, Vault(log), projecting.catch_up(case), Request(large, PERSON, "a"), told)
    assert told.stages == [("Collecting large", 1_000_002, "bytes")]
    assert sum(told.steps) == 1_000_002
    assert max(told.steps) < 500_000, "more than one step for the large file"


def test_what_stands_beyond_the_checkpoint_is_moved_aside_and_never_sealed(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    """Also whole entries: anybody with the disk can write well-formed ones of an agent."""
    before = kinds(case)
    planted = []
    for folder in (case.entries, case.private):
        path = folder / "000000.jsonl"
        tail = path.read_bytes().splitlines(keepends=True)[3] + b'{"torn'
        planted.append(tail)
        path.write_bytes(path.read_bytes() + tail)
    assert muniment.verify(case.path).exit_code == 3
    (source / "new.txt").write_text("new\n")
    build_case(source)
    (recovered,) = values(case, "log.recovered")
    assert recovered["from_index"] == len(before)
    assert [part["bytes"] for part in recovered["moved"]] == [len(one) for one in planted]  # type: ignore[attr-defined]
    assert sorted(path.read_bytes() for path in case.recovered.iterdir()) == sorted(planted)
    assert kinds(case)[: len(before) + 1] == [*before, "log.recovered"]
    assert muniment.verify(case.path).exit_code == 0


def test_a_lost_checkpoint_stops_the_writer(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    case.checkpoint.unlink()
    log = (case.entries / "000000.jsonl").read_bytes()
    (source / "new.txt").write_text("new\n")
    with pytest.raises(IntegrityError, match="is missing"):
        build_case(source)
    assert (case.entries / "000000.jsonl").read_bytes() == log


def test_damage_below_the_checkpoint_stops_the_writer(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    path = case.entries / "000000.jsonl"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(bytes(data))
    (source / "new.txt").write_text("new\n")
    with pytest.raises(IntegrityError) as caught:
        build_case(source)
    assert caught.value.exit_code == 20
    assert path.read_bytes() == bytes(data), "nothing was repaired or added"


def test_erasure_leaves_proofs_and_takes_values(
    case: CaseFolder, keys: KeyFolder, build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    root, before = muniment.Case.open(case.path).root_sha256(), build_case(source).checkpoint
    digest = hashlib.sha256((source / "note.txt").read_bytes()).hexdigest()
    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    person = person_key(keys, FixedSecrets(), PERSON, create=False)
    with open_writer(case, agent) as log:
        result = erasing.erase(
            case, log, person, [f"item:{digest[:12]}"], why="court order", out_of_reach="none known"
        )
        (listing_id,) = result.still_named_in
        erasing.erase(case, log, person, [listing_id], why="court order", out_of_reach="none known")
    stored = b"".join(path.read_bytes() for path in case.path.rglob("*") if path.is_file())
    assert b"note.txt" not in stored
    log_bytes = b"".join(path.read_bytes() for path in case.private.iterdir())
    assert log_bytes.count(digest.encode()) == 1, "only the erasure itself names it"
    verdict = muniment.verify(case.path, root=root, since=before)
    assert verdict.exit_code == 0, verdict
    assert not muniment.Case.open(case.path).rebuild().differing


def test_an_erasure_nobody_logged_is_named(case: CaseFolder) -> None:
    from muniment.custody import entry as entries

    path = case.private / "000000.jsonl"
    lines = path.read_bytes().splitlines()
    headers = (case.entries / "000000.jsonl").read_bytes().splitlines()
    lines[3] = entries.blank(entries.parse(headers[3]), lines[3], {"name"})
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    verdict = muniment.verify(case.path)
    assert verdict.exit_code == 20
    (finding,) = verdict.check("erasures").findings
    assert "no erasure names its missing name" in finding.what
    assert finding.piece == "entry 3 (log/private/000000.jsonl line 4)"


def test_a_second_writer_is_refused(case: CaseFolder, build_case: BuildCase, source: Path) -> None:
    with WriterLock(case), pytest.raises(LockedError):
        build_case(source)


def test_another_machine_is_certified_and_covers_only_its_own(
    case: CaseFolder, keys: KeyFolder, source: Path, tmp_path: Path
) -> None:
    second = KeyFolder(tmp_path / "second")
    other = second.create(Role.AGENT, "second machine", PASSPHRASE)
    with pytest.raises(SignatureError), open_writer(case, other):
        pass
    person = person_key(keys, FixedSecrets(), PERSON, create=False)
    (source / "new.txt").write_text("new\n")
    with open_writer(case, other, person=lambda: person) as log:
        request = Request(source, PERSON, "a test")
        collect(log, Vault(log), projecting.catch_up(case), request, Silent())
    assert len(list(case.checkpoints.iterdir())) == 1, "the first machine's last checkpoint is kept"
    assert muniment.verify(case.path).exit_code == 0
    next(case.checkpoints.iterdir()).unlink()
    verdict = muniment.verify(case.path)
    assert verdict.exit_code == 21
    assert "who signed no checkpoint over them" in verdict.check("checkpoint").findings[0].what


def test_unattended_runs_need_only_the_agent_key(
    case: CaseFolder, keys: KeyFolder, source: Path, tmp_path: Path
) -> None:
    agents_only = tmp_path / "agents"
    agents_only.mkdir()
    agent_file = keys.find(Role.AGENT)
    assert agent_file
    (agents_only / agent_file.name).write_bytes(agent_file.read_bytes())
    (source / "new.txt").write_text("new\n")
    built = building.run(
        case,
        [Request(source, PERSON, "a test")],
        by=PERSON,
        why="a test",
        title=None,
        keys=KeyFolder(agents_only),
        secrets=FixedSecrets(),
        progress=Silent(),
        make=False,
        with_report=False,
    )
    assert built.sources[str(source)]["found"] == 1


def test_a_wrong_passphrase_opens_nothing(keys: KeyFolder) -> None:
    path = keys.find(Role.AGENT)
    assert path
    with pytest.raises(KeyFileError, match="passphrase is wrong"):
        unlock(path, "another")


def test_a_failed_sync_stops_the_writer(
    case: CaseFolder, keys: KeyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    viewed = {"object": None, "by": "test", "purpose": "test"}

    def use(log: LogWriter) -> None:
        log.append("object.viewed", viewed)
        monkeypatch.setattr("os.fdatasync", _fails)
        with pytest.raises(StorageError):
            log.commit()
        monkeypatch.undo()
        with pytest.raises(StorageError):
            log.commit()

    with pytest.raises(StorageError), open_writer(case, agent) as log:
        use(log)
    assert muniment.verify(case.path).exit_code in (0, 3)


def _fails(_: int) -> None:
    raise OSError(5, "Input/output error")


def test_the_report_is_the_same_bytes_every_time(
    build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    page = Path(build_case(source, report=True).report or "")
    first = page.read_bytes()
    page.unlink()
    (tmp_path / "case" / "work" / "index.sqlite").unlink()
    assert Path(build_case(source, report=True).report or "").read_bytes() == first


def test_erased_bytes_are_not_taken_in_again(
    case: CaseFolder, keys: KeyFolder, build_case: BuildCase, source: Path
) -> None:
    digest = hashlib.sha256((source / "note.txt").read_bytes()).hexdigest()
    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    person = person_key(keys, FixedSecrets(), PERSON, create=False)
    with open_writer(case, agent) as log:
        erasing.erase(case, log, person, [f"item:{digest}"], why="order", out_of_reach="none known")
    built = build_case(source)
    assert built.sources[str(source)]["refused"] == 1
    assert not case.object(digest).exists()
    assert muniment.verify(case.path).exit_code == 0


def test_erasing_an_export_takes_its_posts_and_hundreds_at_once(
    case: CaseFolder, keys: KeyFolder, build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(130):
        (many / f"{number}.txt").write_text(f"the store, shelf {number}\n")
    build_case(many)
    everything = [f"item:{item['object']}" for item in values(case, "item.acquired")]
    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    person = person_key(keys, FixedSecrets(), PERSON, create=False)
    with open_writer(case, agent) as log:
        result = erasing.erase(
            case, log, person, everything, why="order", out_of_reach="none known"
        )
    assert len(result.objects) == 133
    stored = b"".join(path.read_bytes() for path in case.path.rglob("*") if path.is_file())
    assert b"The gate this morning" not in stored
    assert b"Gate Watch" not in stored
    assert muniment.verify(case.path).exit_code == 0
    assert not muniment.Case.open(case.path).rebuild().differing


def test_text_from_a_source_cannot_name_an_object(
    case: CaseFolder, keys: KeyFolder, build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    digest = hashlib.sha256((source / "note.txt").read_bytes()).hexdigest()
    hostile = tmp_path / "hostile"
    hostile.mkdir()
    member = {"id": 1, "type": "message", "_object": digest, "_bytes": 5, "text": "x"}
    member |= {"date": "2026-05-02T10:00:00", "date_unixtime": "1777716000"}
    export = {"name": "Gate", "type": "public_channel", "id": 9, "messages": [member]}
    (hostile / "result.json").write_text(json.dumps(export))
    build_case(hostile)
    assert muniment.verify(case.path).exit_code == 0
    post = [one for one in muniment.Case.open(case.path).entries() if one.kind == "post.recorded"][
        -1
    ]
    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    person = person_key(keys, FixedSecrets(), PERSON, create=False)
    with open_writer(case, agent) as log:
        erasing.erase(case, log, person, [post.id], why="order", out_of_reach="none known")
    assert case.object(digest).exists(), "another item's bytes are still there"
    assert muniment.verify(case.path).exit_code == 0


def test_an_older_state_put_back_is_refused_by_the_machine_that_signed_the_newer(
    case: CaseFolder, keys: KeyFolder, build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older"
    shutil.copytree(case.path, older)
    (source / "new.txt").write_text("new\n")
    build_case(source)
    (source / "newer.txt").write_text("newer\n")
    newer = (case.entries / "000000.jsonl").read_bytes()
    shutil.copy(older / "log" / "checkpoint", case.checkpoint)
    with pytest.raises(IntegrityError, match="rolled back"):
        build_case(source)
    assert (case.entries / "000000.jsonl").read_bytes() == newer, "nothing was moved aside"
    with pytest.raises(IntegrityError, match="rolled back"):
        build_case(source, case="older")
    (keys.path / "seen" / muniment.Case.open(older).verify().case).unlink()  # type: ignore[operator]
    build_case(source, case="older")
    assert muniment.verify(older).exit_code == 0


def test_bytes_that_come_in_again_after_an_erasure_stay(
    case: CaseFolder, keys: KeyFolder, build_case: BuildCase, source: Path
) -> None:
    (started,) = [
        one for one in muniment.Case.open(case.path).entries() if one.kind == "acquisition.started"
    ]
    agent = unlock(keys.find(Role.AGENT), PASSPHRASE)  # type: ignore[arg-type]
    person = person_key(keys, FixedSecrets(), PERSON, create=False)
    with open_writer(case, agent) as log:
        erasing.erase(case, log, person, [started.id], why="order", out_of_reach="none known")
    build_case(source, again=True)
    listing = str(values(case, "acquisition.started")[1]["listing"])
    assert listing == started.values["listing"], "the same listing as was erased"
    build_case(source, again=True)
    assert case.object(listing).exists()
    assert muniment.verify(case.path).exit_code == 0
