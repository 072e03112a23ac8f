"""The report's facts, read from the projection at the checkpoint's size, and the page on disk."""

from __future__ import annotations

import contextlib
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgspec

import muniment
from muniment.case import chain, copies, decisions, projecting, stamping
from muniment.case.damage import Damage
from muniment.case.index import Index
from muniment.case.report_items import SeenItems
from muniment.case.report_posts import (
    ERASED,
    LongTexts,
    export_folders,
    miss_views,
    post_views,
    thumbnails,
)
from muniment.case.report_trace import trace_view
from muniment.case.thumbnails import PictureBook
from muniment.collect.content_type import category
from muniment.custody import root as roots
from muniment.custody.checkpoint import Checkpoint
from muniment.custody.keyring import KeyFolder
from muniment.custody.memory import Memory, page_line
from muniment.custody.opening import read_checkpoint, read_root
from muniment.errors import IntegrityError, StorageError
from muniment.model.collect import MediaType
from muniment.model.display import count
from muniment.model.ids import short
from muniment.model.report import (
    AcquisitionView,
    Circumstance,
    CustodyView,
    EventView,
    ItemView,
    LibraryView,
    PostView,
    ReportData,
)
from muniment.report.page import render
from muniment.store import disk
from muniment.store.layout import CaseFolder


class Written(msgspec.Struct, frozen=True):
    """A page on disk, and a line for each derived object that could not be read for it."""

    path: Path
    notices: tuple[str, ...] = ()


def write(folder: CaseFolder, keys: Path | None = None) -> Written:
    """Write report/index.html as of the latest checkpoint.

    Args:
        keys: the folder of key files [default: as `KeyFolder`]; tells whether the projection is ours.
    Raises:
        StorageError: if the disk refuses.
    """
    disk.refuse_links(folder.report, folder.work)
    page = folder.report / "index.html"
    head, (_, root) = read_checkpoint(folder), read_root(folder)
    memory = Memory(keys or KeyFolder().path, root.case)
    index = projecting.at_size(folder, head.size, memory)
    try:
        damage = Damage(folder, index)
        data = drawn(folder, index, damage)
    finally:
        index.close()
    disk.replace(page, data, temp_folder=folder.work)
    with contextlib.suppress(StorageError):  # a help: without it `verify` draws the page again
        memory.keep_page(page_line(head.short(), muniment.__version__, data))
    return Written(page, damage.lines)


def drawn(folder: CaseFolder, index: Index, damage: Damage | None = None) -> bytes:
    """The page, from a projection of exactly the checkpoint's entries.

    Args:
        damage: is told of derived objects that cannot be read; the page says so at their items.
    Raises:
        IntegrityError: as `facts_of`.
    """
    return render(facts_of(folder, index, damage), PictureBook(folder).fetch)


def facts(folder: CaseFolder, keys: Path | None = None) -> ReportData:
    """What the report shows: a pure function of the log up to the checkpoint.

    Raises:
        IntegrityError: if the log cannot be read up to there.
    """
    head, (_, root) = read_checkpoint(folder), read_root(folder)
    memory = Memory(keys or KeyFolder().path, root.case)
    index = projecting.at_size(folder, head.size, memory)
    try:
        return facts_of(folder, index)
    finally:
        index.close()


def facts_of(folder: CaseFolder, index: Index, damage: Damage | None = None) -> ReportData:
    """What the report shows, from a projection of exactly the checkpoint's entries.

    Raises:
        IntegrityError: if the projection is of another size.
    """
    head = read_checkpoint(folder)
    root_bytes, root = read_root(folder)
    rows = index.rows("SELECT details FROM event WHERE kind='case.opened'")
    if index.size != head.size or not rows:
        raise IntegrityError(
            f"holds {count(index.size, 'entry', 'entries')}, the checkpoint covers {head.size}",
            subject=str(folder.path),
            remedy="Run `muniment verify` to see what is missing.",
        )
    opening = json.loads(rows[0][0])
    ((opened_utc,),) = index.rows("SELECT at_utc FROM entry WHERE idx=0")
    book, damage = PictureBook(folder), damage or Damage(folder, index)
    posts, items = _posts_and_items(index, LongTexts(folder, damage))
    seen = SeenItems(folder, index, book, damage)
    items = tuple(seen.filled(one) for one in items)
    trace = trace_view(folder, index, seen, book, items, posts, damage)
    items = tuple(seen.noted(one) for one in items)
    return ReportData(
        root.case,
        opening["title"],
        opening["purpose"],
        opening["opened_by"],
        opened_utc,
        _custody(index, head, roots.fingerprint(root_bytes)),
        _acquisitions(index),
        items,
        posts,
        miss_views(index),
        _tools(index),
        muniment.__version__,
        trace,
        _libraries(index),
    )


