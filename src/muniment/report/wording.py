"""The report's words: times, durations, sizes and counts, in plain neutral English.

Nothing here asks a clock, a locale or a time zone: the same record always reads the same.
"""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Final

from muniment.model.display import count, visible
from muniment.model.times import Interval

MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
#: Stands for a newline where a text is shown on one line.
NEWLINE: Final = " ↵ "

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_UNITS: Final = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1))
#: Durations below this are said in hours: "26 h" reads easier than "1 d 2 h".
_DAYS_FROM_MS: Final = 2 * 86_400_000

#: Longer than this is no clip's time, whatever a header claims.
_LONGEST_CLIP_S: Final = 1e9


def millis(stamp: str) -> int:
    """Milliseconds since 1970 of a stored time.

    Example:
        >>> millis("1970-01-02T00:00:00.001Z")
        86400001
    """
    return (datetime.fromisoformat(stamp) - _EPOCH) // _MS


def moment(ms: int) -> datetime:
    """The moment `ms` milliseconds after 1970, in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def clock(stamp: str) -> str:
    """A stored time as people read it; milliseconds only when there are any.

    Example:
        >>> clock("2026-05-02T09:21:07.000Z"), clock("2026-05-02T09:21:07.250Z")
        ('2026-05-02 09:21:07', '2026-05-02 09:21:07.250')
    """
    return stamp.removesuffix("Z").removesuffix(".000").replace("T", " ")


def spoken(stamp: str) -> str:
    """A stored time for running text; it does not break within the date or the time.

    Example:
        >>> spoken("2026-05-02T09:21:07.000Z").replace("\xa0", " ")
        '2 May 2026 09:21:07'
    """
    return f"{day(millis(stamp))} {clock(stamp)[11:]}".replace(" ", "\xa0")


def span_ms(interval: Interval | None) -> tuple[int, int] | None:
    """Both ends of an interval; null when nothing is known."""
    if interval is None or interval.earliest_utc is None or interval.latest_utc is None:
        return None
    start, end = millis(interval.earliest_utc), millis(interval.latest_utc)
    return (start, end) if start <= end else (end, start)


def duration(ms: int) -> str:
    """A length of time in its two largest units.

    Example:
        >>> duration(93_600_000), duration(1_000_000_000), duration(0)
        ('26 h', '11 d 13 h', '0 s')
    """
    units = _UNITS if ms >= _DAYS_FROM_MS else _UNITS[1:]
    for index, (unit, size) in enumerate(units):
        if ms >= size:
            whole, rest = divmod(ms, size)
            parts = [f"{whole:,} {unit}"]
            if index + 1 < len(units) and unit != "s":
                small, small_size = units[index + 1]
                if rest // small_size:
                    parts.append(f"{rest // small_size} {small}")
            return " ".join(parts)
    return "0 s"


def day(ms: int) -> str:
    """The day of a moment, e.g. `2 May 2026`."""
    at = moment(ms)
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def clip_time(seconds: float) -> str:
    """A place or a length within a clip, to a tenth of a second.

    Example:
        >>> clip_time(7.04), clip_time(75.25), clip_time(3700), clip_time(float("nan"))
        ('7.0 s', '1:15.2', '1:01:40.0', 'not known')
    """
    if not math.isfinite(seconds) or abs(seconds) > _LONGEST_CLIP_S:
        return "not known"
    sign = "−" if seconds < 0 else ""
    tenths = round(abs(seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    if not minutes:
        return f"{sign}{tenths // 10}.{tenths % 10} s"
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{sign}{head}:{rest // 10:02d}.{rest % 10}"


def stretch(start_s: float, end_s: float) -> str:
    """A stretch within a clip.

    Example:
        >>> stretch(3, 12.5), stretch(70, 80)
        ('3.0–12.5 s', '1:10.0–1:20.0')
    """
    start, end = clip_time(start_s), clip_time(end_s)
    if "not known" in (start, end):
        return "not known"
    if start.endswith(" s") and end.endswith(" s"):
        start = start.removesuffix(" s")
    return f"{start}–{end}"


def size(number: int) -> str:
    """A number of bytes, exact, with a rounded form from 10,000 on.

    Example:
        >>> size(812), size(4_194_304)
        ('812 bytes', '4,194,304 bytes (4.2 MB)')
    """
    exact = count(number, "byte")
    for unit, unit_bytes in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= max(unit_bytes, 10_000):
            tenths = (number * 10 + unit_bytes // 2) // unit_bytes
            return f"{exact} ({tenths // 10}.{tenths % 10} {unit})"
    return exact


def line(text: str, limit: int = 0) -> str:
    """`text` safe to show on one line, cut to `limit` characters when given.

    Example:
        >>> line("a\\nb"), line("abcdef", 4)
        ('a ↵ b', 'abc…')
    """
    cut = text if not limit or len(text) <= limit else text[: limit - 1] + "…"
    return NEWLINE.join(visible(part) for part in cut.split("\n"))


def fit(text: str, columns: int) -> str:
    """`text` on one line, cut to about `columns` letters' width (wide letters count twice)."""
    shown = line(text[: columns * 4])
    used = 0
    for index, char in enumerate(shown):
        used += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used > columns:
            return shown[: max(index - 1, 1)] + "…"
    return shown if len(text) <= columns * 4 else shown + "…"


def anchor(identity: str) -> str:
    """An id as an HTML id.

    Example:
        >>> anchor("post:3f2a91bc07de")
        'post-3f2a91bc07de'
    """
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in identity)
