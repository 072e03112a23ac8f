"""After an erasure: the same bytes may come in again, and what is put back is destroyed again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import muniment
from muniment import verify
from muniment.case.erasing import erase_signed
from muniment.case.progress import Silent
from muniment.errors import EXIT_PARTLY
from muniment.store.layout import CaseFolder
from tests.conftest import PERSON, BuildCase, FixedSecrets
from tests.vectors.second_verifier import exit_code, read_folder
from tests.vectors.second_verifier import verify as verify_again

LONG = "x" * 20_000


def an_export(folder: Path, *texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    messages = [
        {
            "id": number,
            "type": "message",
            "date": "2026-05-02T10:00:00",
            "date_unixtime": str(1777716000 + number),
            "from": "Gate",
            "from_id": "channel7",
            "text": text,
        }
        for number, text in enumerate(texts, 1)
    ]
    export = {"name": "Gate", "type": "public_channel", "id": 7, "messages": messages}
    (folder / "result.json").write_text(json.dumps(export))
    return folder


def posts(folder: CaseFolder) -> list[Any]:
    entries = muniment.Case.open(folder.path).entries()
    return [entry for entry in entries if entry.kind == "post.recorded"]


def erase(folder: CaseFolder, identity: str, monkeypatch: Any, keys: Path) -> None:
    monkeypatch.setenv("MUNIMENT_KEYS", str(keys))
    erase_signed(
        folder,
        [identity],
        by=PERSON,
        why="a test",
        out_of_reach="nobody",
        secrets=FixedSecrets(),
        progress=Silent(),
    )


def test_a_long_text_erased_once_is_kept_when_a_later_post_has_it(
    build_case: BuildCase, tmp_path: Path, monkeypatch: Any, keys: Any
) -> None:
    folder = CaseFolder(tmp_path / "case")
    build_case(an_export(tmp_path / "a", LONG, "short"))
    before = set(folder.objects.glob("*/*"))
    erase(folder, posts(folder)[0].id, monkeypatch, keys.path)
    (gone,) = before - set(folder.objects.glob("*/*"))
    build_case(an_export(tmp_path / "b", LONG, "short", "newer"))
    build_case(an_export(tmp_path / "c", "another"))  # an opening carries out erasures
    assert gone.is_file(), "the newer post's text"
    assert posts(folder)[2].values["text"]["_object"] == gone.parent.name + gone.name
    assert verify(folder.path).exit_code == 0
    assert exit_code(verify_again(read_folder(folder.path))) == 0


def test_what_is_put_back_from_an_older_copy_is_destroyed_by_the_next_run(
    build_case: BuildCase, tmp_path: Path, monkeypatch: Any, keys: Any
) -> None:
    folder = CaseFolder(tmp_path / "case")
    build_case(an_export(tmp_path / "a", LONG, "short"))
    shutil.copytree(folder.path, tmp_path / "older")
    erase(folder, posts(folder)[0].id, monkeypatch, keys.path)
    build_case(an_export(tmp_path / "b", "later"))
    for path in (tmp_path / "older" / "objects").glob("sha256/*/*"):
        target = folder.objects / path.parent.name / path.name
        if not target.exists():
            shutil.copy(path, target)
    verdict = verify(folder.path)
    assert verdict.exit_code == EXIT_PARTLY
    assert exit_code(verify_again(read_folder(folder.path))) == EXIT_PARTLY
    build_case(an_export(tmp_path / "c", "latest"))
    assert verify(folder.path).exit_code == 0


def append(folder: CaseFolder, kind: str, lines: list[bytes]) -> None:
    with (folder.path / "log" / kind / "000000.jsonl").open("ab") as stream:
        stream.writelines(line + b"\n" for line in lines)


def lines_of(folder: CaseFolder, kind: str) -> list[bytes]:
    return (folder.path / "log" / kind / "000000.jsonl").read_bytes().splitlines()


def test_lines_added_beyond_the_checkpoint_accuse_nobody(
    build_case: BuildCase, tmp_path: Path, monkeypatch: Any, keys: Any
) -> None:
    """Another case's lines, and an erased item's own line: named, and nothing is called missing."""
    folder = CaseFolder(tmp_path / "case")
    build_case(an_export(tmp_path / "a", LONG, "short"))
    old = {kind: lines_of(folder, kind) for kind in ("entries", "private")}
    number = next(at for at, entry in enumerate(muniment.Case.open(folder.path).entries())
                  if entry.kind == "post.recorded")  # fmt: skip
    erase(folder, posts(folder)[0].id, monkeypatch, keys.path)
    assert verify(folder.path).exit_code == 0
    for kind in ("entries", "private"):
        append(folder, kind, [old[kind][number]])
    verdict = verify(folder.path)
    assert verdict.exit_code == EXIT_PARTLY
    assert exit_code(verify_again(read_folder(folder.path))) == EXIT_PARTLY
    for kind in ("entries", "private"):
        append(folder, kind, old[kind])
    verdict = verify(folder.path)
    assert verdict.exit_code == EXIT_PARTLY
    assert exit_code(verify_again(read_folder(folder.path))) == EXIT_PARTLY
    (objects,) = [check for check in verdict.checks if check.name == "objects"]
    assert not objects.found
