"""The collect stage: one acquisition a source, its intent logged before, its outcome after.

A run that was killed leaves an acquisition open. The next run over the same source goes on from
it: what it acquired and what has not changed since is not collected again.
"""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path
from typing import Final

import msgspec

import muniment
from muniment.case.earlier import Earlier, source_path
from muniment.case.index import Index
from muniment.case.posts import record_posts
from muniment.case.progress import Progress
from muniment.case.tally import Tally
from muniment.collect.content_type import category, identify
from muniment.collect.files import Listed, SourceFolder, case_folders
from muniment.collect.names import from_bytes
from muniment.collect.telegram import is_export
from muniment.custody.log import LogWriter
from muniment.custody.vault import Vault
from muniment.errors import InputError, IntegrityError, MunimentError, RefusedError
from muniment.model import canonical
from muniment.model.collect import Name, Outcome, SourceKind
from muniment.model.display import count, visible
from muniment.model.ids import short

EXPORT_FILE: Final = b"result.json"
#: So many first bytes tell the content type.
IDENTIFY_BYTES: Final = 8192


class Request(msgspec.Struct, frozen=True):
    """One source to collect, and its circumstances as told."""

    source: Path
    by: str
    why: str
    stated_source: str | None = None
    again: bool = False


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
        #: of the file under way
        self.read_bytes = 0
        self.acquired: set[str] = set()
        self.erased = {digest for (digest,) in index.rows("SELECT object FROM erased")}

    def read(self, number: int) -> None:
        """So many more bytes of the file under way were read."""
        self.read_bytes += number
        self.progress.advance(number)

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
        _refuse_own_folder(log.folder.path, request.source)
        source = SourceFolder(request.source)
    except InputError as error:
        _start(run, SourceKind.FILE, [], None)
        run.notice(str(request.source), error.what, error.remedy)
        run.tally.count(Outcome.FAILED)
        _finish(run, started_s, "failed", error.what)
        return run.tally
    try:
        listed = list(source.listing())
        earlier = Earlier(index, request.source, log.objects.has, again=request.again)
        todo = [one for one in listed if earlier.kept(one) is None]
        kept = len(listed) - len(todo)
        if earlier.last and not todo and earlier.is_finished:
            run.tally.unchanged = kept
            run.progress.notice(
                f"{visible(str(request.source))}: nothing new since {short('acquisition', earlier.last)}"
                f" ({count(kept, 'file')} unchanged); `muniment collect` collects all of it again."
            )
            return run.tally
        _note_kept(run, listed, earlier)
        kind = SourceKind.FILE if source.is_file else _kind_of(listed)
        _start(run, kind, todo, earlier.last)
        _note_cases(run, source, todo)
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


def _refuse_own_folder(case: Path, source: Path) -> None:
    if source.resolve().is_relative_to(case.resolve()):
        raise InputError(
            "is this case itself, or lies in it",
            subject=str(source),
            remedy="Name what is to be collected into the case.",
        )


def _reason(failed: int) -> str | None:
    return f"{failed} of its parts could not be collected or read" if failed else None


def _kind_of(listed: list[Listed]) -> SourceKind:
    has_export = any(one.raw == EXPORT_FILE for one in listed)
    return SourceKind.TELEGRAM_DESKTOP if has_export else SourceKind.FOLDER


def _note_kept(run: _Acquisition, listed: list[Listed], earlier: Earlier) -> None:
    """Remember sizes of all files, and the exports an interrupted run kept but may not have read."""
    for one in listed:
        if one.problem:
            continue
        path = from_bytes(one.raw).path
        run.sizes[path] = one.size_bytes
        kept = earlier.kept(one)
        if kept:
            run.useful += 1
            if one.raw.rpartition(b"/")[2] == EXPORT_FILE:
                run.exports.append((kept.object, _folder(path)))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _start(run: _Acquisition, kind: SourceKind, listed: list[Listed], resumes: str | None) -> None:
    request, log = run.request, run.log
    lines = [
        canonical.encode(
            {
                "modified_utc": one.modified_utc,
                "name": msgspec.to_builtins(from_bytes(one.raw)),
                "size_bytes": one.size_bytes,
            }
        )
        for one in listed
    ]
    listing, damaged = _kept_listing(run, b"".join(line + b"\n" for line in lines))
    set_back_s = log.clock_set_back_s()
    path = source_path(request.source)
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
    if damaged:
        what = f"the list of its files is held already, and {damaged.subject} {damaged.what}"
        run.notice(str(request.source), what, damaged.remedy)
    if set_back_s:
        run.notice(
            "clock",
            f"the system clock stands {set_back_s} s behind the last entry",
            "Set the clock; entries keep its reading and this difference.",
        )


