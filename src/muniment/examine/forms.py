"""The form of everything an examiner hands over: each blob by its name, each fact by its type.

What is stored is read again by every report and every run of tracing: a worker that a hostile file
has taken over must not be able to store what these cannot read. Read with the readers they use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
import numpy as np
from msgspec import Meta

from muniment.errors import MalformedError
from muniment.examine import fingerprint, motion
from muniment.examine.kept import Moments, moments
from muniment.examine.limits import KEY_PICTURES, KEY_SIDE_PX, MAX_TEXT_BYTES
from muniment.examine.strips import unpacked
from muniment.model.examine import Blob, Finding

Count = Annotated[int, Meta(ge=0, le=1 << 40)]
_KEY: Final = re.compile(r"key-([0-9]{2})")
_PLAIN: Final = "application/octet-stream"
#: examiner -> names of its blobs of bytes -> media type
_BYTES: Final[Mapping[str, Mapping[str, str]]] = {
    "container": {},
    "frames": {"blurred": _PLAIN},
    "fingerprint": {"pictures": _PLAIN, "sound": _PLAIN},
    "motion": {"frames": _PLAIN},
    "document": {"text": "text/plain", "positions": "application/json"},
}


class FramesFacts(msgspec.Struct, forbid_unknown_fields=True):
    """Facts of `frames`."""

    key_pictures: Count = 0
    key_times_ms: Annotated[list[Count], Meta(max_length=KEY_PICTURES)] = []
    blurred_pictures: Count = 0
    blurred_every_s: Count = 1


class FingerprintFacts(msgspec.Struct, forbid_unknown_fields=True):
    """Facts of `fingerprint`."""

    still: bool = False
    width_px: Count = 0
    height_px: Count = 0
    duration_ms: Count = 0
    pictures: Count = 0
    telling_pictures: Count = 0
    last_picture_ms: Count = 0
    every_ms: Count = 0
    landmarks: Count = 0
    heard_ms: Count = 0
    loudest_sample: Count = 0


class MotionFacts(msgspec.Struct, forbid_unknown_fields=True):
    """Facts of `motion`."""

    pictures: Count = 0
    every_ms: Count = 0


class DocumentFacts(msgspec.Struct):
    """Those facts of `document` that all kinds of documents have or that are read again."""

    type: str = ""
    characters: Count = 0
    parts: Count = 0
    cut: bool = False
    title: str = ""
    meta: list[dict[str, str]] = []
    information: list[dict[str, str]] = []
    pages: Count = 0


_FACTS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "frames": FramesFacts,
    "fingerprint": FingerprintFacts,
    "motion": MotionFacts,
    "document": DocumentFacts,
}
_KIND: Final = re.compile(r"[a-z]{1,20}")


class _Positions(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    parts: list[tuple[Count, Count, str, Count, Count | None, str | None]]


_positions: Final = msgspec.json.Decoder(_Positions, strict=True)


def check(finding: Finding) -> None:
    """Nothing, when facts and blobs have the form this examiner gives them.

    Raises:
        MalformedError: naming the blob or the fact that has not.
    """
    for blob in finding.blobs:
        _named(finding.examiner, blob)
    check_kept(finding.examiner, finding.facts, {one.name: one.data for one in finding.blobs})


def check_kept(examiner: str, facts: Any, blobs: Mapping[str, bytes]) -> None:
    """The same for what is kept already.

    Args:
        blobs: bytes by name; of key pictures only the names are looked at.
    Raises:
        MalformedError: naming the blob or the fact that has another form.
    """
    kind = _FACTS.get(examiner)
    if kind is None:
        return
    try:
        told = msgspec.convert(facts, kind, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedError(f"a fact of {examiner} has another form ({error})") from error
    _READERS[examiner](told, blobs)


def _named(examiner: str, blob: Blob) -> None:
    """Its name is one of the examiner's, in the form that goes with the name."""
    key = _KEY.fullmatch(blob.name) if examiner == "frames" else None
    if key is not None:
        sides = (blob.width_px, blob.height_px)
        if blob.form != "rgb24" or int(key[1]) >= KEY_PICTURES or max(sides) > KEY_SIDE_PX:
            raise MalformedError(f"{examiner}: {blob.name} is no key picture in raw pixels")
        if blob.time_s is None:
            raise MalformedError(f"{examiner}: {blob.name} has no time")
        return
    wanted = _BYTES.get(examiner, {}).get(blob.name)
    if wanted is None or (blob.form, blob.media_type, blob.time_s) != ("bytes", wanted, None):
        raise MalformedError(f"{examiner} makes no {blob.name} of this form")


