"""What the engine is given: a step, which knows how to open, bound and store one key's work."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from muniment.sandbox.records import Ended, Limits

Key = TypeVar("Key")
Stored = TypeVar("Stored", covariant=True)
KeyIn = TypeVar("KeyIn", contravariant=True)


class Step(Protocol[KeyIn, Stored]):
    """One kind of work, done once for each key. All methods run in the host, one at a time."""

    def open(self, key: KeyIn) -> AbstractContextManager[tuple[int, bytes]]:
        """A read-only descriptor and the request for the worker; both are passed on at once.

        Raises:
            MunimentError: if the key's input cannot be had: `refused` is called then.
        """

    def limits(self, key: KeyIn) -> Limits:
        """What a worker may use for this key."""

    def store(self, key: KeyIn, ended: Ended) -> Stored:
        """Keep what came of it, also of a worker that was killed; durable when this returns."""

    def refused(self, key: KeyIn, error: Exception) -> Stored:
        """Keep that the input could not be opened."""
