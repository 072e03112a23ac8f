"""What may derive from what, with the reason for each edge, and the earliest copy found online.

All of it rests on what was collected and on what platforms and exporters claim; nothing here says
which copy is the original.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from muniment.model.trace import Edge, Pair

#: share of the picture by which the placing of one on the other may be wrong
_LOOSELY: Final = 0.03


class Appearance(msgspec.Struct, frozen=True):
    """An item in a post. Times are UTC milliseconds since 1970, both inclusive: the interval in
    which it was posted; `forwarded_from` is the name of the channel the platform says it was
    forwarded from, null when it says nothing."""

    item: str
    post: str
    channel: str
    not_before_ms: int
    not_after_ms: int
    forwarded_from: str | None = None


def claimed(
    appearances: Sequence[Appearance], apart: Collection[frozenset[str]] = ()
) -> list[Edge]:
    """Edges from forwards that posts claim, where the channel named shows an item here too: its
    last post of one before the copy's, else its first.

    Args:
        apart: pairs of items that a person kept apart; the reason says so.
    """
    of_channel: dict[str, list[Appearance]] = {}
    for one in sorted(appearances, key=lambda one: (one.not_before_ms, one.not_after_ms, one.post)):
        of_channel.setdefault(one.channel, []).append(one)
    edges: set[tuple[str, str, str, str]] = set()
    for copy in appearances:
        held = of_channel.get(copy.forwarded_from or "", ())
        before = [one for one in held if one.not_before_ms <= copy.not_after_ms]
        source = before[-1] if before else held[0] if held else None
        if source is None or source.item == copy.item:
            continue
        why = (
            f"{copy.post} says that it forwards the channel {copy.forwarded_from}, "
            f"which shows this footage in {source.post}"
        )
        if not before:
            why += "; the times of the two posts contradict this"
        if {source.item, copy.item} in apart:
            why += "; a person decided that the two are not the same footage"
        edges.add((source.item, copy.item, "claimed forward", why))
    return [Edge(*edge) for edge in sorted(edges)]


def containments(
    pairs: Sequence[Pair], durations_s: Mapping[str, float], slack_s: float = 0.6
) -> list[Edge]:
    """Edges from a longer clip to one that shows a part of it and nothing else.

    Not where the longer one shows less of the picture, or shows it mirrored or turned: nobody gets
    back from a crop what it cut away. Several copies may hold the same part; which one it was taken
    from is not told by the pictures.
    """
    edges: list[Edge] = []
    for pair in pairs:
        if not pair.joins or not pair.segments:
            continue
        shared_a = sum(one.a_end_s - one.a_start_s for one in pair.segments)
        shared_b = sum(one.b_end_s - one.b_start_s for one in pair.segments)
        rest_a = durations_s.get(pair.a, 0.0) - shared_a
        rest_b = durations_s.get(pair.b, 0.0) - shared_b
        if rest_b <= slack_s < rest_a and _shows_all(pair, of_a=False):
            edges.append(_contained(pair, pair.a, pair.b, shared_b, rest_a))
        elif rest_a <= slack_s < rest_b and _shows_all(pair, of_a=True):
            edges.append(_contained(pair, pair.b, pair.a, shared_a, rest_b))
    return sorted(edges, key=lambda edge: (edge.source, edge.copy))


def _shows_all(pair: Pair, *, of_a: bool) -> bool:
    """Whether the one clip shows all of the picture of the other (a, or b), and neither mirrored nor
    turned."""
    transform = pair.transform
    if transform is None:
        return True
    left, top, right, bottom = transform.crop or (0.0, 0.0, 1.0, 1.0)
    over = (-left, -top, right - 1.0, bottom - 1.0)
    most = max(-one for one in over) if of_a else max(over)
    upright = not transform.mirrored and not transform.rotated_deg
    return upright and most <= _LOOSELY


def _contained(pair: Pair, whole: str, part: str, shared_s: float, rest_s: float) -> Edge:
    why = (
        f"all {shared_s:.1f} s of the one lie in the other, which shows {rest_s:.1f} s more; "
        "other copies may hold it too, and a longer clip can also be put together from a shorter"
    )
    if pair.decision is not None:
        why += f"; that the two are the same footage was decided by {pair.decision.by}"
    return Edge(whole, part, "containment", why)


def earliest(appearances: Sequence[Appearance]) -> tuple[str | None, str]:
    """The item posted first among those collected, or None, and what this rests on.

    The first is the one with the earliest end of its interval. It is sure when that end lies before
    the beginning of every other item's; otherwise it cannot be decided, and None is answered.
    """
    if not appearances:
        return None, "no post is known for any of the copies"
    ends = [(one.not_after_ms, one.not_before_ms, one.item, one.post) for one in appearances]
    end, begin, item, post = min(ends)
    rivals = sorted(
        {one.item for one in appearances if one.item != item and one.not_before_ms <= end}
    )
    if rivals:
        others = ", ".join(rivals)
        return None, (
            f"cannot be decided: {item} was posted by {_utc(end)} at the latest, and the times of "
            f"{others} reach as far back"
        )
    when = _utc(end) if begin == end else f"between {_utc(begin)} and {_utc(end)}"
    return item, f"posted {when} in {post}; every other copy collected was posted later"


def _utc(time_ms: int) -> str:
    """A time as ISO 8601, to the second."""
    days, rest = divmod(time_ms // 1000, 86_400)
    year, month, day = _civil(days)
    hour, rest = divmod(rest, 3600)
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{rest // 60:02d}:{rest % 60:02d}Z"


def _civil(days: int) -> tuple[int, int, int]:
    """Year, month, day of a count of days since 1970-01-01, for any year (Hinnant's algorithm)."""
    days += 719_468
    era, of_era = divmod(days, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (1 if month <= 2 else 0)
    return year, month, of_year - (153 * shifted + 2) // 5 + 1
