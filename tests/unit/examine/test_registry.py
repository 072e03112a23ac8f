"""The registry: what is asked for which object, and that the host need not decode to read it."""

from __future__ import annotations

import subprocess
import sys

from muniment.examine import registry

FILM = registry.wanted_for("video/mp4")


def test_versions_are_those_of_the_classes() -> None:
    for one in registry.fed(registry.FED):
        assert registry.VERSIONS[one.name] == one.version


def test_the_host_loads_no_decoder() -> None:
    code = (
        "import sys; from muniment.examine import reading, registry; "
        "sys.exit(any(name in sys.modules for name in ('av', 'PIL', 'lxml', 'pypdf')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_asked_follows_content_then_name() -> None:
    assert registry.passes("video/mp4", "text/plain")[0] == ("video/mp4", FILM)
    assert registry.passes("application/x-executable", "video/mp4") == [("video/mp4", FILM)]
    assert registry.passes("application/octet-stream", None) == []
    assert registry.passes("application/x-empty", "text/plain") == []
    assert registry.passes("application/x-empty", "video/mp4") == [("video/mp4", FILM)]
    assert registry.passes("text/html", None) == [("text/html", ("document",))]
    assert registry.passes("application/octet-stream", "text/plain") == [
        ("text/plain", ("document",))
    ]
    assert registry.passes("image/jpeg", "image/jpeg") == [
        ("image/jpeg", ("container", "frames", "fingerprint"))
    ]
