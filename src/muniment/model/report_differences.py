"""What the report shows of differences: frozen records, items by their ids, pictures by their keys."""

from __future__ import annotations

import msgspec

from muniment.model.differences import Difference, Making


class SourceView(msgspec.Struct, frozen=True):
    """Seconds of the composite's axis for which `item` is the best source."""

    item: str
    name: str
    start_s: float
    end_s: float


class PieceView(msgspec.Struct, frozen=True):
    """Seconds of the axis taken from another copy than the fullest version, which lacks them."""

    item: str
    name: str
    start_s: float
    end_s: float


class DifferenceView(msgspec.Struct, frozen=True):
    """One copy beside the fullest version. `difference` names items by their ids. The keys fetch the
    pictures of one moment in both; null where there are none; times are in each clip."""

    item: str
    name: str
    difference: Difference
    fullest_key: str | None = None
    fullest_s: float | None = None
    copy_key: str | None = None
    copy_s: float | None = None


class DifferencesView(msgspec.Struct, frozen=True):
    """The copies of a cluster beside its fullest version; `names` gives every member's name."""

    fullest: str
    fullest_name: str
    why: str
    making: Making
    copies: tuple[DifferenceView, ...]
    names: dict[str, str]
