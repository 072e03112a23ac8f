"""File names from a source folder, kept so that the exact bytes can always be told."""

from __future__ import annotations

import unicodedata

from muniment.model.collect import Name


def from_bytes(raw: bytes) -> Name:
    r"""The name whose bytes are `raw`, e.g. `os.fsencode` of a path relative to the source folder.

    `path` is NFC text. Bytes that are no UTF-8 stand as `\xNN`, and only then is a backslash of the
    name itself doubled. `raw_hex` is set whenever `path` does not encode back to `raw`; so no two
    names give the same pair, and `raw_hex` or else `path` always tells the exact bytes.

    Example:
        >>> from_bytes(b"a/b.mp4")
        Name(path='a/b.mp4', raw_hex=None)
        >>> from_bytes(b"caf\xe9\\.mp4")
        Name(path='caf\\xe9\\\\.mp4', raw_hex='636166e95c2e6d7034')
    """
    if raw.isascii():
        return Name(raw.decode("ascii"))
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError:
        escaped = raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
        return Name(unicodedata.normalize("NFC", escaped), raw.hex())
    composed = unicodedata.normalize("NFC", path)
    return Name(composed, None if composed == path else raw.hex())
