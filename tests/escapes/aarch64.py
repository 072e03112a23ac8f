"""Makes the files for aarch64.sh, and judges its trace and answers."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import msgspec

from muniment.examine import reading, registry
from muniment.model.examine import Wanted
from muniment.sandbox.syscalls import AARCH64, REFUSED, WORKER, number
from tests.media import making
from tests.media.papers import pdf
from tests.media.running import examined

FILES = {
    "mp4": (making.mp4, "video/mp4"),
    "webm": (making.webm, "video/webm"),
    "avi": (making.avi, "video/x-msvideo"),
    "ogg": (making.voice, "audio/ogg"),
    "gif": (making.gif, "image/gif"),
    "heic": (lambda: making.heic(tile_px=64), "image/heic"),
    "avif": (lambda: making.still("AVIF"), "image/avif"),
    "cut": (lambda: making.mp4()[:20_000], "video/mp4"),
    "html": (lambda: b"<html><body><p>Text.</p></body></html>", "text/html"),
    "mail": (lambda: making.mail_nested(3), "message/rfc822"),
    "pdf": (pdf, "application/pdf"),
    **{
        form.lower(): (lambda form=form: making.still(form), f"image/{form.lower()}")  # type: ignore[misc]
        for form in ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
    },
}
_CALL = re.compile(r"^\d+ (\w+)\((.*)")
#: Made by a thread as it begins; where the filter is on, there is none.
_OF_THREADS = ("set_robust_list", "rseq")
#: qemu prints these by name.
_FCNTL = ("F_DUPFD", "F_GETFD", "F_SETFD", "F_GETFL", "F_DUPFD_CLOEXEC")


def make(folder: Path) -> None:
    """Lay down the files and what is asked about each."""
    for name, (made, kind) in FILES.items():
        data = made()
        (folder / name).write_bytes(data)
        wanted = Wanted(registry.wanted_for(kind), kind, len(data), {})
        (folder / f"{name}.request").write_bytes(msgspec.msgpack.encode(wanted))


def judge(folder: Path) -> int:
    """Print the calls and how the worker's list has them; 1 if any would kill."""
    lines = (folder / "trace").read_text("utf-8", "replace").splitlines()
    start = next(at for at, line in enumerate(lines) if " write(2," in line)
    found: Counter[tuple[str, str]] = Counter()
    for line in lines[start:]:
        match = _CALL.match(line)
        if match:
            found[match[1], _kind(match[1], match[2])] += 1
    for (name, how), times in sorted(found.items(), key=lambda one: (one[0][1], one[0][0])):
        print(f"{how:9} {times:6} {name}")
    for name, (_, kind) in FILES.items():
        there = reading.examined((folder / "in" / f"{name}.answer").read_bytes())
        here = examined((folder / "in" / name).read_bytes(), kind)
        same = (there.findings, there.problem) == (here.findings, here.problem)
        print(f"{name}: {'the same bytes as here' if same else 'other bytes than here'}")
    return int(any(how == "KILLS" for _, how in found))


def _kind(name: str, arguments: str) -> str:
    if name in _OF_THREADS:
        return "no thread"
    name = {"exit": "exit", "pread": "pread64"}.get(name, name)
    if name in REFUSED:
        return "refused"
    if name not in WORKER or number(name, AARCH64) is None:
        return "KILLS"
    forbidden = {"mmap": ("PROT_EXEC", "MAP_SHARED"), "mprotect": ("PROT_EXEC",)}.get(name, ())
    if any(word in arguments for word in forbidden):
        return "KILLS"
    if name == "fcntl" and arguments.split(",")[1] not in _FCNTL:
        return "refused"
    return "free"


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        sys.exit(judge(Path(sys.argv[2])))