def _frames(facts: FramesFacts, blobs: Mapping[str, bytes]) -> None:
    keys = sum(_KEY.fullmatch(name) is not None for name in blobs)
    if (facts.key_pictures, len(facts.key_times_ms)) != (keys, keys):
        raise MalformedError(f"frames: {keys} key pictures, {facts.key_pictures} are told of")
    count = len(unpacked(blobs["blurred"]).times_ms) if "blurred" in blobs else 0
    if count != facts.blurred_pictures:
        raise MalformedError(f"frames: {count} blurred pictures, {facts.blurred_pictures} told of")


def _fingerprint(facts: FingerprintFacts, blobs: Mapping[str, bytes]) -> None:
    if "pictures" in blobs:
        data, side = blobs["pictures"], fingerprint.SIDE
        magic, version = fingerprint.PICTURES_MAGIC, fingerprint.FORMAT
        found = moments(data, magic, version, side, fingerprint.COLUMNS)
        _kept("fingerprint", found, facts.pictures, fingerprint.MOST_FRAMES)
    elif facts.pictures:
        raise MalformedError(f"fingerprint: no pictures, {facts.pictures} are told of")


def _motion(facts: MotionFacts, blobs: Mapping[str, bytes]) -> None:
    if "frames" in blobs:
        found = moments(blobs["frames"], motion.MAGIC, motion.FORMAT, motion.SIDE, 0)
        _kept("motion", found, facts.pictures, motion.MOST_FRAMES)
    elif facts.pictures:
        raise MalformedError(f"motion: no pictures, {facts.pictures} are told of")


def _kept(examiner: str, found: Moments, told: int, most: int) -> None:
    count, kept = len(found.times_ms), len(found.kept)
    if not 1 <= count <= most or count != told:
        raise MalformedError(f"{examiner}: {count} pictures, {told} told of, {most} at most")
    # Each kept picture is some moment's, in their order: none lies unused.
    if not np.array_equal(np.unique(found.which), np.arange(kept)):
        raise MalformedError(f"{examiner}: of {kept} pictures kept, some are no moment's")


def _document(facts: DocumentFacts, blobs: Mapping[str, bytes]) -> None:
    if ("text" in blobs) != ("positions" in blobs) or ("text" in blobs) != bool(facts.characters):
        raise MalformedError("document: text and positions go together")
    if "text" not in blobs:
        return
    if len(blobs["text"]) > MAX_TEXT_BYTES + 1:
        raise MalformedError(f"document: a text of {len(blobs['text'])} bytes")
    try:
        text = blobs["text"].decode()
        placed = _positions.decode(blobs["positions"])
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise MalformedError(f"document: text or positions are none ({error})") from error
    if (len(text), len(placed.parts), placed.version) != (facts.characters, facts.parts, 1):
        raise MalformedError("document: text and positions are not as long as told")
    at = 0
    for start, end, kind, *_ in placed.parts:
        if not at <= start < end <= len(text) or _KIND.fullmatch(kind) is None:
            raise MalformedError(f"document: a part of kind {kind[:20]!r} at {start} to {end}")
        at = end


_READERS: Final[Mapping[str, Callable[[Any, Mapping[str, bytes]], None]]] = {
    "frames": _frames,
    "fingerprint": _fingerprint,
    "motion": _motion,
    "document": _document,
}
