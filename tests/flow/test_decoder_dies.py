"""Input 34: a decoder that is killed costs its file, is named, and is not tried again by itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import muniment
from muniment.case import building
from muniment.case.collecting import Request
from muniment.case.progress import Silent
from muniment.custody.keyring import KeyFolder
from muniment.sandbox.host import Zygote
from muniment.store.layout import CaseFolder
from tests import tiny
from tests.conftest import PERSON, FixedSecrets

ROOT = Path(__file__).parents[2]


def build(folder: Path, source: Path, keys: KeyFolder, zygote: Zygote) -> building.Built:
    return building.run(
        CaseFolder(folder),
        [Request(source, PERSON, "a test")],
        by=PERSON,
        why="a test",
        title=None,
        keys=keys,
        secrets=FixedSecrets(),
        progress=Silent(),
        make=True,
        with_report=True,
        zygote=zygote,
    )


@pytest.mark.parametrize("confined", [True, False])
def test_34_a_killed_decoder_is_named_and_the_rest_is_examined(
    tmp_path: Path, keys: KeyFolder, confined: bool
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "bad.mp4").write_bytes(tiny.footage(b"dies by SIGSEGV\0"))
    (source / "good.mp4").write_bytes(tiny.footage(b"lives"))
    entry = "tests.flow.dying_worker:run"
    with Zygote.start(entry, confined=confined, paths=[os.fspath(ROOT)]) as zygote:
        done = build(tmp_path / "case", source, keys, zygote)
        (line,) = done.notices
        assert line.startswith("bad.mp4: decoder killed (SIGSEGV). Kept as it is")
        assert done.examined and (done.examined["failed"], done.examined["examined"]) == (1, 1)
        seen = {
            (entry.values["object"], entry.values["outcome"]["status"])
            for entry in muniment.Case.open(tmp_path / "case").entries()
            if entry.kind == "observation.made" and entry.values["step"] == "examine.container"
        }
        assert sorted(status for _, status in seen) == ["done", "failed"]
        # Set aside: the next run does not hand it to a decoder again, and says so.
        again = build(tmp_path / "case", source, keys, zygote)
        assert again.examined and again.examined["failed_before"] == 1
        assert again.examined["examined"] == again.examined["failed"] == 0
    page = Path(done.report or "").read_text()
    assert "decoder killed" in page and "bad.mp4" in page
