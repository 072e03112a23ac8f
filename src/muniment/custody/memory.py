"""What this machine remembers of a case's last checkpoint, beside its keys and outside the case.

Whoever can write the case folder, and has no key, can put back an older checkpoint. The next writing
run on the machine that signed a newer one refuses then, instead of going on from the older state.
It is no outside anchor: it helps only this machine. The digest of the projection lies there too:
a writer acts only on a projection that it left itself, and derives any other anew from the log; so too
with the fingerprint index. So does the digest of the page it drew last, which need not be drawn again
to be compared.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from muniment.custody.checkpoint import Checkpoint, short_form
from muniment.errors import IntegrityError, MalformedError, StorageError
from muniment.store import disk


def not_remembered(error: StorageError) -> str:
    """The notice when a checkpoint or projection cannot be remembered: the work is done all the same."""
    return (
        f"{error.subject}: {error.what}, so this machine does not remember the case's last checkpoint. "
        "It cannot tell on its own when an older one is put back: keep the checkpoint elsewhere."
    )


def page_line(checkpoint: str, version: str, page: bytes) -> str:
    """What is remembered of a page: the checkpoint it shows, the program's version, its SHA-256."""
    return f"{checkpoint} {version} {hashlib.sha256(page).hexdigest()}"


class Memory:
    """The remembered checkpoint of one case.

    Args:
        folder: the key folder.
        case: the case's id.
    """

    def __init__(self, folder: Path, case: str) -> None:
        self._path = folder / "seen" / case
        self._index_path = folder / "seen" / f"{case}.index"
        self._page_path = folder / "seen" / f"{case}.page"
        self._trace_path = folder / "seen" / f"{case}.trace"

    def size_and_root(self) -> tuple[int, bytes] | None:
        """What is remembered; None when nothing is.

        Raises:
            IntegrityError: if the file is damaged.
        """
        try:
            return short_form(self._path.read_text("ascii").strip())
        except FileNotFoundError:
            return None
        except (MalformedError, OSError, UnicodeDecodeError) as error:
            raise IntegrityError(
                "is not a remembered checkpoint",
                subject=str(self._path),
                remedy="Compare the case with `muniment verify --since`, then remove this file.",
            ) from error

    def refuse(self, size: int) -> IntegrityError:
        """The error when the case is not a continuation of what is remembered."""
        remembered = self.size_and_root()
        known = remembered[0] if remembered else 0
        return IntegrityError(
            f"was rolled back or rewritten: this machine signed {known} entries of it, "
            f"and it holds {size} that do not continue those",
            subject=str(self._path.name),
            remedy=f"Find the newer copy. If an older one was restored on purpose, remove {self._path}.",
        )

    def index_sha256(self) -> str | None:
        """Digest of the projection's file as this machine left it; None when it left none."""
        try:
            return self._index_path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def keep_index(self, digest: str) -> None:
        """Remember the projection's file as this machine leaves it.

        Raises:
            StorageError: if the disk refuses.
        """
        disk.replace(self._index_path, digest.encode() + b"\n", temp_folder=self._path.parent)

    def trace_index_sha256(self) -> str | None:
        """Digest of the table of the fingerprint index as this machine left it, or None."""
        try:
            return self._trace_path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None

    def keep_trace_index(self, digest: str) -> None:
        """Remember the fingerprint index as this machine leaves it.

        Raises:
            StorageError: if the disk refuses.
        """
        disk.replace(self._trace_path, digest.encode() + b"\n", temp_folder=self._trace_path.parent)

    def drew_page(self, drawn: str) -> bool:
        """Whether this machine last drew the page that `drawn` says (see `keep_page`)."""
        return self._page() == drawn

    def drew_another_page(self, drawn: str) -> bool:
        """Whether this machine last drew another page from the same checkpoint by the same version."""
        kept = self._page()
        return kept != drawn and kept.rpartition(" ")[0] == drawn.rpartition(" ")[0]

    def _page(self) -> str:
        try:
            return self._page_path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def keep_page(self, drawn: str) -> None:
        """Remember a page that this machine drew: `page_line` of its checkpoint and bytes.

        Raises:
            StorageError: if the disk refuses.
        """
        disk.replace(self._page_path, drawn.encode() + b"\n", temp_folder=self._page_path.parent)

    def keep(self, head: Checkpoint) -> None:
        """Remember a checkpoint that is durable in the case.

        Raises:
            StorageError: if the disk refuses.
        """
        disk.replace(self._path, head.short().encode() + b"\n", temp_folder=self._path.parent)
