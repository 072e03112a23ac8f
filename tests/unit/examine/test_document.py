"""Text of documents: what is read, where it stands, and what is refused by name."""

from __future__ import annotations

import json
import os
import time
from email.message import EmailMessage

import pytest

from muniment.examine import document_html, worker
from muniment.model.examine import Examined, Problem, Wanted
from tests.media import making
from tests.media.papers import WORD, docx, pdf


def read(data: bytes, kind: str | None = None) -> Examined:
    fd = os.memfd_create("document")
    try:
        os.write(fd, data)
        return worker.examined(Wanted(("document",), kind, len(data)), fd)
    finally:
        os.close(fd)


def parts(found: Examined) -> list[tuple[str, str, int]]:
    assert found.problem is None, found.detail
    (finding,) = found.findings
    text = finding.blobs[0].data.decode()
    placed = json.loads(finding.blobs[1].data)
    assert placed["version"] == 1
    return [(text[start:end], kind, number) for start, end, kind, number, *_ in placed["parts"]]


def test_html_blocks_without_scripts() -> None:
    page = (
        "<html><head><title>T</title><style>x{}</style></head><body><h1>Head &amp; shoulders</h1>"
    )
    page += "<p>One <b>two</b>\n three.</p><script>alert(1)</script><ul><li>a<li>b</ul>tail</body>"
    assert parts(read(page.encode())) == [
        ("T", "heading", 1),
        ("Head & shoulders", "heading", 2),
        ("One two three.", "block", 1),
        ("a", "block", 2),
        ("b", "block", 3),
        ("tail", "block", 4),
    ]


@pytest.mark.parametrize("opening", [b"<div>", b"<b>", b"<table><tr><td>"])
def test_html_nested_100_000_deep(opening: bytes) -> None:
    found = read(b"<!DOCTYPE html><html><body>" + opening * 100_000)
    assert found.problem is Problem.BAD_STRUCTURE
    assert "nest deeper" in found.detail
    page = "\ufeff<!DOCTYPE html><html><body>" + opening.decode() * 100_000
    found = read(page.encode("utf-16-le"), "text/html")
    assert found.problem is Problem.BAD_STRUCTURE and "nest deeper" in found.detail


def test_plain_text_counts_lines() -> None:
    assert parts(read("first\nsecond\n\n\nfifth é".encode())) == [
        ("first\nsecond", "line", 1),
        ("fifth é", "line", 4),
    ]


def test_old_cyrillic_encoding_is_guessed_and_noted() -> None:
    found = read("Склад был пуст в понедельник утром.".encode("cp1251"), "text/plain")
    assert parts(found)[0][0].startswith("Склад")
    assert "encoding guessed" in [note.what for note in found.notes]


def test_zero_byte_is_named() -> None:
    found = read(b"some words and then" + b"\0" + b"more", "text/plain")
    assert found.problem is Problem.MALFORMED
    assert "byte 19" in found.detail


def test_entity_bomb_and_deep_xml() -> None:
    bomb = read(making.entity_bomb(), "application/xml")
    assert (bomb.problem, "entities" in bomb.detail) == (Problem.BAD_STRUCTURE, True)
    deep = read(b"<?xml version='1.0'?>" + b"<a>" * 100_000, "application/xml")
    assert deep.problem is Problem.BAD_STRUCTURE and "deeper" in deep.detail
    broken = read(b"<?xml version='1.0'?>\n<a><b></a>", "application/xml")
    assert broken.problem is Problem.MALFORMED and "line 2" in broken.detail


def test_docx_paragraphs_and_macros() -> None:
    body = "<w:p><w:r><w:t>One</w:t></w:r><w:r><w:tab/><w:t>two</w:t></w:r></w:p>"
    body += "<w:p><w:t>Three</w:t></w:p>"
    found = read(docx(body, **{"word__vbaProject.bin": b"x"}), WORD)
    assert parts(found) == [("One two", "paragraph", 1), ("Three", "paragraph", 2)]
    assert "macros, not run" in [note.what for note in found.notes]


def test_docx_bomb_is_refused() -> None:
    found = read(docx("<w:p/>", **{"word__footnotes.xml": b"<a>" + bytes(70 << 20)}), WORD)
    assert found.problem is Problem.BAD_STRUCTURE
    assert "unsafe member word/footnotes.xml" in found.detail


