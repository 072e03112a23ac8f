"""Edges by what copies carry, and what speaks for and against each edge; the spread curve."""

from __future__ import annotations

from muniment.model.differences import (
    ClusterDifferences,
    Composite,
    Covered,
    Difference,
    Guess,
    Making,
)
from muniment.model.trace import Edge
from muniment.trace.inherited import inherited, posted, weighed
from muniment.trace.lineage import Appearance
from muniment.trace.spread import curve

CAPTION = (0.05, 0.78, 0.95, 0.9)
LOGO = (0.02, 0.04, 0.14, 0.16)


def copy(name: str, *boxes: tuple[float, ...], px: int = 100_000, **more: object) -> Difference:
    covered = tuple(Covered(box, box, 0.0, 6.0, True, True) for box in boxes)
    made = Making(picture_px=px, generations=more.pop("made", Guess()))
    return Difference(copy=name, shared_s=more.pop("s", 6.0), covered=covered, making=made, **more)


def cluster(*copies: Difference) -> ClusterDifferences:
    made = Making(picture_px=900_000)
    return ClusterDifferences("full", "longest", made, copies, Composite(0.0, (), (), ()))


def edges(*copies: Difference, **spans: tuple[int, int]) -> list[tuple[str, str, str]]:
    return [(one.source, one.copy, one.basis) for one in inherited(cluster(*copies), spans)]


def test_who_carries_more_derives_from_who_carries_less() -> None:
    found = edges(copy("a", CAPTION), copy("b", CAPTION, LOGO))
    assert found == [("a", "b", "overlay inheritance")]


def test_other_overlays_make_no_edge() -> None:
    assert edges(copy("a", CAPTION), copy("b", LOGO)) == []
    assert edges(copy("a"), copy("b", LOGO)) == []


def test_of_equal_ones_the_later_post_derives_else_the_smaller_picture_else_none() -> None:
    both = copy("a", CAPTION), copy("b", CAPTION)
    assert edges(*both) == []
    assert edges(*both, a=(50, 60), b=(10, 20)) == [("b", "a", "overlay inheritance")]
    assert edges(*both, a=(10, 60), b=(10, 20)) == []
    smaller = copy("b", CAPTION, px=40_000)
    assert edges(both[0], smaller) == [("a", "b", "overlay inheritance")]
    assert edges(both[0], smaller, a=(50, 60), b=(10, 20)) == [("b", "a", "overlay inheritance")]


def test_a_crop_within_a_crop() -> None:
    one = copy("a", crop=(0.1, 0.0, 0.9, 1.0))
    assert edges(one, copy("b", crop=(0.1, 0.1, 0.8, 1.0))) == [("a", "b", "crop inheritance")]
    assert edges(one, copy("b", crop=(0.3, 0.0, 1.0, 1.0))) == []


def test_nothing_derives_from_what_shows_less_time() -> None:
    assert edges(copy("a", CAPTION, s=3.0), copy("b", CAPTION, LOGO, s=6.0)) == []


def test_what_speaks_for_and_against_an_edge_is_kept() -> None:
    made = cluster(
        copy("a", CAPTION, px=50_000, made=Guess(2)), copy("b", px=100_000, s=9.0, made=Guess(1))
    )
    (one,) = weighed(
        [Edge("a", "b", "claimed forward", "said so")], made, {"a": (5, 6), "b": (1, 2)}
    )
    assert one.supports == ()
    assert one.contradicts == (
        "the copy has more pixels, which enlarging gives too",
        "the copy's encoder traces tell of fewer encodings",
        "the copy was posted earlier, by the exporters' times",
        "the copy shows seconds that the source lacks",
        "the source is covered where the copy is not",
    )
    (other,) = weighed(
        [Edge("full", "b", "containment", "part")], made, {"full": (1, 2), "b": (5, 6)}
    )
    assert other.supports == (
        "the copy has fewer pixels",
        "the copy was posted later, by the exporters' times",
    )
    assert other.contradicts == ()


def test_the_spread_is_bounded_where_times_are_intervals() -> None:
    shown = [
        Appearance("a", "post:1", "c", 1000, 1000),
        Appearance("b", "post:2", "c", 500, 3000),
        Appearance("a", "post:3", "d", 1000, 1000),
    ]
    assert [(one.at_ms, one.least, one.most) for one in curve(shown)] == [
        (500, 0, 1),
        (1000, 2, 3),
        (3000, 3, 3),
    ]
    assert curve([]) == ()
    assert posted(shown) == {"a": (1000, 1000), "b": (500, 3000)}
