"""The main job: open or make the case, collect every source, seal, report."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

import muniment
from muniment.case import decisions, projecting, reporting, stamping, traced
from muniment.case.collecting import Request, collect
from muniment.case.damage import Damage
from muniment.case.examining import examine
from muniment.case.interrupted import close_interrupted
from muniment.case.progress import Progress
from muniment.case.refusing import (
    is_case,
    refuse_cases_as_sources,
    refuse_foreign_folder,
    refuse_inside_source,
)
from muniment.case.signing import Secrets, agent_key, person_key
from muniment.case.tally import Tally
from muniment.case.told import NAME_CHARACTERS, told
from muniment.case.tracing import trace
from muniment.custody import root as roots
from muniment.custody.keyring import KeyFolder
from muniment.custody.keys import SigningKey
from muniment.custody.log import LogWriter
from muniment.custody.memory import Memory
from muniment.custody.opening import open_writer, prepare, read_root
from muniment.custody.vault import Vault
from muniment.errors import InputError, NoCaseError, UsageError
from muniment.model.display import count, visible
from muniment.model.vocabulary import data_digests
from muniment.sandbox.host import Zygote
from muniment.store import disk
from muniment.store.layout import CaseFolder


class Built(msgspec.Struct, frozen=True):
    """What a run did: the pins to keep elsewhere, and what came of each source. `notices` are what
    was not done and needs a look; `warnings` are decisions that what was found contradicts."""

    case: str
    folder: str
    root_sha256: str
    checkpoint: str
    sources: dict[str, dict[str, int]]
    notices: tuple[str, ...]
    report: str | None
    examined: dict[str, int] | None = None
    traced: dict[str, int] | None = None
    warnings: tuple[str, ...] = ()
    stamped: stamping.Stamped | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing needs a look."""
        return not self.notices


@contextmanager
def writing(
    folder: CaseFolder,
    *,
    by: str,
    why: str,
    title: str | None,
    keys: KeyFolder,
    secrets: Secrets,
    progress: Progress,
    make: bool,
) -> Iterator[LogWriter]:
    """The case's writer; makes the case first when `make` and there is none.

    The person's key is unlocked only to open a case or to certify this machine's agent key.
    """
    by, why = told(by, "--by", NAME_CHARACTERS), told(why, "--why")
    title = visible(folder.path.name) if title is None else title
    is_new = not is_case(folder)
    if is_new and not make:
        raise NoCaseError(
            "no case here",
            subject=str(folder.path),
            remedy="Make one with `muniment init` or `muniment build`.",
        )
    disk.refuse_links(*folder.folders())
    if is_new:
        refuse_foreign_folder(folder)
    person = person_key(keys, secrets, by, create=True) if is_new else None
    agent = agent_key(keys, secrets)
    opening: dict[str, Any] | None = None
    if person is not None:
        prepare(folder, person, randomness.token_hex(16))
        opening = {
            "title": told(title, "--title", NAME_CHARACTERS),
            "purpose": told(why, "--why"),
            "opened_by": told(by, "--by", NAME_CHARACTERS),
            "tool": {"name": "muniment", "version": muniment.__version__},
            "data": data_digests(),
        }

    def certifier() -> SigningKey:
        if person is not None:
            return person
        _, root = read_root(folder)
        return person_key(keys, secrets, root.keys[0].key.name, create=False)

    with open_writer(
        folder,
        agent,
        person=certifier,
        opening=opening,
        keys=keys.path,
        on_commit=progress.committed,
    ) as log:
        memory = Memory(keys.path, log.root.case)
        projecting.trust_only_ours(folder, memory)
        for line in set_aside(log):
            progress.notice(line)
        yield log
        log.commit()
        unremembered = projecting.remember(folder, memory) or log.unremembered
        if unremembered:
            progress.notice(unremembered)


def set_aside(log: LogWriter) -> list[str]:
    """A line for each piece that stood beyond the checkpoint and was moved aside at the opening."""
    entries = count(log.moved_entries, "whole entry", "whole entries")
    whole = f", {entries} among them" if log.moved_entries else ""
    return [
        f"{part['file']}: {count(part['bytes'], 'byte')} stood beyond the checkpoint{whole}: an"
        " unfinished batch, or added by somebody. Moved to work/recovered; look at them before you"
        " delete it."
        for part in log.moved_aside
    ]


