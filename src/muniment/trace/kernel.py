"""Hamming distances of a few codes to many, compiled for this processor; loads numba when imported.

Codes are 256 bits in four words. The bits of odd columns of the hashed picture, which a mirrored
picture has turned (`hashing.MIRROR`), are put together in two words and the others in two: then the
distances to a code and to its mirror image come from the same counts. Stored codes are laid out in
words of `_LANES` codes, so that one instruction counts the bits of several of them (AVX-512
VPOPCNTDQ where there is one); they are read once for all that is asked.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
from numba import types
from numba.extending import intrinsic

#: codes that are looked at together, and how many of these are laid out at once
_LANES: Final = 64
_TOGETHER: Final = 16
_ODD: Final = np.uint64(0x5555_5555_5555_5555)
_EVEN: Final = np.uint64(0xAAAA_AAAA_AAAA_AAAA)
_ONE: Final = np.uint64(1)
_FAR: Final = np.uint64(512)
#: bits of odd columns
_HALF: Final = np.uint64(128)


def _compiled(function: Any) -> Any:
    """The function compiled at its first use; kept beside the source or in the user's cache."""
    try:
        return numba.njit(cache=True)(function)
    except RuntimeError:  # nowhere to keep it
        return numba.njit(function)


def _counting(_: Any, word: Any) -> Any:
    """The processor's own count of the bits of a word."""

    def made(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.ctpop(given[0])

    return types.uint64(types.uint64), made


_ones: Any = intrinsic(_counting)


def _part(code: Any, into: Any) -> None:
    """The bits of a code: of even columns in two words, of odd columns in two."""
    into[0] = (code[0] & _EVEN) | ((code[1] & _EVEN) >> _ONE)
    into[1] = (code[2] & _EVEN) | ((code[3] & _EVEN) >> _ONE)
    into[2] = (code[0] & _ODD) | ((code[1] & _ODD) << _ONE)
    into[3] = (code[2] & _ODD) | ((code[3] & _ODD) << _ONE)


_parted = _compiled(_part)


def _look(laid: Any, one: Any, most: Any, into: Any) -> int:
    """Which groups of codes hold one within `most` bits of a code; how many groups."""
    word0, word1, word2, word3 = one[0], one[1], one[2], one[3]
    count = 0
    for group in range(laid.shape[0]):
        nearest = _FAR
        for lane in range(_LANES):
            apart = (
                _ones(laid[group, 0, lane] ^ word0)
                + _ones(laid[group, 1, lane] ^ word1)
                + _ones(laid[group, 2, lane] ^ word2)
                + _ones(laid[group, 3, lane] ^ word3)
            )
            nearest = min(nearest, apart)
        if nearest <= most:
            into[count] = group
            count += 1
    return count


def _look_both(laid: Any, one: Any, most: Any, into: Any) -> int:
    """The same, of a code or its mirror image."""
    word0, word1, word2, word3 = one[0], one[1], one[2], one[3]
    count = 0
    for group in range(laid.shape[0]):
        nearest = _FAR
        for lane in range(_LANES):
            even = _ones(laid[group, 0, lane] ^ word0) + _ones(laid[group, 1, lane] ^ word1)
            odd = _ones(laid[group, 2, lane] ^ word2) + _ones(laid[group, 3, lane] ^ word3)
            nearest = min(nearest, even + min(odd, _HALF - odd))
        if nearest <= most:
            into[count] = group
            count += 1
    return count


_looked = _compiled(_look)
_looked_both = _compiled(_look_both)


def _measure(group: Any, one: Any, upright: Any, turned: Any) -> None:
    """The distance of each code of a group, and to the mirror image."""
    for lane in range(_LANES):
        even = _ones(group[0, lane] ^ one[0]) + _ones(group[1, lane] ^ one[1])
        odd = _ones(group[2, lane] ^ one[2]) + _ones(group[3, lane] ^ one[3])
        upright[lane] = even + odd
        turned[lane] = even + _HALF - odd


_measured = _compiled(_measure)


def _search(
    stored: Any, asked: Any, most: Any, mirrored: Any, queries: Any, places: Any, distances: Any
) -> int:
    """All of `stored` (n x 4 words) within `most` bits of each of `asked` (m x 4).

    Args:
        mirrored: 0: of each as it is; 1: also of its mirror image.
        queries, places, distances: filled: 2 x number of the query (one more: of its mirror image),
            number of the stored code, bits that differ; as far as there is room.
    Returns:
        how many there are, also those for which there was no room.
    """
    count, room = 0, len(queries)
    laid = np.empty((_TOGETHER, 4, _LANES), np.uint64)
    parts = np.empty(4, np.uint64)
    own = np.empty((len(asked), 4), np.uint64)
    hit = np.empty(_TOGETHER, np.int64)
    upright, turned = np.empty(_LANES, np.uint64), np.empty(_LANES, np.uint64)
    for query in range(len(asked)):
        _parted(asked[query], own[query])
    for begin in range(0, len(stored), _TOGETHER * _LANES):
        some = min(_TOGETHER * _LANES, len(stored) - begin)
        for at in range(some):
            _parted(stored[begin + at], parts)
            for word in range(4):
                laid[at // _LANES, word, at % _LANES] = parts[word]
        for query in range(len(asked)):
            one = own[query]
            groups = (
                _looked_both(laid, one, most, hit) if mirrored else _looked(laid, one, most, hit)
            )
            for number in range(groups):
                group = hit[number]
                _measured(laid[group], one, upright, turned)
                for lane in range(min(_LANES, some - group * _LANES)):
                    if upright[lane] <= most:
                        if count < room:
                            queries[count] = 2 * query
                            places[count] = begin + group * _LANES + lane
                            distances[count] = upright[lane]
                        count += 1
                    if mirrored and turned[lane] <= most:
                        if count < room:
                            queries[count] = 2 * query + 1
                            places[count] = begin + group * _LANES + lane
                            distances[count] = turned[lane]
                        count += 1
    return count


search = _compiled(_search)
