"""The vocabularies and crime lists shipped with the program: their digests go into every case."""

from __future__ import annotations

import hashlib
import json
from importlib import resources


def data_digests() -> dict[str, str]:
    """{file name: SHA-256 (hex)} of every shipped data file, in order of name."""
    folder = resources.files("muniment.model") / "data"
    files = sorted(
        (part for part in folder.iterdir() if part.name.endswith((".yaml", ".json"))),
        key=lambda part: part.name,
    )
    return {part.name: hashlib.sha256(part.read_bytes()).hexdigest() for part in files}


def bitcoin_blocks() -> dict[int, bytes]:
    """{height: block hash} of the Bitcoin blocks pinned in this program, the hash in the byte order
    of a header. Source: Bitcoin Core, `chainparams.cpp` (checkpoints, soft forks, assumed-valid blocks).
    """
    text = (resources.files("muniment.model") / "data" / "bitcoin_blocks.json").read_text("utf-8")
    return {int(height): bytes.fromhex(digest)[::-1] for height, digest in json.loads(text).items()}
