"""What an interrupted run left: its open acquisitions are ended, its unnamed objects adopted."""

from __future__ import annotations

from typing import Any

from muniment.case.index import Index
from muniment.case.tally import Tally
from muniment.custody.log import LogWriter
from muniment.model.collect import Outcome


def close_interrupted(log: LogWriter, index: Index, open_before: list[str]) -> list[str]:
    """End the acquisitions that earlier runs left open; adopt objects that no entry names.

    Args:
        index: brought up to the log's end.
        open_before: leaf hashes of the acquisitions that were open when this run started.
    Returns:
        a line for each object that was adopted, or left because its bytes are not those of its name.
    """
    named = {digest for (digest,) in index.rows("SELECT object FROM reference")}
    unnamed = [digest for digest in log.objects.digests() if digest not in named]
    orphans = [digest for digest in unnamed if log.objects.is_sound(digest)]
    for digest in orphans:
        _adopt(log, digest, open_before[-1] if open_before else None)
    for leaf in open_before:
        adopted = len(orphans) if leaf == open_before[-1] else 0
        _finish_interrupted(log, index, leaf, adopted)
    log.commit()
    return [_line(digest, is_adopted=digest in set(orphans)) for digest in unnamed]


def _line(digest: str, *, is_adopted: bool) -> str:
    if is_adopted:
        return (
            f"object {digest}: no entry named it. Left by an interrupted run, or added by somebody; "
            "adopted as an item of unknown name."
        )
    return (
        f"object {digest}: no entry names it and it does not hold the bytes of its name. "
        "Left where it is; look who could have put it there, then remove it."
    )


def _adopt(log: LogWriter, digest: str, acquisition: str | None) -> None:
    log.append(
        "item.acquired",
        {
            "acquisition": acquisition,
            "object": digest,
            "size_bytes": log.folder.object(digest).stat().st_size,
            "name": None,
            "outcome": str(Outcome.ADOPTED),
            "media_type": None,
            "modified_utc": None,
        },
    )


def _finish_interrupted(log: LogWriter, index: Index, leaf: str, adopted: int) -> None:
    tally = Tally()
    outcomes = index.rows(
        "SELECT outcome, count(*) FROM item WHERE acquisition=? GROUP BY outcome"
        " UNION ALL SELECT outcome, count(*) FROM miss WHERE acquisition=? GROUP BY outcome",
        leaf,
        leaf,
    )
    for outcome, number in outcomes:
        tally.count(Outcome(outcome), number)
    tally.count(Outcome.ADOPTED, adopted)
    ((tally.posts,),) = index.rows("SELECT count(*) FROM post WHERE acquisition=?", leaf)
    ((attempted,),) = index.rows("SELECT attempted FROM acquisition WHERE leaf=?", leaf)
    tally.attempted = attempted or 0
    counts: dict[str, Any] = tally.counts()
    log.append(
        "acquisition.finished",
        {
            "acquisition": leaf,
            "outcome": "interrupted",
            "counts": counts,
            "elapsed_s": None,
            "reason": "the run that started it ended before it was finished",
        },
    )
