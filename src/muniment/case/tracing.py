"""The trace stage: each clip against all that came before it, one result object for each.

So every pair stands in exactly one result, and a new clip adds one entry however many there are.
A clip whose fingerprint cannot be read is told and left out; results made without it say so by their
parameters, and are made anew when it can be read again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from muniment.case import observed, trace_index, trace_results
from muniment.case.damage import Damage, called, make_room_for_value, originals
from muniment.case.index import Index
from muniment.case.observed import Observed
from muniment.case.progress import Progress
from muniment.case.trace_results import STEP
from muniment.custody.entry import MAX_VALUE_BYTES, encode_value, kept_object
from muniment.custody.log import LogWriter
from muniment.custody.memory import Memory
from muniment.errors import IntegrityError, MalformedError
from muniment.model.trace import Pair
from muniment.store.layout import CaseFolder
from muniment.trace import clip as clips
from muniment.trace.candidates import VERSION, Before, Collection, Tracer, libraries
from muniment.trace.clip import Clip
from muniment.trace.register import Looked

Kept = dict[str, dict[str, Observed]]
RESULT: Final = "result of tracing"
_SHORT: Final = 1000


class _Done(msgspec.Struct, frozen=True):
    """A result the log holds: parameters, its text in the projection, the digest of its value."""

    parameters: dict[str, Any]
    text: str
    digest: str


def fingerprinted(folder: CaseFolder, index: Index, damage: Damage) -> Kept:
    """Object -> its observations that tracing needs, in the order of the log's items."""
    found: Kept = {}
    for one in observed.each(folder, index, *clips.NEEDED, damage=damage):
        if one.status != "failed":
            found.setdefault(one.object, {})[one.examiner] = one
    order = index.rows(
        "SELECT object FROM item WHERE object IS NOT NULL GROUP BY object ORDER BY min(idx)"
    )
    return {digest: found[digest] for (digest,) in order if digest in found}


def collection(
    folder: CaseFolder, index: Index, damage: Damage, memory: Memory | None
) -> Collection:
    """All clips of the case, to be searched: from the fingerprint index as far as it goes; the rest
    is read. Nothing is written.

    Args:
        damage: is told of clips that cannot be read.
    """
    held = fingerprinted(folder, index, damage)
    kept = trace_index.Kept(folder, memory)
    count = 0
    for row, (digest, found) in zip(kept.rows, held.items(), strict=False):
        if (row.object, row.made_of) != (digest, trace_index.made_of(found)):
            break
        count += 1

    def read(digest: str) -> Clip:
        clip = clip_of(digest, held[digest], damage)
        if clip is None:
            raise IntegrityError("its fingerprint cannot be read", subject=f"object {digest}")
        return clip

    found_clips = Collection(read=read, before=kept.before(count, lambda _: ()))
    for digest in list(held)[count:]:
        clip = clip_of(digest, held[digest], damage)
        if clip is not None:
            found_clips.add(Looked(clip))
    return found_clips


def clip_of(digest: str, found: dict[str, Observed], damage: Damage) -> Clip | None:
    """The clip of an object, from what the examiners found (name -> observation); None when a derived
    object of it cannot be read."""
    findings: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {}
    for name, one in found.items():
        blobs = {
            kept.name: damage.read(digest, called(name, kept.name), kept.object)
            for kept in one.blobs
        }
        sound = {blob: data for blob, data in blobs.items() if data is not None}
        if one.damaged or len(sound) != len(blobs):
            return None
        findings[name] = (one.facts, sound)
    try:
        return clips.clip(digest, findings)
    except MalformedError as error:
        first = next((kept.object for one in found.values() for kept in one.blobs), digest)
        damage.tell(digest, "fingerprint", first, error)
        return None


def trace(folder: CaseFolder, log: LogWriter, index: Index, progress: Progress) -> tuple[str, ...]:
    """Compare every clip that lacks a result with all that came before it; sealed at the end.

    Returns:
        a line for each derived object that could not be read.
    Raises:
        StorageError: if the case's disk refuses; what was acknowledged is kept.
    """
    damage = Damage(folder, index)
    held, done = fingerprinted(folder, index, damage), _results(index, damage)
    against, todo = _Against(), 0
    for digest in held:
        todo += digest not in done or done[digest].parameters != against.parameters()
        against.add(digest)
    if todo:
        progress.start("Tracing", todo, "clips")
        run = _Run(log, held, done, damage, originals(index), progress)
        run.compare_all()
        log.commit()
        run.save()
    for line in damage.lines:
        progress.notice(line)
    return damage.lines


class _UnreadError(IntegrityError):
    """A clip that the index holds is wanted for comparing, and its findings cannot be read."""


