"""Cosigned by witnesses over HTTP and by file; quorum by organisation; rollback and split view named."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from muniment.case import cosigning, reporting, verifying, witnessing
from muniment.case.facade import verify
from muniment.custody import cosignature
from muniment.custody.judged import StampPins
from muniment.custody.keyring import KEYS_VARIABLE, KeyFolder
from muniment.custody.tree import Tree, is_consistent, leaf_hash
from muniment.errors import (
    IntegrityError,
    MalformedError,
    SignatureError,
    UsageError,
)
from muniment.model.verify import Check, Status
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, BuildCase, FixedSecrets, RunCommand
from tests.vectors.test_worked_example import second
from tests.witness import servers
from tests.witness.conftest import Log
from tests.witness.servers import Witness, proof_from


def grow(build_case: BuildCase, tmp_path: Path, text: str) -> None:
    folder = tmp_path / f"more-{len(text)}"
    folder.mkdir(exist_ok=True)
    (folder / "more.txt").write_text(text)
    build_case(folder)


def given(path: Path, notes: list[bytes], vkeys: list[str] | None = None) -> tuple[int, Check]:
    pins = verifying.with_witnesses(StampPins(), [("note", data) for data in notes], vkeys or [])
    verdict = verifying.verify(CaseFolder(path), verifying.pins(None, None), stamps=pins)
    return verdict.exit_code, verdict.check("witnessed elsewhere")


def test_two_witnesses_over_http(log: Log, build_case: BuildCase, tmp_path: Path) -> None:
    one, other = Witness("witness.example/one"), Witness("witness.example/two")
    with servers.running(one), servers.running(other):
        log.add(one.vkey(), "First House", one.url, quorum=2)
        log.add(other.vkey(), "Second House", other.url, quorum=2)
        log.introduce(one)
        done = log.run(one, other)
        assert [name for name, _, _ in done.made] == ["First House"]
        assert "HTTP status 404" in done.waiting[0]  # it does not know this log yet
        verdict = verify(log.folder.path)
        assert verdict.exit_code == 0
        check = verdict.check("witnesses")
        assert check.status is Status.NOT_CHECKED and "1 of 2 organisations" in check.detail
        log.introduce(other)
        grow(build_case, tmp_path, "A second delivery.\n")
        done = log.run(one, other)
        assert len(done.made) == 2 and not done.alarms and not done.waiting
    assert one.asked == [200, 200] and other.asked == [404, 200]
    verdict = verify(log.folder.path)
    assert verdict.exit_code == 0 and verdict.check("witnesses").status is Status.PASS
    covered = done.made[0][1]
    assert f"the first {covered} entries are cosigned by 2" in verdict.check("witnesses").detail
    assert second.verify(second.read_folder(log.folder.path)) == []
    assert "(witness)" in str(reporting.facts(log.folder).custody.outside_anchor)


def test_one_organisation_with_two_keys_is_one(log: Log) -> None:
    one, other = Witness("witness.example/one"), Witness("witness.example/two")
    with servers.running(one), servers.running(other):
        for witness in (one, other):
            log.add(witness.vkey(), "One House", witness.url, quorum=2)
            log.introduce(witness)
        assert len(log.run(one, other).made) == 2
    check = verify(log.folder.path).check("witnesses")
    assert check.status is Status.NOT_CHECKED and "1 of 2 organisations" in check.detail


def test_a_witness_that_lost_count_is_asked_again(
    log: Log, build_case: BuildCase, tmp_path: Path
) -> None:
    one = Witness("witness.example/one")
    with servers.running(one):
        log.add(one.vkey(), "First House", one.url)
        log.introduce(one)
        log.run(one)
        grow(build_case, tmp_path, "More.\n")
        head = log.run(one).made[0][1]
        one.seen = {origin: (7, second.tree_root(one.leaves[:7])) for origin in one.seen}
        grow(build_case, tmp_path, "Even more.\n")
        done = log.run(one)
        assert done.made[0][1] > head and one.asked[-2:] == [409, 200]


def test_a_rollback_is_found_out(
    log: Log, build_case: BuildCase, tmp_path: Path, keys: KeyFolder
) -> None:
    one = Witness("witness.example/one")
    with servers.running(one):
        log.add(one.vkey(), "First House", one.url)
        log.introduce(one)
        older = tmp_path / "older"
        shutil.copytree(log.folder.path, older)
        grow(build_case, tmp_path, "Something that somebody wants gone.\n")
        log.run(one)
        (cosigned,) = (log.folder.stamps).glob("*.cosigned")
        # The machine's own memory of the newer state is gone too.
        shutil.rmtree(Path(str(keys.path)) / "seen")
        rolled = Log(CaseFolder(older))
        assert verify(older).exit_code == 0  # alone it cannot tell
        done = rolled.run()
        assert not done.made and "rolled back: it has cosigned" in done.alarms[0]
    code, check = given(older, [cosigned.read_bytes()])
    assert code == 20 and "rolled back: a witness has cosigned more" in check.findings[0].what
    code, check = given(log.folder.path, [cosigned.read_bytes()])
    assert code == 0 and check.status is Status.PASS


def test_a_split_view_is_found_out(
    log: Log, build_case: BuildCase, tmp_path: Path, keys: KeyFolder
) -> None:
    one = Witness("witness.example/one")
    with servers.running(one):
        log.add(one.vkey(), "First House", one.url)
        log.introduce(one)
        other = tmp_path / "other"
        shutil.copytree(log.folder.path, other)
        grow(build_case, tmp_path, "What one is shown.\n")
        log.run(one)
        (cosigned,) = (log.folder.stamps).glob("*.cosigned")
        shutil.rmtree(Path(str(keys.path)) / "seen")
        fork = Log(CaseFolder(other))
        for text in ("What another is shown.\n", "And more.\n", "And still more.\n"):
            folder = tmp_path / f"fork-{len(text)}"
            folder.mkdir()
            (folder / "x.txt").write_text(text)
            build_case(folder, case="other")
        done = fork.run()
        assert not done.made and "split view: the first" in done.alarms[0]
    code, check = given(other, [cosigned.read_bytes()])
    assert code == 20 and "split view: a witness has cosigned another log" in check.findings[0].what
    with pytest.raises(IntegrityError, match="split view"):
        fork.take(cosigned.read_bytes())


def test_bad_answers_are_one_line(log: Log) -> None:
    one = Witness("witness.example/one")
    with servers.running(one):
        log.add(one.vkey(), "First House", one.url)
        log.introduce(one)
        one.spoil = True
        assert "no cosignature of the key that is pinned" in log.run(one).waiting[0]
        one.spoil, one.seen = False, {}
        one.time_s = 1_000_000_000
        assert "is back-dated" in log.run(one).waiting[0]
        one.time_s, one.seen = 4_000_000_000, {}
        assert "is dated ahead" in log.run(one).waiting[0]
    assert "cannot be reached" in log.run().waiting[0]
    assert verify(log.folder.path).exit_code == 0


def test_by_file(
    log: Log,
    build_case: BuildCase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    keys: KeyFolder,
) -> None:
    secrets, name = FixedSecrets(), "A Colleague"

    def cosign(request: bytes, log_key: str | None = None) -> bytes:
        """As the colleague, on another machine."""
        with monkeypatch.context() as patched:
            patched.setenv(KEYS_VARIABLE, str(tmp_path / "colleague"))
            return cosigning.cosign(request, log_key=log_key, by=name, secrets=secrets)

    ours = witnessing.request(log.folder, None, None)
    key = witnessing.log_key(log.folder, ours.head)
    with pytest.raises(UsageError, match="not known yet"):
        cosign(ours.encode())
    stranger = cosignature.log_vkey(ours.head.origin, "11" * 32).encode()
    with pytest.raises(SignatureError, match="not signed by the log"):
        cosign(ours.encode(), stranger)
    first = cosign(ours.encode(), key)
    with pytest.raises(SignatureError, match="no cosignature of a witness of this case"):
        log.take(first)  # nobody has named this witness
    with monkeypatch.context() as patched:
        patched.setenv(KEYS_VARIABLE, str(tmp_path / "colleague"))
        vkey = cosigning.vkey(name, secrets)
    known = log.add(vkey, "Their House")
    assert log.take(first)[:2] == ("Their House", ours.head.size)
    grow(build_case, tmp_path, "More.\n")
    asked = witnessing.request(log.folder, known.id, None)
    assert asked.old == ours.head.size
    assert log.take(cosign(asked.encode()))[1] == asked.head.size
    assert verify(log.folder.path).check("witnesses").status is Status.PASS
    # What was cosigned cannot be taken back, nor replaced.
    with pytest.raises(IntegrityError, match="rolled back: this witness has cosigned"):
        cosign(ours.encode())
    with pytest.raises(IntegrityError, match="continues another size"):
        cosign(witnessing.request(log.folder, None, 0).encode())
    grow(build_case, tmp_path, "Once more.\n")
    last = witnessing.request(log.folder, known.id, None)
    forged = msgspec.structs.replace(last, proof=(bytes(32), *last.proof[1:]))
    with pytest.raises(IntegrityError, match="split view"):
        cosign(forged.encode())
    assert cosign(last.encode())
    with pytest.raises(UsageError, match="no more"):
        witnessing.request(log.folder, None, 10_000)


def test_files_of_cosignatures_are_held_against_the_log(log: Log) -> None:
    one = Witness("witness.example/one")
    with servers.running(one):
        log.add(one.vkey(), "First House", one.url)
        log.introduce(one)
        log.run(one)
    path = log.folder.path
    (file,) = log.folder.stamps.glob("*.cosigned")
    data = file.read_bytes()
    for damaged, what in ((data[:-2] + b"\n", "is not the file"), (None, "is missing")):
        if damaged is None:
            file.unlink()
        else:
            file.write_bytes(damaged)
        verdict = verify(path)
        assert verdict.exit_code == second.exit_code(second.verify(second.read_folder(path))) == 21
        assert what in verdict.check("witnesses").findings[0].what
    file.write_bytes(data)
    extra = log.folder.stamps / f"000000000003.{'ab' * 6}.cosigned"
    extra.write_bytes(data)
    assert verify(path).exit_code == second.exit_code(second.verify(second.read_folder(path))) == 3
    extra.unlink()
    assert verify(path).exit_code == 0


def test_what_is_given_must_be_cosigned_by_somebody_known(log: Log) -> None:
    one, stranger = Witness("witness.example/one"), Witness("witness.example/one")
    with servers.running(one):
        log.add(one.vkey(), "First House", one.url)
        log.introduce(one)
        log.run(one)
    (file,) = log.folder.stamps.glob("*.cosigned")
    note = file.read_bytes()
    text, _, lines = note.partition(b"\n\n")
    own = b"".join(line + b"\n" for line in lines.splitlines() if b"witness.example" not in line)
    forged = text + b"\n\n" + own + stranger.line(text + b"\n")
    code, check = given(log.folder.path, [forged])
    assert code == 21 and "no cosignature of a witness" in check.findings[0].what
    code, check = given(log.folder.path, [forged], [stranger.vkey()])
    assert code == 0 and check.status is Status.PASS
    for bad in (["x"], [stranger.vkey() + "A"], [one.vkey().replace("+", "-", 1)]):
        with pytest.raises(UsageError, match="verifier key"):
            verifying.with_witnesses(StampPins(), [], bad)


def test_requests_are_read_strictly(log: Log) -> None:
    data = witnessing.request(log.folder, None, 3).encode()
    assert cosignature.read_request(data).encode() == data
    for bad in (b"", b"old 3\n", data[:-1], b"old 03" + data[5:], b" " + data, data + b"\n"):
        with pytest.raises(MalformedError):
            cosignature.read_request(bad)
    for bad in (b"", b"x\n", b"\xff", b"\xe2\x80\x94 name !!\n"):
        with pytest.raises(MalformedError):
            cosignature.read_lines(bad)


def test_consistency_proofs_are_those_of_the_rfc() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(21)]
    tree = Tree(leaves)
    for size in range(22):
        for old in range(size + 1):
            path = tree.consistency_path(old, size)
            assert path == proof_from(leaves[:size], old)
            assert is_consistent(old, tree.root(old), size, tree.root(size), path)
            for number in range(len(path)):
                other = [*path[:number], bytes(32), *path[number + 1 :]]
                assert not is_consistent(old, tree.root(old), size, tree.root(size), other)
            if path:
                assert not is_consistent(old, tree.root(old), size, tree.root(size), path[:-1])
            assert not is_consistent(old, tree.root(old), size, tree.root(size), [*path, bytes(32)])


def test_at_the_command_line(log: Log, muniment: RunCommand, tmp_path: Path) -> None:
    case = ("--case", str(log.folder.path))
    who = ("--by", PERSON, "--why", "a test")
    colleague = {"MUNIMENT_KEYS": str(tmp_path / "colleague")}
    vkey = muniment("witness", "key", "--by", "A Colleague", **colleague).stdout.strip()
    added = muniment("witness", "add", vkey, "--organisation", "Their House", *who, *case)
    assert added.returncode == 0 and "by file" in added.stdout, added.stderr
    asked = muniment("witness", "request", "--out", "request", "--witness", vkey, *case)
    key = asked.stdout.split("Log key")[1].split()[0]
    signed = muniment(
        "witness", "cosign", "request", "--by", "A Colleague", "--log-key", key, "--out", "cosigned",
        **colleague,
    )  # fmt: skip
    assert signed.returncode == 0, signed.stderr
    assert muniment("witness", "take", "cosigned", *case).returncode == 0
    listed = muniment("witness", "list", *case)
    assert "Their House" in listed.stdout and "cosigned   the first" in listed.stdout
    # The same again: nothing has gone on, so nothing stands against it. An older one is a rollback.
    older = muniment("witness", "request", "--out", "again", "--old", "0", *case)
    assert older.returncode == 0
    refused = muniment(
        "witness", "cosign", "again", "--by", "A Colleague", "--out", "x", **colleague
    )
    assert refused.returncode == 20 and "continues another size" in refused.stderr
    verified = muniment("verify", *case, "--witnessed", "cosigned")
    assert verified.returncode == 0, verified.stdout
    assert "pass         witnesses:" in verified.stdout
    assert "pass         witnessed elsewhere:" in verified.stdout
    nobody = muniment("witness", "run", *case)
    assert nobody.returncode == 2 and "no witness with an address" in nobody.stderr
    assert muniment("witness", "drop", vkey, *who, *case).returncode == 0
    assert muniment("verify", *case).returncode == 0
    for words, code in ((("--witnessed", "request"), 2), (("--witness", "x"), 2)):
        done = muniment("verify", *case, *words)
        assert done.returncode == code and done.stderr.count("\n") == 1
