"""The collect stage: one acquisition a source, its intent logged before, its outcome after.

A run that was killed leaves an acquisition open. The next run over the same source goes on from
it: what it acquired and what has not changed since is not collected again.
"""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Any, Final

import msgspec

import muniment
from muniment.case.index import Index
from muniment.case.posts import record_posts
from muniment.case.progress import Progress
from muniment.case.tally import Tally
from muniment.collect.content_type import category, identify
from muniment.collect.files import Listed, SourceFolder
from muniment.collect.names import from_bytes
from muniment.collect.telegram import is_export
from muniment.custody.log import LogWriter
from muniment.custody.vault import Vault
from muniment.errors import InputError, MunimentError, StorageError
from muniment.model import canonical
from muniment.model.collect import Name, Outcome, SourceKind
from muniment.model.display import visible
from muniment.model.ids import short
from muniment.model.times import from_unix

EXPORT_FILE: Final = b"result.json"
#: Content too short to be any footage, document or export.
TINY_BYTES: Final = 1


class Request(msgspec.Struct, frozen=True):
    """One source to collect, and its circumstances as told."""

    source: Path
    by: str
    why: str
    stated_source: str | None = None
    again: bool = False


class _Kept(msgspec.Struct, frozen=True):
    """A file an earlier acquisition of this source acquired."""

    size_bytes: int
    modified_utc: str | None
    object: str


class _Acquisition:
    """One acquisition under way."""

    def __init__(
        self, log: LogWriter, vault: Vault, index: Index, progress: Progress, request: Request
    ) -> None:
        self.log = log
        self.vault = vault
        self.index = index
        self.progress = progress
        self.request = request
        self.leaf = ""
        self.tally = Tally()
        self.sizes: dict[str, int] = {}
        self.exports: list[tuple[str, str]] = []
        self.useful = 0

    def notice(self, subject: str, what: str, remedy: str) -> None:
        line = f"{visible(subject)}: {what}. {remedy}".rstrip()
        self.tally.notices.append(line)
        self.progress.notice(line)

    def miss(self, name: Name, outcome: Outcome, error: MunimentError) -> None:
        reason, remedy = canonical.text(error.what), canonical.text(error.remedy)
        self.log.append(
            "item.missed",
            {
                "acquisition": self.leaf,
                "name": msgspec.to_builtins(name),
                "outcome": str(outcome),
                "reason": reason,
                "remedy": remedy,
            },
        )
        self.tally.count(outcome)
        self.notice(f"{self.request.source}/{name.path}", reason, remedy)


def collect(
    log: LogWriter, vault: Vault, index: Index, request: Request, progress: Progress
) -> Tally:
    """Collect one source into the case.

    Args:
        index: the projection as of this run's start; tells what earlier runs acquired.
    Returns:
        what came of it; `notices` has a line for each thing that needs a look.
    Raises:
        StorageError: if the case's disk refuses: the run stops, what was acknowledged is kept.
    """
    run = _Acquisition(log, vault, index, progress, request)
    started_s = time.monotonic()
    try:
        source = SourceFolder(request.source)
    except InputError as error:
        _start(run, SourceKind.FILE, [], None)
        run.notice(str(request.source), error.what, error.remedy)
        run.tally.count(Outcome.FAILED)
        _finish(run, started_s, "failed", error.what)
        return run.tally
    try:
        listed = list(source.listing())
        earlier, resumes = _earlier(run)
        todo = [one for one in listed if not _is_kept(one, earlier)]
        kept = len(listed) - len(todo)
        if resumes and not todo and _is_read_to_the_end(run):
            run.tally.unchanged = kept
            run.progress.notice(
                f"{visible(str(request.source))}: nothing new since {short('acquisition', resumes)}"
                f" ({kept} files unchanged); `muniment collect` collects all of it again."
            )
            return run.tally
        _note_kept(run, listed, earlier)
        kind = SourceKind.FILE if source.is_file else _kind_of(listed)
        _start(run, kind, todo, resumes)
        _collect_files(run, source, todo)
        for digest, folder in dict(reversed(run.exports)).items():
            record_posts(
                log,
                vault,
                index,
                progress,
                run.tally,
                run.leaf,
                digest,
                folder,
                run.sizes,
                run.miss,
            )
        _say_if_useless(run, listed)
        failed = run.tally.failures
        _finish(run, started_s, "partly" if failed else "complete", _reason(failed))
    finally:
        source.close()
    return run.tally


def _reason(failed: int) -> str | None:
    return f"{failed} of its parts could not be collected or read" if failed else None


def _kind_of(listed: list[Listed]) -> SourceKind:
    has_export = any(one.raw == EXPORT_FILE for one in listed)
    return SourceKind.TELEGRAM_DESKTOP if has_export else SourceKind.FOLDER


