"""What lies among the stamps and no entry names: a killed run's, or somebody's."""

from __future__ import annotations

import json

from muniment.case.index import Index
from muniment.store import disk
from muniment.store.layout import STAMPS, CaseFolder


def clear(folder: CaseFolder, index: Index) -> list[str]:
    """Move it to work/recovered/; a line for each piece.

    Raises:
        StorageError: if the disk refuses.
    """
    if not folder.stamps.is_dir():
        return []
    named = _named(index)
    moved: list[str] = []
    with disk.storage(folder.stamps):
        for path in sorted(folder.stamps.iterdir()):
            if f"{STAMPS}/{path.name}" not in named:
                disk.make_folder(folder.recovered)
                path.replace(folder.recovered / path.name)
                moved.append(
                    f"{STAMPS}/{path.name}: no entry names it, left by a killed run or added by"
                    " somebody. Moved to work/recovered."
                )
        disk.sync_folder(folder.stamps)
    return moved


def _named(index: Index) -> set[str]:
    """Every file under log/stamps/ that an entry names."""
    sql = "SELECT kind, details FROM event WHERE kind IN ('checkpoint.stamped', 'checkpoint.cosigned')"
    named: set[str] = set()
    for kind, text in index.rows(sql):
        details = json.loads(text)
        files = details["files"].values() if kind.endswith("stamped") else (details["file"],)
        named |= {one["file"] for one in files}
    return named
