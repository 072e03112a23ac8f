"""Tracing a whole collection: which pairs to compare, found by exact search over all hashes.

Every frame's hash is compared with the hashes of every view of all frames (`codes.Codes`, exact;
the hashes of clips that were there before may lie in a file). Frames that say little are left out,
and a frame that many clips show weighs less, so that a title shared by all makes no pair. A pair with
enough weight is compared.

A clip that is the same footage as another over the whole of its length is *covered*: what the other
was found to be to the rest, it is to the rest too. The others *stand*, and only they are searched by
their crops. So 200 copies of one clip cost 200 comparisons and not 19,900.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Final

import numpy as np
from numpy.typing import NDArray

from muniment.model.trace import Pair, Verdict
from muniment.trace.clip import Clip
from muniment.trace.codes import Codes
from muniment.trace.compare import compared
from muniment.trace.register import Looked
from muniment.trace.shelf import Shelf
from muniment.trace.through import BY_WAY, inferred, through
from muniment.trace.views import RADIUS

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
    names = ("faiss-cpu", "numba")
    return {"numpy": np.__version__} | {
        name.removesuffix("-cpu"): metadata.version(name) for name in names
    }


@dataclass(frozen=True)
class Taken:
    """A clip that was taken in.

    Attributes:
        whole, crops: how many hashes of it are searched: of whole pictures, of them and their crops.
        by: number of the clip that covers it.
        pairs: numbers of earlier clips with which it has a pair.
    """

    name: str
    duration_s: float
    whole: int
    crops: int
    by: int | None
    pairs: tuple[int, ...]


@dataclass(frozen=True)
class Before:
    """Clips that were taken in by an earlier run, in order, and their hashes, one after another.

    Attributes:
        pairs: gives the pairs of a clip with those before it.
    """

    taken: Sequence[Taken] = ()
    whole: Codes = field(default_factory=Codes)
    crops: Codes = field(default_factory=Codes)
    pairs: Callable[[str], Iterable[Pair]] = lambda _: ()


class _Index:
    """Hashes of clips, and how near those of another come to each."""

    def __init__(self, codes: Codes, counts: Iterable[int]) -> None:
        self._codes = codes
        #: per clip where its hashes end; the owner of a hash is found by it
        self._ends = np.cumsum([0, *counts], dtype=np.int64)[1:].tolist()

    def add(self, hashes: NDArray[np.uint64]) -> None:
        """Take in the hashes (... x 4 words) of the next clip, also when there are none."""
        self._codes.add(hashes.reshape(-1, 4))
        self._ends.append(len(self._codes))

    def near(self, hashes: NDArray[np.uint64]) -> NDArray[np.float64]:
        """For each clip how near it comes, upright or mirrored, summed over hashes; less where many
        clips come near."""
        clips, ends = len(self._ends), np.array(self._ends, np.int64)
        weights = np.zeros(clips)
        batch = min(_BATCH, max(1, _MOST_CELLS // max(1, clips)))
        for begin in range(0, len(hashes), batch):
            part = hashes[begin : begin + batch]
            found = self._codes.near(part, RADIUS, mirrored=True)
            owners = np.searchsorted(ends, found.places, side="right")
            nearest = np.full(2 * len(part) * clips, RADIUS + 1, np.int64)
            rows = 2 * found.queries + found.mirrored
            np.minimum.at(nearest, rows * clips + owners, found.apart)
            table = nearest.reshape(-1, clips)
            hit = table <= RADIUS
            rare = 1.0 / (1.0 + np.log2(np.maximum(hit.sum(axis=1), 1)))
            weights += ((1.0 - table / (RADIUS + 1)) * hit * rare[:, None]).sum(axis=0)
        return weights


class Collection:
    """Clips whose hashes can be searched; clips are added and nothing is built anew."""

    def __init__(
        self,
        clips: Iterable[Clip] = (),
        read: Callable[[str], Clip] | None = None,
        before: Before | None = None,
    ) -> None:
        before = before or Before()
        self.shelf = Shelf(read)
        self.taken = list(before.taken)
        for one in before.taken:
            self.shelf.know(one.name, one.duration_s)
        self._whole = _Index(before.whole, (one.whole for one in before.taken))
        self._crops = _Index(before.crops, (one.crops for one in before.taken))
        for clip in clips:
            self.add(Looked(clip))

    def __len__(self) -> int:
        return len(self.shelf)

    def add(self, looked: Looked, by: int | None = None, pairs: Iterable[int] = ()) -> int:
        """Take a clip in; its number. The crops of a clip that `by` covers are not searched."""
        number = self.shelf.put(looked)
        nothing = np.zeros((0, 4), np.uint64)
        crops = looked.views.reshape(-1, 4) if by is None and len(looked.frames) else nothing
        self._whole.add(looked.whole)
        self._crops.add(crops)
        clip = looked.clip
        counts = len(looked.whole), len(crops)
        self.taken.append(Taken(clip.id, clip.duration_s, *counts, by, tuple(sorted(pairs))))
        return number

    def standing(self, looked: Looked) -> dict[int, float]:
        """Clips of which `looked` seems to show the whole or a crop, and the weight of the frames."""
        return self._weights(self._crops, looked.whole)

    def showing_less(self, looked: Looked) -> dict[int, float]:
        """Clips that seem to show a crop of `looked`, or the same."""
        return self._weights(self._whole, looked.views.reshape(-1, 4))

    def turned(self, looked: Looked) -> dict[int, float]:
        """Clips that seem to show the whole of `looked` turned by quarters."""
        found: dict[int, float] = {}
        for _, turn in looked.turned if len(looked.frames) else ():
            found = _sum(found, self._weights(self._whole, turn.whole))
        return found

    def near(self, looked: Looked) -> dict[int, float]:
        """Clips with frames near those of `looked`, and the weight of these frames."""
        upright = _sum(self.standing(looked), self.showing_less(looked))
        return self.turned(looked) | upright

    def nearest(self, looked: Looked) -> list[tuple[int, float]]:
        """Clips near enough to be compared with one that stays outside, and their weights, the
        nearest first."""
        weights = self.near(looked)
        return [(number, weights[number]) for number in _nearest(weights)]

    def proposed(self, looked: Looked) -> list[int]:
        """All clips to compare with one that stays outside: the nearest, and those that one of them
        covers."""
        first = [number for number, _ in self.nearest(looked)]
        seen = set(first)
        return first + [
            number for number, one in enumerate(self.taken) if one.by in seen and number not in seen
        ]

    def _weights(self, index: _Index, hashes: NDArray[np.uint64]) -> dict[int, float]:
        if not len(hashes) or not len(self):
            return {}
        weights = index.near(hashes)
        return {int(number): float(weights[number]) for number in np.flatnonzero(weights > 0)}


def _sum(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    return {number: one.get(number, 0.0) + other.get(number, 0.0) for number in {*one, *other}}


def _nearest(weights: dict[int, float]) -> list[int]:
    """Clips with enough weight, the nearest first."""
    enough = [number for number, weight in weights.items() if weight >= _LEAST_WEIGHT]
    return sorted(enough, key=lambda number: (-weights[number], number))


class _Known:
    """What each clip is to those before it, and the other way round; of clips that an earlier run
    took in it is read when it is asked for."""

    def __init__(self, before: Before) -> None:
        self._names = [one.name for one in before.taken]
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._read = before.pairs
        self._own: dict[int, dict[int, Pair]] = {}
        #: clip -> later ones with which it has a pair
        self._later: list[list[int]] = [[] for _ in self._names]
        for number, one in enumerate(before.taken):
            for other in one.pairs:
                self._later[other].append(number)

    def number(self, name: str) -> int | None:
        """The number of a clip."""
        return self._numbers.get(name)

    def keep(self, number: int, name: str, pairs: dict[int, Pair]) -> None:
        """Take in what the next clip is to those before it."""
        self._names.append(name)
        self._numbers[name] = number
        self._own[number] = pairs
        self._later.append([])
        for other in pairs:
            self._later[other].append(number)

    def _own_of(self, number: int) -> dict[int, Pair]:
        if number not in self._own:
            read = ((self._numbers.get(pair.a), pair) for pair in self._read(self._names[number]))
            self._own[number] = {other: pair for other, pair in read if other is not None}
        return self._own[number]

    def between(self, one: int, other: int) -> Pair | None:
        """The pair of two clips."""
        return self._own_of(max(one, other)).get(min(one, other))

    def about(self, number: int) -> dict[int, Pair]:
        """All pairs of a clip, by the other."""
        later = {one: self._own_of(one)[number] for one in self._later[number]}
        return self._own_of(number) | later


class Tracer:
    """Takes clips in one after another and compares each with those before it.

    What is measured once is not measured again (see the module), and the reason says so. With
    `direct` every candidate pair is compared itself. With `read`, which gives a clip anew by its
    id, only the clips used last are kept in memory. Clips of `before` are there already.
    """

    def __init__(
        self,
        direct: bool = False,
        read: Callable[[str], Clip] | None = None,
        before: Before | None = None,
    ) -> None:
        before = before or Before()
        self._collection = Collection(read=read, before=before)
        self._known = _Known(before)
        #: covered clip -> the one that stands for it
        self._covered_by = {
            number: one.by for number, one in enumerate(before.taken) if one.by is not None
        }
        self._direct = direct

    @property
    def taken(self) -> Sequence[Taken]:
        """All clips that are in, in order."""
        return self._collection.taken

    def take(self, clip: Clip, pairs: Iterable[Pair]) -> None:
        """Take in a clip that was traced before, with the pairs found then."""
        numbers = ((self._known.number(pair.a), pair) for pair in pairs if pair.b == clip.id)
        known = {other: pair for other, pair in numbers if other is not None}
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
        number = self._collection.add(looked, by, known)
        self._known.keep(number, looked.clip.id, known)
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
        for other, pair in self._known.about(by).items():
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
        own, names = self._known.between(other, by), self._collection.shelf.names
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
            first = self._known.between(other, middle)
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
