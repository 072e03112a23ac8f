"""One entry's proof in a log of 100,000: its size, and the time to make and check it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Final

from benchmarks import cases, entries
from benchmarks.measure import Row, ceil
from muniment.custody import proof as proofs
from muniment.custody.checkpoint import parse
from muniment.custody.tree import Tree, leaf_hash
from muniment.store.layout import CaseFolder
from muniment.store.segments import Segments

PROOFS: Final = 2_000


def rows(scratch: Path) -> list[Row]:
    """Size and time of proofs, each made, encoded, parsed and checked."""
    pair = cases.keys()
    with cases.writer(scratch / "case", pair) as log:
        entries.fill(log, pair, entries.ENTRIES, signed=False)
    folder = CaseFolder(scratch / "case")
    lines = [line for _, line in Segments(folder.entries).lines()]
    head, tree = parse(folder.checkpoint.read_bytes()), Tree(map(leaf_hash, lines))
    times_ms: list[float] = []
    sizes: list[int] = []
    for number in range(PROOFS):
        index = number * 7919 % len(lines)
        start = time.process_time()
        data = proofs.make(tree, index, head).encode()
        proofs.check(proofs.parse(data), lines[index], [pair.agent.public])
        times_ms.append((time.process_time() - start) * 1e3)
        sizes.append(len(data))
    full = len(proofs.make(tree, 0, head, with_mldsa=True).encode())
    mean, worst = statistics.fmean(times_ms), max(times_ms)
    name = f"proof of one entry of {len(lines):,}"
    return [
        Row(
            f"{name}: bytes",
            f"{max(sizes):,} B (largest of {PROOFS:,})",
            "< 1,500 B without ML-DSA",
            max(sizes) < 1500,
            ratio=f"with ML-DSA-44: {full:,} B",
        ),
        Row(
            f"{name}: make, encode, parse, check (tree loaded)",
            f"{ceil(mean, 3)} ms mean CPU, {ceil(worst, 3)} ms worst",
            "< 1 ms",
            mean < 1,
        ),
    ]
