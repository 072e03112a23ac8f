"""The report in a real browser, network off: it opens, breaks no policy, and fits its window."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import zlib
from pathlib import Path
from types import ModuleType

import pytest

from muniment.model.report_clear import ClearData, ClearFrame, ClearItem
from muniment.report.clear import MARK, render_clear
from muniment.report.page import render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


def chromium(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run headless Chromium with a new profile, every host name unresolvable."""
    assert CHROMIUM
    profile = folder / "profile"
    shutil.rmtree(profile, ignore_errors=True)
    fixed = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--hide-scrollbars", "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND"),
    )
    return subprocess.run(
        [CHROMIUM, *fixed, f"--user-data-dir={profile}", *arguments, url],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.fixture(scope="session")
def saved(
    example: ModuleType, footage: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the example's pages."""
    folder = tmp_path_factory.mktemp("report")
    for name in ("courtyard", "hostile", "empty"):
        (folder / f"{name}.html").write_bytes(render(getattr(example, name)()))
    for name in ("traced", "hostile_traced"):
        page = render(getattr(footage, name)(), footage.thumbnail)
        (folder / f"{name}.html").write_bytes(page)
    frames = tuple(ClearFrame(f"courtyard/{at}/", float(at)) for at in range(9))
    items = (ClearItem("item:0123456789ab", "ab" * 32, "gate.mp4", frames),) * 3
    data = ClearData("c", "Courtyard", "1:ab", "2026-05-04T09:00:00.000Z", "N.", "why", items, "0")
    clear = b"".join(render_clear(data, footage.clear_picture))
    (folder / "clear.html").write_bytes(clear)
    return folder


@pytest.mark.parametrize(
    "name", ["courtyard", "hostile", "empty", "traced", "hostile_traced", "clear"]
)
@pytest.mark.parametrize("width", [1280, 500])
def test_it_draws_without_a_complaint(saved: Path, tmp_path: Path, name: str, width: int) -> None:
    picture = tmp_path / "page.png"
    url = (saved / f"{name}.html").as_uri()
    done = chromium(tmp_path, url, f"--screenshot={picture}", f"--window-size={width},2400")
    assert "CONSOLE" not in done.stderr and "Content Security Policy" not in done.stderr
    size, shades = look(picture)
    assert size == (width, 2400)
    assert shades > 20, "the page is blank"


def test_a_complaint_would_be_seen(saved: Path, tmp_path: Path) -> None:
    """The check above is worth something only if a broken policy shows in the browser's log."""
    html = (saved / "empty.html").read_text("utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(html.replace("<main ", '<main style="color:red" ', 1), "utf-8")
    done = chromium(tmp_path, broken.as_uri(), f"--screenshot={tmp_path / 'b.png'}")
    assert "Content Security Policy" in done.stderr


def test_the_document_is_what_was_written(saved: Path, tmp_path: Path) -> None:
    done = chromium(tmp_path, (saved / "hostile.html").as_uri(), "--dump-dom")
    assert "<script" not in done.stdout
    ids = set(re.findall(r'\bid="([^"]+)"', done.stdout))
    hrefs = re.findall(r'\bhref="#([^"]+)"', done.stdout)
    assert hrefs and set(hrefs) <= ids
    written = (saved / "hostile.html").read_text("utf-8")
    assert set(re.findall(r'\bid="([^"]+)"', written)) == ids


def test_it_prints(saved: Path, tmp_path: Path) -> None:
    paper = tmp_path / "page.pdf"
    url = (saved / "courtyard.html").as_uri()
    chromium(tmp_path, url, "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    assert paper.read_bytes().startswith(b"%PDF-")
    assert paper.stat().st_size > 20_000


def test_pictures_show_and_nothing_is_wider_than_the_window(saved: Path, tmp_path: Path) -> None:
    """A script put in by the test, under a policy that allows it, measures the page."""
    html = (saved / "traced.html").read_text("utf-8")
    script = (
        "document.title = 'w' + document.documentElement.scrollWidth + ' n' +"
        " [...document.images].filter(one => one.complete && one.naturalWidth === 32).length"
    )
    html = html.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';", 1)
    measured = tmp_path / "measured.html"
    measured.write_text(
        html.replace("</body>", f"<script>onload = () => {{ {script} }}</script></body>"), "utf-8"
    )
    for width in (1280, 500):
        done = chromium(tmp_path, measured.as_uri(), "--dump-dom", f"--window-size={width},900")
        title = re.search(r"<title>w(\d+) n(\d+)</title>", done.stdout)
        assert title and int(title[1]) <= width
        assert int(title[2]) == html.count("<img ")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
def test_every_sheet_of_clear_pictures_is_marked(saved: Path, tmp_path: Path) -> None:
    paper = tmp_path / "clear.pdf"
    url = (saved / "clear.html").as_uri()
    chromium(tmp_path, url, "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    done = subprocess.run(["pdftotext", paper, "-"], capture_output=True, text=True, check=True)
    sheets = [sheet for sheet in done.stdout.split("\f") if sheet.strip()]
    assert len(sheets) > 2 and all(MARK in sheet for sheet in sheets)


def look(path: Path) -> tuple[tuple[int, int], int]:
    """Size of a PNG, and how many different lines of pixels it has (a blank one has one)."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", data[16:24])
    at, packed = 8, b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += 12 + length
    pixels = zlib.decompress(packed)
    stride = len(pixels) // height
    return (width, height), len({pixels[i : i + stride] for i in range(0, len(pixels), stride)})
