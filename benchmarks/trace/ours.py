"""This program measured on a split: examined once, traced query by query. Both are kept.

What was examined or compared by the same code is read from the folder of the split, so a run that
was killed goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

import muniment
from benchmarks.trace.build import COPY, OTHER, Built
from benchmarks.trace.extracting import clip_of, decode_cpu_s, found
from benchmarks.trace.figures import Method, Scored
from muniment.examine import worker
from muniment.model.trace import Pair, Verdict
from muniment.trace.candidates import Collection
from muniment.trace.clip import Clip
from muniment.trace.compare import compared
from muniment.trace.register import Looked

Say = Callable[[str], None]
#: times a file of many lines is decoded; the middle one counts
TIMES: Final = 3
_SOURCES: Final = Path(muniment.__file__).parent


class Kept(msgspec.Struct, frozen=True):
    """What one file took and gave."""

    cpu_s: float
    decode_cpu_s: float
    data: bytes


def _code(*rooms: str) -> str:
    """Names the code that made a result, so that results of other code are not taken for it."""
    files = [path for room in rooms for path in sorted((_SOURCES / room).rglob("*.py"))]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:8]


#: taken when this is imported: files may change while a run goes on
_EXAMINED_BY: Final = _code("examine", "model")
_TRACED_BY: Final = _code("examine", "trace", "model")


@dataclass(frozen=True)
class Examination:
    """All files of a split: clips, minutes, CPU seconds of examining and of plain decoding."""

    clips: dict[str, Clip]
    minutes: float
    cpu_s: float
    decode_cpu_s: float


def examine(built: Built, say: Say) -> Examination:
    """Every file by the decode pass that feeds tracing."""
    worker.preload()
    folder = built.folder / f"examined-{_EXAMINED_BY}"
    folder.mkdir(exist_ok=True)
    clips, cpu_s, decode_s = dict[str, Clip](), 0.0, 0.0
    for number, (name, path) in enumerate(built.paths().items()):
        kept = folder / f"{name}.msgpack"
        if not kept.exists():
            _keep(kept, path)
            if number % 25 == 0:
                say(f"examining: {number} of {len(built.paths())} files")
        one = msgspec.msgpack.decode(kept.read_bytes(), type=Kept)
        clips[name] = clip_of(name, one.data)
        cpu_s, decode_s = cpu_s + one.cpu_s, decode_s + one.decode_cpu_s
    minutes = sum(clip.duration_s for clip in clips.values()) / 60
    return Examination(clips, minutes, cpu_s, decode_s)


def _keep(kept: Path, path: Path) -> None:
    begin = time.process_time()
    data = found(path)
    spent = time.process_time() - begin
    partial = kept.with_suffix(".partial")
    partial.write_bytes(msgspec.msgpack.encode(Kept(spent, decode_cpu_s(path), data)))
    partial.replace(kept)


def timed(paths: Iterable[Path]) -> tuple[float, float]:
    """CPU seconds of the decode pass and of plain decoding, of clips of many lines as they are."""
    worker.preload()
    passed, plain = 0.0, 0.0
    for path in paths:
        taken = list[float]()
        for _ in range(TIMES):
            begin = time.process_time()
            found(path)
            taken.append(time.process_time() - begin)
        passed += median(taken)
        plain += median(decode_cpu_s(path) for _ in range(TIMES))
    return passed, plain


@dataclass(frozen=True)
class Traced:
    """What tracing gave: as other methods, and what only it knows.

    Attributes:
        proposed: share of the true pairs that the search proposes.
    """

    method: Method
    proposed: float


def trace(built: Built, seen: Examination, hd_cpu_s: float, say: Say) -> Traced:
    """Each copy against the references it comes near and all that are made to be mistaken for its
    source; each reference against the later ones likewise."""
    begin = time.process_time()
    collection = Collection(seen.clips[name] for name in built.references)
    indexing_s = time.process_time() - begin
    rows = _rows(built, seen.clips, collection, say)
    pairs = [pair for name, row in rows.items() for pair in _scored(built, name, row)]
    true = [name in row["proposed"] for name, row in _true(built, rows)]
    spent = indexing_s + sum(float(row["cpu_s"]) for row in rows.values())
    method = Method("Muniment", "frozen rule", tuple(pairs), seen.cpu_s, spent, hd_cpu_s)
    return Traced(method, sum(true) / max(1, len(true)))


def _true(built: Built, rows: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(one.source, rows[name]) for name, one in built.queries.items()]


def _rows(
    built: Built, clips: Mapping[str, Clip], collection: Collection, say: Say
) -> dict[str, Any]:
    """What each query was compared with, kept line by line."""
    names = list(built.references)
    which = hashlib.sha256("\n".join(names).encode()).hexdigest()[:6]
    kept = built.folder / f"traced-{_TRACED_BY}-{which}.jsonl"
    rows = _read(kept)
    queries = [*built.queries, *names]
    with kept.open("a") as out:
        for number, query in enumerate(queries):
            if query in rows:
                continue
            if number % 20 == 0:
                say(f"tracing: {number} of {len(queries)} queries")
            rows[query] = _row(built, clips[query], query, collection, names)
            out.write(json.dumps(rows[query]) + "\n")
            out.flush()
    return {query: rows[query] for query in queries}


def _read(kept: Path) -> dict[str, Any]:
    """Rows that are whole; a last one that was cut off by a kill is dropped from the file too."""
    if not kept.exists():
        return {}
    text = kept.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        kept.write_text(whole)
    return {row["query"]: row for row in map(json.loads, whole.splitlines())}


def _row(
    built: Built, clip: Clip, query: str, collection: Collection, names: list[str]
) -> dict[str, Any]:
    """`cpu_s` is of the search and of the pairs it proposed; pairs made to be mistaken for copies
    are compared even where it did not."""
    begin = time.process_time()
    looked = Looked(clip)
    near = collection.near(looked)
    spent = time.process_time() - begin
    later = names.index(query) + 1 if query in built.references else 0
    found_pairs = dict[str, Any]()
    for number in range(later, len(names)):
        kind = built.kind(query, names[number])
        if number not in near and kind in (OTHER, COPY):
            continue
        begin = time.process_time()
        pair = compared(collection.shelf[number], looked)
        spent += time.process_time() - begin if number in near else 0.0
        if pair.verdict is not Verdict.NO_MATCH or pair.score > 0:
            found_pairs[names[number]] = _told(pair)
    proposed = [names[number] for number in sorted(near)]
    return {"query": query, "cpu_s": spent, "proposed": proposed, "pairs": found_pairs}


def _told(pair: Pair) -> list[Any]:
    segments = [
        (one.a_start_s, one.a_end_s, one.b_start_s, one.b_end_s, one.speed) for one in pair.segments
    ]
    return [pair.verdict.value, float(pair.score), segments, list(pair.reasons[:2])]


def _scored(built: Built, query: str, row: dict[str, Any]) -> list[Scored]:
    names = list(built.references)
    own = built.queries.get(query)
    out = list[Scored]()
    for name in names if own else names[names.index(query) + 1 :]:
        verdict, score, segments, _ = row["pairs"].get(name, (Verdict.NO_MATCH.value, 0.0, [], []))
        out.append(
            Scored(
                query,
                name,
                built.sources[name].camera,
                built.kind(query, name),
                own.transform if own else "",
                score,
                verdict == Verdict.SAME_FOOTAGE.value,
                verdict,
                tuple(tuple(one) for one in segments),
            )
        )
    return out