def whole_set_aside(log: LogWriter) -> tuple[str, ...]:
    """Those lines where whole entries were moved aside: something to look at; a torn line is not."""
    return tuple(set_aside(log)) if log.moved_entries else ()


def run(
    folder: CaseFolder,
    requests: list[Request],
    *,
    by: str,
    why: str,
    title: str | None,
    keys: KeyFolder,
    secrets: Secrets,
    progress: Progress,
    make: bool,
    with_report: bool,
    zygote: Zygote | None = None,
) -> Built:
    """Collect the sources into the case, look inside them, seal it, and write the report.

    Args:
        zygote: started before any key is unlocked; None: what is collected is not decoded.
    Raises:
        MunimentError: if nothing more could be done; what was acknowledged is kept.
    """
    if requests and not is_case(folder) and not any(one.source.exists() for one in requests):
        raise InputError(
            "not found, so no case was made",
            subject=", ".join(str(one.source) for one in requests),
            remedy="Check the path.",
        )
    refuse_cases_as_sources(requests)
    refuse_inside_source(folder, requests)
    with writing(
        folder,
        by=by,
        why=why,
        title=title,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=make,
    ) as log:
        tallies, open_before = _collect_all(folder, log, requests, progress)
        seen, left = _looked_inside(folder, log, zygote, open_before, progress)
        left += whole_set_aside(log)
        stamped = stamping.at_the_end(folder, log, progress)
        head = log.commit()
    root_bytes, root = read_root(folder)
    before = seen.notices if seen else ()
    report, unread = _report(folder, keys, before, progress) if with_report else (None, ())
    if not with_report:
        projecting.catch_up(folder).close()
    return Built(
        root.case,
        str(folder.path),
        roots.fingerprint(root_bytes),
        head.short(),
        _counts(tallies),
        (
            *(line for tally in tallies.values() for line in tally.notices),
            *(*left, *before, *unread),
        ),
        report,
        seen.examined if seen else None,
        seen.traced if seen else None,
        seen.warnings if seen else (),
        stamped,
    )


def _counts(tallies: dict[str, Tally]) -> dict[str, dict[str, int]]:
    """What came of each source, in numbers."""
    return {
        source: tally.counts() | {"unchanged": tally.unchanged} for source, tally in tallies.items()
    }


def _report(
    folder: CaseFolder, keys: KeyFolder, before: tuple[str, ...], progress: Progress
) -> tuple[str, tuple[str, ...]]:
    """The page's path, and what could not be read for it and was not told `before`."""
    written = reporting.write(folder, keys.path)
    return str(written.path), _told(written.notices, before, progress)


class Seen(msgspec.Struct, frozen=True):
    """What came of looking inside: counts of examining and of tracing, lines to look at, and a line
    for each decision that the clusters contradict."""

    examined: dict[str, int]
    traced: dict[str, int]
    notices: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def warn(self, progress: Progress) -> None:
        """Tell the warnings, once a run: nothing failed, so they ask for no exit code."""
        for line in self.warnings:
            progress.notice(line)


def look_inside(
    folder: CaseFolder, log: LogWriter, zygote: Zygote, progress: Progress, *, again: bool = False
) -> Seen:
    """Examine what lacks an examiner's result, then trace what lacks a result of tracing.

    Args:
        again: also what an earlier run failed on.
    Raises:
        StorageError: if the disk refuses.
        SandboxError: if no confined worker can be started.
    """
    index = projecting.catch_up(folder)
    try:
        examined = examine(log, Vault(log), index, zygote, progress, again=again)
    finally:
        index.close()
    index = projecting.catch_up(folder)
    try:
        damaged = trace(folder, log, index, progress)
    finally:
        index.close()
    index = projecting.catch_up(folder)
    try:
        damage = Damage(folder, index)
        lengths_s = traced.durations_s(folder, index, damage)
        found = traced.read(folder, index, lengths_s, (), damage) or traced.NOTHING
        warnings = decisions.warnings(found.clusters, decisions.namer(index))
    finally:
        index.close()
    more = _told(damage.lines, damaged, progress)
    notices = (*examined.notices, *damaged, *more)
    return Seen(examined.counts(), found.counts(), notices, tuple(warnings))