def _modified(one: Listed) -> str | None:
    try:
        stamp = from_unix(one.modified_ns // 1_000_000_000, "").earliest_utc
    except MunimentError:
        return None
    milliseconds = one.modified_ns // 1_000_000 % 1000
    return f"{stamp[:-4]}{milliseconds:03d}Z" if stamp else None


# ---------------------------------------------------------------- what earlier runs did


def _earlier(run: _Acquisition) -> tuple[dict[str, _Kept], str | None]:
    """Files earlier acquisitions of this source acquired, by name key; the last one's leaf."""
    if run.request.again:
        return {}, None
    sql = "SELECT leaf FROM acquisition WHERE source_path=? ORDER BY idx"
    chain = run.index.rows(sql, _source_path(run.request.source))
    kept: dict[str, _Kept] = {}
    for (leaf,) in chain:
        rows = run.index.rows(
            "SELECT path, raw_hex, size_bytes, modified_utc, object FROM item WHERE acquisition=?",
            leaf,
        )
        for name, raw_hex, size, modified, digest in rows:
            if name is not None and digest is not None:
                kept[raw_hex or name] = _Kept(size, modified, digest)
    return kept, chain[-1][0] if chain else None


def _source_path(source: Path) -> str:
    """The source's absolute path as text the record can hold."""
    return visible(canonical.text(os.fsdecode(os.fsencode(source.absolute()))))


def _key(name: Name) -> str:
    return name.raw_hex or name.path


def _is_kept(one: Listed, earlier: dict[str, _Kept]) -> bool:
    if one.problem or not earlier:
        return False
    kept = earlier.get(_key(from_bytes(one.raw)))
    return kept is not None and (kept.size_bytes, kept.modified_utc) == (
        one.size_bytes,
        _modified(one),
    )


def _note_kept(run: _Acquisition, listed: list[Listed], earlier: dict[str, _Kept]) -> None:
    """Remember sizes of all files, and the exports an interrupted run kept but may not have read."""
    for one in listed:
        if one.problem:
            continue
        name = from_bytes(one.raw)
        run.sizes[name.path] = one.size_bytes
        if _is_kept(one, earlier):
            run.useful += 1
            if one.raw.rpartition(b"/")[2] == EXPORT_FILE:
                run.exports.append((earlier[_key(name)].object, _folder(name.path)))


def _is_read_to_the_end(run: _Acquisition) -> bool:
    """Whether the last acquisition of this source ended by itself, its exports read."""
    sql = "SELECT outcome FROM acquisition WHERE source_path=? ORDER BY idx DESC LIMIT 1"
    rows = run.index.rows(sql, _source_path(run.request.source))
    return bool(rows) and rows[0][0] in {"complete", "partly"}


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


# ---------------------------------------------------------------- the acquisition itself


def _start(run: _Acquisition, kind: SourceKind, listed: list[Listed], resumes: str | None) -> None:
    request, log = run.request, run.log
    lines = [
        canonical.encode(
            {
                "modified_utc": _modified(one),
                "name": msgspec.to_builtins(from_bytes(one.raw)),
                "size_bytes": one.size_bytes,
            }
        )
        for one in listed
    ]
    listing = log.objects.add_bytes(b"".join(line + b"\n" for line in lines)) if lines else None
    set_back_s = log.clock_set_back_s()
    path = _source_path(request.source)
    run.leaf = log.append(
        "acquisition.started",
        {
            "source": {"path": path, "kind": str(kind)},
            "stated_source": request.stated_source,
            "collector": request.by,
            "why": request.why,
            "listing": listing,
            "attempted": len(listed),
            "method": {
                "tool": "muniment",
                "version": muniment.__version__,
                "python": platform.python_version(),
                "host_system": f"{platform.system()} {platform.machine()}",
            },
            "clock": {"source": "system clock", "set_back_s": set_back_s},
            "resumes": resumes,
        },
    )
    log.commit()
    run.tally.attempted = len(listed)
    if set_back_s:
        run.notice(
            "clock",
            f"the system clock stands {set_back_s} s behind the last entry",
            "Set the clock; entries keep its reading and this difference.",
        )


def _collect_files(run: _Acquisition, source: SourceFolder, todo: list[Listed]) -> None:
    run.progress.start(f"Collecting {visible(source.path.name)}", len(todo), "files")
    case_folder = _below(run.log.folder.path, source.path)
    skipped_case = False
    for one in todo:
        name = from_bytes(one.raw)
        if case_folder is not None and one.raw.startswith(case_folder + b"/"):
            if not skipped_case:
                skipped_case = True
                own = InputError("is this case itself", remedy="Keep a case outside its sources.")
                run.miss(from_bytes(case_folder), Outcome.REFUSED, own)
            continue
        try:
            if one.problem:
                refused = InputError(
                    one.problem, remedy="Name a regular file or a readable folder."
                )
                run.miss(name, Outcome.REFUSED, refused)
            else:
                _acquire(run, source, one, name)
        except StorageError:
            raise
        except InputError as error:
            run.miss(name, Outcome.FAILED, error)
        run.progress.advance()
    run.log.commit()


def _below(case: Path, source: Path) -> bytes | None:
    try:
        return os.fsencode(case.resolve().relative_to(source.resolve())) or None
    except ValueError:
        return None


def _acquire(run: _Acquisition, source: SourceFolder, one: Listed, name: Name) -> None:
    opened = source.open(one.raw)
    try:
        try:
            digest, size, head, held = run.log.objects.add_file(opened.fd)
        except OSError as error:
            raise InputError(
                f"cannot be read ({(error.strerror or '').lower()})",
                remedy="Copy it from a sound disk and collect again.",
            ) from error
        if not source.is_unchanged(opened, size):
            if not held:
                run.log.objects.discard(digest)
            raise InputError(
                "hash changed: the file changed while it was read",
                remedy="Collect it again when nothing writes to it.",
            )
    finally:
        os.close(opened.fd)
    _log_item(run, one, name, digest, size, head, held)


def _log_item(
    run: _Acquisition, one: Listed, name: Name, digest: str, size: int, head: bytes, held: bool
) -> None:
    media = identify(head, name.path)
    outcome = Outcome.DUPLICATE if held else Outcome.FOUND
    run.log.append(
        "item.acquired",
        {
            "acquisition": run.leaf,
            "object": digest,
            "size_bytes": size,
            "name": {"path": name.path, "raw_hex": name.raw_hex},
            "outcome": str(outcome),
            "media_type": {
                "by_content": media.by_content,
                "by_name": media.by_name,
                "mismatch": media.mismatch,
                "tool": media.tool,
            },
            "modified_utc": _modified(one),
        },
    )
    run.tally.count(outcome)
    run.tally.bytes += size
    if size == 0:
        run.notice(f"{run.request.source}/{name.path}", "is empty (0 bytes)", "Kept as it is.")
    elif category(media.by_content) != "other":
        run.useful += 1
    is_json_export = one.raw.rpartition(b"/")[2] == EXPORT_FILE and is_export(head)
    if is_json_export:
        run.exports.append((digest, _folder(name.path)))


def _say_if_useless(run: _Acquisition, listed: list[Listed]) -> None:
    if not listed:
        run.notice(str(run.request.source), "is empty: it holds no file", "Check the path.")
    elif not run.useful and not run.tally.failures:
        run.notice(
            str(run.request.source),
            f"none of its {len(listed)} files is footage, a document or an export this program knows",
            "They are kept as they are; check the path.",
        )


def _finish(run: _Acquisition, started_s: float, outcome: str, reason: str | None) -> None:
    run.log.append(
        "acquisition.finished",
        {
            "acquisition": run.leaf,
            "outcome": outcome,
            "counts": run.tally.counts(),
            "elapsed_s": f"{time.monotonic() - started_s:.3f}",
            "reason": reason,
        },
    )
    run.log.commit()


def close_interrupted(
    log: LogWriter, index: Index, open_before: list[str], progress: Progress
) -> int:
    """End the acquisitions that earlier runs left open; adopt objects that no entry names.

    Args:
        index: brought up to the log's end.
        open_before: leaf hashes of the acquisitions that were open when this run started.
    Returns:
        how many objects were adopted.
    """
    named = {digest for (digest,) in index.rows("SELECT object FROM reference")}
    orphans = [digest for digest in log.objects.digests() if digest not in named]
    for digest in orphans:
        progress.notice(
            f"object {digest}: no entry named it. Left by an interrupted run, or added by somebody; "
            "adopted as an item of unknown name."
        )
        log.append(
            "item.acquired",
            {
                "acquisition": open_before[-1] if open_before else None,
                "object": digest,
                "size_bytes": log.folder.object(digest).stat().st_size,
                "name": None,
                "outcome": str(Outcome.ADOPTED),
                "media_type": None,
                "modified_utc": None,
            },
        )
    for leaf in open_before:
        adopted = len(orphans) if leaf == open_before[-1] else 0
        _finish_interrupted(log, index, leaf, adopted)
    log.commit()
    return len(orphans)


def _finish_interrupted(log: LogWriter, index: Index, leaf: str, adopted: int) -> None:
    tally = Tally()
    outcomes = index.rows(
        "SELECT outcome, count(*) FROM item WHERE acquisition=? GROUP BY outcome"
        " UNION ALL SELECT outcome, count(*) FROM miss WHERE acquisition=? GROUP BY outcome",
        leaf,
        leaf,
    )
    for outcome, number in outcomes:
        tally.count(Outcome(outcome), number)
    tally.count(Outcome.ADOPTED, adopted)
    ((tally.posts,),) = index.rows("SELECT count(*) FROM post WHERE acquisition=?", leaf)
    ((attempted,),) = index.rows("SELECT attempted FROM acquisition WHERE leaf=?", leaf)
    tally.attempted = attempted or 0
    counts: dict[str, Any] = tally.counts()
    log.append(
        "acquisition.finished",
        {
            "acquisition": leaf,
            "outcome": "interrupted",
            "counts": counts,
            "elapsed_s": None,
            "reason": "the run that started it ended before it was finished",
        },
    )