def _acquisitions(index: Index) -> tuple[AcquisitionView, ...]:
    sql = (
        "SELECT leaf, source_path, source_kind, stated_source, collector, why, started_utc,"
        " finished_utc, outcome, counts, reason, tool, tool_version, set_back_s"
        " FROM acquisition ORDER BY idx"
    )
    return tuple(
        AcquisitionView(
            id=short("acquisition", row[0]),
            source_path=row[1] or ERASED,
            source_kind=row[2] or ERASED,
            stated_source=row[3],
            collector=row[4] or ERASED,
            why=row[5] or ERASED,
            started_utc=row[6],
            finished_utc=row[7],
            outcome=row[8],
            counts=json.loads(row[9]) if row[9] else {},
            reason=row[10],
            tool=f"{row[11] or ERASED} {row[12] or ''}".rstrip(),
            clock_set_back_s=row[13],
        )
        for row in index.rows(sql)
    )


# ---------------------------------------------------------------- items and posts


def _posts_and_items(
    index: Index, texts: LongTexts
) -> tuple[tuple[PostView, ...], tuple[ItemView, ...]]:
    rows = index.rows(
        "SELECT item.object, size_bytes, by_content, by_name, mismatch, tool, path, outcome,"
        " acquisition, at_utc, modified_utc, erased.object IS NOT NULL"
        " FROM item LEFT JOIN erased USING (object) ORDER BY item.idx"
    )
    where: dict[tuple[str, str], str] = {}
    first: dict[str, tuple[Any, ...]] = {}
    circumstances: dict[str, list[Circumstance]] = defaultdict(list)
    exports = {row[0] for row in index.rows("SELECT DISTINCT export FROM post")}
    folders = export_folders(index)
    for row in rows:
        digest, path, acquisition = row[0], row[6], row[8]
        if digest is None:
            continue
        if path is not None:
            where[acquisition, path] = digest
        first.setdefault(digest, row)
        circumstances[digest].append(
            Circumstance(
                short("acquisition", acquisition) if acquisition else "no acquisition known",
                path if path is not None else "(left by an interrupted run, name unknown)",
                row[7] or ERASED,
                row[9],
                row[10],
            )
        )
    posts = post_views(index, where, folders, texts)
    shown: dict[str, list[str]] = defaultdict(list)
    for post in posts:
        if post.media_item:
            shown[post.media_item].append(post.id)
    small = thumbnails(index, where, folders)
    items = tuple(
        _item(digest, row, circumstances[digest], shown, exports, small)
        for digest, row in first.items()
    )
    return posts, items


def _item(
    digest: str,
    row: tuple[Any, ...],
    circumstances: list[Circumstance],
    shown: dict[str, list[str]],
    exports: set[str],
    small: set[str],
) -> ItemView:
    content = row[2] or "application/octet-stream"
    identity = short("item", digest)
    return ItemView(
        identity,
        digest,
        row[1] or 0,
        MediaType(content, row[3], bool(row[4]), row[5] or "none"),
        "export" if digest in exports else category(content),
        tuple(circumstances),
        tuple(shown[identity]),
        bool(row[11]),
        role="thumbnail" if digest in small and not shown[identity] else "",
    )


# ---------------------------------------------------------------- custody


def _custody(index: Index, head: Checkpoint, root_sha256: str) -> CustodyView:
    ((first_utc, last_utc),) = index.rows(
        "SELECT (SELECT at_utc FROM entry WHERE idx=0),"
        " (SELECT at_utc FROM entry ORDER BY idx DESC LIMIT 1)"
    )
    counts = Counter(dict(index.rows("SELECT kind, count(*) FROM entry GROUP BY kind")))
    ((objects, size),) = index.rows(
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM"
        " (SELECT object, max(size_bytes) AS size_bytes FROM item WHERE object IS NOT NULL"
        " AND object NOT IN (SELECT object FROM erased) GROUP BY object)"
    )
    steps_sql = (
        "SELECT count(*) FROM entry a JOIN entry b ON b.idx = a.idx + 1 WHERE b.at_utc < a.at_utc"
    )
    ((steps,),) = index.rows(steps_sql)
    anchor = stamping.anchor(index)
    algorithms = ("Ed25519",) if len(head.signatures) < 2 else ("Ed25519", "ML-DSA-44")
    return CustodyView(
        root_sha256,
        head.origin,
        head.short(),
        head.size,
        head.root.hex(),
        algorithms,
        _names(index, "person"),
        _names(index, "agent"),
        first_utc,
        last_utc,
        anchor.told if anchor else None,
        {kind: counts[kind] for kind in sorted(counts)},
        objects,
        size,
        _events(index),
        steps,
        anchor.time_utc if anchor else None,
        anchor.covers if anchor else 0,
        anchor.beyond if anchor else 0,
        anchor.beyond_utc if anchor else None,
        stamping.queued(index),
        copies.lines(index),
        copies.standing(index).says,
    )


