"""A time axis in UTC: steps a reader knows (5 minutes, 6 hours, a month, 20 years), and labels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from muniment.report.wording import MONTHS, millis, moment

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

EARLIEST_MS: Final = millis("0001-01-01T00:00:00.000Z")
LATEST_MS: Final = millis("9999-12-31T23:59:59.999Z")
#: Monday, 1 January 0001: weeks and days are counted from here.
_ORIGIN_MS: Final = EARLIEST_MS


class Step(msgspec.Struct, frozen=True):
    """A distance between ticks: `number` of `unit` (ms, month or year); `name` for people."""

    unit: str
    number: int
    name: str

    @property
    def about_ms(self) -> int:
        """Its length, for months and years the mean one."""
        return self.number * {"ms": 1, "month": 2_629_746_000, "year": 31_556_952_000}[self.unit]

    def floor(self, ms: int) -> int:
        """The last multiple of this step at or before `ms`."""
        if self.unit == "ms":
            return ms - (ms - _ORIGIN_MS) % self.number
        at = moment(ms)
        if self.unit == "month":
            return _first_of(at.year, (at.month - 1) // self.number * self.number + 1)
        return _first_of(max(1, at.year // self.number * self.number), 1)

    def after(self, ms: int) -> int:
        """The next multiple after the multiple `ms`; LATEST_MS at the end of the calendar."""
        if self.unit == "ms":
            return min(ms + self.number, LATEST_MS)
        at = moment(ms)
        if self.unit == "month":
            months = at.year * 12 + at.month - 1 + self.number
            year, month = divmod(months, 12)
        else:
            year, month = at.year // self.number * self.number + self.number, 0
        return _first_of(year, month + 1) if year <= 9999 else LATEST_MS


def _first_of(year: int, month: int) -> int:
    return millis(f"{year:04d}-{month:02d}-01T00:00:00.000Z")


def _steps() -> tuple[Step, ...]:
    steps: list[Step] = []
    for unit_ms, name, numbers in (
        (SECOND_MS, "second", (1, 2, 5, 10, 15, 30)),
        (MINUTE_MS, "minute", (1, 2, 5, 10, 15, 30)),
        (HOUR_MS, "hour", (1, 2, 3, 6, 12)),
        (DAY_MS, "day", (1, 2)),
        (7 * DAY_MS, "week", (1, 2)),
    ):
        steps += [Step("ms", unit_ms * number, _named(number, name)) for number in numbers]
    steps += [Step("month", number, _named(number, "month")) for number in (1, 2, 3, 6)]
    years = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
    steps += [Step("year", number, _named(number, "year")) for number in years]
    return tuple(steps)


def _named(number: int, name: str) -> str:
    return f"one {name}" if number == 1 else f"{number} {name}s"


STEPS: Final = _steps()


class Tick(msgspec.Struct, frozen=True):
    """A labelled place on the axis; `context` (the day, the year) stands where it changes."""

    at_ms: int
    label: str
    context: str


def choose_step(start_ms: int, end_ms: int, most: int) -> Step:
    """The smallest step that cuts the span into at most `most` parts.

    Example:
        >>> choose_step(0, 3 * 3_600_000, 9).name, choose_step(0, 10**12, 9).name
        ('30 minutes', '5 years')
    """
    for step in STEPS:
        if end_ms - start_ms <= step.about_ms * most:
            return step
    return STEPS[-1]


def ticks(start_ms: int, end_ms: int, most: int = 9) -> tuple[Tick, ...]:
    """Labelled ticks within [start, end], in order."""
    step = choose_step(start_ms, end_ms, most)
    found: list[Tick] = []
    last = ""
    at = step.floor(start_ms)
    while at <= end_ms:
        if at >= start_ms:
            label, context = _label(at, step)
            found.append(Tick(at, label, context if context != last else ""))
            last = context
        following = step.after(at)
        if following <= at:
            break
        at = following
    return tuple(found)


def _label(ms: int, step: Step) -> tuple[str, str]:
    at = moment(ms)
    date = f"{at.day} {MONTHS[at.month - 1]}"
    if step.unit == "year":
        return str(at.year), ""
    if step.unit == "month":
        return MONTHS[at.month - 1], str(at.year)
    if step.number >= DAY_MS:
        return date, str(at.year)
    time = at.strftime("%H:%M:%S" if step.number < MINUTE_MS else "%H:%M")
    return time, f"{date} {at.year}"


def padded(start_ms: int, end_ms: int) -> tuple[int, int]:
    """The span with room on both sides, within the calendar; a minute around a single moment."""
    room = max((end_ms - start_ms) // 40, 100) if end_ms > start_ms else 30 * SECOND_MS
    return max(start_ms - room, EARLIEST_MS), min(end_ms + room, LATEST_MS)


def edges(start_ms: int, end_ms: int, most: int) -> tuple[Step, tuple[int, ...]]:
    """A step and the borders of equal bins of that step that cover [start, end]."""
    step = choose_step(start_ms, end_ms, most)
    borders = [step.floor(start_ms)]
    while borders[-1] <= end_ms and len(borders) <= most + 2:
        following = step.after(borders[-1])
        if following <= borders[-1]:
            break
        borders.append(following)
    return step, tuple(borders)


def as_utc(ms: int) -> str:
    """A moment in words, to the second, e.g. for the title of a bin."""
    at: datetime = moment(ms).astimezone(UTC)
    return f"{at.year:04d}-{at:%m-%d %H:%M:%S}"
