"""The page of clear pictures: marked, apart, lazy, and JPEG only."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from types import ModuleType

import pytest

from muniment.errors import MalformedError
from muniment.model.report_clear import ClearData, ClearFrame, ClearItem
from muniment.report import clear
from muniment.report.clear import MARK, render_clear


def data_of(
    items: Iterator[ClearItem] | tuple[ClearItem, ...], text: str = "Courtyard"
) -> ClearData:
    return ClearData(
        "5d8e6b1e", text, "57:ab", "2026-05-04T09:00:00.000Z", text, text, items, "0.1.0"
    )


def item(frames: int, name: str = "gate.mp4") -> ClearItem:
    shots = tuple(ClearFrame(f"courtyard/{at}/", float(at)) for at in range(frames))
    return ClearItem("item:0123456789ab", "ab" * 32, name, shots)


def test_it_is_marked_everywhere(footage: ModuleType) -> None:
    html = b"".join(render_clear(data_of((item(3),)), footage.clear_picture)).decode()
    assert html.count(MARK) >= 4  # title, on screen, in print, at the foot
    assert f"<title>{MARK}" in html and f'content: "{MARK}"' in html
    assert re.search(r"\.mark-all \{ position: fixed", html)
    assert html.count("clear, not to be forwarded") == html.count("<img ") == 3
    assert "an entry in the log" in html and "3 clear pictures" in html


def test_policy_allows_its_style_and_pictures_in_the_page_only(footage: ModuleType) -> None:
    html = b"".join(render_clear(data_of((item(1),)), footage.clear_picture)).decode()
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri" in html
    assert set(re.findall(r' src="(.{23})', html)) == {"data:image/jpeg;base64,"}
    assert "<script" not in html and " style=" not in html


def test_pictures_are_fetched_one_at_a_time(footage: ModuleType) -> None:
    fetched: list[str] = []

    def fetch(key: str) -> bytes | None:
        fetched.append(key)
        picture: bytes | None = footage.clear_picture(key)
        return picture

    lazy = (item(2, f"clip-{number}.mp4") for number in range(40))
    for piece in render_clear(data_of(lazy), fetch):
        assert piece.count(b"data:image/jpeg") <= 1
        if b"clip-1.mp4" in piece:
            assert len(fetched) <= 4
    assert len(fetched) == 80


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"<svg/>"])
def test_only_jpegs_are_shown(data: bytes) -> None:
    with pytest.raises(MalformedError, match="no JPEG"):
        list(render_clear(data_of((item(1),)), lambda key: data))


def test_a_picture_too_large_is_refused() -> None:
    large = b"\xff\xd8\xff" + bytes(clear.MOST_PICTURE_BYTES) + b"\xff\xd9"
    with pytest.raises(MalformedError, match="4 MiB at most"):
        list(render_clear(data_of((item(1),)), lambda key: large))


def test_what_is_left_out_is_said(monkeypatch: pytest.MonkeyPatch, footage: ModuleType) -> None:
    monkeypatch.setattr(clear, "MOST_CLEAR", 2)
    html = b"".join(render_clear(data_of((item(3), item(2))), footage.clear_picture)).decode()
    assert html.count("<img ") == 2 and "3 more frames are in the case" in html
    assert "No frame of this item is shown." in html


def test_a_strangers_words_do_nothing(example: ModuleType) -> None:
    strange = (item(1, example.HOSTILE),)
    html = b"".join(render_clear(data_of(strange, example.HOSTILE), lambda key: None)).decode()
    assert "<script" not in html and "&lt;script&gt;" in html and "\u202e" not in html
    assert "no picture was kept" in html
