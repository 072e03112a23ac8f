"""A working copy of an original: logged as viewed before its bytes leave the vault."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from muniment.case.building import whole_set_aside, writing
from muniment.case.progress import Progress
from muniment.case.signing import Secrets
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody.keyring import KeyFolder
from muniment.custody.vault import Vault
from muniment.errors import UsageError
from muniment.store import disk
from muniment.store.layout import CaseFolder


class Copied(msgspec.Struct, frozen=True):
    """Where the copy lies, and a line for each thing to look at: what was moved aside."""

    path: str
    notices: tuple[str, ...] = ()


def copy_out(
    folder: Path,
    digest: str,
    target: Path,
    *,
    by: str,
    why: str,
    secrets: Secrets,
    progress: Progress,
) -> Copied:
    """Write an object's bytes to a new file.

    Raises:
        StorageError: if the target exists or cannot be written.
        IntegrityError: if the object is not what its name says.
        UsageError: if the target lies in the case.
    """
    if target.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            "lies in the case itself", subject=str(target), remedy="Copy it to another folder."
        )
    with (
        writing(
            CaseFolder(folder),
            by=by,
            why=why,
            title=None,
            keys=KeyFolder(),
            secrets=secrets,
            progress=progress,
            make=False,
        ) as log,
        Vault(log).open(
            digest,
            by=told(by, "--by", NAME_CHARACTERS),
            purpose=f"take a working copy: {told(why, '--why')}",
        ) as stream,
        disk.storage(target),
        target.open("xb") as out,
    ):
        shutil.copyfileobj(stream, out, 1 << 20)
        notices = whole_set_aside(log)
    return Copied(os.fspath(target.absolute()), notices)
