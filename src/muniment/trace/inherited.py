"""Who seems to derive from whom by what copies carry, and what speaks for and against each edge.

A copy that carries what was laid over another, or shows no more than the other's crop, seems to derive
from it; which of two that carry the same is the source is told by what one carries besides, by their
posts, or by their pixels, in this order, and not at all where none of these tells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from muniment.examine.hashing import Box
from muniment.model.differences import ClusterDifferences, Difference, Making
from muniment.model.trace import Edge
from muniment.trace.lineage import Appearance

#: share of the smaller of two boxes that must lie in both, for the same overlay
_SAME: Final = 0.5
#: share of a side by which a crop may be wrong
_LOOSELY: Final = 0.03
#: seconds that one may show more
_SLACK_S: Final = 0.6
#: times as many pixels that are clearly more
_MORE_PIXELS: Final = 1.1
Span = tuple[int, int]


def posted(appearances: Sequence[Appearance]) -> dict[str, Span]:
    """In which interval the earliest post of each item lies: UTC milliseconds, both inclusive."""
    found: dict[str, Span] = {}
    for one in appearances:
        low, high = found.get(one.item, (one.not_before_ms, one.not_after_ms))
        found[one.item] = min(low, one.not_before_ms), min(high, one.not_after_ms)
    return found


def inherited(found: ClusterDifferences, spans: Mapping[str, Span]) -> list[Edge]:
    """One edge to each copy that carries what another carries, from the likeliest of these.

    Args:
        spans: of the posts, as `posted` gives them.
    """
    copies = [one for one in found.differences if one.laid]
    edges: list[Edge] = []
    for copy in copies:
        sources = [one for one in copies if one is not copy and _may_be(one, copy, spans)]
        if not sources:
            continue
        source = max(sources, key=lambda one: (len(_overlays(one)), one.crop is not None, one.copy))
        edges.append(_edge(source, copy))
    return sorted(edges, key=lambda edge: (edge.source, edge.copy))


def _overlays(one: Difference) -> list[Box]:
    """What covers a copy's own picture, in the fullest version's frame."""
    return [part.reference_box for part in one.covered if part.in_copy]


def _alike(one: Box, other: Box) -> bool:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    sizes = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return wide > 0 and high > 0 and wide * high >= _SAME * max(sizes)


def _carries(copy: Difference, source: Difference) -> bool:
    """Whether a copy carries all that covers another, within what it shows."""
    own = _overlays(copy)
    return all(any(_alike(box, mine) for mine in own) for box in _overlays(source))


def _within(copy: Difference, source: Difference) -> bool:
    """Whether a copy shows no more of the picture than another."""
    if source.crop is None:
        return True
    if copy.crop is None:
        return False
    (left, top, right, bottom), outer = copy.crop, source.crop
    over = (outer[0] - left, outer[1] - top, right - outer[2], bottom - outer[3])
    return max(over) <= _LOOSELY


def _may_be(source: Difference, copy: Difference, spans: Mapping[str, Span]) -> bool:
    """Whether a copy seems to derive from another by what it carries."""
    if not (_overlays(source) or source.crop is not None):
        return False
    if not (_carries(copy, source) and _within(copy, source)):
        return False
    if copy.shared_s > source.shared_s + _SLACK_S:
        return False
    if not (_carries(source, copy) and _within(source, copy)):
        return True
    one, other = spans.get(source.copy), spans.get(copy.copy)
    if one is not None and other is not None and (one[1] < other[0] or other[1] < one[0]):
        return one[1] < other[0]
    return source.making.picture_px > _MORE_PIXELS * copy.making.picture_px > 0


def _edge(source: Difference, copy: Difference) -> Edge:
    overlays = _overlays(source)
    reasons = []
    if overlays:
        reasons.append(f"it is covered where the other is: {', '.join(map(_told, overlays[:3]))}")
    if source.crop is not None:
        reasons.append(f"it shows no more than the other's crop, {_told(source.crop)}")
    basis = "overlay inheritance" if overlays else "crop inheritance"
    why = "; ".join(reasons)
    return Edge(
        source.copy,
        copy.copy,
        basis,
        f"{why} (of the fullest version's frame); both may also derive from a third that has it",
    )


def _told(box: Box) -> str:
    left, top, right, bottom = (round(100 * side) for side in box)
    return f"{left} to {right} % across and {top} to {bottom} % down"


def weighed(
    edges: Sequence[Edge], found: ClusterDifferences, spans: Mapping[str, Span]
) -> tuple[Edge, ...]:
    """Edges with what else speaks for and against each; nothing is left out for being contradicted."""
    copies = {one.copy: one for one in found.differences}
    makings = {one.copy: one.making for one in found.differences} | {found.fullest: found.making}
    out: list[Edge] = []
    for edge in edges:
        notes = [
            *_by_quality(makings.get(edge.source), makings.get(edge.copy)),
            *_by_time(spans.get(edge.source), spans.get(edge.copy)),
            *_by_picture(copies.get(edge.source), copies.get(edge.copy)),
        ]
        out.append(
            msgspec.structs.replace(
                edge,
                supports=tuple(note for stands, note in notes if stands),
                contradicts=tuple(note for stands, note in notes if not stands),
            )
        )
    return tuple(out)


#: whether it speaks for the edge, and in words
_Note = tuple[bool, str]


def _by_quality(source: Making | None, copy: Making | None) -> list[_Note]:
    if source is None or copy is None:
        return []
    notes: list[_Note] = []
    if source.picture_px and copy.picture_px:
        if source.picture_px > _MORE_PIXELS * copy.picture_px:
            notes.append((True, "the copy has fewer pixels"))
        elif copy.picture_px > _MORE_PIXELS * source.picture_px:
            notes.append((False, "the copy has more pixels, which enlarging gives too"))
    least = source.generations.at_least, copy.generations.at_least
    if all(least) and least[0] < least[1]:
        notes.append((True, "the copy's encoder traces tell of more encodings"))
    elif all(least) and least[1] < least[0]:
        notes.append((False, "the copy's encoder traces tell of fewer encodings"))
    return notes


def _by_time(source: Span | None, copy: Span | None) -> list[_Note]:
    if source is None or copy is None:
        return []
    if source[1] < copy[0]:
        return [(True, "the copy was posted later, by the exporters' times")]
    if copy[1] < source[0]:
        return [(False, "the copy was posted earlier, by the exporters' times")]
    return []


def _by_picture(source: Difference | None, copy: Difference | None) -> list[_Note]:
    """What the source lacks or carries that the copy does not; of the fullest version nothing."""
    if source is None or not source.laid:
        return []
    notes: list[_Note] = []
    shown_s = copy.shared_s if copy is not None else None
    if shown_s is None or shown_s > source.shared_s + _SLACK_S:
        notes.append((False, "the copy shows seconds that the source lacks"))
    if _overlays(source) and (copy is None or not _carries(copy, source)):
        notes.append((False, "the source is covered where the copy is not"))
    if source.crop is not None and (copy is None or not _within(copy, source)):
        notes.append((False, "the copy shows more of the picture than the source"))
    return notes
