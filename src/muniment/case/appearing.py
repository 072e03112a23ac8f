"""In which posts held files appear, read from the projection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from muniment.case.index import Index
from muniment.case.report_posts import export_folders, shown_object
from muniment.model.ids import short
from muniment.trace.lineage import Appearance


def appearances(index: Index) -> list[Appearance]:
    """Every post of known time that shows a held file, in order of its earliest possible time."""
    items = index.rows(
        "SELECT acquisition, path, object FROM item WHERE path IS NOT NULL ORDER BY idx"
    )
    where = {(acquisition, path): digest for acquisition, path, digest in items if digest}
    folders = export_folders(index)
    resumed = dict(index.rows("SELECT leaf, resumes FROM acquisition WHERE resumes IS NOT NULL"))
    sql = (
        "SELECT leaf, acquisition, export, media, channel_name, earliest_utc, latest_utc,"
        " forwarded_from FROM post WHERE earliest_utc IS NOT NULL AND latest_utc IS NOT NULL"
        " AND export IS NOT NULL AND media IS NOT NULL"
        " ORDER BY earliest_utc, latest_utc, idx"
    )
    found: list[Appearance] = []
    for leaf, acquisition, export, media, channel, earliest, latest, forwarded in index.each(sql):
        digest = _shown(media, folders.get(export, ""), acquisition, where, resumed)
        if digest is not None:
            found.append(
                Appearance(
                    item=digest,
                    post=short("post", leaf),
                    channel=channel or "",
                    not_before_ms=_ms(earliest),
                    not_after_ms=_ms(latest),
                    forwarded_from=forwarded,
                )
            )
    return found


def _shown(
    media: str,
    folder: str,
    acquisition: str | None,
    where: Mapping[tuple[str, str], str],
    resumed: Mapping[str, str],
) -> str | None:
    path = json.loads(media).get("path")
    return shown_object(path, folder, acquisition, where, resumed)


def _ms(utc: str) -> int:
    return round(datetime.fromisoformat(utc).timestamp() * 1000)
