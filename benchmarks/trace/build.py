"""Builds a split: references, copies, and the truth about every pair. What is there is kept.

The folder is named after the code that makes the files and the seed, so that files of another
generator are never mixed in; each file is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.trace.copies import RECIPES, Stretch, copied, encoded
from benchmarks.trace.sources import Source, sources, unrelated, variants

_MADE_BY: Final = ("copies", "pictures", "scenes", "sound", "sources", "ways", "yards")

COPY: Final = "copy"
SAME_CAMERA: Final = "same camera, other moment"
OTHER_CAMERA: Final = "same event, other camera"
OTHER_DAY: Final = "same place, other day or camera"
STATIC: Final = "static scenes, stills, black"
BLACK: Final = "shared black frames"
INTRO: Final = "shared intro and logo"
SOUND: Final = "same sound, other pictures"
OTHER: Final = "other footage"
#: kinds of pairs that are no copies; the first that holds is the kind of a pair
NEGATIVES: Final = (STATIC, SAME_CAMERA, OTHER_CAMERA, OTHER_DAY, INTRO, BLACK, SOUND, OTHER)
REAL: Final = "real"


@dataclass(frozen=True)
class Query:
    """A copy; `stretch` is None where only the footage is known."""

    path: Path
    source: str
    transform: str
    stretch: Stretch | None


@dataclass
class Built:
    """Files of one split."""

    folder: Path
    sources: dict[str, Source] = field(default_factory=dict)
    references: dict[str, Path] = field(default_factory=dict)
    queries: dict[str, Query] = field(default_factory=dict)

    def kind(self, query: str, reference: str) -> str:
        """What a query (or reference) is to another reference."""
        name = self.queries[query].source if query in self.queries else query
        return related(self.sources[name], self.sources[reference])

    def paths(self) -> dict[str, Path]:
        """Every file by its name."""
        return {**self.references, **{name: one.path for name, one in self.queries.items()}}


def related(one: Source, other: Source) -> str:
    """The kind of a pair of sources, or of a copy of one and the other."""
    if one.name == other.name:
        return COPY
    if "static" in one.shared and "static" in other.shared:
        return STATIC
    if one.camera == other.camera:
        return SAME_CAMERA
    if one.event and one.event == other.event:
        return OTHER_CAMERA
    if one.place and one.place == other.place:
        return OTHER_DAY
    shared = {*_marks(one), *one.shared} & {*_marks(other), *other.shared}
    for mark, kind in (("intro", INTRO), ("black", BLACK), ("sound:", SOUND)):
        if any(item.startswith(mark) for item in shared):
            return kind
    return OTHER


def _marks(one: Source) -> tuple[str, ...]:
    """A clip whose sound others carry has that sound too."""
    return (f"sound:{one.name}",)


def build(
    split: str,
    scratch: Path,
    folders: Sequence[Path],
    seed: int = 0,
    sample: int | None = None,
    say: Callable[[str], None] = print,
) -> Built:
    """Write references and copies that are not there yet.

    Args:
        sample: only so many sources are copied, and only their cameras, places and sounds and what
            belongs to no camera stay as references.
    """
    every = sources(split, folders)
    if sample is not None:
        every = _sampled(every, sample)
    built = Built(scratch / f"{split}-{seed}-{_made_by()}")
    built.folder.mkdir(parents=True, exist_ok=True)
    begin, other = time.process_time(), None
    for number, source in enumerate(every):
        built.sources[source.name] = source
        built.references[source.name] = built.folder / f"{source.name}.mp4"
        recipes = RECIPES if source.copied else ()
        missing = [one for one in recipes if not _truth(built, source, one.name).exists()]
        if missing or not built.references[source.name].exists():
            other = other or unrelated(split)
            _make(built, source, seed, {one.name for one in missing}, other)
            spent = time.process_time() - begin
            say(f"building: {number + 1} of {len(every)} sources, {spent:.0f} CPU s")
        _take(built, source)
    for path, name in variants(split, folders):
        if name in built.sources:
            built.queries[f"{name}--{path.stem}"] = Query(path, name, REAL, None)
    return built


def _sampled(every: list[Source], count: int) -> list[Source]:
    """Copied sources spread over the list, and what lies near them."""
    copied_ones = [one for one in every if one.copied]
    at = np.linspace(0, len(copied_ones) - 1, min(count, len(copied_ones))).round()
    kept = {copied_ones[int(number)].name for number in at}
    near = [one for one in every if one.name in kept]
    return [
        Source(**{**vars(one), "copied": one.name in kept})
        for one in every
        if one.shared or any(related(one, other) != OTHER for other in near)
    ]


def _made_by() -> str:
    code = b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in _MADE_BY)
    return hashlib.sha256(code).hexdigest()[:8]


def _truth(built: Built, source: Source, transform: str) -> Path:
    return built.folder / f"{source.name}--{transform}.json"


def _make(
    built: Built, source: Source, seed: int, missing: set[str], other: Sequence[np.ndarray]
) -> None:
    """Write the reference and the missing copies of a source; the truth last."""
    frames, sound = source.pictures(), source.sound()
    if not built.references[source.name].exists():
        _write(built.references[source.name], encoded(frames, 22, sound=sound))
    for recipe in RECIPES:
        if recipe.name not in missing:
            continue
        truth = _truth(built, source, recipe.name)
        if recipe.needs_sound and sound is None:
            _write(truth, b"null")
            continue
        drawn = [seed, zlib.crc32(source.name.encode()), zlib.crc32(recipe.name.encode())]
        copy = copied(frames, sound, recipe, np.random.default_rng(drawn), other)
        _write(truth.with_suffix(".mp4"), copy.data)
        _write(truth, json.dumps(vars(copy.stretch)).encode())


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}")
    partial.write_bytes(data)
    partial.replace(path)


def _take(built: Built, source: Source) -> None:
    for recipe in RECIPES if source.copied else ():
        truth = _truth(built, source, recipe.name)
        told = json.loads(truth.read_text())
        if told is not None:
            path = truth.with_suffix(".mp4")
            built.queries[truth.stem] = Query(path, source.name, recipe.name, Stretch(**told))
