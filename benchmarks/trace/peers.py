"""The peer: PDQ hashes of one frame a second, matched as vPDQ's documentation says.

`vpdq` from PyPI where it is installed; else its method over `pdqhash`: quality at least 50, a frame
matches at a distance of at most 31 bits, and the score is the larger of the two shares of frames
that match. It is run by another interpreter (`MUNIMENT_PEER_PYTHON`), as it is no dependency.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_PROGRAM: Final = """
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


def vpdq_scores(queries: Sequence[Path], references: Sequence[Path]) -> dict[str, object] | None:
    """Name, CPU seconds and scores (queries x references); None when no peer is installed."""
    python = os.environ.get("MUNIMENT_PEER_PYTHON")
    if not python:
        return None
    given = json.dumps([[str(path) for path in queries], [str(path) for path in references]])
    done = subprocess.run(
        [python, "-c", _PROGRAM], input=given, capture_output=True, text=True, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found