def test_mail_with_attachment() -> None:
    message = EmailMessage()
    message["From"], message["To"] = "a@example.org", "b@example.org"
    message["Subject"] = "Überfall am Hof"
    message["Date"] = "Mon, 13 Sep 2021 09:00:00 +0200"
    message["Message-ID"] = "<1@example.org>"
    message.set_content("See attached.\n")
    message.add_attachment(b"\xff\xd8\xff", maintype="image", subtype="jpeg", filename="x.jpg")
    found = read(message.as_bytes(), "message/rfc822")
    texts = [text for text, *_ in parts(found)]
    assert "Subject: Überfall am Hof" in texts and "See attached." in texts
    (attached,) = found.findings[0].facts["attachments"]
    assert (attached["name"], attached["size_bytes"]) == ("x.jpg", 3)


def test_mail_nested_too_deeply() -> None:
    found = read(making.mail_nested(2_000), "message/rfc822")
    assert found.problem is Problem.BAD_STRUCTURE
    assert "deeper" in found.detail


def test_pdf_by_pages() -> None:
    found = read(pdf())
    assert [text for text, *_ in parts(found)] == ["First page", "Second page"]
    placed = json.loads(found.findings[0].blobs[1].data)["parts"]
    assert [part[4] for part in placed] == [1, 2]


def test_pdf_problems_are_named() -> None:
    assert read(pdf("secret")).problem is Problem.ENCRYPTED
    assert read(pdf()[:300]).problem is Problem.TRUNCATED
    assert read(b"%PDF-1.7\n" + bytes(3_000) + b"%%EOF").problem is Problem.BAD_STRUCTURE


def test_long_text_is_cut_with_a_note() -> None:
    found = read(("word " * 2_000 + "\n\n").encode() * 700, "text/plain")
    assert found.problem is None and found.findings[0].facts["cut"] is True
    assert "text cut" in [note.what for note in found.notes]


def test_media_taken_for_a_document() -> None:
    found = read(making.mp4(), "application/pdf")
    assert found.problem is Problem.TYPE_MISMATCH


def test_html_of_300_000_attributes_costs_little() -> None:
    before_s = time.process_time()
    found = read(b"<p " + b" ".join(b"a%d=1" % at for at in range(300_000)) + b">x</p>")
    assert found.problem is Problem.BAD_STRUCTURE and "more than 500 attributes" in found.detail
    assert time.process_time() - before_s < 2


MANY = " ".join(f"a{at}" for at in range(600))


@pytest.mark.parametrize(
    "page",
    [
        f"<p {MANY}>",
        f"<p/{MANY.replace(' ', '/')}>",
        f"<p {MANY}",
        f"<!-- a --><p\n{MANY}>",
        f"<p t='>' {MANY}>",
        f"<script {MANY}></script>",
        f"<script>x</script><p {MANY}>",
        f"<!--><p {MANY}>-->",
        '<p a="x"' + "".join(f'b{at}="y"' for at in range(600)) + ">",
        f"<p a < {MANY}>",
    ],
)
def test_html_with_too_many_attributes_is_refused(page: str) -> None:
    assert read(b"<html><body>" + page.encode()).problem is Problem.BAD_STRUCTURE


@pytest.mark.parametrize(
    "page",
    [
        f"<script>for(i=0;i<n;i++){{ {MANY} }}</script>",
        f"<style>{MANY} <p {MANY}</style>",
        f"<!-- <p {MANY}> -->",
        f"<p title='{MANY}'>",
        f'<img src="data:,{MANY.replace(" ", "/")}">',
        f"<p>{MANY} 1 < 2 {MANY}</p>",
        "<p a b c>" * 1_000,
    ],
)
def test_html_with_words_that_are_no_attributes_is_read(page: str) -> None:
    found = read(b"<html><body>" + page.encode() + b"<p>needle</p>")
    assert found.problem is None and b"needle" in found.findings[0].blobs[0].data


@pytest.mark.parametrize("kind", ["tag", "quote", "comment", "script"])
def test_checking_html_costs_as_much_as_it_is_long(kind: str) -> None:
    piece = {"tag": "<a b>", "quote": "<p a='<!--'>", "comment": "<!--", "script": "<script>"}[kind]
    before_s = time.process_time()
    document_html._check_attributes(piece * 300_000)
    assert time.process_time() - before_s < 3


@pytest.mark.parametrize("charset", ["idna", "punycode", "hex", "no-such", "undefined"])
def test_a_charset_that_cannot_be_read_is_guessed(charset: str) -> None:
    head = f"From: a@b\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
    found = read(head.encode() + b"h\xf6he .. a..b harbour\r\n" * 3, "message/rfc822")
    assert found.problem is None, found.detail
    assert any("harbour" in text for text, *_ in parts(found))
