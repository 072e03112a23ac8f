"""Records of tracing: verdicts on a pair of clips and the evidence for them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

#: Shown wherever scores are.
SCORE_SENTENCE: Final = (
    "The score tells how well the pictures and what moves in them agree: 0.5 to 1 for the same footage,"
    " at most 0.5 for anything else; it is no probability."
)


class Verdict(StrEnum):
    """What a pair of clips is to each other."""

    SAME_FOOTAGE = "same_footage"
    SAME_CAMERA_OTHER_MOMENT = "same_camera_other_moment"
    UNDETERMINED = "undetermined"
    NO_MATCH = "no_match"


class Segment(msgspec.Struct, frozen=True):
    """A stretch of footage in both clips: time_b = b_start_s + (time_a - a_start_s) * speed."""

    a_start_s: float
    a_end_s: float
    b_start_s: float
    b_end_s: float
    speed: float
    score: float


class Transform(msgspec.Struct, frozen=True):
    """How b's picture lies to a's.

    `crop` is the part of a that b shows, as (left, top, right, bottom) fractions of a's picture;
    None when it is (nearly) the whole.
    """

    mirrored: bool = False
    crop: tuple[float, float, float, float] | None = None
    borders_a: tuple[float, float, float, float] | None = None
    borders_b: tuple[float, float, float, float] | None = None


class Pair(msgspec.Struct, frozen=True):
    """A pair compared: verdict, score in 0..1, segments, transform, and why, in sentences."""

    a: str
    b: str
    verdict: Verdict
    score: float
    segments: tuple[Segment, ...] = ()
    transform: Transform | None = None
    sound: bool = False
    motion_correlation: float | None = None
    reasons: tuple[str, ...] = ()


class Edge(msgspec.Struct, frozen=True):
    """`copy` may derive from `source`, and why (a claimed forward; containment)."""

    source: str
    copy: str
    basis: str
    reason: str


class Cluster(msgspec.Struct, frozen=True):
    """Items that share footage. `earliest` is the earliest copy found online, with its bounds."""

    members: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    earliest: str | None = None
    earliest_basis: str = ""
