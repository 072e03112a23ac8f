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
    #: only of a pair that a person decided and tracing never looked at
    NOT_COMPARED = "not_compared"


class Decision(StrEnum):
    """What a person decided that two items are to each other."""

    SAME_FOOTAGE = "same_footage"
    NOT_SAME_FOOTAGE = "not_same_footage"
    SAME_CAMERA_OTHER_MOMENT = "same_camera_other_moment"


class Decided(msgspec.Struct, frozen=True):
    """One decision, signed by a person: a match.decided entry. `leaf` is the entry's leaf hash; `a`
    and `b` are SHA-256, the lesser first; `earlier` are those on the same pair that it superseded,
    the latest first."""

    leaf: str
    a: str
    b: str
    decision: Decision
    because: str
    by: str
    at_utc: str
    earlier: tuple[Decided, ...] = ()


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
    None when it is (nearly) the whole. b is turned clockwise by `rotated_deg` (0, 90, 180, 270) first,
    then flipped left to right when `mirrored`; borders are those of each picture as it is.
    """

    mirrored: bool = False
    crop: tuple[float, float, float, float] | None = None
    borders_a: tuple[float, float, float, float] | None = None
    borders_b: tuple[float, float, float, float] | None = None
    rotated_deg: int = 0


class Pair(msgspec.Struct, frozen=True):
    """A pair compared: verdict, score in 0..1, segments, transform, and why, in sentences.

    Beside what was measured stands, in a case, what people decided: of this pair (`decision`), or of
    one that this pair was inferred from and falls with (`falls_with`).
    """

    a: str
    b: str
    verdict: Verdict
    score: float
    segments: tuple[Segment, ...] = ()
    transform: Transform | None = None
    sound: bool = False
    motion_correlation: float | None = None
    reasons: tuple[str, ...] = ()
    decision: Decided | None = None
    falls_with: Decided | None = None

    @property
    def joins(self) -> bool:
        """Whether the two count as the same footage: by a person's decision, else by the verdict."""
        if self.decision is not None:
            return self.decision.decision is Decision.SAME_FOOTAGE
        return self.verdict is Verdict.SAME_FOOTAGE and self.falls_with is None


class Contradiction(msgspec.Struct, frozen=True):
    """Two items that a person kept apart and other pairs join all the same: `by_way` are the items
    of a shortest chain between them, in order from `decided.a`, of pairs that were measured or
    decided where there is one; `more` counts the items besides that each stand between the two."""

    decided: Decided
    by_way: tuple[str, ...]
    more: int = 0


class Edge(msgspec.Struct, frozen=True):
    """`copy` may derive from `source`, and why (a claimed forward; containment; what both carry);
    `supports` and `contradicts` are what else speaks for it and against it, in words."""

    source: str
    copy: str
    basis: str
    reason: str
    supports: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()


class Cluster(msgspec.Struct, frozen=True):
    """Items that share footage. `earliest` is the earliest copy found online, with its bounds;
    `contradictions` are decisions that this cluster goes against."""

    members: tuple[str, ...]
    edges: tuple[Edge, ...] = ()
    earliest: str | None = None
    earliest_basis: str = ""
    contradictions: tuple[Contradiction, ...] = ()
