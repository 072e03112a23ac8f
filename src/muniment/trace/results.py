"""A query item's pairs as one deterministic object: JSON without floats, numbers as strings.

::

    {"format": "muniment trace result 2", "query": "item:...", "pairs": [
      {"a": "...", "b": "...", "verdict": "same_footage", "score": "0.9850",
       "motion_correlation": "0.9702" or null, "sound": true,
       "segments": [{"a_start_s": "0.000", "a_end_s": "5.520", "b_start_s": "4.480",
                     "b_end_s": "10.000", "speed": "1.0000", "score": "0.9970"}],
       "transform": null or {"mirrored": false, "crop": null or ["0.100", "0.100", "0.900", "0.900"],
                             "borders_a": null, "borders_b": null, "rotated_deg": 0},
       "reasons": ["..."]}]}

`verdict` is same_footage, same_camera_other_moment, undetermined or no_match. Times are seconds
from a clip's first picture; time_b = b_start_s + (time_a - a_start_s) * speed. `crop` is where b's
picture (turned clockwise by `rotated_deg` first, then mirrored, when `mirrored`) lies in a's, as
fractions left, top, right, bottom of a's picture inside its borders; below 0 or above 1 where b
shows more. `borders_a`, `borders_b` are the parts inside bars, as fractions of the frame. Scores
are from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal

import msgspec

from muniment.errors import MalformedError
from muniment.model.trace import Pair, Segment, Transform, Verdict

FORMAT: Final = "muniment trace result 2"
_SEGMENT: Final = ("a_start_s", "a_end_s", "b_start_s", "b_end_s", "speed", "score")
_TRANSFORM: Final = ("crop", "borders_a", "borders_b")
_LARGEST: Final = 1e9


def result(query: str, pairs: Iterable[Pair]) -> bytes:
    """The object described above: pairs sorted by a and b, keys sorted, no spaces."""
    rows = [encoded(pair) for pair in sorted(pairs, key=lambda pair: (pair.a, pair.b))]
    whole = {"format": FORMAT, "query": query, "pairs": rows}
    return msgspec.json.encode(whole, order="sorted")


def encoded(pair: Pair) -> dict[str, Any]:
    """One pair as plain JSON values, numbers as decimal strings."""
    transform = None
    if pair.transform is not None:
        transform = {
            "mirrored": pair.transform.mirrored,
            "rotated_deg": pair.transform.rotated_deg,
        } | {name: _box(getattr(pair.transform, name)) for name in _TRANSFORM}
    correlation = pair.motion_correlation
    return {
        "a": pair.a,
        "b": pair.b,
        "verdict": pair.verdict.value,
        "score": _decimal(pair.score, 4),
        "motion_correlation": None if correlation is None else _decimal(correlation, 4),
        "sound": pair.sound,
        "segments": [_segment(one) for one in pair.segments],
        "transform": transform,
        "reasons": list(pair.reasons),
    }


def _segment(one: Segment) -> dict[str, str]:
    return {
        name: _decimal(getattr(one, name), 4 if name in ("speed", "score") else 3)
        for name in _SEGMENT
    }


def _box(box: tuple[float, float, float, float] | None) -> list[str] | None:
    return None if box is None else [_decimal(side, 3) for side in box]


def _decimal(value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def parsed(data: bytes) -> tuple[str, tuple[Pair, ...]]:
    """The query and its pairs, from what `result` wrote.

    Raises:
        MalformedError: no such object, or a value that is not what it should be.
    """
    try:
        whole = msgspec.json.decode(data, type=_Result)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"is no trace result: {error}", subject="trace result") from error
    if whole.format != FORMAT:
        raise MalformedError(f"unknown format {whole.format!r}", subject="trace result")
    return whole.query, tuple(_pair(row) for row in whole.pairs)


class _Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    a_start_s: str
    a_end_s: str
    b_start_s: str
    b_end_s: str
    speed: str
    score: str


class _Transform(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mirrored: bool
    crop: tuple[str, str, str, str] | None
    borders_a: tuple[str, str, str, str] | None
    borders_b: tuple[str, str, str, str] | None
    rotated_deg: Literal[0, 90, 180, 270]


class _Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    a: str
    b: str
    verdict: Verdict
    score: str
    motion_correlation: str | None
    sound: bool
    segments: tuple[_Segment, ...]
    transform: _Transform | None
    reasons: tuple[str, ...]


class _Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: str
    query: str
    pairs: tuple[_Pair, ...]


def _pair(row: _Pair) -> Pair:
    transform = None
    if row.transform is not None:
        given = row.transform
        boxes = {name: _sides(getattr(given, name)) for name in _TRANSFORM}
        transform = Transform(given.mirrored, rotated_deg=given.rotated_deg, **boxes)
    correlation = row.motion_correlation
    return Pair(
        a=row.a,
        b=row.b,
        verdict=row.verdict,
        score=_number(row.score),
        segments=tuple(
            Segment(**{name: _number(getattr(one, name)) for name in _SEGMENT})
            for one in row.segments
        ),
        transform=transform,
        sound=row.sound,
        motion_correlation=None if correlation is None else _number(correlation),
        reasons=row.reasons,
    )


def _sides(box: tuple[str, str, str, str] | None) -> tuple[float, float, float, float] | None:
    if box is None:
        return None
    return (_number(box[0]), _number(box[1]), _number(box[2]), _number(box[3]))


def _number(text: str) -> float:
    """A decimal string as a number.

    Raises:
        MalformedError: not one, or beyond a thousand million.
    """
    try:
        value = float(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise MalformedError(f"{text[:40]!r} is no number", subject="trace result") from error
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise MalformedError(f"{text[:40]!r} is out of range", subject="trace result")
    return value
