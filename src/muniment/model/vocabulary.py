"""The vocabularies and crime lists shipped with the program: their digests go into every case."""

from __future__ import annotations

import hashlib
from importlib import resources


def data_digests() -> dict[str, str]:
    """{file name: SHA-256 (hex)} of every shipped data file, in order of name."""
    folder = resources.files("muniment.model") / "data"
    files = sorted(
        (part for part in folder.iterdir() if part.name.endswith(".yaml")),
        key=lambda part: part.name,
    )
    return {part.name: hashlib.sha256(part.read_bytes()).hexdigest() for part in files}
