"""Text for people: hostile names made safe to print (what could deceive a reader is shown as an
escape), numbers with their nouns."""

from __future__ import annotations

import unicodedata
from typing import Final

# Cc control, Cf format (bidi overrides, zero width), Cs surrogates, Co private use, Zl/Zp separators.
_ESCAPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Mn and Me: accents and the like, drawn above, below or around the character before.
_MARKS: Final = frozenset({"Mn", "Me"})
#: More on one character paint over other lines; pointed Hebrew, the most of any script, has five.
MOST_MARKS: Final = 5
_JOINER: Final = "\u200d"


def visible(text: str, *, keep_newlines: bool = False) -> str:
    """`text` with control, bidirectional, zero-width and unassigned characters as escapes, and with
    the accents beyond MOST_MARKS on one character.

    A zero-width joiner between two emoji stays, since it only joins their picture.

    Example:
        >>> visible("a\\u202eb\\n"), visible("e" + 6 * "\\u0302") == "e" + 5 * "\\u0302" + r"\\u0302"
        ('a\\\\u202eb\\\\n', True)
    """
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    marks = 0
    for index, char in enumerate(text):
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS else 0
        if (keep_newlines and char == "\n") or (char == _JOINER and _between_symbols(text, index)):
            out.append(char)
        elif category in _ESCAPED or marks > MOST_MARKS:
            out.append(_escape(char))
        else:
            out.append(char)
    return "".join(out)


def _escape(char: str) -> str:
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char)
    code = ord(char)
    if named or code < 0x100:
        return named or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


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
