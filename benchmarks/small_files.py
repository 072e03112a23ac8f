"""100,000 files of about 3 kB: taking them in, checking the objects alone, and the whole verify."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from benchmarks import cases
from benchmarks.measure import Cost, Row, floor, median, run, seconds, spent
from muniment.custody.verify_checks import check_objects
from muniment.custody.verify_log import LogPass
from muniment.store.layout import CaseFolder
from muniment.store.reading import FolderReader

FILES = 100_000
FILE_BYTES = 3_000
TRACED_FILES = 2_000


def rows(scratch: Path) -> list[Row]:
    """Ingest, objects check, whole verify; bagit-python beside each."""
    source = cases.random_files(scratch / "source", FILES, FILE_BYTES)
    bag = cases.linked(source, scratch / "bag")
    copied, _ = run(["cp", "-r", source, scratch / "copy"], os.environ, scratch)
    shutil.rmtree(scratch / "copy")
    built = cases.collected(scratch, scratch / "case", source)
    objects = median([_objects_check(scratch / "case") for _ in range(3)])
    checked = cases.verify(scratch, scratch / "case")
    made = cases.bagit(scratch, bag, "--sha256")
    validated = cases.bagit(scratch, bag, "--validate")
    name = f"{FILES:,} files of {FILE_BYTES:,} B"
    peer = f"bagit validate: {floor(FILES / validated.cpu_s)} files per CPU s"
    speed = FILES / objects.cpu_s
    found = [
        Row(
            f"{name}: collect",
            f"{floor(FILES / built.cpu_s)} files per CPU s",
            peer=f"bagit create (copies nothing): {floor(FILES / made.cpu_s)} files per CPU s",
            ratio=f"{floor(made.cpu_s / built.cpu_s, 2)} x peer",
            cost=seconds(built),
        ),
        Row(
            f"{name}: the same",
            f"{floor(FILES / built.cpu_s)} files per CPU s",
            peer=f"`cp -r` (syncs nothing): {floor(FILES / copied.cpu_s)} files per CPU s",
            ratio=f"{floor(copied.cpu_s / built.cpu_s, 2)} x peer",
            cost=seconds(built),
        ),
        Row(
            f"{name}: objects check",
            f"{floor(speed)} files per CPU s",
            ">= 60,000 files per CPU s",
            speed >= 60_000,
            peer,
            f"{floor(validated.cpu_s / objects.cpu_s, 1)} x peer",
            seconds(objects),
        ),
        Row(
            f"{name}: whole verify (log, objects, projection)",
            f"{floor(FILES / checked.cpu_s)} files per CPU s",
            peer=peer,
            ratio=f"{floor(validated.cpu_s / checked.cpu_s, 1)} x peer",
            cost=seconds(checked),
        ),
    ]
    shutil.rmtree(scratch / "case")
    return found + _syncs(scratch)


def _objects_check(case: Path) -> Cost:
    """The check itself, in this process, over a log that names nothing (so nothing is missing)."""
    reader = FolderReader(CaseFolder(case))
    with spent() as result:
        check, _, count = check_objects(LogPass(None, None), reader)
    if check.found or count < FILES:
        raise RuntimeError(f"{count} objects, {check.found} of them wrong")
    return Cost(result.cpu_s, result.wall_s)


def _syncs(scratch: Path) -> list[Row]:
    """How many fsyncs and fdatasyncs a smaller run makes, counted by strace."""
    if shutil.which("strace") is None:
        return []
    source = cases.random_files(scratch / "fewer", TRACED_FILES, FILE_BYTES)
    trace = scratch / "trace"
    strace = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", str(trace)]
    build = [str(cases.MUNIMENT), "build", str(source), "--case", str(scratch / "traced")]
    options = ["--by", "Bench", "--why", "measuring", "--json"]
    run([*strace, *build, *options], cases.environment(scratch), scratch)
    calls = {m[2]: int(m[1]) for m in re.finditer(r"(\d+)\s+(\w*sync)$", trace.read_text(), re.M)}
    measured = ", ".join(f"{number:,} {name}" for name, number in sorted(calls.items()))
    return [Row(f"{TRACED_FILES:,} files of {FILE_BYTES:,} B: syncs of a build", measured)]
