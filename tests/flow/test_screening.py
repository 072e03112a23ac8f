"""Many files screened by their key frames against a case: what is near, and no verdict."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import av
import pytest

from muniment.case import screening
from muniment.case.progress import Silent
from muniment.custody.keyring import KeyFolder
from muniment.errors import InputError
from muniment.examine import decode, keyframes, opening
from muniment.sandbox.host import Zygote
from muniment.store.layout import CaseFolder
from tests.conftest import RunCommand
from tests.flow.test_derived_damaged import CHATS, LATER
from tests.flow.test_trace_index import build, built, copied, own_keys, zygote  # noqa: F401


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """A folder of files that came from anywhere."""
    folder = tmp_path / "strangers"
    (folder / "deep").mkdir(parents=True)
    shutil.copyfile(LATER, folder / "deep" / "copy.mp4")
    shutil.copyfile(CHATS / "chat_4" / "video_files" / "coast_week.mp4", folder / "else.mp4")
    (folder / "note.txt").write_text("no footage\n")
    (folder / "cut.mp4").write_bytes(LATER.read_bytes()[:3000])
    (folder / "link.mp4").symlink_to(LATER)
    return folder


def test_a_copy_is_proposed_and_other_footage_is_not(
    copied: CaseFolder,  # noqa: F811
    strangers: Path,
    zygote: Zygote,  # noqa: F811
) -> None:
    before = sorted(copied.path.rglob("*"))
    found = screening.screen(copied, [strangers], zygote, Silent())
    assert found["files"] == 4
    (one,) = found["near"]
    assert Path(one["file"]).name == "copy.mp4" and one["nearness"] >= 0.25
    names = {item["name"] for item in one["items"]}
    assert names and names <= {"IMG_0417.MP4", "yard_240p.mp4"}
    assert [Path(line.split(" was not screened: ")[0]).name for line in found["notices"]] == [
        "cut.mp4",
        "note.txt",
    ]
    assert sorted(copied.path.rglob("*")) == before
    assert "verdict" not in json.dumps(found)


def test_a_path_that_is_not_there_is_named(
    copied: CaseFolder,  # noqa: F811
    zygote: Zygote,  # noqa: F811
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match="not found"):
        screening.screen(copied, [tmp_path / "absent"], zygote, Silent())


def test_the_command_prints_what_to_examine_first(
    muniment: RunCommand,
    copied: CaseFolder,  # noqa: F811
    own_keys: KeyFolder,  # noqa: F811
    strangers: Path,
) -> None:
    done = muniment("trace", "screen", strangers / "deep", "--case", copied.path)
    assert done.returncode == 0, done.stderr
    first, *_, last = done.stdout.splitlines()
    assert first.endswith("copy.mp4")
    assert last.startswith("1 file screened, 1 near footage of the case. No verdict")
    done = muniment("trace", "screen", strangers, "--case", copied.path, "--json")
    assert done.returncode == 3 and len(json.loads(done.stdout)["near"]) == 1
    assert "note.txt was not screened: is text/plain, no footage" in done.stderr


def test_only_key_frames_are_decoded() -> None:
    """As many pictures as the packets say are key frames, and no sound."""
    with av.open(str(LATER)) as box:
        keys = sum(packet.is_keyframe for packet in box.demux(video=0) if packet.size)
    fd = os.open(LATER, os.O_RDONLY)
    try:
        opened = opening.opened(fd)
        done: decode.Pass = keyframes.QuickPass(opened, [], 60.0)
        done.run()
        assert (done.seen.frames, done.seen.key_pictures, done.seen.sounds) == (keys, keys, 0)
        assert done.seen.pictures > 10 * keys
        opened.close()
    finally:
        os.close(fd)
