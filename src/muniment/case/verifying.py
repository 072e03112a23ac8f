"""`verify` for a case folder: the pure verifier, and the projection rebuilt in the same pass."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

import muniment
from muniment.case.database import companions
from muniment.case.index import Index
from muniment.case.openssl import OpenSsl
from muniment.case.progress import Progress, Silent
from muniment.custody import checkpoint as checkpoints
from muniment.custody.judged import StampPins
from muniment.custody.keyring import KeyFolder
from muniment.custody.memory import Memory, page_line
from muniment.custody.verify import Pins
from muniment.custody.verify import verify as verify_evidence
from muniment.errors import (
    EXIT_INTEGRITY,
    EXIT_PARTLY,
    IntegrityError,
    LockedError,
    MalformedError,
    MunimentError,
    StorageError,
    UsageError,
)
from muniment.model.entries import Entry
from muniment.model.verify import Check, Finding, Status, Verdict
from muniment.model.vocabulary import bitcoin_blocks
from muniment.store.layout import CaseFolder, find
from muniment.store.reading import FolderReader

_NAME: Final = "projection"
_REMEDY: Final = "; `muniment rebuild` derives it anew from the log"
#: So many entries of the projection derived for comparison are held at a time.
DRAIN_ENTRIES: Final = 4096


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
        # A number and 64 digits are no path; nor is what is longer than any.
        if ":" not in since and path.is_file():
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


def authority_pins(pems: list[tuple[str, bytes]]) -> frozenset[str]:
    """Fingerprints of the time-stamping certificates in PEM files (name, bytes).

    Raises:
        UsageError: if one holds none.
    """
    # Only here: it takes longer to load than a small case to verify.
    from muniment.custody import token

    found: set[str] = set()
    for name, pem in pems:
        certificates = token.certificates(pem)
        if not certificates:
            raise UsageError(
                "holds no certificate in PEM",
                subject=name,
                remedy="Give the certificate as the authority publishes it.",
            )
        found |= {token.fingerprint(one) for one in certificates}
    return frozenset(found)


def with_witnesses(pins: StampPins, notes: list[tuple[str, bytes]], vkeys: list[str]) -> StampPins:
    """Pins with what a reader holds of witnesses: cosigned checkpoints (name, bytes), and keys.

    Raises:
        UsageError: if one is none.
    """
    from muniment.custody.cosignature import read_vkey

    for name, data in notes:
        try:
            checkpoints.parse(data)
        except MalformedError as error:
            raise UsageError("is no cosigned checkpoint", subject=name) from error
    try:
        keys = tuple(read_vkey(text).encode() for text in vkeys)
    except MalformedError as error:
        raise UsageError(error.what, subject=error.subject) from error
    return msgspec.structs.replace(pins, witnessed=tuple(data for _, data in notes), witnesses=keys)


def _with_ours(stamps: StampPins | None) -> StampPins:
    stamps = stamps or StampPins()
    return msgspec.structs.replace(stamps, blocks={**bitcoin_blocks(), **stamps.blocks})


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


def verify(
    folder: CaseFolder,
    pinned: Pins,
    progress: Progress | None = None,
    stamps: StampPins | None = None,
) -> Verdict:
    """Every named check over a case folder; changes nothing.

    Args:
        stamps: authorities and Bitcoin blocks the reader trusts, besides the program's blocks.
    Raises:
        InputError: if a file is there and cannot be read.
    """
    index, none = _open(folder)
    memory = Index(None)
    reader = _WatchedReader(folder, progress or Silent())
    limit = index.size if index else 0

    def observe(number: int, entry: Entry, leaf: str, values: dict[str, Any]) -> None:
        if number >= limit:
            return
        try:
            memory.apply(number, entry, leaf, values)
        except IntegrityError as error:
            strange.append(Finding(error.subject, error.what))
        if number % DRAIN_ENTRIES == 0:
            memory.drain()

    strange: list[Finding] = []
    try:
        verdict = verify_evidence(
            reader, pinned, observe, stamp_pins=_with_ours(stamps), cross=OpenSsl()
        )
        check = _compare(index, memory, verdict.entries, strange) if index else none
        page = _check_report(folder, index if check.status is Status.PASS else None, verdict)
    finally:
        memory.close()
        if index:
            index.close()
    return msgspec.structs.replace(verdict, checks=(*verdict.checks, check, *page))


def _check_report(folder: CaseFolder, index: Index | None, verdict: Verdict) -> tuple[Check, ...]:
    """Whether the page that people read is the one this case gives; nothing when there is none.

    Args:
        index: the projection on disk, found equal to the log; None when it was not.
    """
    page = folder.report / "index.html"
    if not page.is_file():
        return ()
    name, again = "report", "`muniment report` draws it again"
    head = verdict.checkpoint or ""
    if verdict.exit_code or index is None or not head.startswith(f"{index.size}:"):
        why = f"the page is no evidence and was not compared; {again}"
        return (Check(name, Status.NOT_CHECKED, why),)
    data = page.read_bytes()
    memory = Memory(KeyFolder().path, verdict.case or "")
    line = page_line(head, muniment.__version__, data)
    if memory.drew_another_page(line):
        what = "was changed since this machine drew it"
        finding = Finding("report/index.html", what)
        why = f"the page is not the one this machine drew from this case; {again}"
        return (Check(name, Status.FAIL, why, (finding,), 1, EXIT_INTEGRITY),)
    if memory.drew_page(line):
        why = "the page is byte for byte the one this machine drew from this case"
        return (Check(name, Status.PASS, why),)
    # Only here: what draws pages takes longer to load than a small case to verify.
    from muniment.case import reporting

    try:
        again_drawn = reporting.drawn(folder, index)
    except MunimentError as error:
        why = f"the page cannot be drawn to compare it: {error.what}"
        return (Check(name, Status.NOT_CHECKED, why, (Finding(error.subject, error.what),), 1),)
    if data == again_drawn:
        return (Check(name, Status.PASS, "the page is byte for byte the one this case gives"),)
    finding = Finding("report/index.html", "is not the page this case and this version give")
    why = f"it differs: changed, or drawn by another version or of an earlier checkpoint; {again}"
    # Exit 0: the page is no evidence, and every later entry makes it older than the checkpoint.
    return (Check(name, Status.NOT_CHECKED, why, (finding,), 1),)


def _open(folder: CaseFolder) -> tuple[Index | None, Check]:
    """The projection on disk, and else the check that says why there is none to compare."""
    beside = [
        Finding(f"work/{path.name}", "lies beside the projection") for path in _beside(folder)
    ]
    if beside:
        why = f"a run is at work or was killed, or somebody put it there{_REMEDY}"
        found = len(beside)
        return None, Check(_NAME, Status.NOT_CHECKED, why, tuple(beside), found, EXIT_PARTLY)
    nothing = Check(_NAME, Status.NOT_CHECKED, f"there is none{_REMEDY}")
    try:
        info = folder.index.lstat()
    except OSError:
        return None, nothing
    if stat.S_ISREG(info.st_mode) and not info.st_size:
        return None, nothing
    try:
        return Index(folder.index, read_only=True), nothing
    except IntegrityError as error:
        finding = Finding("work/index.sqlite", error.what)
        why = f"cannot be used{_REMEDY}"
        return None, Check(_NAME, Status.FAIL, why, (finding,), 1, EXIT_INTEGRITY)
    except (LockedError, StorageError) as error:
        finding = Finding("work/index.sqlite", error.what)
        return None, Check(_NAME, Status.NOT_CHECKED, f"cannot be read now{_REMEDY}", (finding,), 1)


def _beside(folder: CaseFolder) -> list[Path]:
    try:
        return companions(folder.index)
    except OSError:
        return []


def _compare(index: Index, memory: Index, size: int, strange: list[Finding]) -> Check:
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
    except (IntegrityError, LockedError, StorageError) as error:
        findings.append(Finding("work/index.sqlite", error.what))
    if findings:
        return Check(
            _NAME,
            Status.FAIL,
            "what pages and reports are drawn from differs from the log" + _REMEDY,
            tuple(findings),
            len(findings),
            EXIT_INTEGRITY,
        )
    detail = f"equal, table by table, to one derived from the first {index.size} of {size} entries"
    return Check(_NAME, Status.PASS, detail)
