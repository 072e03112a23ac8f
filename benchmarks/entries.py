"""100,000 entries: building them, and verifying a log of them with the projection rebuilt."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from benchmarks import cases
from benchmarks.measure import Row, ceil, floor, seconds, spent
from muniment.case import projecting
from muniment.custody.log import LogWriter
from muniment.store.layout import CaseFolder

ENTRIES: Final = 100_000
CONTENT: Final = b"one original that all entries name\n"


def item(number: int, digest: str) -> dict[str, Any]:
    """Private values of an item.acquired entry as a real one has them."""
    path = f"ChatExport_2026-05-02/video_files/IMG_{number:06d}@02-05-2026_12-00-00.MP4"
    return {
        "acquisition": hashlib.sha256(b"acquisition").hexdigest(),
        "object": digest,
        "size_bytes": 3_481_122 + number,
        "name": {"path": path, "raw_hex": None},
        "outcome": "duplicate",
        "media_type": {
            "by_content": "video/mp4",
            "by_name": "video/mp4",
            "mismatch": False,
            "tool": "muniment.content_type/1",
        },
        "modified_utc": "2026-05-02T12:00:00.000Z",
    }


def fill(log: LogWriter, pair: cases.Keys, count: int, *, signed: bool) -> None:
    """Append `count` entries: item.acquired of the agent, or object.viewed of the person."""
    digest = log.objects.add_bytes(CONTENT)
    for number in range(count):
        if signed:
            values = {"object": digest, "by": "Bench", "purpose": f"look at frame {number}"}
            log.append("object.viewed", values, person=pair.person)
        else:
            log.append("item.acquired", item(number, digest))
    log.commit()


def rows(scratch: Path) -> list[Row]:
    """Machine entries built; machine and person-signed logs verified."""
    found: list[Row] = []
    for signed, target_s in ((False, None), (True, 25.0)):
        case = scratch / ("signed" if signed else "machine")
        pair = cases.keys()
        with cases.writer(case, pair) as log, spent() as built:
            fill(log, pair, ENTRIES, signed=signed)
        kind = "person-signed object.viewed" if signed else "machine item.acquired"
        rate = ENTRIES / built.cpu_s
        found.append(
            Row(
                f"{ENTRIES:,} {kind} entries: append (canonical JSON, salts, digests, syncs)",
                f"{floor(rate)} entries per CPU s",
                "-" if signed else ">= 8,000 per CPU s",
                None if signed else rate >= 8_000,
                cost=seconds(built),
            )
        )
        found.append(_verified(scratch, case, kind, target_s or 25.0))
    return found


def _verified(scratch: Path, case: Path, kind: str, target_s: float) -> Row:
    with spent() as projected:
        projecting.catch_up(CaseFolder(case)).close()
    checked = cases.verify(scratch, case)
    return Row(
        f"{ENTRIES:,} {kind} entries: verify, projection rebuilt in memory and compared",
        f"{ceil(checked.cpu_s, 2)} CPU s",
        f"<= {target_s:.0f} CPU s",
        checked.cpu_s <= target_s,
        ratio=f"peak {ceil(checked.peak_bytes / 1e6)} MB",
        cost=f"{seconds(checked)}; making the projection {ceil(projected.cpu_s, 2)} CPU s",
    )
