"""Clusters, edges and the earliest copy, from records alone."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.model.trace import Pair, Segment, Transform, Verdict
from muniment.trace.clusters import clusters, groups
from muniment.trace.lineage import Appearance, _utc, claimed, containments, earliest


def pair(a: str, b: str, verdict: Verdict = Verdict.SAME_FOOTAGE, until_s: float = 5.0) -> Pair:
    segment = Segment(4.0, 4.0 + until_s, 0.0, until_s, 1.0, 0.9)
    return Pair(a, b, verdict, 0.9, segments=(segment,))


def shown(item: str, post: str, first: int, last: int, forwards: str | None = None) -> Appearance:
    """A post of the channel that is named like the post."""
    return Appearance(item, post, f"channel of {post}", first, last, forwards)


def test_only_the_same_footage_joins() -> None:
    found = [
        pair("a", "b"),
        pair("c", "b"),
        pair("c", "d", Verdict.SAME_CAMERA_OTHER_MOMENT),
        pair("d", "e", Verdict.UNDETERMINED),
    ]
    assert groups(found) == [("a", "b", "c")]


def test_the_earliest_is_the_one_that_is_surely_first() -> None:
    posts = [shown("a", "p1", 1000, 1000), shown("b", "p2", 5000, 9000)]
    assert earliest(posts) == (
        "a",
        "posted 1970-01-01T00:00:01Z in p1; every other copy collected was posted later",
    )


def test_intervals_that_meet_cannot_be_decided() -> None:
    posts = [shown("a", "p1", 1000, 6000), shown("b", "p2", 5000, 9000)]
    item, why = earliest(posts)
    assert item is None and "cannot be decided" in why and "b" in why


def test_later_posts_of_the_same_item_do_not_hinder() -> None:
    posts = [shown("a", "p1", 0, 10), shown("a", "p3", 5, 90), shown("b", "p2", 50, 60)]
    assert earliest(posts)[0] == "a"


def test_nothing_known_is_said() -> None:
    assert earliest([]) == (None, "no post is known for any of the copies")


def test_a_claimed_forward_is_an_edge_with_its_contradiction() -> None:
    posts = [shown("a", "p1", 100, 200), shown("b", "p2", 10, 20, forwards="channel of p1")]
    (edge,) = claimed(posts)
    assert (edge.source, edge.copy, edge.basis) == ("a", "b", "claimed forward")
    assert "contradict" in edge.reason


def test_a_forward_of_the_same_bytes_is_no_edge() -> None:
    posts = [shown("a", "p1", 1, 2), shown("a", "p2", 3, 4, forwards="channel of p1")]
    assert claimed(posts) == []


def test_a_part_is_contained_in_the_whole_whichever_comes_first() -> None:
    durations = {"long": 14.0, "part": 5.2}
    one = containments([pair("long", "part")], durations)
    assert [(edge.source, edge.copy) for edge in one] == [("long", "part")]
    turned = Pair("part", "long", Verdict.SAME_FOOTAGE, 0.9, (Segment(0, 5, 4, 9, 1.0, 0.9),))
    other = containments([turned], durations)
    assert [(edge.source, edge.copy) for edge in other] == [("long", "part")]


def test_two_of_one_length_contain_nothing() -> None:
    assert containments([pair("a", "b")], {"a": 5.0, "b": 5.0}) == []


def test_a_cluster_carries_all_of_it() -> None:
    posts = [shown("a", "p1", 0, 1), shown("b", "p2", 5, 6, forwards="channel of p1")]
    (found,) = clusters([pair("a", "b")], {"a": 14.0, "b": 5.0}, posts)
    assert found.members == ("a", "b") and found.earliest == "a"
    assert [edge.basis for edge in found.edges] == ["claimed forward", "containment"]


@given(st.integers(0, 4_102_444_800))
def test_times_are_those_of_the_calendar(second: int) -> None:
    shown = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert _utc(second * 1000) == shown


@pytest.mark.parametrize(
    ("crop", "mirrored", "told"),
    [
        (None, False, True),
        ((0.1, 0.1, 0.9, 0.9), False, True),  # the part is a crop of the whole
        ((-0.1, -0.1, 1.1, 1.1), False, False),  # the whole is a crop of the part
        (None, True, False),
    ],
)
def test_a_part_is_not_taken_from_what_shows_less(
    crop: tuple[float, float, float, float] | None, mirrored: bool, told: bool
) -> None:
    durations = {"long": 14.0, "part": 5.2}
    one = msgspec.structs.replace(pair("long", "part"), transform=Transform(mirrored, crop))
    assert bool(containments([one], durations)) is told
