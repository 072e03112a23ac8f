"""`muniment report --clear`: clear key pictures in a file of their own, marked and logged.

They never come onto the page that can be forwarded, and the file never lies in the case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import muniment
from muniment.case import observed, searching
from muniment.case.building import writing
from muniment.case.index import Index
from muniment.case.observed import Observed
from muniment.case.progress import Silent
from muniment.case.signing import Secrets
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody.derived import read_derived
from muniment.custody.keyring import KeyFolder
from muniment.custody.log import LogWriter
from muniment.custody.opening import read_checkpoint
from muniment.errors import InputError, UsageError
from muniment.model.ids import short
from muniment.model.report_clear import ClearData, ClearFrame, ClearItem
from muniment.report.clear import render_clear
from muniment.store import disk
from muniment.store.layout import CaseFolder

_KEY = "key-"


def write_clear(folder: CaseFolder, target: Path, *, by: str, why: str, secrets: Secrets) -> str:
    """Write the page to a new file outside the case; its path. Logged before any picture is read.

    Raises:
        UsageError: if the target lies in the case.
        InputError: if no picture was kept, so that there is nothing to show.
        StorageError: if the target is there already or cannot be written.
    """
    by, why = told(by, "--by", NAME_CHARACTERS), told(why, "--why")
    if target.resolve().is_relative_to(folder.path.resolve()):
        raise UsageError(
            "lies in the case itself", subject=str(target), remedy="Name a file elsewhere."
        )
    if os.path.lexists(target):
        raise UsageError("is there already", subject=str(target), remedy="Choose another name.")
    with writing(
        folder,
        by=by,
        why=why,
        title=None,
        keys=KeyFolder(),
        secrets=secrets,
        progress=Silent(),
        make=False,
    ) as log:
        index = searching.open_index(folder)
        try:
            shown = [one for one in observed.each(folder, index, "frames") if _keys(one)]
            if not shown:
                raise InputError(
                    "holds no clear picture",
                    subject=str(folder.path),
                    remedy="Run `muniment examine` first.",
                )
            purpose = f"clear pictures written to {target.name}: {why}"
            for one in shown:
                log.append("object.viewed", {"object": one.object, "by": by, "purpose": purpose})
            log.commit()
            data = _data(log, index, shown, by, why)
            with disk.storage(target):
                fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(fd, "wb") as out:
                    for piece in render_clear(data, lambda key: read_derived(folder, key)):
                        out.write(piece)
        finally:
            index.close()
    return os.fspath(target.absolute())


def _keys(one: Observed) -> tuple[ClearFrame, ...]:
    return tuple(
        ClearFrame(kept.object, float(kept.time_s) if kept.time_s is not None else None)
        for kept in one.blobs
        if kept.name.startswith(_KEY)
    )


def _data(log: LogWriter, index: Index, shown: list[Observed], by: str, why: str) -> ClearData:
    names = dict(index.rows("SELECT object, path FROM item ORDER BY idx DESC"))
    ((title,),) = index.rows(
        "SELECT json_extract(details, '$.title') FROM event WHERE kind='case.opened'"
    )
    head = read_checkpoint(log.folder)

    def items() -> Iterator[ClearItem]:
        for one in shown:
            name = names.get(one.object) or one.object
            yield ClearItem(short("item", one.object), one.object, name, _keys(one))

    return ClearData(
        head.origin.rpartition("/")[2],
        title,
        head.short(),
        log.last_at_utc or "",
        by,
        why,
        items(),
        muniment.__version__,
    )
