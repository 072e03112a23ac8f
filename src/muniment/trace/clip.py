"""A clip as tracing sees it: read from the findings of the fingerprint and motion examiners."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from muniment.errors import MalformedError
from muniment.examine import fingerprint, hashing, motion
from muniment.examine.kept import moments

#: examiner name -> (facts, {blob name: bytes})
Findings = Mapping[str, tuple[Mapping[str, Any], Mapping[str, bytes]]]
NEEDED: Final = ("fingerprint", "motion")
_LONGEST_MS: Final = 1 << 40
_LARGEST_PX: Final = 1 << 20


@dataclass(frozen=True)
class Clip:
    """Fingerprints and motion of one object; times are seconds from its first picture.

    Attributes:
        times_s, telling, boxes, hashes, which, pictures: at 2 a second: time, 0..1 how much the
            hash says, the part inside borders (left, top, right, bottom as fractions), 256 bits as
            four words, number of the 48 x 48 grey picture of that part.
        motion_s, motion_which, motion: at 5 a second: time, number of the 48 x 48 grey picture of
            the whole.
        sound, sound_s: landmark hashes and their times.
    """

    id: str
    duration_s: float
    still: bool
    width_px: int
    height_px: int
    times_s: NDArray[np.float64]
    telling: NDArray[np.float32]
    boxes: NDArray[np.float32]
    hashes: NDArray[np.uint64]
    which: NDArray[np.int64]
    pictures: NDArray[np.uint8]
    motion_s: NDArray[np.float64]
    motion_which: NDArray[np.int64]
    motion: NDArray[np.uint8]
    sound: NDArray[np.uint32]
    sound_s: NDArray[np.float64]

    def motion_at(self, moments: slice) -> NDArray[np.uint8]:
        """The 48 x 48 grey picture of some moments."""
        return self.motion[self.motion_which[moments]]


def words(hashed: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Hashes of 32 bytes as four 64-bit words each (for counting bits)."""
    whole = np.ascontiguousarray(hashed)
    return whole.view("<u8").astype(np.uint64).reshape(*hashed.shape[:-1], 4)


def clip(name: str, findings: Findings) -> Clip:
    """A clip from its findings; what an examiner did not find is empty.

    Raises:
        MalformedError: a fact or a blob is missing, or is not what the examiners write.
    """
    facts, blobs = findings.get("fingerprint", ({}, {}))
    shown = moments(
        blobs.get("pictures") or _none(fingerprint.PICTURES_MAGIC, fingerprint.SIDE),
        fingerprint.PICTURES_MAGIC,
        fingerprint.FORMAT,
        fingerprint.SIDE,
        fingerprint.COLUMNS,
    )
    moving = moments(
        findings.get("motion", ({}, {}))[1].get("frames") or _none(motion.MAGIC, motion.SIDE),
        motion.MAGIC,
        motion.FORMAT,
        motion.SIDE,
        0,
    )
    heard, heard_ms = _sound(blobs.get("sound"))
    last = max([0, *shown.times_ms[-1:].tolist(), *moving.times_ms[-1:].tolist()])
    return Clip(
        id=name,
        duration_s=max(_whole(facts, "duration_ms", _LONGEST_MS), last) / 1000,
        still=facts.get("still") is True,
        width_px=_whole(facts, "width_px", _LARGEST_PX),
        height_px=_whole(facts, "height_px", _LARGEST_PX),
        times_s=shown.times_ms / 1000.0,
        telling=(shown.rows[:, 0] / 255.0).astype(np.float32),
        boxes=_boxes(shown.rows[:, 1:5]),
        hashes=words(shown.rows[:, 5:]),
        which=shown.which,
        pictures=shown.kept,
        motion_s=moving.times_ms / 1000.0,
        motion_which=moving.which,
        motion=moving.kept,
        sound=heard,
        sound_s=heard_ms / 1000.0,
    )


def _none(magic: bytes, side: int) -> bytes:
    return struct.pack("<4sHHII", magic, 1, side, 0, 0)


def _whole(facts: Mapping[str, Any], name: str, most: int) -> int:
    """A fact that is a whole number from 0 to `most`; 0 when it is not there."""
    value = facts.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise MalformedError(f"{name} is {value!r}", subject="fingerprint")
    return value


def _boxes(sides: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Border boxes; each must leave at least a tenth of width and height."""
    boxes = (sides / 255.0).astype(np.float32)
    if len(boxes) and bool((boxes[:, 2:] - boxes[:, :2] < 0.1).any()):
        raise MalformedError("a border box is empty", subject="fingerprint")
    return boxes


def _sound(data: bytes | None) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Landmark hashes and their times in ms."""
    head = fingerprint.SOUND_HEADER
    if data is None:
        return np.zeros(0, np.uint32), np.zeros(0, np.int64)
    if len(data) < head.size:
        raise MalformedError(f"{len(data)} bytes are too few for a header", subject="MNFS")
    magic, version, _, count = head.unpack_from(data)
    if (magic, version) != (fingerprint.SOUND_MAGIC, fingerprint.FORMAT):
        raise MalformedError(f"unknown header {(magic, version)!r}", subject="MNFS")
    if len(data) != head.size + 8 * count:
        what = f"{len(data)} bytes, where the header asks for {head.size + 8 * count}"
        raise MalformedError(what, subject="MNFS")
    heard = np.frombuffer(data, "<u4", count, head.size).astype(np.uint32)
    times = np.frombuffer(data, "<u4", count, head.size + 4 * count).astype(np.int64)
    return heard, times


def telling_frames(clip: Clip, least: float) -> NDArray[np.intp]:
    """Frames whose hash says at least `least`."""
    return np.flatnonzero(clip.telling >= least)


def pictures_at(clip: Clip, frames: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The 48 x 48 grey pictures of some frames."""
    return clip.pictures[clip.which[frames]]


HASH_BITS: Final = 8 * hashing.HASH_BYTES - 1
