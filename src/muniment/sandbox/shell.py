"""Limits that a shell or a batch system has put on this process and that decoding cannot do with."""

from __future__ import annotations

import resource
from typing import Final

from muniment.errors import SandboxError

#: limit, its option of `ulimit`, the least that decoding wants, and what one unit of `ulimit` is
_WANTED: Final = (
    (resource.RLIMIT_AS, "-v", 4 << 30, 1 << 10),
    (resource.RLIMIT_CPU, "-t", 3600, 1),
    (resource.RLIMIT_NOFILE, "-n", 64, 1),
)


def low_limits() -> tuple[str, ...]:
    """The limits that are lower than decoding wants, as `ulimit` would set them.

    Only hard ones count: a worker puts lower ones on itself, and cannot do so above a hard limit.
    """
    found = []
    for which, option, least, unit in _WANTED:
        hard = resource.getrlimit(which)[1]
        if hard not in (resource.RLIM_INFINITY, -1) and hard < least:
            found.append(f"ulimit {option} {hard // unit}")
    return tuple(found)


def not_started(why: str, entry: str) -> SandboxError:
    """The error where the process that decodes did not start."""
    limits = low_limits()
    remedy = _raise(limits) or "Install Muniment anew; if that does not help, report it."
    return SandboxError(
        f"the process that decodes did not start ({why})", subject=entry, remedy=remedy
    )


def not_confined(why: str, unconfined: str) -> SandboxError:
    """The error where workers are not confined, with `unconfined` as remedy if no limit is why."""
    limits = low_limits()
    told = f"{why}; {', '.join(limits)}" if limits else why
    return SandboxError(
        f"decoding cannot be confined on this machine ({told})",
        remedy=_raise(limits) or unconfined,
    )


def _raise(limits: tuple[str, ...]) -> str:
    """What to do about limits; empty where there are none."""
    if not limits:
        return ""
    return f"This shell or batch system sets {', '.join(limits)}: raise that and run again."
