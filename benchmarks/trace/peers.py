"""The peers, each at its documented settings, run by another interpreter (`MUNIMENT_PEER_PYTHON`).

vPDQ: PDQ hashes of one frame a second; `vpdq` from PyPI where it is installed, else its method over
`pdqhash`: quality at least 50, a frame matches at a distance of at most 31 bits, and the score is
the larger of the two shares of frames that match. TMK+PDQF: `tmkpy` from PyPI (it wants the ffmpeg
program): the level 2 score of pairs whose level 1 score is at least 0.7.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_VPDQ: Final = """
import json, sys, time
import numpy as np
try:
    import vpdq
    name = "vPDQ"
    def frames(path):
        return [(bytes.fromhex(f.hex), f.quality) for f in vpdq.computeHash(path, seconds_per_hash=1)]
except ImportError:
    import av, pdqhash
    name = "vPDQ's method over pdqhash"
    def frames(path):
        out, second = [], 0
        with av.open(path) as box:
            for frame in box.decode(video=0):
                if float(frame.time or 0) >= second - 1e-6:
                    second += 1
                    bits, quality = pdqhash.compute(frame.to_ndarray(format="rgb24"))
                    out.append((np.packbits(bits).tobytes(), quality))
        return out
queries, references = json.load(sys.stdin)
begin = time.process_time()
table = {}
for path in {*queries, *references}:
    good = [bits for bits, quality in frames(path) if quality >= 50]
    table[path] = np.frombuffer(b"".join(good), np.uint8).reshape(-1, 32).view(np.uint64)
hashed = time.process_time() - begin
scores = []
for query in queries:
    row = []
    for reference in references:
        one, other = table[query], table[reference]
        if not len(one) or not len(other):
            row.append(0.0)
            continue
        apart = np.bitwise_count(one[:, None] ^ other[None]).sum(-1)
        near = apart <= 31
        row.append(float(max(near.any(1).mean(), near.any(0).mean())))
    scores.append(row)
print(json.dumps({"name": name, "hashing_cpu_s": hashed, "scores": scores}))
"""


_TMK: Final = """
import json, os, resource, shutil, sys, time
import tmkpy
ffmpeg = shutil.which("ffmpeg")
if ffmpeg is None:
    raise ImportError("ffmpeg")
def used():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)
queries, references = json.load(sys.stdin)
begin = used()
table = {path: tmkpy.hashVideo(path, ffmpeg) for path in {*queries, *references}}
hashed = used() - begin
level1, level2 = tmkpy.TMKFeatureVectors_computeLevel1Score, tmkpy.TMKFeatureVectors_computeLevel2Score
def score(one, other):
    return level2(one, other) if level1(one, other) >= 0.7 else 0.0
scores = [[score(table[one], table[other]) for other in references] for one in queries]
print(json.dumps({"name": "TMK+PDQF", "hashing_cpu_s": hashed, "scores": scores}))
"""


def peers(queries: Sequence[Path], references: Sequence[Path]) -> list[dict[str, object]]:
    """Name, CPU seconds and scores (queries x references) of each peer that is installed."""
    python = os.environ.get("MUNIMENT_PEER_PYTHON")
    if not python:
        return []
    given = json.dumps([[str(path) for path in queries], [str(path) for path in references]])
    found: list[dict[str, object]] = []
    for program in (_VPDQ, _TMK):
        done = subprocess.run(
            [python, "-c", program], input=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"a peer did not run: {done.stderr.strip().splitlines()[-1:]}")
            continue
        found.append(json.loads(done.stdout))
    return found
