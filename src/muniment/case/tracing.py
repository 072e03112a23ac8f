"""The trace stage: each clip against all that came before it, one result object for each.

So every pair stands in exactly one result, and a new clip adds one entry however many there are.
A clip whose fingerprint cannot be read is told and left out; results made without it say so by their
parameters, and are made anew when it can be read again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from muniment.case import observed, trace_results
from muniment.case.damage import Damage, called, make_room_for_value, originals
from muniment.case.index import Index
from muniment.case.observed import Observed
from muniment.case.progress import Progress
from muniment.case.trace_results import STEP
from muniment.custody.log import LogWriter
from muniment.errors import IntegrityError, MalformedError
from muniment.store.layout import CaseFolder
from muniment.trace import clip as clips
from muniment.trace.candidates import VERSION, Tracer, libraries
from muniment.trace.clip import Clip

Kept = dict[str, dict[str, Observed]]
RESULT: Final = "result of tracing"


class _Done(msgspec.Struct, frozen=True):
    """A result the log holds."""

    parameters: dict[str, Any]
    value: Any


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


def read_clips(folder: CaseFolder, index: Index, damage: Damage) -> Iterator[Clip]:
    """Every clip that has a fingerprint, in the order of the log's items.

    Args:
        damage: is told of those that cannot be read.
    """
    for digest, found in fingerprinted(folder, index, damage).items():
        clip = clip_of(digest, found, damage)
        if clip is not None:
            yield clip


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
        _compare_all(log, held, done, damage, originals(index), progress)
        log.commit()
    for line in damage.lines:
        progress.notice(line)
    return damage.lines


def _compare_all(
    log: LogWriter,
    held: Kept,
    done: dict[str, _Done],
    damage: Damage,
    kept: frozenset[str],
    progress: Progress,
) -> None:
    """Every clip taken in in its order; a result for each that has none against those before it."""

    def anew(digest: str) -> Clip:
        clip = clip_of(digest, held[digest], damage)
        if clip is None:
            raise IntegrityError("changed while clips were compared", subject=f"object {digest}")
        return clip

    tracer, every, sound = Tracer(read=anew), _Against(), _Against()
    for digest, found in held.items():
        clip = clip_of(digest, found, damage)
        every_told, told = every.parameters(), sound.parameters()
        every.add(digest)
        if clip is None:
            continue
        # A result made when all could be read stands, also while one of them cannot.
        if digest in done and done[digest].parameters in (every_told, told):
            tracer.take(clip, trace_results.pairs(done[digest].value))
        else:
            started_s = time.monotonic()
            value = trace_results.told(digest, tracer.trace(clip), sound.number)
            make_room_for_value(log, value, kept)
            _record(log, digest, told, value, time.monotonic() - started_s)
            progress.advance()
        sound.add(digest)


def _results(index: Index, damage: Damage) -> dict[str, _Done]:
    """Object -> its latest result of this version of tracing that can be read."""
    sql = (
        "SELECT object, parameters, result FROM observation WHERE step=? AND step_version=?"
        " AND status IS NOT NULL AND result IS NOT NULL AND parameters IS NOT NULL ORDER BY idx"
    )
    latest = {digest: (told, text) for digest, told, text in index.rows(sql, STEP, VERSION)}
    found = {
        digest: _Done(json.loads(told), damage.value(digest, RESULT, json.loads(text)))
        for digest, (told, text) in latest.items()
    }
    return {digest: one for digest, one in found.items() if one.value is not None}


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
