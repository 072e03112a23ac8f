"""One pass over the log for the verifier: every line parsed, hashed, placed, attributed. Pure."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from muniment.custody import entry as entries
from muniment.custody.keys import PublicKey
from muniment.custody.reader import Reader
from muniment.custody.root import Root
from muniment.custody.rules import (
    Erasure,
    certified_key,
    chain_problem,
    erasure_of,
    refuse_certified,
    signing_problem,
)
from muniment.custody.tree import EMPTY_ROOT, Frontier, leaf_hash
from muniment.errors import MalformedError
from muniment.model.display import count
from muniment.model.entries import Entry
from muniment.model.verify import MAX_FINDINGS, Check, Finding, Status
from muniment.store.layout import SEGMENT_ENTRIES, SEGMENT_NAME, segment_file

#: Called with (index, entry, leaf hash in hex, private values) for each whole entry, in order.
Observer = Callable[[int, Entry, str, dict[str, Any]], None]


class Findings:
    """Findings of one check; all counted, the first `MAX_FINDINGS` kept."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.count = 0

    def add(self, piece: str, what: str) -> None:
        self.count += 1
        if len(self.kept) < MAX_FINDINGS:
            self.kept.append(Finding(piece, what))

    def check(self, name: str, exit_code: int, passed: str, failed: str) -> Check:
        if not self.count:
            return Check(name, Status.PASS, passed)
        return Check(name, Status.FAIL, failed, tuple(self.kept), self.count, exit_code)


class LogPass:
    """What one pass over the log collects."""

    def __init__(self, root: Root | None, observe: Observer | None) -> None:
        #: None as well from entry 0 on when that names another root
        self.root = root
        self.root_sha256: str | None = None
        self.observe = observe
        self.frontier = Frontier()
        self.roots: dict[int, bytes] = {0: EMPTY_ROOT}
        self.agents: dict[str, PublicKey] = {}
        self.certified_at: dict[str, int] = {}
        self.last_leaf: dict[str, str] = {}
        self.last_at = ""
        # Runs of neighbouring entries by one agent: (first, last, key id).
        self.runs: list[tuple[int, int, str]] = []
        self.erasures: list[Erasure] = []
        # Entries with blanked fields: index -> (kind, leaf hash, fields).
        self.blank: dict[int, tuple[str, str, frozenset[str]]] = {}
        self.references: dict[str, str] = {}
        # The same of entries that no checkpoint covers: they accuse nobody.
        self.tail_references: dict[str, str] = {}
        self.erased_objects: set[str] = set()
        self.open_acquisitions: set[str] = set()
        self.first: dict[str, Any] | None = None
        self.form, self.signatures, self.private = Findings(), Findings(), Findings()
        self.tail, self.notes = Findings(), list[str]()
        # leaf hash -> (index, values) of what names an authority or a witness; (index, time, values)
        # of each stamp and cosignature
        self.authorities: dict[str, tuple[int, dict[str, Any]]] = {}
        self.stamps: list[tuple[int, str, dict[str, Any]]] = []
        self.witnesses: dict[str, tuple[int, dict[str, Any]]] = {}
        self.cosigned: list[tuple[int, str, dict[str, Any]]] = []
        # Time of the last of the first so many entries, for the sizes wanted.
        self.times: dict[int, str] = {}
        # Kept checkpoints that no takeover left.
        self.needless = Findings()

    def certify(self, index: int, key: PublicKey) -> None:
        """Take in a certified agent key.

        Raises:
            MalformedError: if it is in the root, or was certified as another key before.
        """
        if self.root is not None:
            refuse_certified(key, self.root, self.agents)
        self.agents[key.id] = key
        self.certified_at.setdefault(key.id, index)

    def agents_below(self, size: int) -> list[PublicKey]:
        """Agent keys certified by one of the first `size` entries: who may sign that head."""
        return [key for key in self.agents.values() if self.certified_at[key.id] < size]


