"""Text for people: hostile names made safe to print (what could deceive a reader is shown as an
escape), numbers with their nouns."""

from __future__ import annotations

import unicodedata
from typing import Final

# Cc control, Cf format (bidi overrides, zero width), Cs surrogates, Co private use, Zl/Zp separators.
_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINER: Final = "\u200d"


def visible(text: str, *, keep_newlines: bool = False) -> str:
    """`text` with control, bidirectional, zero-width and unassigned characters as escapes.

    A zero-width joiner between two emoji stays, since it only joins their picture.

    Example:
        >>> visible("a\\u202eb\\n")
        'a\\\\u202eb\\\\n'
    """
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    for index, char in enumerate(text):
        if (keep_newlines and char == "\n") or (char == _JOINER and _between_symbols(text, index)):
            out.append(char)
        elif unicodedata.category(char) in _ESCAPED:
            code = ord(char)
            out.append(
                {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
                or (
                    f"\\x{code:02x}"
                    if code < 0x100
                    else f"\\u{code:04x}"
                    if code < 0x10000
                    else f"\\U{code:08x}"
                )
            )
        else:
            out.append(char)
    return "".join(out)


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    Example:
        >>> count(1, "post"), count(1200, "post"), count(0, "copy", "copies")
        ('1 post', '1,200 posts', '0 copies')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _between_symbols(text: str, index: int) -> bool:
    if not 0 < index < len(text) - 1:
        return False
    before = text[index - 1]
    # U+FE0F (emoji variation selector) and skin tones may stand before the joiner.
    before_ok = unicodedata.category(before) in {"So", "Sk"} or before == "\ufe0f"
    return before_ok and unicodedata.category(text[index + 1]) == "So"
