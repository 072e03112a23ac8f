"""The page as a document: deterministic, strict CSP, nothing from outside, every link resolves."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import msgspec
import pytest

from muniment.report.page import render

PLAIN = ("courtyard", "empty", "single", "hostile", "many_300", "many_3000")
FOOTAGE = ("examined", "traced", "hostile_traced")
CASES = (*PLAIN, *FOOTAGE)
VOID = {"meta", "link", "br", "wbr", "hr", "img", "input", "col"}
VERDICTS = (
    *("verified", "unverified", "authentic", "authenticated", "genuine", "original", "originals"),
    *("guilty", "innocent", "fake", "false", "true", "proves", "proven", "proof", "manipulated"),
    *("perpetrator", "suspect", "culprit", "criminal", "confirmed", "debunked", "trustworthy"),
)
SECTIONS = (
    *("summary", "contents-title", "spread", "posts", "channels", "forwards", "items", "documents"),
    *("copies", "seen"),
    *("absences", "acquisitions", "custody", "window", "tools", "limits"),
)


class Page(HTMLParser):
    """What the tests look at: ids, links, headings, attributes, texts; tags must balance."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.hrefs: list[str] = []
        self.headings: list[int] = []
        self.pictures: list[tuple[str, str]] = []
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = " ".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.pictures.append((dict(attrs).get("src") or "", dict(attrs).get("alt") or ""))
        for name, value in attrs:
            self.attributes[name] += 1
            if name == "id":
                self.ids[value or ""] += 1
            if name == "href":
                self.hrefs.append(value or "")
            if name == "aria-labelledby":
                self.hrefs += [f"#{part}" for part in (value or "").split()]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)


@pytest.fixture(scope="session")
def pages(example: ModuleType, footage: ModuleType) -> dict[str, str]:
    """Every example case, drawn."""
    many = {"many_300": (300, 8, 86_400), "many_3000": (3000, 7, 10**8)}
    cases = {name: example.many(*size) for name, size in many.items()}
    cases |= {name: getattr(example, name)() for name in PLAIN if name not in cases}
    drawn = {name: render(cases[name]).decode() for name in PLAIN}
    for name in FOOTAGE:
        drawn[name] = render(getattr(footage, name)(), footage.thumbnail).decode()
    return drawn


@pytest.mark.parametrize("name", CASES)
def test_document_is_whole(pages: dict[str, str], name: str) -> None:
    page = Page(pages[name])
    assert pages[name].startswith("<!doctype html>\n")
    assert [html_id for html_id, number in page.ids.items() if number > 1] == []
    assert [href for href in page.hrefs if href[1:] not in page.ids] == []
    assert all(href.startswith("#") for href in page.hrefs)
    assert [section for section in SECTIONS if section not in page.ids] == []
    assert page.tags["main"] == page.tags["h1"] == page.tags["nav"] == 1
    assert '<html lang="en">' in pages[name]
    steps = zip(page.headings, page.headings[1:], strict=False)
    assert page.headings[0] == 1 and all(later <= before + 1 for before, later in steps)


@pytest.mark.parametrize("name", CASES)
def test_nothing_active_and_nothing_from_outside(pages: dict[str, str], name: str) -> None:
    html, page = pages[name], Page(pages[name])
    assert "<script" not in html.lower()
    assert not set(page.attributes) & {"style", "srcset", "action", "data", "poster"}
    assert bool(page.pictures) == (name in FOOTAGE) and page.tags["img"] == page.attributes["src"]
    assert all(src.startswith("data:image/png;base64,") and alt for src, alt in page.pictures)
    assert not [attribute for attribute in page.attributes if attribute.startswith("on")]
    assert not set(page.tags) & {"link", "iframe", "object", "form", "base", "image", "use"}
    assert "http:" not in html and "https:" not in html and "url(" not in html


