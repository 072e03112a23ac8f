"""The public face of a case in Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from muniment.case import looking, projecting, reporting, verifying
from muniment.custody import root as roots
from muniment.custody.opening import read_checkpoint, read_root
from muniment.model.report import ReportData
from muniment.model.verify import Verdict
from muniment.store.layout import CaseFolder, find


class Case:
    """A case opened for reading. Writing needs keys and a lock: see `case.building`.

    Example:
        >>> case = Case.open("a-case")  # doctest: +SKIP
        >>> case.verify().exit_code     # doctest: +SKIP
        0
    """

    def __init__(self, folder: CaseFolder) -> None:
        self.folder = folder

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Case:
        """The case at or above `path`.

        Raises:
            NoCaseError: if there is none.
        """
        return cls(find(Path(path)))

    def root_sha256(self) -> str:
        """The root fingerprint (hex)."""
        return roots.fingerprint(read_root(self.folder)[0])

    def checkpoint(self) -> str:
        """The latest checkpoint as `SIZE:ROOT-HEX`."""
        return read_checkpoint(self.folder).short()

    def entries(self, start: int = 0) -> Iterator[looking.Shown]:
        """Entries with their private values, from `start` on."""
        return looking.read(self.folder, start)

    def show(self, identity: str) -> list[looking.Shown]:
        """The entries that an id names."""
        return looking.show(self.folder, identity)

    def report_data(self) -> ReportData:
        """All the report shows."""
        return reporting.facts(self.folder)

    def rebuild(self) -> projecting.Rebuilt:
        """Derive the projection anew and say what differed."""
        index, result = projecting.rebuild(self.folder)
        index.close()
        return result

    def verify(self, *, root: str | None = None, since: str | None = None) -> Verdict:
        """See `muniment.verify`."""
        return verifying.verify(self.folder, verifying.pins(root, since))


def verify(
    path: str | os.PathLike[str], *, root: str | None = None, since: str | None = None
) -> Verdict:
    """Check a case folder offline; changes nothing.

    Args:
        root: the root fingerprint, got from the owner another way.
        since: a checkpoint held elsewhere: `SIZE:ROOT-HEX`, or the path of a signed note.
    Returns:
        named checks (pass, fail, not checked) and what they do not prove.
    Raises:
        NoCaseError: if there is no folder at `path`.
        InputError: if a file is there and cannot be read.
    """
    return verifying.verify(verifying.case_folder(Path(path)), verifying.pins(root, since))
