"""Exact search among a million frame fingerprints of real footage: ours, and other exact indexes;
and what it costs that an hour of footage joins.

Fingerprints are of real pictures, two a second, and of their crops, repeated with a few bits turned
until there are enough. Queries are such fingerprints with more bits turned, as of another encoding;
all are searched at the radius that tracing uses, and with their mirror images, as tracing does. How
much repeats decides what grouping gains, so that is measured on pictures that hardly repeat too:
every picture of the clips and every crop, once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import Row, ceil, floor
from benchmarks.trace.extracting import clip_of, decode_cpu_s, found, high
from benchmarks.trace.grouped import Grouped
from muniment.case.trace_index import Kept
from muniment.examine import hashing, worker
from muniment.store.layout import CaseFolder
from muniment.trace.candidates import Collection
from muniment.trace.clip import words
from muniment.trace.codes import COMPILED_FROM, MIRROR
from muniment.trace.codes import Codes as Ours
from muniment.trace.register import Looked
from muniment.trace.views import RADIUS, VIEWS, codes

Codes = NDArray[np.uint8]
COUNT: Final = 1_000_000
QUERIES: Final = 200
#: bits turned: of repeated fingerprints, of queries
_REPEATED: Final = (1, 12)
_ASKED: Final = (4, 40)
_SIDE: Final = 48
_BATCH: Final = 200
_PER_S: Final = 2
_NAME: Final = f"{COUNT:,} frame fingerprints of real footage"


@dataclass(frozen=True)
class Searched:
    """How long building and searching took, and how many neighbours were found."""

    build_cpu_s: float
    queries_per_s: float
    asked: int
    found: int


def rows(scratch: Path) -> list[Row]:
    """Queries per CPU second at the radius, one thread, and the share of neighbours found."""
    import faiss

    faiss.omp_set_num_threads(1)
    named = os.environ.get("MUNIMENT_CLIPS", "../shared/clips")
    paths = clips([Path(one) for one in named.split(os.pathsep)])
    if not paths:
        return [Row(_NAME, f"no clips in {named}: set MUNIMENT_CLIPS")]
    chance = np.random.default_rng(5)
    base = fingerprints(paths, _PER_S)
    stored = np.concatenate([base, turned(base, COUNT - len(base), _REPEATED, chance)])
    asked = turned(stored, QUERIES, _ASKED, chance)
    flat = measured(_flat, stored, asked)
    what = f"{_NAME} ({len(base):,} as they are, repeated), distance at most {RADIUS}"
    both, of_both = measured(_Mirrored, stored, asked), measured(_FlatMirrored, stored, asked)
    exact = both.queries_per_s >= 5 * of_both.queries_per_s and both.found == of_both.found
    out = [
        _row(
            f"{what}, each and its mirror image: ours",
            both,
            of_both,
            ">= 5x faiss BinaryFlat, exact",
            exact,
        ),
        _row("the same, each as it is: ours", measured(_Upright, stored, asked), flat),
        _row("the same: in groups (candidate)", measured(Grouped, stored, asked), flat),
    ]
    for name, made, few in others():
        part = asked[:few]
        out.append(
            _row(
                f"the same: faiss {name}",
                measured(made, stored, part),
                measured(_flat, stored, part),
            )
        )
    once = fingerprints(paths, None)
    part = turned(once, QUERIES, _ASKED, chance)
    grouped, flat = measured(Grouped, once, part), measured(_flat, once, part)
    both, of_both = measured(_Mirrored, once, part), measured(_FlatMirrored, once, part)
    name = f"{len(once):,} that are not repeated"
    return [
        *out,
        _row(f"{name}, each and its mirror image: ours", both, of_both),
        _row(f"{name}: in groups (candidate)", grouped, flat),
        joining(scratch),
    ]


class _Upright:
    """Our search, asked as faiss's indexes are; the compiled way is loaded while it is filled."""

    mirrored = False

    def __init__(self) -> None:
        self._codes = Ours()

    def add(self, stored: Codes) -> None:
        self._codes.add(stored.view(np.uint64))
        few = 1 + COMPILED_FROM // len(stored)
        self._codes.near(stored[:few].view(np.uint64), 0, self.mirrored)

    def range_search(self, asked: Codes, beyond: int) -> tuple[list[int], None, None]:
        found = self._codes.near(asked.view(np.uint64), beyond - 1, self.mirrored)
        return [len(found)], None, None


class _Mirrored(_Upright):
    mirrored = True


class _FlatMirrored:
    """faiss asked for each and then for its mirror image."""

    def __init__(self) -> None:
        self._flat = _flat()

    def add(self, stored: Codes) -> None:
        self._flat.add(stored)

    def range_search(self, asked: Codes, beyond: int) -> tuple[list[int], None, None]:
        turned_codes = (asked.view(np.uint64) ^ MIRROR).view(np.uint8)
        each = (self._flat.range_search(one, beyond)[0][-1] for one in (asked, turned_codes))
        return [int(sum(each))], None, None