def read_log(
    log: LogPass, reader: Reader, segments: list[str], sealed: int, wanted: set[int]
) -> None:
    """Read every line of the log once, in order, into `log`.

    Args:
        segments: names of the segment files that are there.
        sealed: how many entries the checkpoint covers; what is wrong beyond is the tail's.
        wanted: sizes at which the tree's root is needed later.
    """
    for number in range(_segment_count(log, segments, sealed)):
        public = f"log/entries/{segment_file(number)}"
        private = f"log/private/{segment_file(number)}"
        begins, ends = number * SEGMENT_ENTRIES, (number + 1) * SEGMENT_ENTRIES
        if log.frontier.size < begins:
            target = log.form if begins < sealed else log.tail
            for name in {public, private}.intersection(segments):
                target.add(name, "stands beyond a segment that is not full")
            if begins >= sealed:
                continue  # no line of it can be a line of the log
        lines = _lines(log, reader, public, sealed)
        others = _lines(log, reader, private, sealed)
        for offset, (line, other) in enumerate(zip_longest(lines, others)):
            places = f"{public} line {offset + 1}", f"{private} line {offset + 1}"
            if line is None:
                index = log.frontier.size
                target = log.form if index < sealed else log.tail
                target.add(places[1], "has no entry line")
                continue
            _one(log, places, line, other, sealed)
            if log.frontier.size in wanted:
                log.roots[log.frontier.size] = log.frontier.root()
                log.times[log.frontier.size] = log.last_at
        if not lines and not others:
            _note_empty(log, reader, public, private, segments)
        for name, held in ((public, lines), (private, others)):
            if name == public and len(held) < SEGMENT_ENTRIES and sealed > ends:
                found = count(len(held), "entry", "entries")
                log.form.add(name, f"holds {found}, not {SEGMENT_ENTRIES:,}")
            elif len(held) > SEGMENT_ENTRIES:
                (log.form if sealed > ends else log.tail).add(
                    name, f"holds {count(len(held), 'line')}, {SEGMENT_ENTRIES:,} are the most"
                )


def _note_empty(
    log: LogPass, reader: Reader, public: str, private: str, segments: list[str]
) -> None:
    """A last segment without a line: a crash leaves one, private lines first; so can anybody."""
    for name in (private, public):
        if name in segments and reader.read(name) == b"":
            log.tail.add(name, "is empty: left by an interrupted run, or added")


def _segment_count(log: LogPass, segments: list[str], sealed: int) -> int:
    """Segments in order from 000000; a file beyond a gap, or of one line file only, is named."""
    present = set(segments)
    count = 0
    while f"log/entries/{segment_file(count)}" in present:
        count += 1
    for name in segments:
        match = SEGMENT_NAME.fullmatch(name)
        number = int(match[2]) if match else 0
        if name not in {
            f"log/entries/{segment_file(number)}",
            f"log/private/{segment_file(number)}",
        }:
            log.form.add(name, "is no segment's name")
        elif number > count:
            target = log.form if number * SEGMENT_ENTRIES < sealed else log.tail
            target.add(name, "stands beyond a missing segment")
    private_only = f"log/private/{segment_file(count)}" in present
    return count + (1 if private_only else 0)


def _lines(log: LogPass, reader: Reader, name: str, sealed: int) -> list[bytes]:
    data = reader.read(name)
    if data is None:
        return []
    lines = data.split(b"\n")
    torn = lines.pop()
    if torn:
        first = int(name[-12:-6]) * SEGMENT_ENTRIES
        target = log.form if first + len(lines) < sealed else log.tail
        target.add(name, f"{count(len(torn), 'byte')} after its last whole line")
    return lines


