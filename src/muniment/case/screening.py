"""Many files of strangers held against a case by their key frames: which to examine first, no verdict.

Only pictures that can be decoded alone are decoded, confined like everything else, and searched in
the case's fingerprint index. Nothing is written and nothing is concluded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from muniment.case import searching, tracing
from muniment.case.comparing import Files
from muniment.case.damage import Damage
from muniment.case.progress import Progress
from muniment.engine import supervisor
from muniment.errors import InputError, MalformedError, MunimentError
from muniment.model.display import visible
from muniment.model.examine import Examined
from muniment.model.ids import short
from muniment.sandbox.host import Zygote
from muniment.store.layout import CaseFolder
from muniment.trace import clip as clips
from muniment.trace.candidates import Collection
from muniment.trace.register import Looked

#: items of the case that are named for one file
MOST_NAMED: Final = 10


class _Screened(Files):
    """A file that cannot be screened is told with what is wrong, and the others go on."""

    def __init__(self) -> None:
        super().__init__(keys_only=True)

    def refused(self, key: Path, error: Exception) -> tuple[Path, Examined]:
        what = error.what if isinstance(error, MunimentError) else str(error)
        return key, Examined(detail=what)


def screen(
    folder: CaseFolder, named: Iterable[Path], zygote: Zygote, progress: Progress
) -> dict[str, Any]:
    """`muniment trace screen`: the files whose key frames are near footage of the case, the nearest
    first.

    Args:
        named: files, and folders whose files are all taken.
    Returns:
        `files` (how many), `near` (of each: `file`, `nearness`, `items` of `item`, `name`,
        `nearness`), `notices` (a line for each that could not be screened, or be read in the case).
    Raises:
        MunimentError: if a path is not there or the case cannot be read.
    """
    files = list(dict.fromkeys(one for path in named for one in _below(path)))
    index = searching.open_index(folder)
    try:
        names = dict(index.rows("SELECT object, path FROM item ORDER BY idx DESC"))
        damage = Damage(folder, index)
        held = tracing.collection(folder, index, damage, searching.memory_of(folder))
    finally:
        index.close()
    notices = list(damage.lines)
    near: list[dict[str, Any]] = []
    progress.start("Screening", len(files), "files")
    for path, examined in supervisor.map(_Screened(), files, zygote):
        progress.advance()
        try:
            found = _near(path, examined, held)
        except MalformedError as error:
            notices.append(f"{visible(os.fspath(path))} was not screened: {error.what}")
            continue
        items = [
            {
                "item": short("item", held.shelf.names[number]),
                "name": names.get(held.shelf.names[number]) or "",
                "nearness": round(weight, 2),
            }
            for number, weight in found[:MOST_NAMED]
        ]
        if items:
            near.append({"file": os.fspath(path), "nearness": items[0]["nearness"], "items": items})
    near.sort(key=lambda one: (-one["nearness"], one["file"]))
    return {"files": len(files), "near": near, "notices": sorted(notices)}


def _near(path: Path, examined: Examined, held: Collection) -> list[tuple[int, float]]:
    """Clips of the case near a file, and how near, the nearest first.

    Raises:
        MalformedError: if nothing of it could be decoded.
    """
    findings = {
        one.examiner: (one.facts, {blob.name: blob.data for blob in one.blobs})
        for one in examined.findings
    }
    told = examined.detail or str(examined.problem or "holds no picture that can be decoded alone")
    clip = clips.clip(os.fspath(path), findings) if findings else None
    if clip is None or not len(clip.hashes):
        raise MalformedError(visible(told))
    return held.nearest(Looked(clip))


def _below(path: Path) -> Iterator[Path]:
    """The file, or all files of a folder and those below it; links are not followed."""
    if not path.exists():
        raise InputError("not found", subject=str(path), remedy="Check the path.")
    if not path.is_dir():
        yield path
        return
    for parent, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            found = Path(parent) / name
            if found.is_file() and not found.is_symlink():
                yield found
