"""Every error Muniment raises on purpose, in one tree.

::

    MunimentError                exit 1   something went wrong; names the input and the remedy
    ├── InputError               exit 1   an input cannot be used as it is
    │   ├── UsageError           exit 2   the command was called in a way it cannot serve
    │   ├── MalformedError       exit 1   bytes that are not what they claim to be (offset given)
    │   └── RefusedError         exit 1   an input that must not be taken in
    ├── NoCaseError              exit 10  no case at or above this folder
    ├── LockedError              exit 11  another process is writing to this case
    ├── IntegrityError           exit 20  stored evidence is not what the log says
    ├── SignatureError           exit 21  a signature, root or time stamp does not hold
    ├── KeyFileError             exit 1   a key file is missing, damaged, or the passphrase is wrong
    ├── StorageError             exit 1   the disk refused: full, read-only, failing
    └── SandboxError             exit 1   files of strangers cannot be decoded in confinement

`diagnostics()` gives the one line a person reads: what happened, to which input, and what to do.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_PARTLY = 3
EXIT_NO_CASE = 10
EXIT_LOCKED = 11
EXIT_INTEGRITY = 20
EXIT_SIGNATURE = 21

#: exit code -> what it means; docs/cli.md is generated from this table.
EXIT_CODES: dict[int, str] = {
    EXIT_OK: "done; for `verify`: no check failed and nothing lies beyond the checkpoint",
    EXIT_ERROR: "error: nothing more could be done; the message names the input and the remedy; "
    "for `verify`: nothing failed, and objects are there that could not be read",
    EXIT_USAGE: "usage: the command was called in a way it cannot serve",
    EXIT_PARTLY: "partly done, or done with something to look at, each listed: what failed or is "
    "damaged, whole entries that were moved aside; for `verify`: entries or objects lie beyond "
    "the checkpoint (an interrupted run, or additions), named, not covered by any signature",
    EXIT_NO_CASE: "no case at or above the folder",
    EXIT_LOCKED: "locked: another process is writing to the case",
    EXIT_INTEGRITY: "integrity failed: stored evidence is not what the log says, or the log is no "
    "continuation of the checkpoint given with --since; stands before 21 when both are so",
    EXIT_SIGNATURE: "a signature or the root failed, and nothing of 20",
}


class MunimentError(Exception):
    """Base of every deliberate error.

    Args:
        what: what happened, in one clause, without a final full stop.
        subject: the input it happened to (a path, an id, a key name); shown escaped.
        remedy: what the reader can do about it.
    """

    exit_code = EXIT_ERROR

    def __init__(self, what: str, *, subject: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.subject = subject
        self.remedy = remedy

    def diagnostics(self) -> str:
        """One line: `subject: what. remedy`.

        Example:
            >>> InputError("is empty", subject="a.json", remedy="Export it again.").diagnostics()
            'a.json: is empty. Export it again.'
        """
        head = f"{self.subject}: {self.what}" if self.subject else self.what
        return f"{head}. {self.remedy}".rstrip() if self.remedy else head

    def __str__(self) -> str:
        return self.diagnostics()


class InputError(MunimentError):
    """An input cannot be used as it is."""


class UsageError(InputError):
    """The command was called in a way it cannot serve."""

    exit_code = EXIT_USAGE


class MalformedError(InputError):
    """Bytes that are not what they claim to be."""


class RefusedError(InputError):
    """An input that must not be taken in."""


class NoCaseError(MunimentError):
    """No case at or above the folder."""

    exit_code = EXIT_NO_CASE


class LockedError(MunimentError):
    """Another process is writing to the case."""

    exit_code = EXIT_LOCKED


class IntegrityError(MunimentError):
    """Stored evidence is not what the log says."""

    exit_code = EXIT_INTEGRITY


class SignatureError(MunimentError):
    """A signature, root or time stamp does not hold."""

    exit_code = EXIT_SIGNATURE


class KeyFileError(MunimentError):
    """A key file is missing, damaged, or the passphrase is wrong."""


class StorageError(MunimentError):
    """The disk refused: full, read-only or failing."""


class SandboxError(MunimentError):
    """Files of strangers cannot be decoded in confinement."""
