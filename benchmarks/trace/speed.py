"""Tracing 200 copies of 10 real clips, against plainly decoding the same 200 files."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.decode import CLIPS, plain
from benchmarks.measure import Row, ceil, floor
from benchmarks.trace.messenger import SOURCES, copies
from muniment.examine import worker
from muniment.model.examine import Examined, Wanted
from muniment.model.trace import Pair, Verdict
from muniment.trace.candidates import Tracer
from muniment.trace.clip import NEEDED, Findings, clip

LIMIT: Final = 0.05
_NAME: Final = (
    "trace 200 copies of 10 real clips (findings read, hashes of crops, search, comparing)"
)


def rows(scratch: Path) -> list[Row]:
    """CPU seconds of tracing as a share of decoding; which pairs of copies were found."""
    if not all((CLIPS / name).exists() for name in SOURCES):
        return [Row(_NAME, f"clips are missing in {CLIPS}: set MUNIMENT_CLIPS")]
    worker.preload()
    source_of = copies(CLIPS, scratch)
    names = sorted(source_of)
    random.Random(7).shuffle(names)
    decoded_s = sum(plain(scratch / name) for name in names)
    findings = {name: _findings(scratch / name) for name in names}
    begin = time.process_time()
    tracer = Tracer()
    pairs = [pair for name in names for pair in tracer.trace(clip(name, findings[name]))]
    traced_s = time.process_time() - begin
    minutes = sum(clip(name, findings[name]).duration_s for name in names) / 60
    return [
        Row(
            f"{_NAME}, {minutes:.0f} min",
            f"{ceil(traced_s, 2)} CPU s",
            "<= 5 % of decoding",
            traced_s <= LIMIT * decoded_s,
            f"plain PyAV decode, 1 thread: {ceil(decoded_s, 2)} CPU s",
            f"{ceil(100 * traced_s / decoded_s, 1)} %",
            f"{ceil(1000 * traced_s / len(names), 1)} CPU ms a copy",
        ),
        _found(pairs, source_of),
    ]


def _found(pairs: list[Pair], source_of: dict[str, str]) -> Row:
    """How many pairs of copies of one source are the same footage, and of two sources."""
    same = [pair for pair in pairs if pair.verdict is Verdict.SAME_FOOTAGE]
    false = sum(source_of[pair.a] != source_of[pair.b] for pair in same)
    each = len(source_of) // len(SOURCES)
    all_pairs = len(SOURCES) * each * (each - 1) // 2
    way = sum(pair.reasons[0].startswith("by way of") for pair in same)
    return Row(
        "the same: pairs found to be the same footage",
        f"{len(same) - false} of {all_pairs} ({floor(100 * (len(same) - false) / all_pairs, 1)} %),"
        f" {way} of them by way of a third; {false} of two sources",
        "0 of two sources",
        false == 0,
    )


def _findings(path: Path) -> Findings:
    out: list[bytes] = []
    handle = os.open(path, os.O_RDONLY)
    try:
        request = Wanted(NEEDED, "video/mp4", path.stat().st_size)
        worker.run(msgspec.msgpack.encode(request), handle, out.append)
    finally:
        os.close(handle)
    found = msgspec.msgpack.decode(out[0], type=Examined).findings
    return {
        one.examiner: (one.facts, {blob.name: blob.data for blob in one.blobs}) for one in found
    }
