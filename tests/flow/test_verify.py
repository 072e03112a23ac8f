"""Whatever is changed, missing, extra, reordered, truncated or replaced is named, with its exit code."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

import muniment
from muniment import verify
from muniment.custody.keyring import KeyFolder
from muniment.errors import EXIT_INTEGRITY, EXIT_PARTLY, EXIT_SIGNATURE, IntegrityError
from muniment.model.verify import Status, Verdict
from muniment.store.layout import CaseFolder
from tests.conftest import BuildCase, RunCommand


def evidence(folder: CaseFolder) -> list[Path]:
    files = [folder.root, *folder.path.glob("log/**/*"), *folder.path.glob("objects/**/*")]
    return sorted(path for path in files if path.is_file())


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o640)
    path.write_bytes(data)


def named(verdict: Verdict) -> str:
    return "\n".join(
        f"{finding.piece}: {finding.what}" for check in verdict.checks for finding in check.findings
    )


def test_a_fresh_case_verifies_and_says_what_was_not_checked(case: CaseFolder) -> None:
    verdict = verify(case.path)
    assert verdict.exit_code == 0
    not_checked = {check.name for check in verdict.checks if check.status is Status.NOT_CHECKED}
    assert not_checked == {"root pinned", "since", "time stamps"}
    assert verdict.not_proved


def test_pins_are_checked(case: CaseFolder) -> None:
    opened = muniment.Case.open(case.path)
    root, checkpoint = opened.root_sha256(), opened.checkpoint()
    assert verify(case.path, root=root, since=checkpoint).exit_code == 0
    assert all(
        check.status is Status.PASS
        for check in verify(case.path, root=root, since=checkpoint).checks
        if check.name != "time stamps"
    )
    wrong = verify(case.path, root="0" * 64)
    assert wrong.exit_code == EXIT_SIGNATURE
    assert wrong.check("root pinned").status is Status.FAIL
    size = int(checkpoint.partition(":")[0])
    rewritten = verify(case.path, since=f"{size}:{'0' * 64}")
    assert rewritten.exit_code == EXIT_INTEGRITY
    assert "rewritten" in named(rewritten)


def test_last_weeks_copy_is_a_rollback(
    case: CaseFolder, build_case: BuildCase, source: Path, tmp_path: Path
) -> None:
    last_week = tmp_path / "last-week"
    shutil.copytree(case.path, last_week)
    (source / "late.txt").write_text("later\n")
    newer = build_case(source).checkpoint
    assert verify(last_week).exit_code == 0
    verdict = verify(last_week, since=newer)
    assert verdict.exit_code == EXIT_INTEGRITY
    assert "rolled back" in named(verdict)
    kept = tmp_path / "kept-checkpoint"
    shutil.copy(last_week / "log" / "checkpoint", kept)
    assert verify(case.path, since=str(kept)).check("since").status is Status.PASS


def test_one_changed_byte_in_any_file_is_named(case: CaseFolder) -> None:
    for path in evidence(case):
        data = path.read_bytes()
        for position in sorted({0, len(data) // 2, len(data) - 1} if data else set()):
            changed = bytearray(data)
            changed[position] ^= 0x01
            overwrite(path, bytes(changed))
            verdict = verify(case.path)
            assert verdict.exit_code in (EXIT_INTEGRITY, EXIT_SIGNATURE), (path, position)
            assert str(path.relative_to(case.path)).replace("entries", "").split("/")[-1] in named(
                verdict
            ) or "entry 0" in named(verdict), (path, position, named(verdict))
            overwrite(path, data)
    assert verify(case.path).exit_code == 0


def test_damage_in_a_private_line_is_named_with_its_file(case: CaseFolder) -> None:
    path = case.private / "000000.jsonl"
    data = path.read_bytes()
    lines = data.splitlines(keepends=True)
    lines[3] = lines[3].replace(b"note.txt", b"nose.txt")
    overwrite(path, b"".join(lines))
    (finding,) = verify(case.path).check("private values").findings
    assert finding.piece == "entry 3 (log/private/000000.jsonl line 4), item.acquired"
    overwrite(path, b"".join(data.splitlines(keepends=True)[:-1]))
    (finding,) = verify(case.path).check("private values").findings
    last = len(lines)
    assert finding.piece.startswith(f"entry {last - 1} (log/private/000000.jsonl line {last})")
    assert finding.what == "has no private line"


def test_a_missing_file_is_named(case: CaseFolder, tmp_path: Path) -> None:
    for path in evidence(case):
        aside = tmp_path / "aside"
        shutil.move(path, aside)
        verdict = verify(case.path)
        assert verdict.exit_code in (EXIT_INTEGRITY, EXIT_SIGNATURE), path
        assert named(verdict), path
        shutil.move(aside, path)


def test_a_truncated_file_is_named(case: CaseFolder) -> None:
    for path in evidence(case):
        data = path.read_bytes()
        for keep in (0, len(data) // 2, len(data) - 1):
            if 0 <= keep < len(data):
                overwrite(path, data[:keep])
                verdict = verify(case.path)
                assert verdict.exit_code in (EXIT_INTEGRITY, EXIT_SIGNATURE), (path, keep)
                assert named(verdict)
        overwrite(path, data)


def test_extra_pieces_are_named(case: CaseFolder) -> None:
    some_object = next(case.objects.glob("*/*"))
    extras = [
        case.path / "note.txt",
        case.path / "log" / "extra",
        case.entries / "000000.jsonl.bak",
        case.objects / "notes",
        some_object.parent / "short",
        case.objects / "ab" / ("0" * 62),
        case.path / "log" / "checkpoints" / "000000000003",
    ]
    for extra in extras:
        extra.parent.mkdir(exist_ok=True)
        extra.write_bytes(b"extra\n")
        verdict = verify(case.path)
        assert verdict.exit_code in (EXIT_INTEGRITY, EXIT_SIGNATURE), (extra, verdict.exit_code)
        assert str(extra.relative_to(case.path)) in named(verdict), named(verdict)
        extra.unlink()


def test_an_object_no_entry_names_is_named_and_not_vouched_for(case: CaseFolder) -> None:
    data = b"slipped in"
    digest = hashlib.sha256(data).hexdigest()
    path = case.object(digest)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    verdict = verify(case.path)
    assert verdict.exit_code == EXIT_PARTLY
    assert f"{path.name}: no entry names it" in named(verdict)


def test_links_and_special_files_are_named(case: CaseFolder, tmp_path: Path) -> None:
    path = next(case.objects.glob("*/*"))
    copy = tmp_path / "copy"
    shutil.move(path, copy)
    path.symlink_to(copy)
    verdict = verify(case.path)
    assert verdict.exit_code == EXIT_INTEGRITY
    assert path.name in named(verdict)


LineChange = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:4] + lines[5:],
        lambda lines: [*lines[:4], lines[5], lines[4], *lines[6:]],
        lambda lines: [*lines[:5], lines[4], *lines[5:]],
        lambda lines: [*lines[:4], lines[3], *lines[5:]],
        lambda lines: lines[:-1],
    ],
    ids=["dropped", "swapped", "doubled", "replaced", "cut short"],
)
@pytest.mark.parametrize("which", ["entries", "private", "both"])
def test_changed_lines_are_named(case: CaseFolder, change: LineChange, which: str) -> None:
    for folder in (case.entries, case.private):
        if which in (folder.name, "both"):
            path = folder / "000000.jsonl"
            path.write_bytes(
                b"".join(line + b"\n" for line in change(path.read_bytes().splitlines()))
            )
    verdict = verify(case.path)
    assert verdict.exit_code == EXIT_INTEGRITY
    assert "entry" in named(verdict) or "log/entries" in named(verdict)


def test_lines_beyond_the_checkpoint_are_named_and_not_vouched_for(case: CaseFolder) -> None:
    for folder in (case.entries, case.private):
        path = folder / "000000.jsonl"
        path.write_bytes(path.read_bytes() + b'{"torn')
    verdict = verify(case.path)
    assert verdict.exit_code == EXIT_PARTLY
    assert "after its last whole line" in named(verdict)


def test_a_changed_projection_is_named(case: CaseFolder) -> None:
    with sqlite3.connect(case.index) as db:
        db.execute("UPDATE item SET path='other'")
    verdict = verify(case.path)
    assert verdict.check("projection").status is Status.FAIL
    assert verdict.exit_code == EXIT_INTEGRITY
    assert muniment.Case.open(case.path).rebuild().differing == ("item",)
    assert verify(case.path).exit_code == 0


def test_verify_changes_nothing(case: CaseFolder) -> None:
    before = {path: path.read_bytes() for path in case.path.rglob("*") if path.is_file()}
    verify(case.path)
    after = {path: path.read_bytes() for path in case.path.rglob("*") if path.is_file()}
    assert before == after


@pytest.mark.parametrize("kind", ["folder", "fifo", "link", "dangling", "loop"])
def test_what_is_no_regular_file_is_named_and_the_verdict_goes_on(
    case: CaseFolder, tmp_path: Path, kind: str, muniment: RunCommand
) -> None:
    for number, path in enumerate(evidence(case)):
        aside = tmp_path / f"aside-{number}"
        shutil.move(path, aside)
        if kind == "folder":
            path.mkdir()
        elif kind == "fifo":
            os.mkfifo(path)
        else:
            path.symlink_to({"link": aside, "dangling": "nowhere", "loop": path}[kind])
        verdict = verify(case.path)
        assert verdict.exit_code in (EXIT_INTEGRITY, EXIT_SIGNATURE), path
        assert str(path.relative_to(case.path)) in named(verdict)
        if number < 4:
            for command in ("log", "report", "rebuild"):
                done = muniment(command, "--case", case.path)
                assert "Traceback" not in done.stderr, (command, path)
        if kind == "folder":
            path.rmdir()
        else:
            path.unlink()
        shutil.move(aside, path)
    assert verify(case.path).exit_code == 0


@pytest.mark.parametrize("name", ["log", "log/entries", "log/private", "objects", "objects/sha256"])
@pytest.mark.parametrize("target", ["aside", "nowhere", "loop"])
def test_linked_folders_are_named_and_not_entered(
    case: CaseFolder, tmp_path: Path, name: str, target: str
) -> None:
    path = case.path / name
    shutil.move(path, tmp_path / "aside")
    path.symlink_to({"aside": tmp_path / "aside", "nowhere": "nowhere", "loop": path}[target])
    verdict = verify(case.path)
    assert verdict.exit_code in (EXIT_INTEGRITY, EXIT_SIGNATURE)
    assert name in named(verdict)


def test_lost_objects_are_collected_again(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    shutil.rmtree(case.objects)
    assert verify(case.path).exit_code == EXIT_INTEGRITY
    build_case(source)
    missing = [finding.piece for finding in verify(case.path).check("objects").findings]
    assert len(missing) <= 1, "all but the listing are back"


def test_a_changed_report_is_named(build_case: BuildCase, source: Path, tmp_path: Path) -> None:
    page = Path(build_case(source, report=True).report or "")
    case = tmp_path / "case"
    assert verify(case).check("report").status is Status.PASS
    page.write_bytes(page.read_bytes().replace(b"1 post", b"9 post"))
    check = verify(case).check("report")
    assert check.status is Status.NOT_CHECKED
    assert check.findings[0].piece == "report/index.html"


@pytest.mark.parametrize("size", [1 << 31, 1 << 33])
def test_huge_sparse_files_are_refused_in_words(case: CaseFolder, size: int) -> None:
    for path in (case.root, case.checkpoint, case.entries / "000000.jsonl"):
        data = path.read_bytes()
        with path.open("r+b") as stream:
            stream.truncate(size)
        with pytest.raises(IntegrityError, match="more than any such file"):
            verify(case.path)
        path.write_bytes(data)
    assert verify(case.path).exit_code == 0


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE meta SET value='abc' WHERE name='tree_size'",
        "UPDATE meta SET value=x'ff' WHERE name='tree_size'",
        "CREATE VIEW more AS SELECT 1",
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry; END",
        "DROP TABLE entry; CREATE VIEW entry AS WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1"
        " FROM r) SELECT n AS idx, 'x' AS kind, 'x' AS author, 'x' AS at_utc, 'x' AS leaf FROM r",
        "UPDATE item SET path=zeroblob(90000000)",
    ],
)
def test_a_hostile_projection_is_named_and_rebuilt(
    case: CaseFolder, build_case: BuildCase, source: Path, sql: str
) -> None:
    with sqlite3.connect(case.index) as db:
        db.executescript(sql)
    assert verify(case.path).check("projection").status is Status.FAIL
    (source / "new.txt").write_text("new\n")
    build_case(source)
    assert verify(case.path).exit_code == 0


def test_a_row_in_the_projection_does_not_make_a_writer_skip_a_file(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    new = source / "new.txt"
    new.write_text("new\n")
    with sqlite3.connect(case.index) as db:
        row = db.execute("SELECT * FROM item WHERE path='note.txt'").fetchone()
        changed = list(row)
        changed[0], changed[4], changed[3] = 999, "new.txt", 4
        db.execute(f"INSERT INTO item VALUES ({','.join('?' * len(row))})", changed)
    assert build_case(source).sources[str(source)]["found"] == 1


def test_an_unsigned_erasure_under_a_made_up_checkpoint_is_not_carried_out(
    case: CaseFolder, build_case: BuildCase, source: Path
) -> None:
    """Whoever has only the disk can write any lines and sign with a key of their own."""
    import secrets

    from muniment.custody import checkpoint as checkpoints
    from muniment.custody import entry as entries
    from muniment.custody.keys import SigningKey
    from muniment.custody.root import parse
    from muniment.custody.tree import leaf_hash, root
    from muniment.model.entries import Role

    mine = SigningKey(Role.AGENT, "mine", secrets.token_bytes(32), None)
    person = parse(case.root.read_bytes()).keys[0].key.id
    lines = (case.entries / "000000.jsonl").read_bytes().splitlines()
    privates = (case.private / "000000.jsonl").read_bytes().splitlines()
    objects = [path.parent.name + path.name for path in case.objects.glob("*/*")]
    public = mine.public
    prev = leaf_hash(lines[1]).hex()
    for kind, values in [
        (
            "key.certified",
            {
                "key": public.id,
                "role": "agent",
                "name": "mine",
                "ed25519": public.ed25519,
                "mldsa44": None,
            },
        ),
        (
            "object.erased",
            {"entries": [], "objects": objects, "why": "x", "by": "x", "out_of_reach": "x"},
        ),
    ]:
        built = entries.build(
            case=entries.parse(lines[0]).case,
            kind=kind,
            author=person,
            at="2030-01-01T00:00:00.000Z",
            prev=prev,
            values={name: entries.encode_value(value) for name, value in values.items()},
            signer=mine,
        )
        lines.append(built.public)
        privates.append(built.private)
        prev = built.leaf.hex()
    (case.entries / "000000.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    (case.private / "000000.jsonl").write_bytes(b"".join(line + b"\n" for line in privates))
    head = checkpoints.sign(
        checkpoints.origin_of(entries.parse(lines[0]).case),
        len(lines),
        root([leaf_hash(line) for line in lines]),
        mine,
        1_900_000_000,
    )
    case.checkpoint.write_bytes(head.encode())
    assert verify(case.path).exit_code in (EXIT_INTEGRITY, EXIT_SIGNATURE)
    (source / "new.txt").write_text("new\n")
    with pytest.raises(IntegrityError, match="does not hold"):
        build_case(source)
    assert all(case.object(digest).exists() for digest in objects)


def test_a_root_laid_down_beforehand_is_refused(
    build_case: BuildCase, keys: KeyFolder, source: Path, tmp_path: Path
) -> None:
    import secrets

    from muniment.custody import root as roots
    from muniment.custody.keys import SigningKey
    from muniment.custody.root import Root
    from muniment.errors import SignatureError
    from muniment.model.entries import Role

    mine = SigningKey(Role.PERSON, "mine", secrets.token_bytes(32), None)
    honest = next(public for _, public in keys.all() if public.role is Role.PERSON)
    both = (*roots.make("ab" * 16, honest).keys, *roots.make("ab" * 16, mine.public).keys)
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "root.json").write_bytes(Root("ab" * 16, roots.FORMAT, both).encode())
    with pytest.raises(SignatureError, match="is not the root"):
        build_case(source)


def test_a_changed_root_is_one_fault_not_hundreds(case: CaseFolder) -> None:
    from tests.vectors.second_verifier import exit_code, read_folder
    from tests.vectors.second_verifier import verify as verify_again

    data = case.root.read_bytes()
    for changed in (data.replace(b'"case":"', b'"case":"00', 1), b"{}\n", None):
        if changed is None:
            case.root.unlink()
        else:
            case.root.write_bytes(changed)
        verdict = verify(case.path)
        assert verdict.exit_code == EXIT_SIGNATURE
        assert exit_code(verify_again(read_folder(case.path))) == EXIT_SIGNATURE
        status = {check.name: check.status for check in verdict.checks}
        assert [name for name in status if status[name] is Status.FAIL] == ["root"]
        for name in ("signatures", "checkpoint"):
            assert status[name] is Status.NOT_CHECKED
            assert "root failed" in verdict.check(name).detail


def test_another_root_of_the_same_form_is_one_fault(case: CaseFolder, tmp_path: Path) -> None:
    import json

    root = json.loads(case.root.read_bytes())
    root["case"] = "0" * 32
    text = json.dumps(root, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    case.root.write_text(text + "\n", encoding="utf-8")
    verdict = verify(case.path)
    assert [check.name for check in verdict.checks if check.status is Status.FAIL] == ["root"]
    assert sum(check.found for check in verdict.checks if check.status is Status.FAIL) == 1
