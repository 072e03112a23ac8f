"""The examine stage: every original that lacks an examiner's result is decoded once, confined.

A step is done when the log has an observation of (object, examiner, version, parameters), also one
that says it failed: what cannot be decoded today is not tried again by every run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Final, cast

import msgspec

from muniment.case.index import Index
from muniment.case.observed import PREFIX, outcome
from muniment.case.pictures import stored_form
from muniment.case.posts import STEP as POSTS_STEP
from muniment.case.progress import Progress
from muniment.custody.log import LogWriter
from muniment.custody.vault import Vault
from muniment.engine import supervisor
from muniment.errors import MalformedError, MunimentError
from muniment.examine import reading, registry
from muniment.examine.limits import BASE_CPU_S, CPU_S_PER_MB
from muniment.model import canonical
from muniment.model.display import visible
from muniment.model.examine import Examined, Finding, Note, Problem, Wanted
from muniment.sandbox.host import Zygote
from muniment.sandbox.records import Ended, Limits

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
    """What a run of the stage did."""

    examined: int = 0
    failed: int = 0
    notices: list[str] = []

    def counts(self) -> dict[str, int]:
        """For the summary."""
        return {"examined": self.examined, "failed": self.failed}


def parameters() -> dict[str, Any]:
    """What examiners are told beside the object: nothing that could change a result, so far."""
    return {}


def lacking(index: Index, *, again: bool = False) -> list[Subject]:
    """Originals that lack a result of an examiner made for their kind, in the order of the log.

    Args:
        again: also those whose last try failed.
    """
    told = canonical.encode(parameters()).decode()
    sql = (
        "SELECT object, step, step_version FROM observation WHERE step GLOB 'examine.*'"
        " AND parameters=? AND status IS NOT NULL"
    ) + (" AND status != 'failed'" if again else "")
    done = {(digest, step, version) for digest, step, version in index.rows(sql, told)}
    versions = registry.versions()
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


class _Step:
    """The stage as the engine sees it."""

    def __init__(
        self, log: LogWriter, vault: Vault, zygote: Zygote, progress: Progress, result: Examining
    ) -> None:
        self.log, self.vault, self.zygote = log, vault, zygote
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
            examined = outcome_of(ended)
            kept = {one.examiner: self._kept(one) for one in examined.findings}
        except MalformedError as error:
            examined, kept = Examined(problem=Problem.MALFORMED, detail=error.what), {}
        for name in key.examiners:
            self._observe(key, name, examined, kept.get(name), ended)
        self._count(key, examined)
        if time.monotonic() - self.sealed_s > COMMIT_EVERY_S:
            self.log.commit()
            self.sealed_s = time.monotonic()

    def refused(self, key: Subject, error: Exception) -> None:
        what = error.what if isinstance(error, MunimentError) else str(error)
        self._tell(key, Problem.HASH_CHANGED if "its bytes" in what else what, "")
        self.result.failed += 1
        self.progress.advance(key.size_bytes)

    def _kept(self, finding: Finding) -> tuple[dict[str, Any], list[str]]:
        """The result value and its objects; facts of strangers brought into the log's profile."""
        objects: list[str] = []
        blobs: list[dict[str, Any]] = []
        for blob in finding.blobs:
            data, media_type = stored_form(blob)
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
        status = "failed" if kept is None else "partly" if examined.problem else "done"
        result, objects = kept or (None, [])
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
                    [
                        Note(_short(one.what), _short(one.detail))
                        for one in examined.notes[:MOST_NOTES]
                    ],
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

    def _count(self, key: Subject, examined: Examined) -> None:
        if examined.problem:
            self._tell(key, str(examined.problem), examined.detail)
            self.result.failed += 1
        else:
            self.result.examined += 1
        self.progress.advance(key.size_bytes)

    def _tell(self, key: Subject, what: str, detail: str) -> None:
        name = PurePosixPath(key.path).name or key.object
        line = f"{visible(name)}: {visible(what)}"
        line += f" ({visible(_short(detail))})" if detail else ""
        line += ". Kept as it is; the report says what was found before that."
        self.result.notices.append(line)
        self.progress.notice(line)


def limits(size_bytes: int, *, base_s: float = BASE_CPU_S) -> Limits:
    """What a worker may use for an object of that size."""
    budget_s = base_s + CPU_S_PER_MB * size_bytes / 1e6
    cpu_s = SLACK * budget_s + min(SLACK_S, base_s)
    return Limits(
        memory_bytes=MEMORY_BYTES, cpu_s=cpu_s, wall_s=4 * cpu_s, output_bytes=OUTPUT_BYTES
    )


def outcome_of(ended: Ended) -> Examined:
    """What a worker said, or what is to be said of one that could not finish.

    Raises:
        MalformedError: if what it said is not in the form it must have.
    """
    if ended.outcome == "done":
        return reading.examined(ended.payload)
    if ended.outcome in ("time", "cpu"):
        return Examined(problem=Problem.TIME_LIMIT, detail=f"after {ended.cpu_s:.0f} s of CPU")
    if ended.outcome == "memory":
        return Examined(problem=Problem.MEMORY_LIMIT, detail=f"of {MEMORY_BYTES >> 20} MiB")
    if ended.outcome == "output":
        return Examined(problem=Problem.OUTPUT_LIMIT, detail=f"of {OUTPUT_BYTES >> 20} MiB")
    return Examined(
        problem=Problem.KILLED, detail=ended.signal or ended.detail or "ended without a word"
    )


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
    Raises:
        StorageError: if the case's disk refuses; what was acknowledged is kept.
        SandboxError: if no confined worker can be started.
    """
    subjects, result = lacking(index, again=again), Examining(notices=[])
    if not subjects:
        return result
    progress.start("Examining", sum(one.size_bytes for one in subjects), "bytes")
    for _ in supervisor.map(_Step(log, vault, zygote, progress, result), subjects, zygote):
        pass
    log.commit()
    return result


def _layers(zygote: Zygote) -> dict[str, Any]:
    """The layers of confinement measured to be in force."""
    return cast("dict[str, Any]", msgspec.to_builtins(zygote.layers))


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