def joining(scratch: Path) -> Row:
    """Hashes of crops made and put into the index on disk, of clips of many lines, against decoding
    them."""
    named = os.environ.get("MUNIMENT_CLIPS", "../shared/clips")
    paths, minutes = high([Path(one) for one in named.split(os.pathsep)])
    worker.preload()
    read = {path.name: found(path) for path in paths}
    decoded_s = sum(decode_cpu_s(path) for path in paths)
    folder = CaseFolder(scratch / "case")
    folder.work.mkdir(parents=True)
    looked = [Looked(clip_of(name, data)) for name, data in read.items()]
    begin = time.process_time()
    kept = Kept(folder, None)
    before = kept.before(0, lambda _: ())
    collection = Collection(before=before)
    for one in looked:
        collection.add(one)
    kept.save(before, collection.taken, dict.fromkeys(read, ("", "")))
    spent = time.process_time() - begin
    hour = 60 / minutes
    rows_there = sum(one.whole + one.crops for one in collection.taken)
    return Row(
        f"adding to the index, by {len(paths)} clips of 700 lines or more ({minutes:.2f} min)",
        f"{ceil(spent * hour, 2)} CPU s an hour",
        "<= 1 % of decoding",
        spent <= 0.01 * decoded_s,
        f"plain PyAV decode, 1 thread: {ceil(decoded_s * hour, 1)} CPU s an hour",
        f"{ceil(100 * spent / decoded_s, 2)} %",
        f"{rows_there * hour:,.0f} fingerprints an hour",
    )


def _flat() -> Any:
    import faiss

    return faiss.IndexBinaryFlat(256)


def _row(
    name: str, one: Searched, flat: Searched, target: str = "-", met: bool | None = None
) -> Row:
    return Row(
        name,
        f"{floor(one.queries_per_s, 1)} queries per CPU s",
        target,
        met,
        f"faiss BinaryFlat: {floor(flat.queries_per_s, 1)}",
        floor(one.queries_per_s / flat.queries_per_s, 2),
        f"building {ceil(one.build_cpu_s, 2)} CPU s; {floor(one.found / max(1, flat.found), 4)} of "
        f"{flat.found / flat.asked:,.0f} neighbours a query, {one.asked} queries",
    )


def others() -> Iterator[tuple[str, Callable[[], Any], int]]:
    """Hash tables of faiss: name, maker, and how many queries to time (slow ones: few).

    16 tables of 16 bits are exact from 5 turned bits on (80 / 16); fewer turned bits miss some.
    """
    import faiss

    for tables, bits, flips, few in ((16, 16, 1, 50), (16, 16, 2, 20), (16, 16, 5, 3)):
        exact = ", exact" if flips >= RADIUS // tables else ""

        def multi(tables: int = tables, bits: int = bits, flips: int = flips) -> Any:
            index = faiss.IndexBinaryMultiHash(256, tables, bits)
            index.nflip = flips
            return index

        yield f"BinaryMultiHash, {tables} tables of {bits} bits, {flips} turned{exact}", multi, few

    def single() -> Any:
        index = faiss.IndexBinaryHash(256, 16)
        index.nflip = 3
        return index

    yield "BinaryHash, 16 bits, 3 turned", single, 50


def measured(made: Callable[[], Any], stored: Codes, asked: Codes) -> Searched:
    """Build an index, and search it in batches, one thread."""
    index = made()
    begin = time.process_time()
    index.add(stored)
    build_s, found = time.process_time() - begin, 0
    begin = time.process_time()
    for at in range(0, len(asked), _BATCH):
        limits, _, _ = index.range_search(asked[at : at + _BATCH], RADIUS + 1)
        found += int(limits[-1])
    spent = time.process_time() - begin
    return Searched(build_s, len(asked) / spent, len(asked), found)


def clips(folders: list[Path]) -> list[Path]:
    """The clips in some folders."""
    there = (path for folder in folders if folder.is_dir() for path in folder.iterdir())
    return sorted(path for path in there if path.suffix in (".mp4", ".mkv", ".webm"))


def fingerprints(paths: list[Path], per_s: int | None) -> Codes:
    """Of so many pictures a second of the clips, or of all, whole and cropped; each once."""
    parts = list[NDArray[np.uint64]]()
    for path in paths:
        pictures = np.stack(_pictures(path, per_s)).astype(np.float32)
        parts += [words(hashing.hashes(hashing.spectra(pictures, view))) for view in VIEWS]
    whole = np.concatenate(parts)
    _, first = np.unique(whole, axis=0, return_index=True)
    return codes(whole[np.sort(first)])


def _pictures(path: Path, per_s: int | None) -> list[NDArray[np.uint8]]:
    """Small grey pictures of a clip."""
    out = list[NDArray[np.uint8]]()
    with av.open(str(path)) as box:
        box.streams.video[0].codec_context.thread_count = 1
        for frame in box.decode(video=0):
            if per_s is None or float(frame.time or 0.0) * per_s >= len(out) - 1e-6:
                small = frame.reformat(_SIDE, _SIDE, format="gray", interpolation="AREA")
                out.append(np.asarray(small.to_ndarray(), np.uint8))
    return out


def turned(
    stored: Codes, count: int, least_most: tuple[int, int], chance: np.random.Generator
) -> Codes:
    """Some of the fingerprints with a few random bits turned."""
    out = stored[chance.integers(0, len(stored), max(0, count))].copy()
    least, most = least_most
    for begin in range(0, len(out), 50_000):
        part = out[begin : begin + 50_000]
        share = chance.uniform(least / 256, most / 256, (len(part), 1)).astype(np.float32)
        flips = chance.random((len(part), 256), np.float32) < share
        part ^= np.packbits(flips, axis=1)
    return out
