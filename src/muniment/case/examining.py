"""The examine stage: every original that lacks an examiner's result is decoded once, confined.

A step is done when the log has an observation of (object, examiner, version, parameters), also one
that says it failed: what cannot be decoded today is not tried again by every run, unless the
machine was the reason.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Final, cast

import msgspec

from muniment.case.damage import make_room, make_room_for_value, originals
from muniment.case.index import Index
from muniment.case.observed import PREFIX, outcome
from muniment.case.pictures import stored_form
from muniment.case.posts import STEP as POSTS_STEP
from muniment.case.progress import Progress
from muniment.case.spoilt import damaged
from muniment.custody.log import LogWriter
from muniment.custody.vault import Vault
from muniment.engine import supervisor
from muniment.errors import MalformedError, MunimentError
from muniment.examine import reading, registry
from muniment.examine.limits import BASE_CPU_S, CPU_S_PER_MB
from muniment.model import canonical
from muniment.model.display import visible
from muniment.model.examine import (
    OF_THE_MACHINE,
    Examined,
    Finding,
    Note,
    Problem,
    Wanted,
    worst,
)
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Ended, Limits
from muniment.trace import clip as clips

#: A worker keeps its own budget (examine/limits.py) and then says what it found so far; one that
#: does not is stopped this much later.
SLACK: Final = 1.25
SLACK_S: Final = 60.0
#: Documents are text: one that takes longer is made to.
DOCUMENT: Final = ("document",)
DOCUMENT_S: Final = 10.0
MEMORY_BYTES: Final = 2 << 30
OUTPUT_BYTES: Final = 192 << 20
MOST_NOTES: Final = 40
MOST_NOTE_CHARACTERS: Final = 300
#: In the log: with all else that `outcome` says it stays below the 16 kB of a private value.
MOST_NOTE_BYTES: Final = 12_000
#: Results are sealed at least this often, so that a kill costs no more work than that.
COMMIT_EVERY_S: Final = 5.0


class Subject(msgspec.Struct, frozen=True):
    """One object and the examiners that have not looked at it: one decode pass.

    `path` is only for messages.
    """

    object: str
    path: str
    size_bytes: int
    media_type: str | None
    examiners: tuple[str, ...]


class Examining(msgspec.Struct):
    """What a run of the stage did with each object; `failed_before` counts what an earlier run
    failed on and this one did not try again.

    `statuses` are what became of each examiner asked: `done`, `partly`, `failed`; empty where the
    object could not be opened.
    """

    statuses: dict[str, set[str]] = {}
    failed_before: int = 0
    notices: list[str] = []

    def counts(self) -> dict[str, int]:
        """Objects for the summary, in the words of the report: wholly `examined`, `partly`, not at
        all (`failed`), `not_tried`."""
        outcomes = Counter(worst(found) for found in self.statuses.values())
        return {
            "examined": outcomes["done"],
            "partly": outcomes["partly"],
            "failed": outcomes["failed"],
            "not_tried": outcomes["not_tried"],
            "failed_before": self.failed_before,
        }


def parameters() -> dict[str, Any]:
    """What examiners are told beside the object: nothing that could change a result, so far."""
    return {}


def lacking(
    index: Index, *, again: bool = False, damaged: Mapping[str, set[str]] | None = None
) -> list[Subject]:
    """Originals that lack a result of an examiner made for their kind, in the order of the log.

    What the machine was the reason for is lacking too.

    Args:
        again: also those whose last try failed.
        damaged: object -> examiners whose results cannot be read: they are lacking.
    """
    told = canonical.encode(parameters()).decode()
    of_the_machine = ",".join(f"'{one}'" for one in OF_THE_MACHINE)
    sql = (
        "SELECT object, step, step_version FROM observation WHERE step GLOB 'examine.*'"
        " AND parameters=? AND status IS NOT NULL AND NOT (status = 'failed'"
        f" AND coalesce(json_extract(outcome, '$.problem'), '') IN ({of_the_machine}))"
    ) + (" AND status != 'failed'" if again else "")
    done = {(digest, step, version) for digest, step, version in index.rows(sql, told)}
    versions = registry.versions()
    for digest, spoilt in (damaged or {}).items():
        done -= {(digest, PREFIX + name, versions[name]) for name in spoilt}
    found: list[Subject] = []
    for digest, path, size, content, by_name in index.rows(
        "SELECT object, path, size_bytes, by_content, by_name FROM item WHERE idx IN"
        " (SELECT min(idx) FROM item WHERE object IS NOT NULL GROUP BY object)"
        " AND object NOT IN (SELECT object FROM erased)"
        # An export's text is its posts.
        " AND object NOT IN (SELECT object FROM observation WHERE step=? AND object IS NOT NULL)"
        " ORDER BY idx",
        POSTS_STEP,
    ):
        for media_type, names in registry.passes(content, by_name):
            missing = tuple(
                name for name in names if (digest, PREFIX + name, versions[name]) not in done
            )
            if missing:
                found.append(Subject(digest, path or digest, size or 0, media_type, missing))
    return found


def failed_before(index: Index, tried: Sequence[Subject]) -> int:
    """How many originals an examiner failed on at its last try, those tried now left out."""
    sql = (
        "SELECT DISTINCT object FROM observation WHERE status='failed' AND idx IN"
        " (SELECT max(idx) FROM observation WHERE step GLOB 'examine.*' AND status IS NOT NULL"
        " AND object NOT IN (SELECT object FROM erased) GROUP BY object, step)"
    )
    return len({digest for (digest,) in index.rows(sql)} - {one.object for one in tried})


class _Step:
    """The stage as the engine sees it."""

    def __init__(
        self,
        log: LogWriter,
        vault: Vault,
        zygote: Zygote,
        progress: Progress,
        result: Examining,
        items: frozenset[str],
    ) -> None:
        self.log, self.vault, self.zygote, self.items = log, vault, zygote, items
        self.progress, self.result = progress, result
        self.sealed_s = time.monotonic()

    @contextmanager
    def open(self, key: Subject) -> Iterator[tuple[int, bytes]]:
        wanted = Wanted(key.examiners, key.media_type, key.size_bytes, parameters())
        purpose = f"examine: {', '.join(key.examiners)}"
        with self.vault.open(key.object, by="examine", purpose=purpose) as stream:
            yield stream.fileno(), msgspec.msgpack.encode(wanted)

    def limits(self, key: Subject) -> Limits:
        if key.examiners == DOCUMENT:
            return limits(key.size_bytes, base_s=DOCUMENT_S)
        return limits(key.size_bytes)

    def store(self, key: Subject, ended: Ended) -> None:
        try:
            examined = outcome_of(ended, key.examiners)
            kept = {one.examiner: self._kept(one) for one in examined.findings}
        except MalformedError as error:
            examined, kept = malformed(error), {}
        for name in key.examiners:
            self._observe(key, name, examined, kept.get(name), ended)
        statuses = {_status(examined, name in kept) for name in key.examiners}
        self.result.statuses.setdefault(key.object, set()).update(statuses)
        if examined.problem:
            self._tell(key, str(examined.problem), examined.detail)
        self.progress.advance(key.size_bytes)
        if time.monotonic() - self.sealed_s > COMMIT_EVERY_S:
            self.log.commit()
            self.sealed_s = time.monotonic()

    def refused(self, key: Subject, error: Exception) -> None:
        what = error.what if isinstance(error, MunimentError) else str(error)
        self._tell(key, Problem.HASH_CHANGED if "its bytes" in what else what, "")
        self.result.statuses.setdefault(key.object, set())
        self.progress.advance(key.size_bytes)

    def _kept(self, finding: Finding) -> tuple[dict[str, Any], list[str]]:
        """The result value and its objects; facts of strangers brought into the log's profile."""
        objects: list[str] = []
        blobs: list[dict[str, Any]] = []
        for blob in finding.blobs:
            data, media_type = stored_form(blob)
            make_room(self.log, data, self.items)
            objects.append(self.log.objects.add_bytes(data))
            blobs.append(
                {
                    "name": blob.name,
                    "media_type": media_type,
                    "width_px": blob.width_px,
                    "height_px": blob.height_px,
                    "time_s": blob.time_s,
                }
            )
        return {"facts": _profiled(finding.facts), "blobs": blobs}, objects

    def _observe(
        self,
        key: Subject,
        name: str,
        examined: Examined,
        kept: tuple[dict[str, Any], list[str]] | None,
        ended: Ended,
    ) -> None:
        status = _status(examined, kept is not None)
        result, objects = kept or (None, [])
        make_room_for_value(self.log, result, self.items)
        self.log.append(
            "observation.made",
            {
                "object": key.object,
                "step": PREFIX + name,
                "step_version": registry.versions()[name],
                "parameters": parameters(),
                "outcome": outcome(
                    status,
                    str(examined.problem) if examined.problem else None,
                    _short(examined.detail),
                    _notes(examined),
                ),
                "result": result,
                "derived": objects,
                "tool": {
                    "libraries": _profiled(examined.libraries),
                    "confinement": _layers(self.zygote),
                },
                "elapsed_s": f"{ended.elapsed_s:.3f}",
            },
        )

    def _tell(self, key: Subject, what: str, detail: str) -> None:
        name = PurePosixPath(key.path).name or key.object
        line = f"{visible(name)}: "
        if detail.startswith(what):
            line += visible(_short(detail))
        else:
            line += visible(what) + (f" ({visible(_short(detail))})" if detail else "")
        line += ". Kept as it is; the report says what was found before that."
        line += " The next run tries it again." if what in OF_THE_MACHINE else ""
        self.result.notices.append(line)
        self.progress.notice(line)


