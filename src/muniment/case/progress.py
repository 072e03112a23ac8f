"""What a long run tells whoever watches: the command line draws it, tests count it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives what happens; all methods are cheap and must not raise."""

    def start(self, label: str, total: int | None, unit: str) -> None:
        """A stage begins; `total` in `unit` (files, posts, bytes), None when unknown."""

    def advance(self, amount: int = 1) -> None:
        """That much more of the stage is done."""

    def committed(self, tree_size: int) -> None:
        """The log's first `tree_size` entries are durable: the acknowledgement."""

    def notice(self, line: str) -> None:
        """One line for the reader: names the input and the remedy."""


class Silent:
    """A progress nobody watches."""

    def start(self, label: str, total: int | None, unit: str) -> None:
        """Nothing."""

    def advance(self, amount: int = 1) -> None:
        """Nothing."""

    def committed(self, tree_size: int) -> None:
        """Nothing."""

    def notice(self, line: str) -> None:
        """Nothing."""