@pytest.mark.parametrize("name", CASES)
def test_policy_allows_the_one_style_and_nothing_else(pages: dict[str, str], name: str) -> None:
    styles = re.findall(r"<style>(.*?)</style>", pages[name], re.DOTALL)
    assert len(styles) == 1 and pages[name].count("<style") == 1
    digest = base64.b64encode(hashlib.sha256(styles[0].encode()).digest()).decode()
    images = " img-src data:;" if name in FOOTAGE else ""
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', pages[name])
    assert policy and policy[1] == (
        f"default-src 'none'; style-src 'sha256-{digest}';{images} base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("name", CASES)
def test_pictures_are_well_formed_and_explained(pages: dict[str, str], name: str) -> None:
    pictures = re.findall(r'<svg class="spread".*?\n</svg>', pages[name], re.DOTALL)
    assert bool(pictures) == (name != "empty")
    for picture in pictures:
        root = ElementTree.fromstring(picture)
        assert root.findtext("title") and root.findtext("desc")
        marks = [one for one in root.iter("a") if (one.get("class") or "").startswith("mark")]
        assert marks and all(mark.findtext("title") for mark in marks)
        for shape in root.iter():
            numbers = " ".join(shape.get(key) or "" for key in ("x", "y", "d", "cx", "cy"))
            assert "nan" not in numbers and "inf" not in numbers


def test_the_words_draw_no_conclusion(pages: dict[str, str]) -> None:
    for name in ("courtyard", "empty", "many_3000", "examined", "traced"):
        words = set(re.findall(r"[a-z]+", Page(pages[name]).text.lower()))
        assert words & set(VERDICTS) == set()


@pytest.mark.parametrize("name", PLAIN)
def test_every_page_says_what_was_not_done(pages: dict[str, str], name: str) -> None:
    text = re.sub(r"\s+", " ", Page(pages[name]).text)
    assert "No footage was decoded; copies, place and time have not been examined." in text
    assert "What this does not prove" in text
    assert "no outside anchor, so a rollback is not excluded" in text
    for word in ("absent", "failed", "refused", "not tried", "cannot tell"):
        assert word in text


def test_the_courtyard_is_told_in_full(pages: dict[str, str]) -> None:
    text = re.sub(r"\s+", " ", Page(pages["courtyard"]).text)
    for words in (
        "11 items: 2 videos, 1 image, 1 sound recording, 2 documents, 4 chat exports, 1 other file",
        "26 posts and 2 service messages in 5 channels.",
        "1 May 2026 08:15:00 to 3 May 2026 21:40:00 UTC",
        "cannot tell which of 4 posts, since their times overlap; 1 post without a known time",
        "3 absent: the export does not include the file.",
        "1 refused: unsafe member: it climbs out of the folder.",
        "between 2026-05-01 08:15:00 and 2026-05-02 10:15:00 uncertain by 26 h",
        "absent: not included in the export",
        "not held although the export includes it",
        "2 channels of this name are held: cannot tell which",
        "album, inferred with post 42",
        "content and name differ",
        "bytes destroyed on purpose",
        "3 d 3 h , to the last entry",
        "the clock was set back by 2.150 s",
        "open: no outcome was logged, cannot tell what was left out",
        "(chat 2 of export item:",
    ):
        assert words in text, words


def test_hostile_text_is_shown_and_does_nothing(pages: dict[str, str], example: ModuleType) -> None:
    html = pages["hostile"]
    assert "<script" not in html and "&lt;script&gt;alert(1)" in html
    for char in "\u202e\u202c\u200b\x00\x1b":
        assert char in example.HOSTILE and char not in html
    text = Page(html).text
    assert "\\u202egnp.exe\\u202c\\u200b" in text and "<b onclick='x'>" in text
    assert "\\x00\\x1b[31m" in text and "النص" in text


def test_a_long_text_stands_whole_behind_a_fold(example: ModuleType) -> None:
    text = "line one\n" + "Ж" * 4000 + "\nlast words"
    data = msgspec.structs.replace(
        example.empty(), posts=(example.make_post("lane", 2, example.exact(4), text=text),)
    )
    html = render(data).decode()
    assert "Whole text, 4,020 characters" in html
    assert text in html and "line one ↵ Ж" in html


def test_same_record_same_bytes_whatever_the_machine(example: ModuleType) -> None:
    here = hashlib.sha256(render(example.courtyard())).hexdigest()
    assert hashlib.sha256(render(example.courtyard())).hexdigest() == here
    code = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1]); import example_data;"
        "from muniment.report.page import render;"
        "print(hashlib.sha256(render(example_data.courtyard())).hexdigest())"
    )
    for seed, zone in (("1", "Asia/Kathmandu"), ("2", "America/St_Johns")):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        done = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_order_of_mappings_does_not_show(example: ModuleType) -> None:
    data = example.courtyard()
    custody = data.custody
    turned = msgspec.structs.replace(
        custody, entry_counts=dict(reversed(custody.entry_counts.items()))
    )
    assert render(msgspec.structs.replace(data, custody=turned)) == render(data)


def test_a_hundred_thousand_posts_are_counted_and_cut(example: ModuleType) -> None:
    data = example.many(100_000, 60, 12 * 365 * 86_400)
    started_s = time.process_time()
    html = render(data).decode()
    assert time.process_time() - started_s < 5
    assert html.count('<tr id="post-') == 2000
    assert "98,000 more are in the case; <code>muniment log</code> lists them." in html
    page = Page(html)
    assert [href for href in page.hrefs if href[1:] not in page.ids] == []
    assert len(html) < 4_000_000


def test_colours_have_contrast() -> None:
    sheet = (Path(render.__code__.co_filename).parent / "templates/report.css").read_text("utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", sheet))
    for name in ("ink", "soft", "blue", "rust", "ochre"):
        for ground in ("#ffffff", colours["wash"], "#fdf3d8"):
            assert _contrast(colours[name], ground) >= 4.5, (name, ground)


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