def _status(examined: Examined, is_kept: bool) -> str:
    """What became of an examiner, whose finding was kept or not."""
    if not is_kept:
        return "failed"
    return "partly" if examined.problem else "done"


def limits(size_bytes: int, *, base_s: float = BASE_CPU_S) -> Limits:
    """What a worker may use for an object of that size."""
    budget_s = base_s + CPU_S_PER_MB * size_bytes / 1e6
    cpu_s = SLACK * budget_s + min(SLACK_S, base_s)
    return Limits(
        memory_bytes=MEMORY_BYTES, cpu_s=cpu_s, wall_s=4 * cpu_s, output_bytes=OUTPUT_BYTES
    )


def outcome_of(ended: Ended, asked: Sequence[str]) -> Examined:
    """What a worker said, or what is to be said of one that could not finish.

    Args:
        asked: the examiners it was asked for.
    Raises:
        MalformedError: if what it said is not in the form it must have.
    """
    if ended.outcome == "done":
        found = reading.examined(ended.payload)
        said = {one.examiner for one in found.findings}
        if not said <= set(asked) or (found.problem is None and said != set(asked)):
            raise MalformedError("a worker's answer is not of the examiners it was asked for")
        traceable(
            {
                one.examiner: (one.facts, {blob.name: blob.data for blob in one.blobs})
                for one in found.findings
            }
        )
        return found
    if ended.outcome in ("time", "cpu"):
        return Examined(problem=Problem.TIME_LIMIT, detail=f"after {ended.cpu_s:.0f} s of CPU")
    if ended.outcome == "memory":
        return Examined(problem=Problem.MEMORY_LIMIT, detail=f"of {MEMORY_BYTES >> 20} MiB")
    if ended.outcome == "output":
        return Examined(problem=Problem.OUTPUT_LIMIT, detail=f"of {OUTPUT_BYTES >> 20} MiB")
    if ended.outcome in ("killed", "lost"):
        return Examined(problem=Problem.STOPPED, detail=ended.detail)
    return Examined(
        problem=Problem.KILLED, detail=ended.signal or ended.detail or "ended without a word"
    )


