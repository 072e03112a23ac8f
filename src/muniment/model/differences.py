"""Records of how copies differ from the fullest version of their cluster.

Boxes are (left, top, right, bottom) in fractions of the frame of the file they are said of, times
are seconds from a clip's first picture.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

Box = tuple[float, float, float, float]


class Sound(StrEnum):
    """How a copy sounds beside the fullest version."""

    SAME = "same"
    SHIFTED = "shifted"
    OTHER = "other"
    NO_TRACK = "no_track"
    SILENT = "silent"
    ADDED = "added"
    NEITHER = "neither"
    UNKNOWN = "unknown"


class Missing(msgspec.Struct, frozen=True):
    """Seconds of the fullest version that a copy lacks: at its `beginning`, `middle` or `end`.

    `instead` are the seconds of the copy that stand there, null where nothing does.
    """

    where: str
    start_s: float
    end_s: float
    instead: tuple[float, float] | None = None


class Added(msgspec.Struct, frozen=True):
    """Seconds of a copy that the fullest version lacks; `also_in` are other copies that show most of
    them; `runs_on` says that they go on from shared seconds, or lead to them, without a cut."""

    start_s: float
    end_s: float
    also_in: tuple[str, ...] = ()
    runs_on: bool = False


class Covered(msgspec.Struct, frozen=True):
    """A part of the picture in which a copy and the fullest version differ, in seconds of the copy.

    `in_copy` says whose picture is covered: the copy's, the fullest version's (false), or null where
    it cannot be told. `reference_box` is the same part in the fullest version's frame.
    """

    box: Box
    reference_box: Box
    start_s: float
    end_s: float
    throughout: bool = True
    in_copy: bool | None = None


class Guess(msgspec.Struct, frozen=True):
    """A guess at how often a file's footage was encoded: `at_least` times, 0 where nothing tells;
    `reasons` are sentences. Never more than a guess: traces can be removed and imitated."""

    at_least: int = 0
    reasons: tuple[str, ...] = ()


class Making(msgspec.Struct, frozen=True):
    """What a file says of how it was made, and what was counted in it.

    `picture_px` is how many pixels lie inside the borders; `bit_rate_bps` the bytes of picture and
    sound by the length; `key_every_s` the mean distance of key pictures. Null: not known.
    """

    width_px: int = 0
    height_px: int = 0
    picture_px: int = 0
    bit_rate_bps: int | None = None
    key_every_s: float | None = None
    codec: str = ""
    brand: str = ""
    encoders: tuple[str, ...] = ()
    generations: Guess = Guess()


class Difference(msgspec.Struct, frozen=True):
    """How one copy differs from the fullest version.

    Attributes:
        by_way: the copy was laid on the fullest version by way of another only.
        shared_s: seconds of the fullest version that the copy shows.
        alike: seconds in which the pictures look alike and too little moves to tell them from
            another moment: neither counted as shared nor as missing.
        rotated_deg: by so much the copy, turned clockwise, stands as the fullest version does.
        speed: of the copy; 1.1 shows in 10 s what the fullest version shows in 11 s.
        crop: the part of the fullest version's frame that the copy shows; null: (nearly) all of it.
        around: the part of the copy's frame that shows the fullest version's picture, where the copy
            shows more around it; null: it does not.
        framed: what stands around is set off by an edge, as a player or another picture is.
        bars: the part of the copy's frame inside bars; null: there are none.
        sound_shift_s: by how much the sound comes later in the copy than the picture.
        laid: whether there is anything to compare: false for a copy that was never laid on it.
    """

    copy: str
    laid: bool = True
    by_way: bool = False
    shared_s: float = 0.0
    missing: tuple[Missing, ...] = ()
    added: tuple[Added, ...] = ()
    alike: tuple[Missing, ...] = ()
    mirrored: bool = False
    rotated_deg: int = 0
    speed: float = 1.0
    crop: Box | None = None
    around: Box | None = None
    framed: bool = False
    bars: Box | None = None
    covered: tuple[Covered, ...] = ()
    sound: Sound = Sound.UNKNOWN
    sound_shift_s: float | None = None
    making: Making = Making()


class Shown(msgspec.Struct, frozen=True):
    """Seconds of the composite that a clip shows, and where in the clip they lie."""

    clip: str
    start_s: float
    end_s: float
    clip_start_s: float
    clip_end_s: float
    speed: float = 1.0
    mirrored: bool = False


class Piece(msgspec.Struct, frozen=True):
    """Seconds of the composite, from `at_s` on, that are taken from `clip` from `start_s` on."""

    at_s: float
    length_s: float
    clip: str
    start_s: float


class Best(msgspec.Struct, frozen=True):
    """Seconds of the composite for which `clip` is the best source."""

    start_s: float
    end_s: float
    clip: str


class Composite(msgspec.Struct, frozen=True):
    """All seconds of a cluster's footage on one axis: the fullest version's, and where others show
    more, theirs."""

    length_s: float
    pieces: tuple[Piece, ...]
    shown: tuple[Shown, ...]
    best: tuple[Best, ...]


class ClusterDifferences(msgspec.Struct, frozen=True):
    """What each copy of a cluster shows that others do not, seen from the fullest version."""

    fullest: str
    why: str
    making: Making
    differences: tuple[Difference, ...]
    composite: Composite