def _names(index: Index, role: str) -> tuple[str, ...]:
    sql = "SELECT name, id FROM key WHERE role=? ORDER BY idx"
    return tuple(f"{name} (key {identity})" for name, identity in index.rows(sql, role))


def _events(index: Index) -> tuple[EventView, ...]:
    names = dict(index.rows("SELECT id, name FROM key"))
    sql = (
        "SELECT event.at_utc, event.kind, details, author FROM event JOIN entry USING (idx)"
        " ORDER BY idx"
    )
    events: list[EventView] = []
    for at_utc, kind, text, author in index.rows(sql):
        details = json.loads(text)
        by = details.get("by") or details.get("opened_by") or names.get(author) or author
        premis = chain.premis_code(kind, details)
        events.append(EventView(at_utc, kind, by, _summary(kind, details), premis))
    return tuple(events)


def _summary(kind: str, details: dict[str, Any]) -> str:
    if kind == "case.opened":
        return f"opened as “{details.get('title')}”"
    if kind == "key.certified":
        return f"certified agent key {details.get('key')} of {details.get('name')}"
    if kind == "object.viewed":
        digest = details.get("object") or ""
        return f"opened {short('item', digest)} to {details.get('purpose')}"
    if kind == "custody.recorded":
        return chain.summary(details)
    if kind == "match.decided" and not details.get("a"):
        return f"decided on a pair of items {ERASED}"
    if kind == "match.decided":
        a, b = (short("item", details.get(name) or "") for name in ("a", "b"))
        decided = decisions.WORDS.get(details.get("decision", ""), ERASED)
        return f"decided that {a} and {b} are {decided}: {details.get('because')}"
    if kind == "object.erased":
        number, values = len(details.get("objects") or ()), len(details.get("entries") or ())
        return (
            f"erased {count(number, 'object')} and private values of"
            f" {count(values, 'entry', 'entries')}: {details.get('why')}"
        )
    if kind == "authority.pinned":
        did = "dropped" if details.get("dropped") else "named"
        return f"{did} {details.get('organisation')} ({details.get('url')}) for time stamps"
    if kind == "copy.made":
        place = (details.get("target") or {}).get("place")
        return (
            f"copied to {place}, {details.get('outcome')}, checkpoint {details.get('checkpoint')}"
        )
    if kind == "checkpoint.stamped":
        size = int(str(details.get("checkpoint")).partition(":")[0])
        when = details.get("time_utc") or "a time not known yet"
        return f"{details.get('state')}: the first {count(size, 'entry', 'entries')} before {when}"
    moved = ", ".join(
        f"{count(part['bytes'], 'byte')} of {part['file']}" for part in details.get("moved") or ()
    )
    what = moved or f"took over entries {details.get('adopted')}"
    return f"recovered after an interrupted run: {what} ({details.get('reason')})"


def _tools(index: Index) -> tuple[tuple[str, str], ...]:
    """Every program and step that wrote to the log, with its version."""
    pairs = set(index.rows("SELECT DISTINCT tool, tool_version FROM acquisition"))
    pairs |= {
        tuple((tool or "").rsplit(" ", 1))
        for (tool,) in index.rows("SELECT DISTINCT tool FROM item")
        if tool and " " in tool
    }
    pairs |= set(index.rows("SELECT DISTINCT step, step_version FROM observation"))
    return tuple(sorted((str(name), str(version)) for name, version in pairs if name))


def _libraries(index: Index) -> tuple[LibraryView, ...]:
    """What the steps did their work with, as their observations have it; erased ones left out."""
    steps: dict[tuple[str, str], set[str]] = defaultdict(set)
    sql = "SELECT DISTINCT step, tool FROM observation WHERE tool IS NOT NULL"
    for step, text in index.rows(sql):
        told = json.loads(text)
        libraries = told.get("libraries") if isinstance(told, dict) else None
        if step and isinstance(libraries, dict):
            for name, version in libraries.items():
                steps[str(name), str(version)].add(step)
    return tuple(
        LibraryView(name, version, tuple(sorted(steps[name, version])))
        for name, version in sorted(steps)
    )
