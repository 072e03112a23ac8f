"""What people decided, beside what was measured: which pairs join, and what contradicts whom."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.model.trace import Decided, Decision, Pair, Segment, Verdict
from muniment.trace.clusters import clusters, groups
from muniment.trace.decided import settled
from muniment.trace.lineage import Appearance
from muniment.trace.through import middle, through

SAME, NOT_SAME, OTHER = Decision


def pair(a: str, b: str, verdict: Verdict = Verdict.SAME_FOOTAGE, by: str = "") -> Pair:
    """A pair that was measured, or inferred by way of a third."""
    reasons = (f"by way of {by}, which shows the same footage as both; not compared directly",)
    segment = Segment(4.0, 9.0, 0.0, 5.0, 1.0, 0.9)
    return Pair(a, b, verdict, 0.9, (segment,), reasons=reasons if by else ("measured",))


def decided(a: str, b: str, decision: Decision, at: int = 0) -> Decided:
    first, second = sorted((a, b))
    at_utc = f"2026-05-02T10:00:{at:02d}.000Z"
    return Decided(f"{at:064x}", first, second, decision, "seen side by side", "A. Example", at_utc)


def test_a_decision_stands_beside_the_verdict_and_not_in_its_place() -> None:
    (one,) = settled([pair("b", "a", Verdict.UNDETERMINED)], [decided("a", "b", SAME)], {"a", "b"})
    assert one.verdict is Verdict.UNDETERMINED and one.joins
    assert one.decision is not None and one.decision.by == "A. Example"


@pytest.mark.parametrize("decision", [NOT_SAME, OTHER])
def test_a_pair_kept_apart_joins_nothing(decision: Decision) -> None:
    found = settled([pair("a", "b")], [decided("b", "a", decision)], {"a", "b"})
    assert groups(found) == [] and found[0].verdict is Verdict.SAME_FOOTAGE


def test_two_that_share_nothing_can_be_decided() -> None:
    traced, untraced = settled([], [decided("a", "b", SAME), decided("a", "z", SAME)], {"a", "b"})
    assert traced.verdict is Verdict.NO_MATCH and untraced.verdict is Verdict.NOT_COMPARED
    assert groups([traced, untraced]) == [("a", "b", "z")]


def test_what_was_inferred_by_way_of_a_pair_falls_with_it() -> None:
    measured = [pair("whole", "one"), pair("whole", "two")]
    inferred = [pair("one", "two", by="whole")]
    further = [pair("three", "one"), pair("three", "two", by="one")]
    refusal = decided("whole", "one", NOT_SAME)
    found = settled([*inferred, *further, *measured], [refusal], {"whole", "one", "two", "three"})
    fallen = {(one.a, one.b) for one in found if one.falls_with == refusal}
    # three-two rests on one-two, which itself rests on whole-one
    assert fallen == {("one", "two"), ("three", "two")}
    assert groups(found) == [("one", "three"), ("two", "whole")]


def test_what_a_person_decided_does_not_fall() -> None:
    pairs = [pair("whole", "one"), pair("whole", "two"), pair("one", "two", by="whole")]
    decisions = [decided("whole", "one", NOT_SAME), decided("one", "two", SAME, 1)]
    found = settled(pairs, decisions, {"whole", "one", "two"})
    (cluster,) = clusters(found, {})
    assert cluster.members == ("one", "two", "whole")
    (against,) = cluster.contradictions
    assert against.decided.decision is NOT_SAME and against.by_way == ("two",)


def test_a_refusal_that_measured_pairs_go_round_is_said_with_the_chain() -> None:
    pairs = [pair("a", "b"), pair("a", "c"), pair("c", "d"), pair("d", "b")]
    (cluster,) = clusters(settled(pairs, [decided("a", "b", OTHER)], "abcd"), {})
    (against,) = cluster.contradictions
    assert against.by_way == ("c", "d") and against.more == 0


def test_the_chain_is_one_that_a_decision_can_break() -> None:
    # b lies in z; what b is to the others was inferred from that
    pairs = [pair("a", "z"), pair("m", "z"), pair("z", "b")]
    pairs += [pair("a", "b", by="z"), pair("m", "b", by="z"), pair("a", "m", by="z")]
    refusal = decided("a", "b", NOT_SAME)
    (cluster,) = clusters(settled(pairs, [refusal], "abmz"), {})
    assert cluster.contradictions[0].by_way == ("z",)
    second = decided("z", "b", NOT_SAME, 1)
    (left,) = clusters(settled(pairs, [refusal, second], "abmz"), {})
    assert left.members == ("a", "m", "z") and left.contradictions == ()


def test_lineage_rests_on_decisions_and_says_so() -> None:
    found = settled(
        [pair("long", "part", Verdict.UNDETERMINED)], [decided("long", "part", SAME)], ()
    )
    posts = [
        Appearance("long", "p1", "one", 0, 1),
        Appearance("part", "p2", "two", 5, 6, "one"),
    ]
    (cluster,) = clusters(found, {"long": 14.0, "part": 5.2}, posts)
    (contained,) = [edge for edge in cluster.edges if edge.basis == "containment"]
    assert "decided by A. Example" in contained.reason and cluster.earliest == "long"


def test_a_claimed_forward_between_two_kept_apart_says_so() -> None:
    posts = [Appearance("a", "p1", "one", 0, 1), Appearance("b", "p2", "two", 5, 6, "one")]
    pairs = [pair("a", "b"), pair("a", "c"), pair("c", "b")]
    (cluster,) = clusters(settled(pairs, [decided("a", "b", NOT_SAME)], "abc"), {}, posts)
    (claim,) = [edge for edge in cluster.edges if edge.basis == "claimed forward"]
    assert claim.reason.endswith("a person decided that the two are not the same footage")


def test_the_way_of_an_inferred_pair_is_read_back() -> None:
    told = through(pair("a", "z"), pair("z", "b"), "a", "b")
    assert told is None  # 4 to 9 s of a is 0 to 5 s of z, of which b shows 4 to 9 s: 1 s
    other = msgspec.structs.replace(pair("z", "b"), segments=(Segment(0, 5, 0, 5, 1.0, 0.9),))
    told = through(pair("a", "z"), other, "a", "b")
    assert told is not None and middle(told) == "z"
    assert middle(pair("a", "b")) is None and middle(Pair("a", "b", Verdict.NO_MATCH, 0.0)) is None


NAMES = st.sampled_from("abcdef")
KEYS = st.tuples(NAMES, NAMES).filter(lambda one: one[0] < one[1])


@given(
    st.dictionaries(KEYS, st.one_of(st.none(), NAMES), max_size=12),
    st.dictionaries(KEYS, st.sampled_from(Decision), max_size=6),
)
def test_every_refusal_inside_a_cluster_is_said_and_none_besides(
    measured: dict[tuple[str, str], str | None], decisions: dict[tuple[str, str], Decision]
) -> None:
    pairs = [
        pair(*key, by=third if third and third not in key else "")
        for key, third in measured.items()
    ]
    found = settled(pairs, [decided(*key, one) for key, one in decisions.items()], "abcdef")
    cluster_of = {member: one for one in clusters(found, {}) for member in one.members}
    told = {
        (one.decided.a, one.decided.b)
        for cluster in cluster_of.values()
        for one in cluster.contradictions
    }
    joins = {frozenset((one.a, one.b)) for one in found if one.joins}
    for key, decision in decisions.items():
        together = key[0] in cluster_of and key[1] in cluster_of[key[0]].members
        assert (key in told) is (together and decision is not SAME)
        assert together or decision is not SAME
    for cluster in cluster_of.values():
        for one in cluster.contradictions:
            chain = (one.decided.a, *one.by_way, one.decided.b)
            assert len(chain) > 2
            assert all(frozenset(step) in joins for step in itertools.pairwise(chain))