def _kept_listing(run: _Acquisition, lines: bytes) -> tuple[str | None, IntegrityError | None]:
    """The listing's object; none where there is nothing to list, or where it is held damaged."""
    try:
        return (run.log.objects.add_bytes(lines) if lines else None), None
    except IntegrityError as error:
        return None, error


def _note_cases(run: _Acquisition, source: SourceFolder, todo: list[Listed]) -> None:
    """A line for each case that lies in the source; the one collected into is refused instead."""
    own = _below(run.log.folder.path, source.path)
    for folder in case_folders(todo):
        if folder != own:
            run.notice(
                f"{run.request.source}/{from_bytes(folder).path}",
                "is a case of its own, collected file by file as it lies there",
                "If it was not meant to be collected, keep it outside the source.",
            )


def _collect_files(run: _Acquisition, source: SourceFolder, todo: list[Listed]) -> None:
    total_bytes = sum(one.size_bytes for one in todo)
    run.progress.start(f"Collecting {visible(source.path.name)}", total_bytes, "bytes")
    case_folder = _below(run.log.folder.path, source.path)
    skipped_case = False
    for one in todo:
        name = from_bytes(one.raw)
        if case_folder is not None and one.raw.startswith(case_folder + b"/"):
            if not skipped_case:
                skipped_case = True
                own = InputError("is this case itself", remedy="Keep a case outside its sources.")
                run.miss(from_bytes(case_folder), Outcome.REFUSED, own)
            run.progress.advance(one.size_bytes)
            continue
        run.read_bytes = 0
        try:
            if one.problem:
                refused = InputError(
                    one.problem, remedy="Name a regular file or a readable folder."
                )
                run.miss(name, Outcome.REFUSED, refused)
            else:
                _acquire(run, source, one, name)
        except RefusedError as error:
            run.miss(name, Outcome.REFUSED, error)
        except InputError as error:
            run.miss(name, Outcome.FAILED, error)
        # Of one that could not be read to its end.
        run.progress.advance(max(0, one.size_bytes - run.read_bytes))
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
            digest, size, head, held = run.log.objects.add_file(opened.fd, run.read)
        except OSError as error:
            raise InputError(
                f"cannot be read ({(error.strerror or '').lower()})",
                remedy="Copy it from a sound disk and collect again.",
            ) from error
        except IntegrityError as error:
            raise _held_damaged(error) from error
        if digest in run.erased:
            run.log.objects.discard(digest)
            raise RefusedError(
                "these bytes were erased from this case on purpose",
                remedy="See the object.erased entry in `muniment log`.",
            )
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


def _held_damaged(error: IntegrityError) -> InputError:
    """Bytes whose object is damaged: nothing is written over it, and the rest of the source goes on."""
    return InputError(
        f"these bytes are held already, and {error.subject} {error.what}", remedy=error.remedy
    )


def _log_item(
    run: _Acquisition, one: Listed, name: Name, digest: str, size: int, head: bytes, held: bool
) -> None:
    media = identify(head[:IDENTIFY_BYTES], name.path)
    # Bytes that a killed run left on disk and no entry names are found, not held already.
    is_named = digest in run.acquired or bool(
        run.index.rows("SELECT 1 FROM reference WHERE object=?", digest)
    )
    outcome = Outcome.DUPLICATE if held and is_named else Outcome.FOUND
    run.acquired.add(digest)
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
            "modified_utc": one.modified_utc,
        },
    )
    run.tally.count(outcome)
    run.tally.bytes += size
    if size == 0:
        run.notice(f"{run.request.source}/{name.path}", "is empty (0 bytes)", "Kept as it is.")
    elif category(media.by_content) != "other":
        run.useful += 1
    if one.raw.rpartition(b"/")[2] != EXPORT_FILE:
        return
    if is_export(head):
        run.exports.append((digest, _folder(name.path)))
    elif size:
        run.notice(
            f"{run.request.source}/{name.path}",
            "is no Telegram Desktop export this program knows, so no posts were read from it",
            "Kept as it is; export again in the JSON format if it should be one.",
        )


def _say_if_useless(run: _Acquisition, listed: list[Listed]) -> None:
    if not listed:
        run.notice(str(run.request.source), "is empty: it holds no file", "Check the path.")
    elif not run.useful and not run.tally.failures:
        run.notice(
            str(run.request.source),
            "its one file is no footage, document or export this program knows"
            if len(listed) == 1
            else f"none of its {len(listed):,} files is footage, a document or an export this program"
            " knows",
            "Kept all the same; check the path.",
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