class _Run:
    """Every clip taken in in its order; a result for each that has none against those before it.

    Those that the fingerprint index holds, made of the same findings and with the same results, are
    not read again.
    """

    def __init__(
        self,
        log: LogWriter,
        held: Kept,
        done: dict[str, _Done],
        damage: Damage,
        kept: frozenset[str],
        progress: Progress,
    ) -> None:
        self._log, self._held, self._done, self._damage = log, held, done, damage
        self._originals, self._progress = kept, progress
        self._index = trace_index.Kept(log.folder, log.memory)
        #: of each clip that is compared in this run: its findings' digest, its result's
        self._keys: dict[str, tuple[str, str]] = {}
        self._before: Before
        self._tracer: Tracer

    def compare_all(self) -> None:
        """Append what is lacking; the index is used up to the first clip that turns out to be
        damaged, so that what comes after says that it was left out."""
        count = self._reused()
        while True:
            try:
                self._compare_from(count)
                return
            except _UnreadError as error:
                count = list(self._held).index(error.subject)

    def _compare_from(self, count: int) -> None:
        every, sound = _Against(), _Against()
        self._before = self._index.before(count, self._pairs_of)
        self._tracer = Tracer(read=self._anew, before=self._before)
        for digest in list(self._held)[:count]:
            every.add(digest)
            sound.add(digest)
        for digest in list(self._held)[count:]:
            self._next(digest, self._tracer, every, sound)

    def save(self) -> None:
        """Leave the index as it is now; once the log is sealed."""
        self._index.save(self._before, self._tracer.taken, self._keys)

    def _reused(self) -> int:
        """How many clips stand in the index as the log has them, and have their results."""
        against = _Against()
        for number, (row, digest) in enumerate(zip(self._index.rows, self._held, strict=False)):
            done = self._done.get(digest)
            wanted = (
                row.object == digest
                and done is not None
                and done.parameters == against.parameters()
                and (row.made_of, row.result)
                == (trace_index.made_of(self._held[digest]), done.digest)
            )
            if not wanted:
                return number
            against.add(digest)
        return min(len(self._index.rows), len(self._held))

    def _next(self, digest: str, tracer: Tracer, every: _Against, sound: _Against) -> None:
        found = self._held[digest]
        clip = clip_of(digest, found, self._damage)
        every_told, told = every.parameters(), sound.parameters()
        every.add(digest)
        if clip is None:
            return
        done = self._done.get(digest)
        # A result made when all could be read stands, also while one of them cannot.
        if done is not None and done.parameters in (every_told, told):
            tracer.take(clip, self._pairs_of(digest))
            key = done.digest
        else:
            started_s = time.monotonic()
            value = trace_results.told(digest, tracer.trace(clip), sound.number)
            make_room_for_value(self._log, value, self._originals)
            _record(self._log, digest, told, value, time.monotonic() - started_s)
            key = _digest_of(value)
            self._done[digest] = _Done(told, json.dumps(value), key)
            self._progress.advance()
        self._keys[digest] = trace_index.made_of(found), key
        sound.add(digest)

    def _pairs_of(self, digest: str) -> Iterable[Pair]:
        """The pairs of a clip with those before it, as its result has them."""
        value = self._damage.value(digest, RESULT, json.loads(self._done[digest].text))
        if value is None:
            raise IntegrityError("changed while clips were compared", subject=f"result of {digest}")
        return trace_results.pairs(value)

    def _anew(self, digest: str) -> Clip:
        clip = clip_of(digest, self._held[digest], self._damage)
        if clip is not None:
            return clip
        if any(one.name == digest for one in self._before.taken):
            raise _UnreadError("its findings cannot be read", subject=digest)
        raise IntegrityError("changed while clips were compared", subject=f"object {digest}")


def _results(index: Index, damage: Damage) -> dict[str, _Done]:
    """Object -> its latest result of this version of tracing that can be read."""
    sql = (
        "SELECT object, parameters, result FROM observation WHERE step=? AND step_version=?"
        " AND status IS NOT NULL AND result IS NOT NULL AND parameters IS NOT NULL ORDER BY idx"
    )
    latest = {digest: (told, text) for digest, told, text in index.rows(sql, STEP, VERSION)}
    found: dict[str, _Done] = {}
    for digest, (told, text) in latest.items():
        # Only a short text can name an object, whose digest is then that of the value.
        kept = kept_object(json.loads(text)) if len(text) < _SHORT else None
        if kept is None or damage.read(digest, RESULT, kept) is not None:
            own = kept or hashlib.sha256(text.encode()).hexdigest()
            found[digest] = _Done(json.loads(told), text, own)
    return found


def _digest_of(value: Any) -> str:
    """What `_results` gives for a value that was logged: the digest of its object, where it is long, or
    of its text in the projection."""
    data = encode_value(value)
    if len(data) <= MAX_VALUE_BYTES:
        data = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


class _Against:
    """The clips that came before, as a step's parameters name them: how many, and which."""

    def __init__(self) -> None:
        self._sha, self.number = hashlib.sha256(), 0

    def parameters(self) -> dict[str, Any]:
        return {"against": self.number, "against_sha256": self._sha.hexdigest()}

    def add(self, digest: str) -> None:
        self._sha.update(digest.encode())
        self.number += 1


def _record(
    log: LogWriter,
    digest: str,
    told: dict[str, Any],
    value: dict[str, Any],
    elapsed_s: float,
) -> None:
    log.append(
        "observation.made",
        {
            "object": digest,
            "step": STEP,
            "step_version": VERSION,
            "parameters": told,
            "outcome": observed.outcome("done"),
            "result": value,
            "derived": [],
            "tool": {"libraries": libraries(), "confinement": None},
            "elapsed_s": f"{elapsed_s:.3f}",
        },
    )
