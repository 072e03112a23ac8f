"""What `verify` reports: named checks, never a bare yes."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """What came of a check."""

    PASS = "pass"
    FAIL = "fail"
    NOT_CHECKED = "not checked"


class Unread(str):
    """Why bytes that are there could not be read now (permission, a failing disk): no fault of the
    case, and no proof that it is sound."""

    __slots__ = ()


class Finding(msgspec.Struct, frozen=True):
    """One piece that is not what it should be: where it lies, and what is wrong with it."""

    piece: str
    what: str


class Check(msgspec.Struct, frozen=True):
    """One named check.

    Attributes:
        detail: what was found, or why it was not checked and what that means.
        findings: the pieces that differ, at most `MAX_FINDINGS`; `found` counts all of them.
        exit_code: the exit code this check asks for (0 when it passed or merely was not asked for).
    """

    name: str
    status: Status
    detail: str
    findings: tuple[Finding, ...] = ()
    found: int = 0
    exit_code: int = 0


MAX_FINDINGS = 50

#: Printed with every verdict.
NOT_PROVED: tuple[str, ...] = (
    "That the material is authentic: nothing is said about what happened to it before intake.",
    "That the record is complete: what was never collected leaves no trace here.",
    "Who signed it, unless the root fingerprint was pinned with --root.",
    "That nothing was rolled back or rewritten wholesale, unless a checkpoint held outside the "
    "owner's control was given with --since.",
    "That recorded times are true: they are this machine's clock and the exporter's claims. A time "
    "stamp shows that what it covers existed before its time, and nothing of how long before.",
)


class ShownStamp(msgspec.Struct, frozen=True):
    """One time stamp as `verify` judged it.

    Attributes:
        entry: index of its checkpoint.stamped.
        covers: how many entries, from the first, existed before `before_utc`.
        status: `not checked` for a pending one, and for a block that no pinned header reaches.
        before_utc: the end of the interval it proves; null when it proves none.
        detail: what it rests on, or why it proves nothing.
    """

    entry: int
    covers: int
    organisation: str
    method: str
    status: Status
    before_utc: str | None
    detail: str


class Verdict(msgspec.Struct, frozen=True):
    """All checks of one verification, and what none of them proves."""

    case: str | None
    root_sha256: str | None
    checkpoint: str | None
    entries: int
    objects: int
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    not_proved: tuple[str, ...] = NOT_PROVED
    stamps: tuple[ShownStamp, ...] = ()

    @property
    def exit_code(self) -> int:
        """20 if integrity failed, else 21 if a signature or the root failed, else 1 if something
        could not be read, else 3, else 0."""
        codes = {check.exit_code for check in self.checks}
        return next((code for code in (20, 21, 1, 3) if code in codes), 0)

    def check(self, name: str) -> Check:
        """The check of that name.

        Raises:
            KeyError: if there is none.
        """
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(name)
