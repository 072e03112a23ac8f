"""Which examiners there are, their versions, and what each is for.

The host reads this and must not decode: none of the decoding libraries is imported here, and an
examiner's module only where a worker asks for its class.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from muniment.collect.content_type import EMPTY, category

if TYPE_CHECKING:
    from muniment.examine.interface import Examiner

#: The worker's entry point, as the sandbox starts it.
ENTRY: Final = "muniment.examine.worker:run"

#: Changed whenever the same bytes could give another result; a test holds the classes to it.
VERSIONS: Final = {
    "container": "2",
    "frames": "2",
    "fingerprint": "3",
    "motion": "2",
    "document": "1",
}

#: Examiners that are fed by the decode pass: name -> (module, class).
FED: Final = {
    "frames": ("muniment.examine.frames", "Frames"),
    "fingerprint": ("muniment.examine.fingerprint", "Fingerprint"),
    "motion": ("muniment.examine.motion", "Motion"),
}

_FILM: Final = ("container", "frames", "fingerprint", "motion")
_STILL: Final = ("container", "frames", "fingerprint")
_SOUND: Final = ("container", "fingerprint")
_DRAWINGS: Final = frozenset({"image/svg+xml", "image/vnd.dxf"})


def versions() -> dict[str, str]:
    """Examiner -> version."""
    return dict(VERSIONS)


def wanted_for(media_type: str | None) -> tuple[str, ...]:
    """The examiners made for objects of this type; none for what is neither media nor text.

    Example:
        >>> wanted_for("video/mp4"), wanted_for("text/html"), wanted_for("application/zip")
        (('container', 'frames', 'fingerprint', 'motion'), ('document',), ())
    """
    if media_type is None:
        return ()
    kind = category(media_type)
    if media_type in _DRAWINGS or kind == "document":
        return ("document",)
    if kind == "image":
        return _FILM if media_type == "image/gif" else _STILL
    if media_type == "application/ogg":
        return _FILM
    return {"video": _FILM, "audio": _SOUND}.get(kind, ())


def passes(by_content: str | None, by_name: str | None) -> list[tuple[str, tuple[str, ...]]]:
    """What to ask workers about an object: (type to take it as, examiners).

    Content decides. Where nothing is known of the content, or it is made for no examiner, what the
    name promises is asked for, so that the answer says why it is not that.

    Example:
        >>> passes("video/mp4", "video/quicktime")
        [('video/mp4', ('container', 'frames', 'fingerprint', 'motion'))]
        >>> passes("text/html", "video/mp4")[1][0]
        'video/mp4'
        >>> passes("application/zip", "application/zip")
        []
    """
    found: list[tuple[str, tuple[str, ...]]] = []
    names = wanted_for(by_content)
    if by_content is not None and names:
        found.append((by_content, names))
    promised = wanted_for(by_name)
    if by_name is not None and promised and not set(promised) & set(names):
        media = "document" not in promised
        # an empty text has nothing to read; bytes of no known type may be text in an old encoding
        if media or by_content != EMPTY:
            found.append((by_name, promised))
    return found


def fed(names: Iterable[str]) -> list[Examiner]:
    """Fresh examiners of these names; only within a worker, since it imports them."""
    made: list[Examiner] = []
    for name in names:
        if name in FED:
            module, cls = FED[name]
            made.append(cast("Examiner", getattr(import_module(module), cls)()))
    return made
