"""The only way to open an original, and it logs: first the entry is durable, then the bytes open.

What is done with the bytes - a copy, an export, a fixity check - is logged here too, with what came of
it, so that no caller can do it and say nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from muniment.custody.keys import SigningKey
from muniment.custody.log import LogWriter
from muniment.errors import IntegrityError, StorageError
from muniment.model.custody_events import code
from muniment.model.display import visible
from muniment.store import disk
from muniment.store.objects import READ_BYTES, open_object


class Checked(msgspec.Struct, frozen=True):
    """What a fixity check found.

    Attributes:
        outcome: `success`; `failure` if bytes are not those of their name; `warning` if some could
            only not be read.
        bad: (SHA-256, what was found) of each original that is missing or has other bytes.
        unread: (SHA-256, why) of each that could not be read.
    """

    outcome: str
    checked: int
    size_bytes: int
    bad: tuple[tuple[str, str], ...]
    unread: tuple[tuple[str, str], ...]


class Vault:
    """Opens originals of one case on behalf of someone."""

    def __init__(self, log: LogWriter) -> None:
        self._log = log

    @contextmanager
    def open(self, digest: str, *, by: str, purpose: str) -> Iterator[BinaryIO]:
        """The bytes of an object, logged as object.viewed and checked against their digest first.

        Args:
            by: the person's name, or the step's.
            purpose: what for.
        Raises:
            IntegrityError: if the object is missing or its bytes are not those of its name.
            StorageError: if the viewing cannot be logged; then nothing is opened.
        """
        self._log.append("object.viewed", {"object": digest, "by": by, "purpose": purpose})
        self._log.commit()
        fd = open_object(self._log.folder, digest)
        with os.fdopen(fd, "rb") as stream:
            if _hashed(stream)[0] != digest:
                raise IntegrityError(
                    "its bytes are not those it was stored with",
                    subject=f"object {digest}",
                    remedy="Run `muniment verify`; restore it from a second copy.",
                )
            stream.seek(0)
            yield stream

    def copy(
        self,
        digest: str,
        target: Path,
        *,
        event: str,
        by: str,
        why: str,
        details: Mapping[str, Any],
    ) -> None:
        """Write an original's bytes to a new file, read it back, and log what came of it.

        Args:
            event: `working_copy_made` or `exported`.
            details: what else belongs to it.
        Raises:
            StorageError: if the target exists or cannot be written; the log says so.
            IntegrityError: if the original is not what its name says, or the copy reads back
                otherwise.
        """
        purpose = {"working_copy_made": "take a working copy", "exported": "export"}[event]
        got: str | None = None
        try:
            with (
                self.open(digest, by=by, purpose=f"{purpose}: {why}") as stream,
                disk.storage(target),
                target.open("x+b") as out,
            ):
                while piece := stream.read(READ_BYTES):
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
                out.seek(0)
                got = _hashed(out)[0]
        finally:
            if not self._log.is_stopped:
                told = {
                    "place": visible(os.fspath(target)),
                    "source_sha256": digest,
                    "copy_sha256": got,
                }
                outcome = "success" if got == digest else "failure"
                self.record(
                    event, [digest], by=by, why=why, outcome=outcome, details=told | dict(details)
                )
        if got != digest:
            raise IntegrityError(
                "the copy reads back with other bytes",
                subject=os.fspath(target),
                remedy="Throw it away; use another disk.",
            )

    def check(
        self, digests: Iterable[str], *, by: str, why: str, details: Mapping[str, Any]
    ) -> Checked:
        """Read originals, compare them with their digests, and log the outcome.

        Raises:
            StorageError: if the check cannot be logged.
        """
        bad: list[tuple[str, str]] = []
        unread: list[tuple[str, str]] = []
        named, total = sorted(digests), 0
        for digest in named:
            try:
                with os.fdopen(open_object(self._log.folder, digest), "rb") as stream:
                    found, size = _hashed(stream)
                total += size
                if found != digest:
                    bad.append((digest, found))
            except IntegrityError as error:
                bad.append((digest, error.what))
            except StorageError as error:
                unread.append((digest, error.what))
            except OSError as error:
                unread.append((digest, (error.strerror or str(error)).lower()))
        outcome = "failure" if bad else "warning" if unread else "success"
        told = {
            "algorithm": "sha256",
            "checked": len(named) - len(unread),
            "size_bytes": total,
            "bad": [list(pair) for pair in bad],
            "unread": [list(pair) for pair in unread],
        }
        self.record(
            "fixity_checked", named, by=by, why=why, outcome=outcome, details=told | dict(details)
        )
        return Checked(outcome, len(named) - len(unread), total, tuple(bad), tuple(unread))

    def record(
        self,
        event: str,
        objects: Iterable[str],
        *,
        by: str,
        why: str,
        outcome: str | None,
        details: Mapping[str, Any],
        person: SigningKey | None = None,
    ) -> str:
        """Log a custody event, durable when this returns; the leaf hash (hex) of its entry.

        Args:
            person: signs it, where the case's root lets this person sign such entries: a root made
                before there were any does not, and the machine then records it in their name.
        Raises:
            KeyError: if the event is none of ours.
            StorageError: if it cannot be logged.
        """
        in_root = self._log.root.person(person.public.id) if person else None
        may_sign = in_root is not None and "custody.recorded" in in_root.signs
        values = {
            "event": event,
            "premis": code(event),
            "objects": list(objects),
            "by": by,
            "instrument": {"name": "muniment", "version": version("muniment")},
            "why": why,
            "outcome": outcome,
            "details": dict(details),
        }
        leaf = self._log.append("custody.recorded", values, person=person if may_sign else None)
        self._log.commit()
        return leaf


def sample(digests: Iterable[str], number: int, seed: str) -> list[str]:
    """So many of the digests as the seed says: those with the least SHA-256 of `SEED:DIGEST`.

    Anybody can draw the same sample again with `sha256sum`.

    Example:
        >>> sample(["aa", "bb", "cc"], 2, "seed") == sample(["cc", "bb", "aa"], 2, "seed")
        True
    """
    ranked = sorted(digests, key=lambda one: hashlib.sha256(f"{seed}:{one}".encode()).hexdigest())
    return ranked[:number]


def _hashed(stream: BinaryIO) -> tuple[str, int]:
    """SHA-256 (hex) and number of the bytes from here on."""
    sha, buffer, size = hashlib.sha256(), bytearray(READ_BYTES), 0
    while got := stream.readinto(buffer):  # type: ignore[attr-defined]
        sha.update(memoryview(buffer)[:got])
        size += got
    return sha.hexdigest(), size
