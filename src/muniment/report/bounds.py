"""How much one page holds: what goes beyond is counted and said, never silently dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

#: Rows on one page, over all clusters or all items.
MOST_MEMBERS: Final = 3000
MOST_PAIR_ROWS: Final = 1000
MOST_LINE_ROWS: Final = 3000
MOST_FACT_ROWS: Final = 8000
#: Clusters drawn in full, and items shown in detail; the lists have more.
MOST_CLUSTERS: Final = 40
MOST_DETAILED: Final = 400

T = TypeVar("T")


class Share:
    """A number of rows that several tables of a page have together."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, rows: Sequence[T], most: int | None = None) -> Sequence[T]:
        """The first rows there is room for.

        Example:
            >>> share = Share(3)
            >>> share.take("ab"), share.take("cd"), share.take("ef")
            ('ab', 'c', '')
        """
        number = min(len(rows), self._left, self._left if most is None else most)
        self._left -= number
        return rows[:number]


class Shares:
    """The shares of one page."""

    def __init__(self) -> None:
        self.members = Share(MOST_MEMBERS)
        self.pairs = Share(MOST_PAIR_ROWS)
        self.lines = Share(MOST_LINE_ROWS)
        self.facts = Share(MOST_FACT_ROWS)
