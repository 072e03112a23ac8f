"""Big files: taking them in (with a copy) and checking them, against hashlib's rate in this run."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from benchmarks import cases
from benchmarks.measure import MB, Cost, Row, floor, hash_rate, median, run, seconds, spent
from muniment.custody.verify_checks import check_objects
from muniment.custody.verify_log import LogPass
from muniment.store.layout import CaseFolder
from muniment.store.reading import FolderReader

FILES = 8
#: files for `verify` alone, of which start-up is a smaller part
MORE_FILES = 24
FILE_BYTES = 256 * MB
TIMES = 3


def rows(scratch: Path) -> list[Row]:
    """Ingest of 8 files of 256 MB, and verification of the case that holds them.

    Ours are medians of three. Before each run a copy is made and thrown away: on a virtual
    machine the host gives memory at its first touch, which costs more than the copy and is
    nobody's figure. Start-up (imports, Argon2id) is measured on a case of one tiny file.
    """
    source = cases.random_files(scratch / "source", FILES, FILE_BYTES)
    _copied(scratch, source)
    limit = hash_rate()
    # Once before, so that making the keys (Argon2id) is not counted.
    tiny = cases.random_files(scratch / "tiny", 1, 100)
    cases.collected(scratch, scratch / "first", tiny)
    started = cases.collected(scratch, scratch / "second", tiny)
    opened = cases.verify(scratch, scratch / "second")
    copied = median([_copied(scratch, source) for _ in range(TIMES)])
    built = median([_built(scratch, source) for _ in range(TIMES)])
    objects = median([_objects_check(scratch / "case") for _ in range(TIMES)])
    checked = median([cases.verify(scratch, scratch / "case") for _ in range(TIMES)])
    digested = median([_file_digest(source) for _ in range(TIMES)])
    bag = cases.linked(source, scratch / "bag")
    made = cases.bagit(scratch, bag, "--sha256")
    validated = cases.bagit(scratch, bag, "--validate")
    beyond, checked_beyond = _less(built, started), _less(checked, opened)
    for made_before in ("source", "case", "bag"):
        shutil.rmtree(scratch / made_before)
    cases.collected(
        scratch, scratch / "more", cases.random_files(scratch / "many", MORE_FILES, FILE_BYTES)
    )
    larger = median([cases.verify(scratch, scratch / "more") for _ in range(TIMES)])
    return [
        _row("collect (hash, copy, sync, log)", built, 0.32, limit, "`cp -r`", copied),
        _row("the same", built, None, limit, "bagit create (copies nothing)", made),
        _row("collect, less its start-up", beyond, None, limit, "`cp -r`", copied),
        _row("verify, objects check alone", objects, 0.80, limit, "hashlib.file_digest", digested),
        _row("verify, whole command", checked, 0.80, limit, "bagit validate", validated),
        _row("verify, less its start-up", checked_beyond, None, limit, "bagit validate", validated),
        _row("verify, whole command", larger, 0.80, limit, "-", None, MORE_FILES),
    ]


def _copied(scratch: Path, source: Path) -> Cost:
    cost, _ = run(["cp", "-r", source, scratch / "copy"], os.environ, scratch)
    shutil.rmtree(scratch / "copy")
    return cost


def _built(scratch: Path, source: Path) -> Cost:
    shutil.rmtree(scratch / "case", ignore_errors=True)
    _copied(scratch, source)
    return cases.collected(scratch, scratch / "case", source)


def _less(cost: Cost, start: Cost) -> Cost:
    return Cost(cost.cpu_s - start.cpu_s, cost.wall_s - start.wall_s)


def _objects_check(case: Path) -> Cost:
    with spent() as result:
        check, _, _ = check_objects(LogPass(None, None), FolderReader(CaseFolder(case)))
    if check.found:
        raise RuntimeError(f"{check.found} objects are wrong")
    return Cost(result.cpu_s, result.wall_s)


def _file_digest(source: Path) -> Cost:
    with spent() as result:
        for path in source.rglob("*.mp4"):
            with path.open("rb") as stream:
                hashlib.file_digest(stream, "sha256")
    return Cost(result.cpu_s, result.wall_s)


def _row(
    name: str,
    ours: Cost,
    target: float | None,
    limit: float,
    peer: str,
    theirs: Cost | None,
    files: int = FILES,
) -> Row:
    amount = files * FILE_BYTES
    rate = amount / ours.cpu_s
    peer_rate = amount / theirs.cpu_s if theirs else None
    share = rate / limit
    return Row(
        f"{amount // MB:,} MB in {files} files: {name}",
        f"{floor(rate / MB)} MB per CPU s = {floor(share, 3)} of hashlib's {floor(limit / MB)}",
        f">= {target:.2f} of hashlib" if target else "-",
        share >= target if target else None,
        f"{peer}: {floor(peer_rate / MB)} MB per CPU s ({floor(peer_rate / limit, 3)})"
        if peer_rate
        else "-",
        f"{floor(rate / peer_rate, 2)} x peer" if peer_rate else "-",
        seconds(ours),
    )
