"""The trace stage: each clip against all that came before it, one result object for each.

So every pair stands in exactly one result, and a new clip adds one entry however many there are.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from muniment.case import observed, trace_results
from muniment.case.index import Index
from muniment.case.observed import Observed
from muniment.case.progress import Progress
from muniment.case.trace_results import STEP
from muniment.custody.derived import read_derived
from muniment.custody.log import LogWriter
from muniment.model.trace import Pair
from muniment.store.layout import CaseFolder
from muniment.trace import clip as clips
from muniment.trace.candidates import VERSION, Tracer, libraries
from muniment.trace.clip import Clip

Kept = dict[str, dict[str, Observed]]


class _Done(msgspec.Struct, frozen=True):
    """A result the log holds."""

    parameters: dict[str, Any]
    value: Any


def fingerprinted(folder: CaseFolder, index: Index) -> Kept:
    """Object -> its observations that tracing needs, in the order of the log's items."""
    found: Kept = {}
    for one in observed.each(folder, index, *clips.NEEDED):
        if one.status != "failed":
            found.setdefault(one.object, {})[one.examiner] = one
    order = index.rows(
        "SELECT object FROM item WHERE object IS NOT NULL GROUP BY object ORDER BY min(idx)"
    )
    return {digest: found[digest] for (digest,) in order if digest in found}


def read_clips(folder: CaseFolder, index: Index) -> Iterator[Clip]:
    """Every clip that has a fingerprint, in the order of the log's items.

    Raises:
        IntegrityError: if a derived object is gone or changed.
    """
    for digest, found in fingerprinted(folder, index).items():
        yield _clip(folder, digest, found)


def _clip(folder: CaseFolder, digest: str, found: dict[str, Observed]) -> Clip:
    return clips.clip(
        digest,
        {
            name: (
                one.facts,
                {kept.name: read_derived(folder, kept.object) for kept in one.blobs},
            )
            for name, one in found.items()
        },
    )


def trace(folder: CaseFolder, log: LogWriter, index: Index, progress: Progress) -> None:
    """Compare every clip that lacks a result with all that came before it; sealed at the end.

    Raises:
        StorageError: if the case's disk refuses; what was acknowledged is kept.
        IntegrityError: if a derived object is gone or changed.
    """
    held, done = fingerprinted(folder, index), _results(folder, index)
    against, todo = _Against(), {}
    for digest in held:
        told = against.parameters()
        if digest not in done or done[digest].parameters != told:
            todo[digest] = told
        against.add(digest)
    if not todo:
        return
    progress.start("Tracing", len(todo), "clips")
    tracer = Tracer(read=lambda digest: _clip(folder, digest, held[digest]))
    for number, (digest, found) in enumerate(held.items()):
        clip = _clip(folder, digest, found)
        if digest in todo:
            started_s = time.monotonic()
            pairs = tracer.trace(clip)
            _record(log, digest, todo[digest], number, pairs, time.monotonic() - started_s)
            progress.advance()
        else:
            tracer.take(clip, trace_results.pairs(done[digest].value))
    log.commit()


def _results(folder: CaseFolder, index: Index) -> dict[str, _Done]:
    """Object -> its latest result of this version of tracing."""
    sql = (
        "SELECT object, parameters, result FROM observation WHERE step=? AND step_version=?"
        " AND status IS NOT NULL AND result IS NOT NULL AND parameters IS NOT NULL ORDER BY idx"
    )
    return {
        digest: _Done(json.loads(told), observed.value(folder, json.loads(text)))
        for digest, told, text in index.rows(sql, STEP, VERSION)
    }


class _Against:
    """The clips that came before, as a step's parameters name them: how many, and which."""

    def __init__(self) -> None:
        self._sha, self._number = hashlib.sha256(), 0

    def parameters(self) -> dict[str, Any]:
        return {"against": self._number, "against_sha256": self._sha.hexdigest()}

    def add(self, digest: str) -> None:
        self._sha.update(digest.encode())
        self._number += 1


def _record(
    log: LogWriter,
    digest: str,
    told: dict[str, Any],
    number: int,
    pairs: list[Pair],
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
            "result": trace_results.told(digest, pairs, number),
            "derived": [],
            "tool": {"libraries": libraries(), "confinement": None},
            "elapsed_s": f"{elapsed_s:.3f}",
        },
    )
