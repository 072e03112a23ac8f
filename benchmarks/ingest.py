"""Big files: taking them in (with a copy) and checking them, against hashlib's rate in this run."""

from __future__ import annotations

from pathlib import Path

from benchmarks import cases
from benchmarks.measure import MB, Cost, Row, floor, hash_rate, seconds

FILES = 8
FILE_BYTES = 256 * MB


def rows(scratch: Path) -> list[Row]:
    """Ingest of 8 files of 256 MB, and verification of the case that holds them."""
    source = cases.random_files(scratch / "source", FILES, FILE_BYTES)
    bag = cases.linked(source, scratch / "bag")
    limit = hash_rate()
    # Once before, so that making the keys (Argon2id) is not counted.
    cases.build(scratch, scratch / "first", cases.random_files(scratch / "tiny", 1, 100))
    built = cases.build(scratch, scratch / "case", source)
    checked = cases.verify(scratch, scratch / "case")
    made = cases.bagit(scratch, bag, "--sha256")
    validated = cases.bagit(scratch, bag, "--validate")
    return [
        _row("big files: build (hash + copy + fsync)", built, 0.32, limit, "bagit create", made),
        _row("big files: verify", checked, 0.80, limit, "bagit validate", validated),
    ]


def _row(name: str, ours: Cost, target: float, limit: float, peer: str, theirs: Cost) -> Row:
    amount = FILES * FILE_BYTES
    rate, peer_rate = amount / ours.cpu_s, amount / theirs.cpu_s
    share = rate / limit
    return Row(
        f"{name}, {amount // MB:,} MB in {FILES} files",
        f"{floor(rate / MB)} MB per CPU s = {floor(share, 3)} of hashlib's {floor(limit / MB)}",
        f">= {target} of hashlib",
        share >= target,
        f"{peer}: {floor(peer_rate / MB)} MB per CPU s ({floor(peer_rate / limit, 3)})",
        f"{floor(rate / peer_rate, 2)} x peer",
        seconds(ours),
    )
