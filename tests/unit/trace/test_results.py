"""The result object: deterministic, without floats, and strict when read."""

from __future__ import annotations

import json

import pytest

from muniment.errors import MalformedError
from muniment.model.trace import Pair, Segment, Transform, Verdict
from muniment.trace.results import parsed, result
from muniment.trace.through import turned

PAIR = Pair(
    a="item:a",
    b="item:b",
    verdict=Verdict.SAME_FOOTAGE,
    score=0.9851,
    segments=(Segment(4.467, 10.0, 0.0, 5.533, 1.0, 0.997),),
    transform=Transform(True, (0.1, -0.05, 0.9, 1.05), None, (0.0, 0.125, 1.0, 0.875)),
    sound=True,
    motion_correlation=-0.00001,
    reasons=("the pictures agree",),
)


def test_a_result_is_read_back_and_holds_no_float() -> None:
    data = result("item:b", [PAIR])
    query, pairs = parsed(data)
    assert query == "item:b" and result(query, pairs) == data

    def no_float(text: str) -> None:
        raise AssertionError(text)

    json.loads(data, parse_float=no_float)
    assert b'"motion_correlation":"0.0000"' in data


def test_the_order_of_pairs_does_not_matter() -> None:
    other = turned(PAIR)
    assert result("q", [PAIR, other]) == result("q", [other, PAIR])


def test_a_pair_turned_twice_is_itself() -> None:
    back = turned(turned(PAIR))
    assert back.segments == PAIR.segments and back.transform is not None
    assert PAIR.transform is not None
    assert back.transform.crop == pytest.approx(PAIR.transform.crop, abs=0.002)


@pytest.mark.parametrize(
    "change",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"format":"other","query":"a","pairs":[]}',
        result("q", [PAIR]).replace(b'"0.9851"', b'"many"'),
        result("q", [PAIR]).replace(b'"0.9851"', b'"NaN"'),
        result("q", [PAIR]).replace(b'"0.9851"', b'"1e999999999"'),
        result("q", [PAIR]).replace(b"same_footage", b"same"),
    ],
)
def test_what_is_no_result_is_refused(change: bytes) -> None:
    with pytest.raises(MalformedError):
        parsed(change)
