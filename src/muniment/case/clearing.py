"""`muniment report --clear`: clear key pictures in a file of their own, marked and logged.

They never come onto the page that can be forwarded, and the file never lies in the case.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import muniment
from muniment.case import observed, searching
from muniment.case.building import whole_set_aside, writing
from muniment.case.damage import Damage, called
from muniment.case.index import Index
from muniment.case.observed import Observed
from muniment.case.progress import Progress, Silent
from muniment.case.reporting import Written
from muniment.case.signing import Secrets
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody.keyring import KeyFolder
from muniment.custody.log import LogWriter
from muniment.custody.opening import read_checkpoint
from muniment.errors import InputError, MalformedError, UsageError
from muniment.model.ids import short
from muniment.model.report_clear import ClearData, ClearFrame, ClearItem
from muniment.report.clear import is_jpeg, render_clear
from muniment.store import disk
from muniment.store.layout import CaseFolder

_KEY = "key-"


def write_clear(
    folder: CaseFolder,
    target: Path,
    *,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress | None = None,
) -> Written:
    """Write the page to a new file outside the case. The file is made first, so that nothing is
    logged that cannot be; then the log, before any picture is read.

    Args:
        progress: is told at once of what was moved aside at the opening.
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
        progress=progress or Silent(),
        make=False,
    ) as log:
        index = searching.open_index(folder)
        try:
            damage = Damage(folder, index)
            shown = [
                one for one in observed.each(folder, index, "frames", damage=damage) if _keys(one)
            ]
            if not shown:
                raise InputError(
                    "holds no clear picture",
                    subject=str(folder.path),
                    remedy="Run `muniment examine` first.",
                )
            with _new(target) as out:
                purpose = f"write clear pictures to {target.name}: {why}"
                for one in shown:
                    values = {"object": one.object, "by": by, "purpose": purpose}
                    log.append("object.viewed", values)
                log.commit()
                _draw(log, index, shown, damage, by, why, out)
        finally:
            index.close()
        aside = whole_set_aside(log)
    return Written(target.absolute(), (*aside, *damage.lines))


@contextmanager
def _new(target: Path) -> Iterator[IO[bytes]]:
    """A file that was not there; gone again when what is to be in it cannot be written whole.

    Raises:
        StorageError: if it is there, is a link, or cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with disk.storage(target):
        fd = os.open(target, flags, 0o600)
        try:
            with os.fdopen(fd, "wb") as out:
                yield out
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _draw(
    log: LogWriter,
    index: Index,
    shown: list[Observed],
    damage: Damage,
    by: str,
    why: str,
    out: IO[bytes],
) -> None:
    """The page into `out`; a picture that cannot be read is left out and told."""
    owners = {frame.key: one.object for one in shown for frame in _keys(one)}
    what = called("frames", _KEY)

    def picture(key: str) -> bytes | None:
        data = damage.read(owners[key], what, key)
        if data is not None and not is_jpeg(data):
            damage.tell(owners[key], what, key, MalformedError("is no JPEG"))
            return None
        return data

    for piece in render_clear(_data(log, index, shown, by, why), picture):
        out.write(piece)


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
