"""`verify` for a case folder: the pure verifier, and the projection rebuilt in the same pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from muniment.case import reporting
from muniment.case.index import Index
from muniment.case.progress import Progress, Silent
from muniment.custody import checkpoint as checkpoints
from muniment.custody.verify import Pins
from muniment.custody.verify import verify as verify_evidence
from muniment.errors import (
    EXIT_INTEGRITY,
    InputError,
    IntegrityError,
    MalformedError,
    UsageError,
)
from muniment.model.entries import Entry
from muniment.model.verify import Check, Finding, Status, Verdict
from muniment.report.page import render
from muniment.store.layout import CaseFolder, find
from muniment.store.reading import FolderReader

_NAME = "projection"


def pins(root: str | None, since: str | None) -> Pins:
    """Pins from what a person gives: a fingerprint; `SIZE:ROOT-HEX` or a checkpoint file.

    Raises:
        UsageError: if either is not in its form.
    """
    if root is not None and (len(root) != 64 or not set(root.lower()) <= set("0123456789abcdef")):
        raise UsageError(
            "is no root fingerprint",
            subject=root[:80],
            remedy="It is 64 hexadecimal digits, as `muniment build` printed it.",
        )
    if since is None:
        return Pins(root)
    path = Path(since)
    try:
        if path.is_file():
            note = checkpoints.parse(path.read_bytes())
            return Pins(root, (note.size, note.root), note)
        return Pins(root, checkpoints.short_form(since))
    except (MalformedError, OSError) as error:
        raise UsageError(
            "is neither a checkpoint file nor SIZE:ROOT-HEX",
            subject=since[:80],
            remedy="Give what `muniment build` printed, or a copy of log/checkpoint.",
        ) from error


def case_folder(path: Path) -> CaseFolder:
    """The folder to verify: `path` itself when it looks like a case, even a damaged one, else the
    case above it.

    Raises:
        NoCaseError: if there is none.
    """
    here = CaseFolder(path)
    if here.root.exists() or here.entries.exists() or here.objects.exists():
        return here
    return find(path)


class _WatchedReader(FolderReader):
    """Tells a progress of each object as it is handed out."""

    def __init__(self, folder: CaseFolder, progress: Progress) -> None:
        super().__init__(folder)
        self._progress = progress

    def objects(self) -> Iterator[tuple[str, Iterable[bytes | memoryview] | str]]:
        self._progress.start("Checking objects", self.object_count(), "objects")
        for one in super().objects():
            yield one
            self._progress.advance()


def verify(folder: CaseFolder, pinned: Pins, progress: Progress | None = None) -> Verdict:
    """Every named check over a case folder; changes nothing.

    Raises:
        InputError: if a file is there and cannot be read.
    """
    index, memory, problem = _open(folder)
    reader = _WatchedReader(folder, progress or Silent())
    limit = index.size if index else 0

    def observe(number: int, entry: Entry, leaf: str, values: dict[str, Any]) -> None:
        if index is not None and number < limit:
            try:
                memory.apply(number, entry, leaf, values)
            except IntegrityError as error:
                strange.append(Finding(error.subject, error.what))

    strange: list[Finding] = []
    try:
        verdict = verify_evidence(reader, pinned, observe)
        check = _compare(index, memory, problem, verdict.entries, strange)
        page = _check_report(folder, memory, verdict)
    finally:
        memory.close()
        if index:
            index.close()
    return msgspec.structs.replace(verdict, checks=(*verdict.checks, check, *page))


def _check_report(folder: CaseFolder, memory: Index, verdict: Verdict) -> tuple[Check, ...]:
    """Whether the page that people read is the one this case gives; nothing when there is none."""
    page = folder.report / "index.html"
    if not page.is_file():
        return ()
    name, again = "report", "`muniment report` draws it again"
    if verdict.exit_code or not (verdict.checkpoint or "").startswith(f"{memory.size}:"):
        why = f"the page is no evidence and was not compared; {again}"
        return (Check(name, Status.NOT_CHECKED, why),)
    if page.read_bytes() == render(reporting.facts_of(folder, memory)):
        return (Check(name, Status.PASS, "the page is byte for byte the one this case gives"),)
    finding = Finding("report/index.html", "is not the page this case and this version give")
    why = f"changed, or drawn by another version or of an earlier checkpoint; {again}"
    # Exit 0: the page is no evidence, and every later entry makes it older than the checkpoint.
    return (Check(name, Status.NOT_CHECKED, why, (finding,), 1),)


def _open(folder: CaseFolder) -> tuple[Index | None, Index, str]:
    memory = Index(None)
    if not folder.index.is_file() or not folder.index.stat().st_size:
        return None, memory, ""
    journal = folder.index.with_name(folder.index.name + "-journal")
    if journal.exists() and journal.stat().st_size:
        return None, memory, ""  # left mid-update; the next writing run rolls it back
    try:
        return Index(folder.index, read_only=True), memory, ""
    except IntegrityError as error:
        return None, memory, error.what


def _compare(
    index: Index | None, memory: Index, problem: str, size: int, strange: list[Finding]
) -> Check:
    remedy = "; `muniment rebuild` derives it anew from the log"
    if problem:
        finding = Finding("work/index.sqlite", problem)
        return Check(_NAME, Status.FAIL, "is damaged" + remedy, (finding,), 1, EXIT_INTEGRITY)
    if index is None:
        return Check(
            _NAME, Status.NOT_CHECKED, "there is none; it is derived from the log" + remedy
        )
    findings = list(strange)
    if index.size > size:
        findings.append(Finding("work/index.sqlite", f"has applied {index.size} entries of {size}"))
    try:
        ours, theirs = memory.table_digests(), index.table_digests()
        findings += [
            Finding(f"work/index.sqlite table {name}", "is not what the log says")
            for name in ours
            if ours[name] != theirs[name]
        ]
    except (IntegrityError, InputError) as error:
        findings.append(Finding("work/index.sqlite", error.what))
    if findings:
        return Check(
            _NAME,
            Status.FAIL,
            "what pages and reports are drawn from differs from the log" + remedy,
            tuple(findings),
            len(findings),
            EXIT_INTEGRITY,
        )
    detail = f"equal, table by table, to one derived from the first {index.size} of {size} entries"
    return Check(_NAME, Status.PASS, detail)