def _told(lines: tuple[str, ...], before: tuple[str, ...], progress: Progress) -> tuple[str, ...]:
    """Those of the lines that were not told yet; now they are."""
    more = tuple(line for line in lines if line not in before)
    for line in more:
        progress.notice(line)
    return more


def look_inside_only(
    folder: CaseFolder,
    *,
    by: str,
    why: str,
    keys: KeyFolder,
    secrets: Secrets,
    progress: Progress,
    zygote: Zygote,
    again: bool = False,
) -> Seen:
    """Examine and trace a case that is there, and seal it.

    Raises:
        NoCaseError: if there is none.
    """
    with writing(
        folder,
        by=by,
        why=why,
        title=None,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=False,
    ) as log:
        seen = look_inside(folder, log, zygote, progress, again=again)
        seen.warn(progress)
        stamping.at_the_end(folder, log, progress)
        return msgspec.structs.replace(seen, notices=(*whole_set_aside(log), *seen.notices))


def _collect_all(
    folder: CaseFolder, log: LogWriter, requests: list[Request], progress: Progress
) -> tuple[dict[str, Tally], list[str]]:
    """Counts for each source, and the acquisitions that earlier runs had left open."""
    vault, tallies = Vault(log), dict[str, Tally]()
    index = projecting.catch_up(folder)
    open_sql = "SELECT leaf FROM acquisition WHERE outcome IS NULL ORDER BY idx"
    open_before = [leaf for (leaf,) in index.rows(open_sql)]
    for request in requests:
        tallies[str(request.source)] = collect(log, vault, index, request, progress)
        log.commit()
        index.close()
        index = projecting.catch_up(folder)
    index.close()
    return tallies, open_before


def _looked_inside(
    folder: CaseFolder,
    log: LogWriter,
    zygote: Zygote | None,
    open_before: list[str],
    progress: Progress,
) -> tuple[Seen | None, list[str]]:
    """What came of looking inside, and a line for each object that no entry named.

    Those are adopted only after a first look: what an interrupted examination made then has its
    entry again, and is no item.
    """
    seen = look_inside(folder, log, zygote, progress) if zygote else None
    left = _close(folder, log, open_before, progress)
    if left and zygote and seen:
        seen = _both(seen, look_inside(folder, log, zygote, progress))
    if seen:
        seen.warn(progress)
    return seen, left


def _close(
    folder: CaseFolder, log: LogWriter, open_before: list[str], progress: Progress
) -> list[str]:
    """End what interrupted runs left open; a line for each object that no entry names."""
    log.commit()
    index = projecting.catch_up(folder)
    try:
        left = close_interrupted(log, index, open_before)
    finally:
        index.close()
    for line in left:
        progress.notice(line)
    return left


def _both(first: Seen, then: Seen) -> Seen:
    """What came of looking inside twice."""
    before = first.examined
    examined = {name: before.get(name, 0) + number for name, number in then.examined.items()}
    examined["failed_before"] = before["failed_before"]
    notices = dict.fromkeys((*first.notices, *then.notices))
    return Seen(examined, then.traced, tuple(notices), then.warnings)


def initialise(
    folder: CaseFolder,
    *,
    by: str,
    why: str,
    title: str | None,
    keys: KeyFolder,
    secrets: Secrets,
    progress: Progress,
) -> Built:
    """Make a case and seal its opening.

    Raises:
        UsageError: if a case is there already.
    """
    if is_case(folder):
        raise UsageError(
            "a case is here already", subject=str(folder.path), remedy="Choose another folder."
        )
    return run(
        folder,
        [],
        by=by,
        why=why,
        title=title,
        keys=keys,
        secrets=secrets,
        progress=progress,
        make=True,
        with_report=False,
    )
