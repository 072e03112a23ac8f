"""Tracing a whole collection: which pairs to compare, found by exact search over all hashes.

Every frame's hash is compared with the hashes of every view of all frames (`faiss` flat binary
index, exact). Frames that say little are left out, and a frame that many clips show weighs less,
so that a title shared by all makes no pair. A pair with enough weight is compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import faiss
import numpy as np
from numpy.typing import NDArray

from muniment.model.trace import Pair, Verdict
from muniment.trace.clip import Clip
from muniment.trace.compare import compared
from muniment.trace.register import Looked
from muniment.trace.through import through
from muniment.trace.views import MIRROR_WORDS, RADIUS

Codes = NDArray[np.uint8]
#: weight of frames from which a pair is compared
_LEAST_WEIGHT: Final = 0.25
_BATCH: Final = 512
#: Changed whenever the same clips could give another result.
VERSION: Final = "1"


def libraries() -> dict[str, str]:
    """What computes beside this program, with versions."""
    return {"numpy": np.__version__, "faiss": faiss.__version__}


class Collection:
    """Clips whose hashes can be searched; clips are added and nothing is built anew."""

    def __init__(self, clips: Iterable[Clip] = ()) -> None:
        self.looked: list[Looked] = []
        self._whole = faiss.IndexBinaryFlat(256)
        self._views = faiss.IndexBinaryFlat(256)
        self._owner_whole: list[int] = []
        self._owner_views: list[int] = []
        for clip in clips:
            self.add(clip)

    def add(self, clip: Clip) -> int:
        """Take a clip in; its number."""
        looked, number = Looked(clip), len(self.looked)
        self.looked.append(looked)
        if len(looked.frames):
            whole = looked.views[0]
            self._whole.add(_codes(whole))
            self._owner_whole += [number] * len(whole)
            views = looked.views.reshape(-1, 4)
            self._views.add(_codes(views))
            self._owner_views += [number] * len(views)
        return number

    def near(self, looked: Looked) -> dict[int, float]:
        """Clips with frames near those of `looked`, and the weight of these frames."""
        weights: dict[int, float] = {}
        if not len(looked.frames):
            return weights
        for turn in (np.uint64(0), MIRROR_WORDS):
            whole = looked.views[0] ^ turn
            self._vote(self._views, self._owner_views, whole, weights)
            rest = looked.views[1:] ^ turn
            self._vote(self._whole, self._owner_whole, rest.reshape(-1, 4), weights)
        return weights

    def _vote(
        self,
        index: faiss.IndexBinaryFlat,
        owners: list[int],
        hashes: NDArray[np.uint64],
        weights: dict[int, float],
    ) -> None:
        """Add, for each hash, how near each clip comes, less where many clips come near."""
        owner = np.array(owners, np.int64)
        for begin in range(0, len(hashes), _BATCH):
            part = _codes(hashes[begin : begin + _BATCH])
            limits, apart, found = index.range_search(part, RADIUS + 1)
            for at in range(len(part)):
                low, high = int(limits[at]), int(limits[at + 1])
                if low == high:
                    continue
                nearest = np.full(len(self.looked), RADIUS + 1.0)
                np.minimum.at(nearest, owner[found[low:high]], apart[low:high])
                hit = np.flatnonzero(nearest <= RADIUS)
                rare = 1.0 / (1.0 + np.log2(len(hit)))
                for clip in hit.tolist():
                    weight = (1.0 - nearest[clip] / (RADIUS + 1)) * rare
                    weights[clip] = weights.get(clip, 0.0) + float(weight)


def _codes(hashes: NDArray[np.uint64]) -> Codes:
    """Hashes of four words as 32 bytes each."""
    return np.ascontiguousarray(hashes.astype("<u8")).view(np.uint8).reshape(-1, 32)


class Tracer:
    """Takes clips in one after another and compares each with those before it.

    A clip that is the same footage as another over the whole of its length is compared through
    that other with the rest: what is measured once is not measured again, and the reason says so.
    So is a pair that stays undetermined although a third clip shows the footage of both.
    With `direct` every candidate pair is compared itself.
    """

    def __init__(self, direct: bool = False) -> None:
        self._collection = Collection()
        self._known: dict[tuple[int, int], Pair] = {}
        self._numbers: dict[str, int] = {}
        self._direct = direct

    def take(self, clip: Clip, pairs: Iterable[Pair]) -> None:
        """Take in a clip that was traced before, with the pairs found then."""
        number = self._numbers[clip.id] = self._collection.add(clip)
        for pair in pairs:
            other = self._numbers.get(pair.a)
            if other is not None and pair.b == clip.id:
                self._known[other, number] = pair

    def trace(self, clip: Clip) -> list[Pair]:
        """Take in a clip; its pairs with those before it that are more than no match (`b` is this
        one), the nearest by hash first."""
        looked = Looked(clip)
        near = self._collection.near(looked)
        number = self._numbers[clip.id] = self._collection.add(clip)
        pairs: list[Pair] = []
        compared_with: list[int] = []
        stands_for: tuple[int, Pair] | None = None
        for other in sorted(near, key=lambda one: (-near[one], one)):
            if near[other] < _LEAST_WEIGHT:
                break
            pair = None
            if stands_for is not None and not self._direct:
                pair = _by_way(self._known, stands_for, other, self._collection, number)
            if pair is None:
                pair = compared(self._collection.looked[other], self._collection.looked[number])
                if stands_for is None and _covers(pair, clip.duration_s):
                    stands_for = (other, pair)
            self._known[other, number] = pair
            compared_with.append(other)
        for other in compared_with:
            pair = self._known[other, number]
            if pair.verdict is Verdict.UNDETERMINED and not self._direct:
                pair = self._known[other, number] = _settled(
                    self._known, self._collection, other, number
                )
            if pair.verdict is not Verdict.NO_MATCH:
                pairs.append(pair)
        return pairs


def traced(clips: Sequence[Clip], direct: bool = False) -> list[Pair]:
    """All pairs of a collection that are more than no match, each once (`a` before `b` as given);
    see `Tracer`."""
    tracer = Tracer(direct)
    return [pair for clip in clips for pair in tracer.trace(clip)]


def _settled(
    known: dict[tuple[int, int], Pair], collection: Collection, one: int, number: int
) -> Pair:
    """The undetermined pair (one, number), or the answer of a third that both are the same as.

    A pair that was measured to be another moment is not asked again: the contradiction is for a
    person to see.
    """
    pair = known[one, number]
    for middle in range(number):
        first = known.get((one, middle)) or known.get((middle, one))
        second = known.get((middle, number))
        if first is None or second is None:
            continue
        ends = collection.looked[one].clip, collection.looked[number].clip
        found = through(first, second, *ends)
        if found is not None:
            return found
    return pair


def _covers(pair: Pair, duration_s: float) -> bool:
    """Whether b is the same footage as a over (nearly) all of its length."""
    if pair.verdict is not Verdict.SAME_FOOTAGE:
        return False
    covered = sum(one.b_end_s - one.b_start_s for one in pair.segments)
    return len(pair.segments) == 1 and covered >= duration_s - 0.6


def _by_way(
    known: dict[tuple[int, int], Pair],
    stands_for: tuple[int, Pair],
    other: int,
    collection: Collection,
    number: int,
) -> Pair | None:
    """The pair (other, new) from (other, middle) and (middle, new); None when it must be measured."""
    middle, second = stands_for
    first = known.get((other, middle)) or known.get((middle, other))
    if first is None or first.verdict is not Verdict.SAME_FOOTAGE:
        return None
    return through(first, second, collection.looked[other].clip, collection.looked[number].clip)
