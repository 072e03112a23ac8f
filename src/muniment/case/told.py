"""What a person tells a command, in the form the record holds, within bounds."""

from __future__ import annotations

from typing import Final

from muniment.errors import UsageError
from muniment.model import canonical

NAME_CHARACTERS: Final = 300
REASON_CHARACTERS: Final = 4000


def told(value: str, what: str, most: int = REASON_CHARACTERS) -> str:
    """`value` in NFC, refused when it says nothing or is longer than a reason can be.

    Args:
        what: the option it came from, for the error.
        most: how many characters it may have.
    Raises:
        UsageError: if it is empty or too long.
    """
    text = canonical.text(value).strip()
    if not text:
        raise UsageError("is empty", subject=what, remedy="Say it in a few words.")
    if len(text) > most:
        raise UsageError(
            f"has {len(text)} characters, {most} are the most",
            subject=what,
            remedy="Say it shorter; put a longer text into a file and collect that.",
        )
    return text
