"""Second copies: put where nothing is, read back, gone on with, and what is told of them."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from muniment.case import mirroring, reporting
from muniment.case.facade import verify
from muniment.errors import InputError, IntegrityError, MunimentError, StorageError, UsageError
from muniment.model.copies import MARKER, Keeps
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, BuildCase, RunCommand
from tests.mirror import servers
from tests.mirror.conftest import Mirror
from tests.mirror.servers import Server

BUCKET = "s3://copies/of/one"


def more(build_case: BuildCase, tmp_path: Path, text: str) -> None:
    folder = tmp_path / "more"
    folder.mkdir(exist_ok=True)
    (folder / f"{len(text)}.txt").write_text(text)
    build_case(folder)


@pytest.fixture(params=["folder", "s3"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "copies")
    request.getfixturevalue("s3")
    return BUCKET


def test_a_copy_is_made_read_back_and_comes_back_as_the_case(
    mirror: Mirror, target: str, build_case: BuildCase, tmp_path: Path
) -> None:
    done = mirror(target)
    assert done.put_if_absent is Keeps.PROVED and not done.notices
    assert done.copied == done.read_back == done.files and done.held == 0
    checkpoint, files = mirror.restore(target, tmp_path / "back")
    assert (checkpoint, files) == (done.checkpoint, done.files)
    verdict = verify(tmp_path / "back", since=done.checkpoint)
    assert verdict.exit_code == 0, verdict
    # Only what is new is sent again: the log's files and one object.
    more(build_case, tmp_path, "A second delivery.\n")
    again = mirror(target)
    assert again.held > 0 and again.copied < done.copied and again.read_back == again.copied
    checked = mirror(target, everything=True)
    assert checked.read_back == checked.files
    assert verify(mirror.folder.path).exit_code == 0
    mirror.restore(target, tmp_path / "later")
    assert verify(tmp_path / "later", since=checked.checkpoint).exit_code == 0


def test_nothing_at_the_target_is_ever_written_twice(mirror: Mirror, s3: Server) -> None:
    mirror(BUCKET)
    first = [path for method, path in s3.requests if method == "PUT"]
    s3.requests.clear()
    mirror(BUCKET)
    again = [path for method, path in s3.requests if method == "PUT"]
    # The file that proves put-if-absent was tried both times, with the same bytes, and refused.
    assert {path for path in first if path in again} == {f"/copies/of/one/{MARKER}"}
    assert not [one for one in s3.requests if one[0] in ("DELETE", "POST")]


def test_a_server_that_overwrites_is_refused_or_named(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.serving(servers.overwriting) as one:
        for name, value in one.environment().items():
            monkeypatch.setenv(name, value)
        with pytest.raises(UsageError, match="overwrites what it holds"):
            mirror(BUCKET)
        assert verify(mirror.folder.path).exit_code == 0
        done = mirror(BUCKET, overwriting=True)
        assert done.put_if_absent is Keeps.NOT_KEPT
        (known,) = mirroring.status(mirror.folder).known
        assert known.put_if_absent == "not kept"
        facts = reporting.facts(mirror.folder)
        assert "that place overwrites what it holds" in facts.custody.copies[0]


def test_a_cut_copying_goes_on(
    mirror: Mirror, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = mirroring._send, 0

    def dies(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(mirroring, "_send", dies)
        with pytest.raises(KeyboardInterrupt):
            mirror(target)
    done = mirror(target)
    assert done.held == 2 and done.copied == done.files - 2


def test_damage_is_never_copied(mirror: Mirror, tmp_path: Path) -> None:
    victim = next(
        path for path in mirror.folder.objects.rglob("*") if path.is_file() and path.stat().st_size
    )
    victim.chmod(0o640)
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    done = mirror(tmp_path / "copies")
    assert len(done.notices) == 1 and "so it was not copied" in done.notices[0]
    (known,) = mirroring.status(mirror.folder).known
    assert known.outcome == "partly" and known.read_back_utc is None
    assert mirroring.status(mirror.folder).copies == 1  # only the case itself counts


def test_what_went_bad_at_the_target_is_found_and_sent_again(
    mirror: Mirror, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    mirror(copies)
    files = [path for path in (copies / "objects").rglob("*") if path.is_file()]
    changed, cut = files[:2]
    for path, data in ((changed, bytes(changed.stat().st_size)), (cut, b"")):
        path.chmod(0o640)
        path.write_bytes(data)
    with pytest.raises(IntegrityError, match="has other bytes in the copy"):
        mirror.restore(copies, tmp_path / "bad")
    done = mirror(copies, everything=True)
    assert len(done.notices) == 2
    assert any("read back with other bytes" in line for line in done.notices)
    assert any("stands there with 0 bytes" in line for line in done.notices)
    mended = mirror(copies, everything=True)
    assert not mended.notices
    assert mirror.restore(copies, tmp_path / "back")[0] == mended.checkpoint
    assert verify(tmp_path / "back").exit_code == 0


def test_three_two_one(mirror: Mirror, s3: Server, tmp_path: Path, build_case: BuildCase) -> None:
    none = mirroring.status(mirror.folder)
    assert (none.copies, none.off_site) == (1, 0) and "2 copies more" in none.says
    mirror(tmp_path / "beside", off_site=False)
    (beside,) = mirroring.status(mirror.folder).known
    assert beside.same_device and mirroring.status(mirror.folder).copies == 1
    mirror(BUCKET, off_site=True)
    two = mirroring.status(mirror.folder)
    assert (two.copies, two.kinds) == (2, 2)
    assert two.off_site == 1 and "1 copy more" in two.says
    mirror("s3://copies/of/two", off_site=False)
    three = mirroring.status(mirror.folder)
    assert "three copies on two storages, one off site" in three.says
    assert all(one.read_back_utc for one in three.known)
    more(build_case, tmp_path, "Later.\n")
    assert "2 copies lack what was entered since" in mirroring.status(mirror.folder).says
    facts = reporting.facts(mirror.folder)
    assert facts.custody.copies_say == mirroring.status(mirror.folder).says
    assert any("on the same disk as the case" in line for line in facts.custody.copies)


def test_targets_that_cannot_serve_are_one_line(
    mirror: Mirror, s3: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "other.txt").write_text("x")
    s3.put("copies/strange/file", b"x")
    s3.put(f"copies/another/{MARKER}", b'{"format":"muniment-mirror/1","case":"00"}\n')
    for target, what in (
        (full, "is not empty and holds no copies"),
        (mirror.folder.path / "work" / "copies", "lies in the case"),
        (mirror.folder.path.parent, "lies in the case, or the case in it"),
        ("s3://copies/strange", "is not empty and holds no copies"),
        ("s3://copies/another", "holds the copies of another case"),
        ("s3://", "is no bucket"),
        ("ftp://example.org/x", "is no bucket"),
        ("s3://no-such-bucket", "cannot be"),
    ):
        with pytest.raises(MunimentError) as raised:
            mirror(target)
        line = raised.value.diagnostics()
        assert what in line and "\n" not in line and len(line) < 500
        assert "a secret that is never recorded" not in line
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match="cannot be read"):
        mirror(BUCKET)
    assert verify(mirror.folder.path).exit_code == 0


def test_a_target_that_fails_time_after_time_is_asked_no_more(mirror: Mirror, s3: Server) -> None:
    def forbidden(environment: dict[str, Any]) -> str | None:
        is_object = "/objects/" in environment["PATH_INFO"]
        return "403 Forbidden" if is_object and environment["REQUEST_METHOD"] == "PUT" else None

    s3.fault = forbidden
    with pytest.raises(StorageError, match="HTTP status 403"):
        mirror(BUCKET)
    puts = [path for method, path in s3.requests if method == "PUT" and "/objects/" in path]
    assert len(puts) == mirroring.MOST_IN_A_ROW
    s3.fault = None
    assert not mirror(BUCKET).notices


def test_a_large_object_goes_in_parts(
    mirror: Mirror,
    s3: Server,
    build_case: BuildCase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("muniment.case.bucket.WHOLE_BYTES", 1 << 20)
    monkeypatch.setattr("muniment.case.bucket.PART_BYTES", 5 << 20)
    folder = tmp_path / "large"
    folder.mkdir()
    data = hashlib.sha256(b"a").digest() * (6 << 15)  # 6 MiB
    (folder / "large.bin").write_bytes(data)
    build_case(folder)
    assert not mirror(BUCKET).notices
    assert any(method == "POST" for method, _ in s3.requests)  # parts were put together
    mirror.restore(BUCKET, tmp_path / "back")
    digest = hashlib.sha256(data).hexdigest()
    assert (CaseFolder(tmp_path / "back").object(digest)).read_bytes() == data


def test_at_the_command_line(
    case: CaseFolder, s3: Server, muniment: RunCommand, tmp_path: Path
) -> None:
    where = ("--case", str(case.path))
    assert muniment("mirror", *where).returncode == 2
    assert "--by" in muniment("mirror", BUCKET, *where).stderr
    done = muniment("mirror", BUCKET, "--by", PERSON, "--off-site", *where, **s3.environment())
    assert done.returncode == 0, done.stderr
    assert "read back and compared" in done.stdout and "1 off site as told" in done.stdout
    status = muniment("mirror", "--status", *where)
    assert status.returncode == 0 and "all read back" in status.stdout
    told = json.loads(muniment("mirror", "--status", "--json", *where).stdout)
    assert told["status"]["known"][0]["off_site"] is True
    back = muniment("mirror", BUCKET, "--restore", "back", **s3.environment())
    assert back.returncode == 0, back.stderr
    assert muniment("verify", "back").returncode == 0
    entries = "".join(path.read_text() for path in (case.path / "log").rglob("*.jsonl"))
    assert "copy.made" in entries and "a secret that is never recorded" not in entries
    erased = muniment(
        "erase",
        "item",
        "--by",
        PERSON,
        "--why",
        "a test",
        "--out-of-reach",
        "nobody",
        "--yes",
        *where,
    )
    assert erased.returncode == 2


def test_a_stick_without_hard_links(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("muniment.case.targets.os.link", none)
    done = mirror(tmp_path / "copies")
    assert done.put_if_absent is Keeps.PROVED and done.read_back == done.files
    mirror.restore(tmp_path / "copies", tmp_path / "back")
    assert verify(tmp_path / "back").exit_code == 0


def test_a_full_target_is_one_line_and_the_rest_goes_on_later(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror(tmp_path / "copies")
    for path in sorted((tmp_path / "copies" / "objects").rglob("*")):
        if path.is_file():
            path.unlink()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("muniment.case.targets.os.fsync", full)
        with pytest.raises(StorageError, match="no space left"):
            mirror(tmp_path / "copies")
    # What a killed run leaves half written is taken away.
    (tmp_path / "copies" / "objects" / "x.0123.part").write_bytes(b"half")
    assert not mirror(tmp_path / "copies").notices
    assert not list((tmp_path / "copies").rglob("*.part"))


def test_the_page_checks_a_copy_with_sha256sum_and_jq(mirror: Mirror, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "format.md").read_text("utf-8")
    section = page.partition("\n## Second copies\n")[2].partition("\n## ")[0]
    (commands,) = re.findall(r"^```bash\n(.*?)^```$", section, re.M | re.S)
    done = mirror(tmp_path / "copies")

    def answer() -> tuple[list[str], str]:
        ran = subprocess.run(
            ["bash", "-c", commands],
            cwd=tmp_path / "copies",
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.stdout.splitlines(), ran.stderr

    lines, _ = answer()
    assert len(lines) == done.files and all(line.endswith(": OK") for line in lines)
    victim = next(path for path in (tmp_path / "copies" / "log").rglob("*") if path.is_file())
    victim.write_bytes(b"other")
    assert sum(line.endswith(": FAILED") for line in answer()[0]) == 1
