"""Times as the record holds them: UTC, milliseconds, `Z`; unknown is an interval, never a guess."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from muniment.errors import MalformedError

_PATTERN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)

#: A local clock reading without a zone lies this far around the same reading in UTC
#: (civil offsets run from -12 h to +14 h).
EARLIEST_OFFSET: Final = timedelta(hours=14)
LATEST_OFFSET: Final = timedelta(hours=12)


class Interval(msgspec.Struct, frozen=True):
    """A time known to lie within [earliest_utc, latest_utc]; both null when nothing is known.

    `basis` says what the interval rests on, e.g. `date_unixtime` or `local time without zone`.
    """

    earliest_utc: str | None
    latest_utc: str | None
    basis: str


def format_utc(moment: datetime) -> str:
    """`moment` (timezone-aware) as `2026-01-02T03:04:05.678Z`.

    Example:
        >>> format_utc(datetime(2026, 1, 2, 3, 4, 5, 678901, UTC))
        '2026-01-02T03:04:05.678Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_utc(stamp: str) -> datetime:
    """The moment a stored time names.

    Raises:
        MalformedError: if `stamp` is not in the one form.
    Example:
        >>> parse_utc("2026-01-02T03:04:05.678Z").isoformat()
        '2026-01-02T03:04:05.678000+00:00'
    """
    if not _PATTERN.fullmatch(stamp):
        raise MalformedError("not a UTC time with milliseconds and Z", subject=stamp)
    try:
        return datetime.fromisoformat(stamp)
    except ValueError as error:
        raise MalformedError("not a time in the calendar", subject=stamp) from error


def now_utc() -> str:
    """The system clock's reading, as stored in entries."""
    return format_utc(datetime.now(UTC))


def from_unix(seconds: int, basis: str) -> Interval:
    """The second that starts at Unix time `seconds`, as an interval.

    Raises:
        MalformedError: if the time lies outside the years 1 to 9999.
    """
    try:
        start = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise MalformedError("not a time in the calendar", subject=str(seconds)[:40]) from error
    stamp = format_utc(start)
    return Interval(stamp, stamp, basis)


def from_local(reading: str, basis: str) -> Interval:
    """Where in UTC a local clock reading without a zone can lie: -14 h to +12 h around it.

    Args:
        reading: `YYYY-MM-DDTHH:MM:SS`, as older Telegram Desktop exports write it.
    Raises:
        MalformedError: if the reading is not in that form.
    Example:
        >>> from_local("2026-05-02T12:00:00", "no zone").earliest_utc
        '2026-05-01T22:00:00.000Z'
    """
    try:
        local = datetime.strptime(reading, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
        earliest, latest = local - EARLIEST_OFFSET, local + LATEST_OFFSET
    except (OverflowError, ValueError) as error:
        raise MalformedError("not a local time", subject=reading[:40]) from error
    return Interval(format_utc(earliest), format_utc(latest), basis)
