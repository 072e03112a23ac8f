"""Clips turned by quarters, and what turning and mirroring do to boxes and hashes.

A pair's transform reads: b's picture turned clockwise by `rotated_deg`, then flipped left to right when
`mirrored`, then laid at `crop` of a's picture. Pictures are squeezed to squares before they are hashed,
so a quarter turn of a picture only transposes its hash and turns signs; nothing is decoded again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from muniment.examine import hashing
from muniment.examine.hashing import Box
from muniment.model.trace import Pair, Transform
from muniment.trace.clip import Clip, words

QUARTERS: Final = (1, 2, 3)
_QUARTER_DEG: Final = 90


def turned_hashes(hashes: NDArray[np.uint64], quarters: int) -> NDArray[np.uint64]:
    """The hashes (n x 4 words) that pictures turned clockwise would have.

    Exact but for terms that are 0. Transposed, a picture's cosine terms are transposed; flipped left to
    right, those of odd columns change sign.

    Example:
        >>> some = np.arange(8, dtype=np.uint64).reshape(2, 4) << np.uint64(3)
        >>> bool((turned_hashes(turned_hashes(some, 1), 3) == some).all())
        True
    """
    side = hashing.FREQUENCIES
    if not len(hashes):  # of a clip without pictures
        return hashes
    flat = np.ascontiguousarray(hashes.astype("<u8")).view(np.uint8).reshape(len(hashes), -1)
    bits = np.unpackbits(flat, axis=1).reshape(-1, side, side)
    odd = np.arange(side) % 2 == 1
    for _ in range(quarters % 4):
        bits = bits.transpose(0, 2, 1) ^ odd[None, None, :]
    return words(np.packbits(bits.reshape(len(bits), -1), axis=1))


def turned_box(box: Box, quarters: int) -> Box:
    """A part of a picture, in the picture turned clockwise.

    Example:
        >>> turned_box((0.0, 0.0, 0.5, 0.25), 1)
        (0.75, 0.0, 1.0, 0.5)
    """
    for _ in range(quarters % 4):
        box = (1 - box[3], box[0], 1 - box[1], box[2])
    return box


def turned_clip(clip: Clip, quarters: int) -> Clip:
    """The clip with its pictures turned clockwise."""
    wide, high = clip.width_px, clip.height_px
    if quarters % 2:
        wide, high = high, wide
    boxes = clip.boxes.T
    for _ in range(quarters % 4):
        boxes = np.stack((1 - boxes[3], boxes[0], 1 - boxes[1], boxes[2]))
    return replace(
        clip,
        width_px=wide,
        height_px=high,
        boxes=np.ascontiguousarray(boxes.T),
        hashes=turned_hashes(clip.hashes, quarters),
        pictures=np.rot90(clip.pictures, -quarters, axes=(1, 2)),
        motion=np.rot90(clip.motion, -quarters, axes=(1, 2)),
    )


def turned_transform(transform: Transform, quarters: int) -> Transform:
    """The transform of b as it is, from that of b turned clockwise."""
    borders = transform.borders_b
    return Transform(
        mirrored=transform.mirrored,
        crop=transform.crop,
        borders_a=transform.borders_a,
        borders_b=None if borders is None else _rounded(turned_box(borders, -quarters)),
        rotated_deg=(transform.rotated_deg + _QUARTER_DEG * quarters) % 360,
    )


def upright(pair: Pair, b: Clip) -> tuple[Pair, Clip, int]:
    """The pair and b as if b had been turned to stand as a does, and by how many quarters it was."""
    quarters, given = quarters_of(pair.transform), pair.transform
    if given is None or not quarters:
        return pair, b, 0
    borders = None if given.borders_b is None else turned_box(given.borders_b, quarters)
    stands = msgspec.structs.replace(given, borders_b=borders, rotated_deg=0)
    return msgspec.structs.replace(pair, transform=stands), turned_clip(b, quarters), quarters


def quarters_of(transform: Transform | None) -> int:
    """By how many quarters b is turned clockwise to stand as a does."""
    return 0 if transform is None else transform.rotated_deg // _QUARTER_DEG


def inverse(transform: Transform) -> Transform:
    """How a's picture lies to b's."""
    quarters, crop = quarters_of(transform), transform.crop
    if crop is not None:
        wide, high = crop[2] - crop[0], crop[3] - crop[1]
        crop = (-crop[0] / wide, -crop[1] / high, (1 - crop[0]) / wide, (1 - crop[1]) / high)
        crop = _rounded(turned_box(_flipped(crop, transform.mirrored), -quarters))
    back = quarters if transform.mirrored else -quarters
    return Transform(
        mirrored=transform.mirrored,
        crop=crop,
        borders_a=transform.borders_b,
        borders_b=transform.borders_a,
        rotated_deg=_QUARTER_DEG * (back % 4),
    )


def composed(one: Transform, other: Transform) -> Transform:
    """b in a, from the third in a (`one`) and b in the third (`other`)."""
    outer = one.crop or hashing.WHOLE
    inner = _flipped(turned_box(other.crop or hashing.WHOLE, quarters_of(one)), one.mirrored)
    wide, high = outer[2] - outer[0], outer[3] - outer[1]
    box = _rounded(
        (
            outer[0] + inner[0] * wide,
            outer[1] + inner[1] * high,
            outer[0] + inner[2] * wide,
            outer[1] + inner[3] * high,
        )
    )
    whole = max(abs(box[0]), abs(box[1]), abs(box[2] - 1), abs(box[3] - 1)) < 0.02
    first = quarters_of(one) * (-1 if other.mirrored else 1)
    return Transform(
        mirrored=one.mirrored != other.mirrored,
        crop=None if whole else box,
        borders_a=one.borders_a,
        borders_b=other.borders_b,
        rotated_deg=_QUARTER_DEG * ((first + quarters_of(other)) % 4),
    )


def _flipped(box: Box, mirrored: bool) -> Box:
    return (1 - box[2], box[1], 1 - box[0], box[3]) if mirrored else box


def _rounded(box: Box) -> Box:
    return (round(box[0], 3), round(box[1], 3), round(box[2], 3), round(box[3], 3))
