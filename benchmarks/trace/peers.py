"""The peers, each at its documented settings, run by other interpreters.

`MUNIMENT_PEER_PYTHON` names one or more (`:` between them); each peer runs in the first that has it.

- vPDQ (`vpdq`): PDQ hashes of one frame a second, quality at least 50; a frame matches at a
  distance of at most 31 bits; the score is the larger of the two shares of frames that match.
- TMK+PDQF (`tmkpy`, with the ffmpeg program): level 1 score; level 2 score where level 1 is 0.7.
- provena-audit: PDQ of a frame each 0.25 s; votes of frames that agree on a shift, found by its own
  search with at least 1 vote (it reports pairs from 8 on).
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.trace.build import Built
from benchmarks.trace.figures import Method, Scored

_HEAD: Final = """
import json, os, resource, shutil, statistics, sys
def used():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)
def hashed(paths, hashing):
    table, begin = {}, used()
    for number, path in enumerate(paths):
        table[path] = hashing(path)
        if number % 100 == 0:
            print(f"{NAME}: {number} of {len(paths)} files", flush=True)
    return table, used() - begin
def high(paths, hashing, times):
    taken = {path: [] for path in paths}
    for path in list(paths) * times:
        begin = used()
        hashing(path)
        taken[path].append(used() - begin)
    return sum(statistics.median(one) for one in taken.values())
references, queries, hd, times = json.load(sys.stdin)
"""

_VPDQ: Final = """
NAME = "vPDQ"
import numpy as np
import vpdq
def hashing(path):
    frames = vpdq.computeHash(path, seconds_per_hash=1)
    good = [bytes.fromhex(f.hex) for f in frames if f.quality >= 50]
    return np.frombuffer(b"".join(good), np.uint8).reshape(-1, 32).view(np.uint64)
def score(one, other):
    if not len(one) or not len(other):
        return 0.0
    near = np.bitwise_count(one[:, None] ^ other[None]).sum(-1) <= 31
    return float(max(near.any(1).mean(), near.any(0).mean()))
def methods(table, paths):
    scores = [[score(table[q], table[r]) for r in references] for q in paths]
    setting = "0.8 of the frames"
    return [{"name": "vPDQ, 1 s", "least": 0.8, "setting": setting, "scores": scores}]
"""

_TMK: Final = """
NAME = "TMK+PDQF"
import tmkpy
from tmkpy import TMKFeatureVectors_computeLevel1Score as level1
from tmkpy import TMKFeatureVectors_computeLevel2Score as level2
ffmpeg = shutil.which("ffmpeg")
if ffmpeg is None:
    raise ImportError("ffmpeg")
def hashing(path):
    return tmkpy.hashVideo(path, ffmpeg)
def methods(table, paths):
    first = [[level1(table[q], table[r]) for r in references] for q in paths]
    second = [[level2(table[q], table[r]) if one >= 0.7 else 0.0 for one, r in zip(row, references)]
        for q, row in zip(paths, first)]
    return [{"name": "TMK+PDQF, level 1", "least": 0.7, "setting": "0.7", "scores": first},
        {"name": "TMK+PDQF, level 2", "least": 0.7, "setting": "0.7 at both levels", "scores": second}]
"""

_PROVENA: Final = """
NAME = "provena-audit"
import numpy as np
from provena_audit.audit import find_pairs
from provena_audit.fingerprint import fingerprint_file as hashing
def methods(table, paths):
    every = [table[path] for path in paths]
    data = {"quality": np.concatenate([one["quality"] for one in every]),
        "pdq": np.concatenate([one["pdq"] for one in every]),
        "offset": np.concatenate([np.arange(len(one["pdq"])) / one["fps"] for one in every]),
        "owner": np.concatenate([np.full(len(one["pdq"]), at) for at, one in enumerate(every)])}
    scores, segments = [[0.0] * len(references) for _ in paths], {}
    for row in find_pairs(data, min_votes=1):
        a, b = row["a"], row["b"]
        for reference, query, one, other in ((a, b, "a", "b"), (b, a, "b", "a")):
            if reference >= len(references) or row["votes"] <= scores[query][reference]:
                continue
            scores[query][reference] = float(row["votes"])
            segments[f"{query} {reference}"] = [[row[one + "_start"], row[one + "_end"] + 0.25,
                row[other + "_start"], row[other + "_end"] + 0.25, 1.0]]
    return [{"name": NAME, "least": 8.0, "setting": "8 votes", "scores": scores, "segments": segments}]
