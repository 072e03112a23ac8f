"""The allow-list serves the libraries: each does real work in a worker, with seccomp alone and with
every layer."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Limits
from tests.unit.sandbox.conftest import ROOT

ENTRY = "tests.unit.sandbox.decoding_entry:run"
INPUT = ROOT / "examples" / "courtyard" / "input"
CLIP = INPUT / "telegram/ChatExport_2021-09-16/video_files/no_sound.mp4"
PAGE = INPUT / "articles/coast-ledger-2021-09-14.html"


def _pdf() -> bytes:
    pypdf = pytest.importorskip("pypdf")
    writer, out = pypdf.PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.write(out)
    return out.getvalue()


def _docx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<d><t>some </t><t>words</t></d>")
    return out.getvalue()


@pytest.fixture(scope="module", params=[(), ("namespaces", "landlock")], ids=["all", "seccomp"])
def decoding(request: pytest.FixtureRequest) -> Iterator[Zygote]:
    with Zygote.start(ENTRY, paths=[str(ROOT)], without=request.param) as zygote:
        yield zygote


@pytest.mark.parametrize(
    ("library", "module", "data", "expected"),
    [
        ("av", "av", CLIP, "(210, 1)"),
        ("numpy", "numpy", PAGE, "65536"),
        ("scipy", "scipy", PAGE, "64"),
        ("pillow", "PIL", CLIP.with_name("no_sound.mp4_thumb.jpg"), "(32, 32)"),
        ("selectolax", "selectolax", PAGE, "True"),
        ("pypdf", "pypdf", _pdf, "1"),
        ("pymediainfo", "pymediainfo", CLIP, "General,Video"),
        ("lxml", "lxml", _docx, "some words"),
    ],
)
def test_library_works_confined(
    decoding: Zygote, tmp_path: Path, library: str, module: str, data: object, expected: str
) -> None:
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    path = data if isinstance(data, Path) else tmp_path / "data"
    if callable(data):
        path.write_bytes(data())
    fd = os.open(path, os.O_RDONLY)
    try:
        ended = decoding.spawn(library.encode(), fd, Limits(cpu_s=30, wall_s=60)).finish()
    finally:
        os.close(fd)
    assert (ended.outcome, ended.payload.decode()) == ("done", expected), ended
