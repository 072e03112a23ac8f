"""Short ids people can say: `kind:` and the first hexadecimal digits of a hash.

An item's hash is its object's SHA-256; of acquisitions, posts and all other entries it is the leaf
hash of the entry. A short id is a way to name, never a proof.
"""

from __future__ import annotations

import re
from typing import Final

from muniment.errors import UsageError

SHORT_DIGITS: Final = 12
_PATTERN: Final = re.compile(r"([a-z]+):([0-9a-f]{4,64})")


def short(kind: str, digest: str) -> str:
    """`kind:short-hash`.

    Example:
        >>> short("item", "3f2a" * 16)
        'item:3f2a3f2a3f2a'
    """
    return f"{kind}:{digest[:SHORT_DIGITS]}"


def parse(text: str) -> tuple[str, str]:
    """Kind and hash prefix of an id (4 to 64 digits).

    Raises:
        UsageError: if `text` is no id.
    Example:
        >>> parse("item:3f2a")
        ('item', '3f2a')
    """
    match = _PATTERN.fullmatch(text)
    if not match:
        raise UsageError(
            "not an id",
            subject=text[:80],
            remedy="Ids look like item:3f2a91bc07de; see `muniment log`.",
        )
    return match[1], match[2]