def malformed(error: MalformedError) -> Examined:
    """What is said of an object whose worker gave an answer that was not taken."""
    what = f"{error.subject}: {error.what}" if error.subject else error.what
    return Examined(problem=Problem.MALFORMED, detail=f"the decoder's answer: {what}")


def traceable(findings: clips.Findings) -> None:
    """Nothing, when tracing can read what was found, by its own reader.

    Raises:
        MalformedError: if it cannot.
    """
    read = clips.clip("", {name: findings[name] for name in clips.NEEDED if name in findings})
    told = findings["fingerprint"][0].get("landmarks", 0) if "fingerprint" in findings else 0
    if len(read.sound) != told:
        raise MalformedError(f"fingerprint: {len(read.sound)} landmarks, {told} are told of")


def examine(
    log: LogWriter,
    vault: Vault,
    index: Index,
    zygote: Zygote,
    progress: Progress,
    *,
    again: bool = False,
) -> Examining:
    """Examine every original that lacks a result; sealed as it goes.

    Args:
        index: the projection as of now.
        again: also what failed before, and what was found but cannot be read any more.
    Raises:
        StorageError: if the case's disk refuses; what was acknowledged is kept.
        SandboxError: if no confined worker can be started.
    """
    spoilt = damaged(log.folder, index) if again else {}
    subjects = lacking(index, again=again, damaged=spoilt)
    result = Examining({}, failed_before(index, subjects), [])
    if not subjects:
        return result
    progress.start("Examining", sum(one.size_bytes for one in subjects), "bytes")
    step = _Step(log, vault, zygote, progress, result, originals(index))
    for _ in supervisor.map(step, subjects, zygote):
        pass
    log.commit()
    return result


def _layers(zygote: Zygote) -> dict[str, Any]:
    """The layers of confinement measured to be in force."""
    return cast("dict[str, Any]", msgspec.to_builtins(zygote.layers))


def _notes(examined: Examined) -> list[Note]:
    """The first notes, as many as there is room for, and how many are left out."""
    notes: list[Note] = []
    left = MOST_NOTE_BYTES
    for one in examined.notes[:MOST_NOTES]:
        note = Note(_short(one.what), _short(one.detail))
        left -= len(canonical.encode(msgspec.to_builtins(note)))
        if left < 0:
            break
        notes.append(note)
    if more := len(examined.notes) - len(notes):
        notes.append(Note("notes left out", f"{more} more"))
    return notes


def _short(text: str) -> str:
    text = canonical.text(text)
    return text if len(text) <= MOST_NOTE_CHARACTERS else text[: MOST_NOTE_CHARACTERS - 1] + "…"


def _profiled(value: Any) -> Any:
    """A worker's JSON value in the log's profile.

    Raises:
        MalformedError: if it holds what the profile cannot (a float, a huge integer, depth).
    """
    canonical.check(value, nfc=False)
    return _texts(value)


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return canonical.text(value)
    if isinstance(value, list | tuple):
        return [_texts(one) for one in value]
    if isinstance(value, dict):
        return {name: _texts(one) for name, one in value.items()}
    return value