def _one(
    log: LogPass, places: tuple[str, str], line: bytes, other: bytes | None, sealed: int
) -> None:
    """Check one entry; its leaf counts even when it is malformed, so that the others keep their
    places.

    Args:
        places: where its public and its private line stand.
    """
    index, leaf = log.frontier.size, leaf_hash(line)
    log.frontier.append(leaf)
    is_sealed = index < sealed
    named = f"entry {index} ({places[0]})"
    try:
        entry = entries.parse(line)
    except MalformedError as error:
        (log.form if is_sealed else log.tail).add(named, error.what)
        return
    values = _values(
        log, index, entry, leaf.hex(), other, f"entry {index} ({places[1]})", is_sealed
    )
    if index == 0 and entry.kind == "case.opened" and values is not None:
        _hold_root(log, values)
    case = log.root.case if log.root else entry.case
    problem = chain_problem(entry, case, log.last_leaf.get(entry.author))
    if problem:
        (log.form if is_sealed else log.tail).add(f"{named}, {entry.kind}", problem)
    log.last_leaf[entry.author] = leaf.hex()
    _note_time(log, entry, index)
    wrong = signing_problem(entry, log.root, log.agents) if log.root else None
    if wrong:
        (log.signatures if is_sealed else log.tail).add(f"{named}, {entry.kind}", wrong)
    if values is None:
        return
    if is_sealed and not wrong:
        _take_in(log, index, entry, leaf.hex(), values, named)
    if is_sealed:
        _note_material(log, index, entry, leaf.hex(), values)
    else:
        for digest in entries.object_references(entry.kind, values):
            log.tail_references.setdefault(digest, _label(entry, index, values))
    if index == 0:
        log.first = values if entry.kind == "case.opened" else None
    if log.observe:
        log.observe(index, entry, leaf.hex(), values)


def _hold_root(log: LogPass, values: dict[str, Any]) -> None:
    """Judge nothing by a root that entry 0 does not name: one fault would then be told as hundreds."""
    if values.get("root_sha256") != log.root_sha256:
        log.root = None


def _note_time(log: LogPass, entry: Entry, index: int) -> None:
    if entry.at < log.last_at:
        log.notes.append(f"entry {index}: the clock stood back, {log.last_at} to {entry.at}")
    log.last_at = entry.at


def _values(
    log: LogPass,
    index: int,
    entry: Entry,
    leaf: str,
    line: bytes | None,
    named: str,
    is_sealed: bool,
) -> dict[str, Any] | None:
    target = log.private if is_sealed else log.tail
    if line is None:
        target.add(f"{named}, {entry.kind}", "has no private line")
        return None
    try:
        values = entries.open_private(entry, line)
    except MalformedError as error:
        target.add(f"{named}, {entry.kind}", error.what)
        return None
    if len(values) != len(entry.sd):
        log.blank[index] = (entry.kind, leaf, frozenset(entry.sd) - frozenset(values))
    return values


def _take_in(
    log: LogPass, index: int, entry: Entry, leaf: str, values: dict[str, Any], named: str
) -> None:
    """What later checks need of an entry; only one that is sealed and rightly signed has effect."""
    if log.root is not None and log.root.person(entry.author) is None:
        is_next = bool(log.runs) and log.runs[-1][1:] == (index - 1, entry.author)
        first = log.runs.pop()[0] if is_next else index
        log.runs.append((first, index, entry.author))
    try:
        if entry.kind == "key.certified":
            log.certify(index, certified_key(values))
        elif entry.kind == "object.erased":
            erasure = erasure_of(index, values)
            log.erasures.append(erasure)
            log.erased_objects.update(erasure.objects)
        elif entry.kind == "authority.pinned":
            log.authorities[leaf] = (index, values)
        elif entry.kind == "checkpoint.stamped":
            log.stamps.append((index, entry.at, values))
        elif entry.kind == "witness.pinned":
            log.witnesses[leaf] = (index, values)
        elif entry.kind == "checkpoint.cosigned":
            log.cosigned.append((index, entry.at, values))
        elif entry.kind == "case.opened" and index:
            raise MalformedError("opens the case a second time")
    except MalformedError as error:
        log.form.add(f"{named}, {entry.kind}", error.what)


def _note_material(
    log: LogPass, index: int, entry: Entry, leaf: str, values: dict[str, Any]
) -> None:
    """What a sealed entry says is held, and what it opens and closes."""
    if entry.kind == "acquisition.started":
        log.open_acquisitions.add(leaf)
    elif entry.kind == "acquisition.finished":
        log.open_acquisitions.discard(str(values.get("acquisition")))
    for digest in entries.object_references(entry.kind, values):
        log.erased_objects.discard(digest)  # the same bytes came in again later
        if digest not in log.references or entry.kind == "item.acquired":
            log.references[digest] = _label(entry, index, values)


def _label(entry: Entry, index: int, values: dict[str, Any]) -> str:
    name = values.get("name")
    path = name.get("path") if isinstance(name, dict) else None
    return f"entry {index}, {entry.kind}" + (f", collected as {path}" if path else "")
