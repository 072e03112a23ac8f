"""A working copy of an original: logged as viewed before its bytes leave the vault."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from muniment.case.building import writing
from muniment.case.progress import Silent
from muniment.case.signing import Secrets
from muniment.case.told import NAME_CHARACTERS, told
from muniment.custody.keyring import KeyFolder
from muniment.custody.vault import Vault
from muniment.errors import UsageError
from muniment.store import disk
from muniment.store.layout import CaseFolder


def copy_out(
    folder: Path, digest: str, target: Path, *, by: str, why: str, secrets: Secrets
) -> str:
    """Write an object's bytes to a new file; its path.

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
            progress=Silent(),
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
    return os.fspath(target.absolute())
