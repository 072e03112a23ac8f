"""Run by aarch64.sh under qemu-user: what a worker does after it is confined, traced from a mark on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from muniment.examine import worker


def main(folder: Path) -> None:
    """Examine every `NAME` in the folder as `NAME.request` asks; answers in `NAME.answer`."""
    worker.preload()
    jobs = []
    for path in sorted(folder.glob("*.request")):
        source = os.open(path.with_suffix(""), os.O_RDONLY)
        answer = os.open(path.with_suffix(".answer"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        jobs.append((path.read_bytes(), source, answer))
    os.write(2, b"from here on a worker is confined\n")
    for request, source, answer in jobs:
        worker.run(request, source, lambda data, fd=answer: _all(fd, data))  # type: ignore[misc]
    os._exit(0)


def _all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
