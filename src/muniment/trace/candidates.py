"""Tracing a whole collection: which pairs to compare, found by exact search over all hashes.

Every frame's hash is compared with the hashes of every view of all frames (`faiss` flat binary
index, exact). Frames that say little are left out, and a frame that many clips show weighs less,
so that a title shared by all makes no pair. A pair with enough weight is compared.

A clip that is the same footage as another over the whole of its length is *covered*: what the other
was found to be to the rest, it is to the rest too. The others *stand*, and only they are searched by
their crops. So 200 copies of one clip cost 200 comparisons and not 19,900.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.model.trace import Pair, Verdict
from muniment.trace.clip import Clip
from muniment.trace.compare import compared
from muniment.trace.register import Looked
from muniment.trace.shelf import Shelf
from muniment.trace.through import BY_WAY, inferred, through
from muniment.trace.views import MIRROR_WORDS, RADIUS, codes, exact_index

#: weight of frames from which a pair is compared
_LEAST_WEIGHT: Final = 0.25
_BATCH: Final = 512
#: hash distances looked at in one call of the search, which bounds what it can find
_MOST_CELLS: Final = 4_000_000
#: covered clips that are held themselves against one that is undetermined with what covers them
_MOST_RETRIED: Final = 3
#: what may be missing of a clip that another covers, in seconds
_ENDS_S: Final = 0.6
#: Changed whenever the same clips could give another result.
VERSION: Final = "6"


def libraries() -> dict[str, str]:
    """What computes beside this program, with versions."""
    return {"numpy": np.__version__, "faiss": metadata.version("faiss-cpu")}


class _Index:
    """Hashes of clips, and how near those of another come to each."""

    def __init__(self) -> None:
        self._index = exact_index()
        self._owners = np.zeros(1024, np.int32)

    def add(self, number: int, hashes: NDArray[np.uint64]) -> None:
        """Take in hashes (... x 4 words) of a clip."""
        flat = hashes.reshape(-1, 4)
        begin, end = int(self._index.ntotal), int(self._index.ntotal) + len(flat)
        self._index.add(codes(flat))
        if end > len(self._owners):
            more = np.zeros(max(end, 2 * len(self._owners)), np.int32)
            more[:begin] = self._owners[:begin]
            self._owners = more
        self._owners[begin:end] = number

    def near(self, hashes: NDArray[np.uint64], clips: int) -> NDArray[np.float64]:
        """For each clip how near it comes, summed over hashes; less where many clips come near."""
        weights = np.zeros(clips)
        if not self._index.ntotal:
            return weights
        batch = min(_BATCH, max(1, _MOST_CELLS // max(self._index.ntotal, clips)))
        for begin in range(0, len(hashes), batch):
            part = codes(hashes[begin : begin + batch])
            limits, apart, found = self._index.range_search(part, RADIUS + 1)
            nearest = np.full(len(part) * clips, RADIUS + 1, np.int32)
            query = np.repeat(np.arange(len(part)), np.diff(limits.astype(np.int64)))
            np.minimum.at(nearest, query * clips + self._owners[found], apart)
            table = nearest.reshape(len(part), clips)
            hit = table <= RADIUS
            rare = 1.0 / (1.0 + np.log2(np.maximum(hit.sum(axis=1), 1)))
            weights += ((1.0 - table / (RADIUS + 1)) * hit * rare[:, None]).sum(axis=0)
        return weights


class Collection:
    """Clips whose hashes can be searched; clips are added and nothing is built anew."""

    def __init__(
        self, clips: Iterable[Clip] = (), read: Callable[[str], Clip] | None = None
    ) -> None:
        self.shelf = Shelf(read)
        self._whole, self._views = _Index(), _Index()
        for clip in clips:
            self.add(Looked(clip))

    def __len__(self) -> int:
        return len(self.shelf)

    def add(self, looked: Looked, covered: bool = False) -> int:
        """Take a clip in; its number. The crops of a covered clip are not searched."""
        number = self.shelf.put(looked)
        if len(looked.frames):
            self._whole.add(number, looked.whole)
            if not covered:
                self._views.add(number, looked.views)
        return number

    def standing(self, looked: Looked) -> dict[int, float]:
        """Clips of which `looked` seems to show the whole or a crop, and the weight of the frames."""
        return self._weights(self._views, looked.whole)

    def showing_less(self, looked: Looked) -> dict[int, float]:
        """Clips that seem to show a crop of `looked`, or the same."""
        return self._weights(self._whole, looked.views.reshape(-1, 4))

    def turned(self, looked: Looked) -> dict[int, float]:
        """Clips that seem to show the whole of `looked` turned by quarters."""
        found: dict[int, float] = {}
        for _, turn in looked.turned:
            found = _sum(found, self._weights(self._whole, turn.whole))
        return found

    def near(self, looked: Looked) -> dict[int, float]:
        """Clips with frames near those of `looked`, and the weight of these frames."""
        upright = _sum(self.standing(looked), self.showing_less(looked))
        return self.turned(looked) | upright

    def _weights(self, index: _Index, hashes: NDArray[np.uint64]) -> dict[int, float]:
        if not len(hashes) or not len(self):
            return {}
        total = sum(index.near(hashes ^ turn, len(self)) for turn in (np.uint64(0), MIRROR_WORDS))
        weights = np.asarray(total)
        return {int(number): float(weights[number]) for number in np.flatnonzero(weights > 0)}


def _sum(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    return {number: one.get(number, 0.0) + other.get(number, 0.0) for number in {*one, *other}}


def _nearest(weights: dict[int, float]) -> list[int]:
    """Clips with enough weight, the nearest first."""
    enough = [number for number, weight in weights.items() if weight >= _LEAST_WEIGHT]
    return sorted(enough, key=lambda number: (-weights[number], number))


class Tracer:
    """Takes clips in one after another and compares each with those before it.

    What is measured once is not measured again (see the module), and the reason says so. With
    `direct` every candidate pair is compared itself. With `read`, which gives a clip anew by its
    id, only the clips used last are kept in memory.
    """

    def __init__(self, direct: bool = False, read: Callable[[str], Clip] | None = None) -> None:
        self._collection = Collection(read=read)
        #: clip -> what it is to others; both ways
        self._known: dict[int, dict[int, Pair]] = {}
        #: covered clip -> the one that stands for it
        self._covered_by: dict[int, int] = {}
        self._numbers: dict[str, int] = {}
        self._direct = direct

    def take(self, clip: Clip, pairs: Iterable[Pair]) -> None:
        """Take in a clip that was traced before, with the pairs found then."""
        known = {
            self._numbers[pair.a]: pair
            for pair in pairs
            if pair.b == clip.id and pair.a in self._numbers
        }
        by = next((one for one in sorted(known) if self._covering(one, known[one], clip)), None)
        self._keep(Looked(clip), known, None if self._direct else by)

    def trace(self, clip: Clip) -> list[Pair]:
        """Take in a clip; its pairs with those before it that are more than no match (`b` is this
        one), in the order in which those were taken in."""
        looked = Looked(clip)
        known: dict[int, Pair] = {}
        by: int | None = None
        if self._direct:
            for other in _nearest(self._collection.near(looked)):
                known[other] = self._compared(other, looked)
        else:
            weights = self._collection.standing(looked)
            by = self._first_that_covers(looked, weights, known)
            if by is None:
                self._by_themselves(looked, weights, known)
            else:
                known |= self._by_way(known[by], by, clip.id, known)
        known = {one: pair for one, pair in known.items() if pair.verdict is not Verdict.NO_MATCH}
        self._keep(looked, known, by)
        return [known[one] for one in sorted(known)]

    def _covering(self, number: int, pair: Pair, clip: Clip) -> bool:
        """Whether a clip stands, and was itself found to show the whole of another."""
        measured = not "".join(pair.reasons[:1]).startswith(BY_WAY)
        return number not in self._covered_by and measured and _covers(pair, clip)

    def _keep(self, looked: Looked, known: dict[int, Pair], by: int | None) -> None:
        number = self._collection.add(looked, covered=by is not None)
        self._numbers[looked.clip.id] = number
        self._known[number] = known
        for other, pair in known.items():
            self._known[other][number] = pair
        if by is not None:
            self._covered_by[number] = by

    def _compared(self, other: int, looked: Looked) -> Pair:
        return compared(self._collection.shelf[other], looked)

    def _first_that_covers(
        self, looked: Looked, weights: dict[int, float], known: dict[int, Pair]
    ) -> int | None:
        """The nearest standing clip that the new one lies in; what was compared goes to `known`."""
        shortest_s = looked.clip.duration_s - _ENDS_S
        for other in _nearest(weights):
            if self._collection.shelf.durations_s[other] < shortest_s:
                continue
            known[other] = self._compared(other, looked)
            if _covers(known[other], looked.clip):
                return other
        return None

    def _by_way(self, own: Pair, by: int, name: str, known: dict[int, Pair]) -> dict[int, Pair]:
        """What the clip `by` was found to be to others, for the new one that lies in it."""
        found: dict[int, Pair] = {}
        for other, pair in self._known[by].items():
            if other in known and known[other].verdict is not Verdict.UNDETERMINED:
                continue
            told = through(pair, own, self._collection.shelf.names[other], name)
            if told is None and pair.verdict is not Verdict.SAME_FOOTAGE and other not in known:
                told = inferred(pair, own, self._collection.shelf.names[other], name)
            if told is not None:
                found[other] = told
        return found

    def _by_themselves(
        self, looked: Looked, weights: dict[int, float], known: dict[int, Pair]
    ) -> None:
        """All candidates of a clip that lies in no other, into `known`."""
        weights = _sum(weights, self._collection.showing_less(looked))
        weights = self._collection.turned(looked) | weights
        retried: dict[int, int] = {}
        for other in _nearest(weights):
            if other in known:
                continue
            by = self._covered_by.get(other)
            first = None if by is None else known.get(by)
            told = None
            if by is not None and first is not None:
                told = self._told(other, by, first, looked.clip.id)
                again = retried.get(by, 0) < _MOST_RETRIED
                if told is not None and told.verdict is Verdict.UNDETERMINED and again:
                    retried[by] = retried.get(by, 0) + 1
                    told = None
            known[other] = told or self._compared(other, looked)
        for other, pair in known.items():
            if pair.verdict is Verdict.UNDETERMINED:
                known[other] = self._settled(other, known, looked.clip.id)

    def _told(self, other: int, by: int, first: Pair, name: str) -> Pair | None:
        """What a covered clip is to the new one, from what the clip that covers it is to it."""
        own, names = self._known[other].get(by), self._collection.shelf.names
        if own is None or first.verdict is Verdict.NO_MATCH:
            return None
        if first.verdict is Verdict.SAME_FOOTAGE:
            return through(own, first, names[other], name)
        return inferred(first, own, names[other], name)

    def _settled(self, other: int, known: dict[int, Pair], name: str) -> Pair:
        """The undetermined pair, or the answer of a third that both are the same as.

        A pair that was measured to be another moment is not asked again: the contradiction is for
        a person to see.
        """
        for middle, second in sorted(known.items()):
            first = self._known[other].get(middle)
            if first is None or second.verdict is not Verdict.SAME_FOOTAGE:
                continue
            found = through(first, second, self._collection.shelf.names[other], name)
            if found is not None:
                return found
        return known[other]


def traced(clips: Sequence[Clip], direct: bool = False) -> list[Pair]:
    """All pairs of a collection that are more than no match, each once (`a` before `b` as given);
    see `Tracer`."""
    tracer = Tracer(direct)
    return [pair for clip in clips for pair in tracer.trace(clip)]


def _covers(pair: Pair, clip: Clip) -> bool:
    """Whether the clip, b of a pair, is the same footage as a over (nearly) all of its length."""
    if pair.verdict is not Verdict.SAME_FOOTAGE or len(pair.segments) != 1:
        return False
    (one,) = pair.segments
    return one.b_end_s - one.b_start_s >= clip.duration_s - _ENDS_S
