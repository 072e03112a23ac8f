"""Where everything lies in a case folder: the only place paths are built.

::

    root.json                      public keys and what each may sign
    log/entries/000000.jsonl       4,096 entries a segment, one canonical JSON a line
    log/private/000000.jsonl       same line numbers: {field: [salt, value]} of each private field
    log/checkpoint                 latest signed note
    log/checkpoints/000000000057   kept: the last checkpoint of an agent before another took over
    log/stamps/000000000057...     time stamps of the checkpoint of that size
    objects/sha256/ab/cd...        originals and derived objects, mode 0440
    report/  work/                 regenerable, deletable: not evidence
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from muniment.errors import InputError, NoCaseError

SEGMENT_ENTRIES: Final = 4096

#: No segment is larger: 4,096 private lines of at most 16 kB a field.
MAX_LOG_FILE_BYTES: Final = 1 << 30
#: A run of Bitcoin headers: 80 bytes a block.
MAX_HEADERS_BYTES: Final = 1 << 27
#: No root, checkpoint or stamp is larger.
MAX_HEAD_BYTES: Final = 1 << 20

ROOT: Final = "root.json"
ENTRIES: Final = "log/entries"
PRIVATE: Final = "log/private"
CHECKPOINT: Final = "log/checkpoint"
CHECKPOINTS: Final = "log/checkpoints"
STAMPS: Final = "log/stamps"
OBJECTS: Final = "objects/sha256"
REPORT: Final = "report"
WORK: Final = "work"

#: Top-level names that are evidence; everything else but NOT_EVIDENCE is an extra piece.
EVIDENCE: Final = ("root.json", "log", "objects")
NOT_EVIDENCE: Final = (REPORT, WORK)

OBJECT_NAME: Final = re.compile(r"objects/sha256/([0-9a-f]{2})/([0-9a-f]{62})")
SEGMENT_NAME: Final = re.compile(r"log/(entries|private)/([0-9]{6,9})\.jsonl")
KEPT_CHECKPOINT_NAME: Final = re.compile(r"log/checkpoints/([0-9]{12})")
#: A stamped checkpoint, and what vouches for it: the size, the first 12 digits of the leaf hash of the
#: authority's entry, the part.
STAMP_NAME: Final = re.compile(
    r"log/stamps/([0-9]{12})\.(checkpoint|[0-9a-f]{12}(?:\.upgraded)?\.(?:tsq|tsr|pem|crl|ots|headers|cosigned))"
)


def segment_file(number: int) -> str:
    """File name of a segment.

    Example:
        >>> segment_file(3)
        '000003.jsonl'
    """
    return f"{number:06d}.jsonl"


def most_bytes(name: str) -> int:
    """The most bytes a file of the log, or the root, can have.

    Example:
        >>> most_bytes("root.json")
        1048576
    """
    if SEGMENT_NAME.fullmatch(name):
        return MAX_LOG_FILE_BYTES
    return MAX_HEADERS_BYTES if name.endswith(".headers") else MAX_HEAD_BYTES


def object_name(digest: str) -> str:
    """Path of an object within the case.

    Example:
        >>> object_name("ab" * 32)[:22]
        'objects/sha256/ab/abab'
    """
    return f"{OBJECTS}/{digest[:2]}/{digest[2:]}"


class CaseFolder:
    """Absolute paths of one case folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.root = self.path / ROOT
        self.entries = self.path / ENTRIES
        self.private = self.path / PRIVATE
        self.checkpoint = self.path / CHECKPOINT
        self.checkpoints = self.path / CHECKPOINTS
        self.stamps = self.path / STAMPS
        self.objects = self.path / OBJECTS
        self.report = self.path / REPORT
        self.work = self.path / WORK
        self.incoming = self.work / "incoming"
        self.recovered = self.work / "recovered"
        self.index = self.work / "index.sqlite"

    def folders(self) -> tuple[Path, ...]:
        """Every folder a writer writes below, but for the 256 of the objects."""
        log, objects = self.entries.parent, self.objects.parent
        return (
            log,
            self.entries,
            self.private,
            self.checkpoints,
            self.stamps,
            objects,
            self.objects,
            self.work,
            self.incoming,
            self.recovered,
            self.report,
        )

    def files(self) -> tuple[Path, ...]:
        """Every file of the log that is there, and root.json."""
        folders = (self.entries, self.private, self.checkpoints, self.stamps)
        below: list[Path] = []
        for folder in folders:
            try:
                below += folder.iterdir() if folder.is_dir() else ()
            except OSError as error:
                raise InputError(
                    f"cannot be read ({(error.strerror or '').lower()})",
                    subject=str(folder),
                    remedy="Give yourself read permission, or copy the case from a sound disk.",
                ) from error
        return (self.root, self.checkpoint, *below)

    def object(self, digest: str) -> Path:
        """Path of an object."""
        return self.objects / digest[:2] / digest[2:]

    def looks_like_case(self) -> bool:
        """Whether root.json and a log lie here; whether they hold is not asked."""
        return self.root.is_file() and self.entries.is_dir()

    def exists(self) -> bool:
        """Whether a case was begun here: root.json or any log file is present."""
        return self.root.exists() or self.entries.exists()


def find(start: Path) -> CaseFolder:
    """The case at or above `start`, found upward like git.

    Raises:
        NoCaseError: if there is none.
    """
    start = start.absolute()
    # A mistyped folder within a case must not lead to that case.
    if not os.path.lexists(start):
        raise NoCaseError(
            "does not exist",
            subject=str(start),
            remedy="Check the path. A new case is made by `muniment build` or `muniment init`.",
        )
    for folder in (start, *start.parents):
        if CaseFolder(folder).looks_like_case():
            return CaseFolder(folder)
    raise NoCaseError(
        "is no case, nor lies in one",
        subject=str(start),
        remedy="Name the folder that holds root.json with --case DIR. A new case is made by"
        " `muniment build` or `muniment init`.",
    )
