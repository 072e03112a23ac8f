"""The clips of a collection: all in memory, or those used last where they can be read again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from muniment.trace.clip import Clip
from muniment.trace.register import Looked

#: bytes of pictures that are kept where clips can be read again
MOST_BYTES: Final = 128 << 20


class Shelf:
    """Clips by number; `names` are their ids, `durations_s` their lengths."""

    def __init__(self, read: Callable[[str], Clip] | None) -> None:
        self._read = read
        self._held: OrderedDict[int, Looked] = OrderedDict()
        self._bytes = 0
        self.names: list[str] = []
        self.durations_s: list[float] = []

    def __len__(self) -> int:
        return len(self.names)

    def put(self, looked: Looked) -> int:
        """Take a clip in; its number."""
        number = self.know(looked.clip.id, looked.clip.duration_s)
        self._hold(number, looked)
        return number

    def know(self, name: str, duration_s: float) -> int:
        """A clip that is read when it is asked for; its number."""
        self.names.append(name)
        self.durations_s.append(duration_s)
        return len(self.names) - 1

    def __getitem__(self, number: int) -> Looked:
        """The clip of a number, read again where it was let go."""
        looked = self._held.get(number)
        if looked is None and self._read is not None:
            looked = Looked(self._read(self.names[number]))
            self._hold(number, looked)
        if looked is None:
            raise KeyError(number)
        self._held.move_to_end(number)
        return looked

    def _hold(self, number: int, looked: Looked) -> None:
        self._held[number] = looked
        self._bytes += _size(looked)
        while self._read is not None and self._bytes > MOST_BYTES and len(self._held) > 1:
            _, gone = self._held.popitem(last=False)
            self._bytes -= _size(gone)


def _size(looked: Looked) -> int:
    return looked.clip.pictures.nbytes + looked.clip.motion.nbytes
