"""What came of an acquisition, in numbers and in lines to read."""

from __future__ import annotations

from collections import Counter

from muniment.model.collect import Outcome

_FAILURES = (Outcome.ABSENT, Outcome.FAILED, Outcome.REFUSED)


class Tally:
    """Counts of one acquisition; `unchanged` files were acquired by an earlier one."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self.attempted = 0
        self.unchanged = 0
        self.posts = 0
        self.service_messages = 0
        self.absent_media = 0
        self.bytes = 0
        self.notices: list[str] = []

    def count(self, outcome: Outcome, number: int = 1) -> None:
        """Add to an outcome."""
        self._outcomes[outcome] += number

    @property
    def failures(self) -> int:
        """How many parts could not be collected or read."""
        return sum(self._outcomes[outcome] for outcome in _FAILURES)

    def counts(self) -> dict[str, int]:
        """The numbers as acquisition.finished holds them: every outcome, also the zeros."""
        acquired = (Outcome.FOUND, Outcome.DUPLICATE, *_FAILURES)
        tried = sum(self._outcomes[outcome] for outcome in acquired)
        outcomes = {
            str(outcome): self._outcomes[outcome]
            for outcome in Outcome
            if outcome is not Outcome.NOT_TRIED
        }
        return {
            "attempted": self.attempted,
            **outcomes,
            "not_tried": max(0, self.attempted - tried),
            "posts": self.posts,
            "service_messages": self.service_messages,
            "absent_media": self.absent_media,
        }
