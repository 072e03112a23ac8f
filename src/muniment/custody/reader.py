"""How the verifier gets bytes: one protocol, whether a case folder or a package stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol


class Reader(Protocol):
    """Hands out bytes by name; names are those of docs/format.md, `/` between parts."""

    def names(self) -> Iterator[tuple[str, bool]]:
        """(name, is a regular file) of everything outside work/ and report/ that is not a
        well-named object, in order. An empty folder of kept checkpoints, or of
        stamps, has a `/` at its end."""

    def read(self, name: str) -> bytes | None:
        """The bytes of a small file or segment, None when it is not there.

        Raises:
            InputError: if it is there and cannot be read.
        """

    def objects(self) -> Iterator[tuple[str, Iterable[bytes | memoryview] | str]]:
        """(digest that names it, its bytes in pieces) of every well-named object, in order.
        Instead of pieces a string says what else stands there, or (`model.verify.Unread`) why they
        could not be read. A piece is valid until the next.

        Raises:
            InputError: if a folder, or the rest of an object whose beginning was read, cannot be read.
        """
