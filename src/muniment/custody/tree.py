"""The Merkle tree of RFC 9162, section 2.1, with SHA-256. Pure.

A leaf is SHA-256(0x00 || entry line without its newline), a node SHA-256(0x01 || left || right).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(line: bytes) -> bytes:
    """Leaf hash (32 bytes) of an entry line without its newline."""
    return hashlib.sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash (32 bytes) of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """A growing tree of which only the roots of its whole subtrees are kept: O(log n) memory.

    Example:
        >>> frontier = Frontier()
        >>> for line in (b"a", b"b", b"c"):
        ...     frontier.append(leaf_hash(line))
        >>> frontier.root() == root([leaf_hash(line) for line in (b"a", b"b", b"c")])
        True
    """

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the next leaf hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self._roots.pop(), node)
            size >>= 1
        self._roots.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Root hash (32 bytes) of all leaves so far."""
        if not self._roots:
            return EMPTY_ROOT
        node = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            node = node_hash(left, node)
        return node


class Tree:
    """All whole nodes of a tree, level by level, so that proofs cost O(log n)."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add the next leaf hash."""
        node, level = leaf, 0
        while True:
            if level == len(self._levels):
                self._levels.append([])
            nodes = self._levels[level]
            nodes.append(node)
            if len(nodes) & 1:
                return
            node, level = node_hash(nodes[-2], nodes[-1]), level + 1

    def root(self, size: int | None = None) -> bytes:
        """Root hash (32 bytes) of the first `size` leaves (default: all).

        Raises:
            IndexError: if there are fewer leaves.
        """
        size = self.size if size is None else size
        if size > self.size:
            raise IndexError(size)
        return self._range(0, size) if size else EMPTY_ROOT

    def _range(self, start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) == 0 and start % width == 0:
            level = width.bit_length() - 1
            return self._levels[level][start >> level]
        split = 1 << ((width - 1).bit_length() - 1)
        return node_hash(self._range(start, start + split), self._range(start + split, end))

    def inclusion_path(self, index: int, size: int | None = None) -> list[bytes]:
        """Hashes from the leaf's sibling up to the root's child (RFC 9162, 2.1.3.1).

        Raises:
            IndexError: if `index` is not below `size` or `size` not within the tree.
        """
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise IndexError(index)
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            split = start + (1 << ((end - start - 1).bit_length() - 1))
            if index < split:
                path.append(self._range(split, end))
                end = split
            else:
                path.append(self._range(start, split))
                start = split
        return path[::-1]

    def consistency_path(self, old: int, size: int | None = None) -> list[bytes]:
        """Hashes that show that the first `old` leaves begin the first `size` (RFC 9162, 2.1.4.1).

        Raises:
            IndexError: if `old` is above `size` or `size` not within the tree.
        """
        size = self.size if size is None else size
        if not 0 <= old <= size <= self.size:
            raise IndexError(old)
        if old in (0, size):
            return []
        path: list[bytes] = []
        start, end, left, is_whole = 0, size, old, True
        while left != end - start:
            split = 1 << ((end - start - 1).bit_length() - 1)
            if left <= split:
                path.append(self._range(start + split, end))
                end = start + split
            else:
                path.append(self._range(start, start + split))
                start, left, is_whole = start + split, left - split, False
        if not is_whole:
            path.append(self._range(start, end))
        return path[::-1]


def root(leaves: Sequence[bytes]) -> bytes:
    """Root hash (32 bytes) of a list of leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root an inclusion path leads to (RFC 9162, 2.1.3.2); None if it has the wrong length.

    Example:
        >>> tree = Tree(leaf_hash(bytes([n])) for n in range(7))
        >>> path = tree.inclusion_path(3)
        >>> root_from_path(leaf_hash(b"\\x03"), 3, 7, path) == tree.root()
        True
    """
    if not 0 <= index < size:
        return None
    node, fn, sn = leaf, index, size - 1
    for part in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            node = node_hash(part, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, part)
        fn, sn = fn >> 1, sn >> 1
    return node if sn == 0 else None


def is_consistent(
    old: int, old_root: bytes, size: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Whether a path shows that a tree of `size` leaves continues one of `old` (RFC 9162, 2.1.4.2).

    Example:
        >>> tree = Tree(leaf_hash(bytes([n])) for n in range(7))
        >>> is_consistent(3, tree.root(3), 7, tree.root(), tree.consistency_path(3))
        True
    """
    if old == 0 or old == size:
        return not path and (old == 0 or old_root == new_root)
    if not 0 < old < size:
        return False
    parts = list(path)
    if old & (old - 1) == 0:
        parts.insert(0, old_root)
    if not parts:
        return False
    fn, sn = old - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    first = second = parts[0]
    for part in parts[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            first, second = node_hash(part, first), node_hash(part, second)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            second = node_hash(second, part)
        fn, sn = fn >> 1, sn >> 1
    return first == old_root and second == new_root and sn == 0
