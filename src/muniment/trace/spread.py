"""How many posts showed a cluster's footage by when: bounds, since times are often intervals."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from muniment.trace.lineage import Appearance


class Reached(msgspec.Struct, frozen=True):
    """By this time (UTC milliseconds since 1970) at least `least` and at most `most` posts were made."""

    at_ms: int
    least: int
    most: int


def curve(appearances: Sequence[Appearance]) -> tuple[Reached, ...]:
    """The spread curve: a step wherever a post may, or must, have been made.

    Example:
        >>> one = Appearance("a", "post:1", "c", 1000, 1000)
        >>> other = Appearance("b", "post:2", "c", 500, 3000)
        >>> [(step.at_ms, step.least, step.most) for step in curve([one, other])]
        [(500, 0, 1), (1000, 1, 2), (3000, 2, 2)]
    """
    begins = sorted(one.not_before_ms for one in appearances)
    ends = sorted(one.not_after_ms for one in appearances)
    steps: list[Reached] = []
    least = most = 0
    for at_ms in sorted({*begins, *ends}):
        while most < len(begins) and begins[most] <= at_ms:
            most += 1
        while least < len(ends) and ends[least] <= at_ms:
            least += 1
        steps.append(Reached(at_ms, least, most))
    return tuple(steps)
