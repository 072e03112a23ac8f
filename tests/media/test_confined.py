"""In the sandbox the worker gives the same bytes as outside, and the same errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.media import making
from tests.media.papers import WORD, docx, pdf
from tests.media.running import Confined, examined


@pytest.fixture(scope="module", params=[(), ("namespaces",)], ids=["all layers", "no namespaces"])
def confined(request: pytest.FixtureRequest) -> Iterator[Confined]:
    """As here, and as on a machine where user namespaces are forbidden."""
    runner = Confined(*request.param)
    yield runner
    runner.close()


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: making.mp4(), "video/mp4"),
        (lambda: making.webm(), "video/webm"),
        (lambda: making.avi(), "video/x-msvideo"),
        (lambda: making.voice(), "audio/ogg"),
        (lambda: making.still("JPEG"), "image/jpeg"),
        (lambda: making.still("PNG"), "image/png"),
        (lambda: making.still("WEBP"), "image/webp"),
        (lambda: making.still("TIFF"), "image/tiff"),
        (lambda: making.gif(), "image/gif"),
        (lambda: making.still("AVIF"), "image/avif"),
        (lambda: making.heic(), "image/heic"),
        (lambda: making.heic(tile_px=64), "image/heic"),
        (lambda: making.mp4()[:20_000], "video/mp4"),
        (lambda: b"<html><body><p>Text.</p></body></html>", "text/html"),
        (lambda: making.entity_bomb(), "application/xml"),
        (lambda: making.mail_nested(3), "message/rfc822"),
        (pdf, "application/pdf"),
        (lambda: pdf("secret"), "application/pdf"),
        (lambda: docx("<w:p><w:t>x</w:t></w:p>"), WORD),
        (lambda: "Склад".encode("cp1251"), "text/plain"),
    ],
)
def test_same_inside_and_outside(confined: Confined, make: Callable[[], bytes], kind: str) -> None:
    data = make()
    assert confined(data, kind) == examined(data, kind)