"""

_TAIL: Final = """
if references:
    table, cpu = hashed(references + queries, hashing)
    begin = used()
    found = methods(table, references + queries)
    print(json.dumps({"methods": found, "hashing": cpu, "matching": used() - begin}))
else:
    print(json.dumps({"hd": high(hd, hashing, times)}))
"""

PROGRAMS: Final = {"vPDQ": _VPDQ, "TMK+PDQF": _TMK, "provena-audit": _PROVENA}


@dataclass(frozen=True)
class Missing:
    """A peer that could not be run, and why."""

    name: str
    why: str


def peers(
    built: Built, hd: Sequence[Path], times: int, say: Callable[[str], None]
) -> list[Method | Missing]:
    """Every peer's scores of the same pairs as ours, kept; the clips of many lines timed each time,
    so that their figures and ours are of one run."""
    files = [[str(path) for path in built.references.values()]]
    files += [[str(one.path) for one in built.queries.values()]]
    out = list[Method | Missing]()
    for name, program in PROGRAMS.items():
        asked = json.dumps([*files, [], 0])
        told = hashlib.sha256((_HEAD + program + _TAIL + asked).encode()).hexdigest()[:8]
        kept = built.folder / f"peer-{name}-{told}.json"
        why = "" if kept.exists() else _run(program, asked, kept, say)
        timed = kept.with_suffix(".timed.json")
        high = json.dumps([[], [], [str(path) for path in hd], times])
        why = why or _run(program, high, timed, say)
        if why:
            out.append(Missing(name, why))
        else:
            hd_cpu_s = json.loads(timed.read_text())["hd"]
            out += _methods(built, json.loads(kept.read_text()), hd_cpu_s)
    return out


def _run(program: str, given: str, kept: Path, say: Callable[[str], None]) -> str:
    """Run a peer in the first interpreter that has it; why not, or nothing. What it says beside its
    scores goes to a log next to them."""
    why = "MUNIMENT_PEER_PYTHON is not set"
    say(f"running {kept.name}")
    for python in filter(None, os.environ.get("MUNIMENT_PEER_PYTHON", "").split(os.pathsep)):
        log, asked, last = kept.with_suffix(".log"), kept.with_suffix(".asked"), ""
        asked.write_text(given)
        with log.open("w") as errors, asked.open() as stdin:
            command = [python, "-c", _HEAD + program + _TAIL]
            with subprocess.Popen(
                command, stdin=stdin, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as peer:
                for line in peer.stdout or ():
                    last = line
                    if not line.startswith("{"):
                        say(line.rstrip())
        if peer.returncode == 0:
            partial = kept.with_suffix(".partial")
            partial.write_text(last)
            partial.replace(kept)
            return ""
        why = (log.read_text().splitlines() or [f"exit {peer.returncode}"])[-1]
    return why


def _methods(built: Built, told: dict[str, Any], hd_cpu_s: float) -> list[Method]:
    return [
        Method(
            one["name"],
            one["setting"],
            tuple(_scored(built, one)),
            told["hashing"],
            told["matching"],
            hd_cpu_s,
        )
        for one in told["methods"]
    ]


def _scored(built: Built, one: dict[str, Any]) -> list[Scored]:
    """As ours: each copy with every reference, each reference with the later ones."""
    names = list(built.references)
    out = list[Scored]()
    for row, query in enumerate([*names, *built.queries]):
        own = built.queries.get(query)
        for column in range(0 if own else row + 1, len(names)):
            score = one["scores"][row][column]
            segments = one.get("segments", {}).get(f"{row} {column}", [])
            out.append(
                Scored(
                    query,
                    names[column],
                    built.sources[names[column]].camera,
                    built.kind(query, names[column]),
                    own.transform if own else "",
                    score,
                    score >= one["least"],
                    "",
                    tuple(tuple(two) for two in segments),
                )
            )
    return out
