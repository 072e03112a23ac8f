"""The search among codes: both ways find what counting bits one by one finds."""

from __future__ import annotations

import numpy as np
import pytest

from muniment.trace import codes
from muniment.trace.codes import MIRROR, Codes, Words

RADIUS = 80
Found = set[tuple[int, bool, int, int]]


def some(count: int, seed: int) -> Words:
    """Codes of which about half lie near another or its mirror image."""
    chance = np.random.default_rng(seed)
    made = chance.integers(0, 1 << 64, (count, 4), np.uint64)
    for at in range(1, count, 2):
        bits = chance.random(256) < chance.uniform(0.0, 0.4)
        flips = np.packbits(bits).view(np.uint64)
        made[at] = made[at - 1] ^ flips ^ (MIRROR if at % 4 == 1 else np.uint64(0))
    return made


def counted(stored: Words, asked: Words, mirrored: bool) -> Found:
    found: Found = set()
    for is_turned in (False, True) if mirrored else (False,):
        for query, one in enumerate(asked):
            own = one ^ MIRROR if is_turned else one
            apart = np.bitwise_count(stored ^ own).sum(axis=1)
            found |= {
                (query, is_turned, int(at), int(apart[at]))
                for at in np.flatnonzero(apart <= RADIUS)
            }
    return found


def told(way: object, stored: Words, asked: Words, mirrored: bool) -> Found:
    assert callable(way)
    keys, places, apart = way(stored, asked, RADIUS, mirrored)
    rows = zip(keys.tolist(), places.tolist(), apart.tolist(), strict=True)
    listed = [(key >> 1, bool(key & 1), place, bits) for key, place, bits in rows]
    assert len(set(listed)) == len(listed)
    return set(listed)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 1024, 1025, 2600])
def test_both_ways_find_all_within_the_radius(count: int, mirrored: bool) -> None:
    stored = some(count, count)
    asked = stored[:: max(1, count // 40)]
    expected = counted(stored, asked, mirrored)
    assert len(expected) >= len(asked)
    assert told(codes.by_faiss, stored, asked, mirrored) == expected
    assert told(codes.by_kernel, stored, asked, mirrored) == expected


def test_more_than_there_was_room_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = some(600, 3)
    expected = counted(stored, stored, True)
    monkeypatch.setattr(codes, "_ROOM", 7)
    assert told(codes.by_kernel, stored, stored, True) == expected


def test_a_search_goes_on_in_the_compiled_way_and_finds_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Codes from a file and added ones are numbered through; nothing is found twice."""
    every = some(500, 9)
    held = Codes(every[:301])
    held.add(every[301:302])
    held.add(every[302:])
    assert len(held) == 500 and len(held.added) == 199
    expected = counted(every, every[:50], True)

    def found() -> Found:
        near = held.near(every[:50], RADIUS, mirrored=True)
        columns = (near.queries, near.mirrored, near.places, near.apart)
        rows = zip(*(one.tolist() for one in columns), strict=True)
        return set(rows)

    assert found() == expected
    monkeypatch.setattr(codes, "COMPILED_FROM", 0)
    assert found() == expected


def test_nothing_is_found_in_nothing() -> None:
    assert len(Codes().near(some(3, 1), RADIUS)) == 0
    assert len(Codes(some(3, 1)).near(some(0, 1), RADIUS)) == 0
