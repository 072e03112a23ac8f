"""The Merkle tree against RFC 9162's definition, written out recursively, and known roots."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muniment.custody.tree import Frontier, Tree, leaf_hash, root, root_from_path

# The eight test leaves and roots of the Certificate Transparency reference implementation.
CT_LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    bytes(range(0x60, 0x70)),
]
CT_ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def by_definition(lines: list[bytes]) -> bytes:
    if not lines:
        return hashlib.sha256(b"").digest()
    if len(lines) == 1:
        return hashlib.sha256(b"\x00" + lines[0]).digest()
    k = 1
    while k * 2 < len(lines):
        k *= 2
    return hashlib.sha256(b"\x01" + by_definition(lines[:k]) + by_definition(lines[k:])).digest()


@pytest.mark.parametrize("size", sorted(CT_ROOTS))
def test_known_roots(size: int) -> None:
    assert root([leaf_hash(line) for line in CT_LEAVES[:size]]).hex() == CT_ROOTS[size]


@given(st.lists(st.binary(max_size=3), max_size=70))
def test_frontier_and_tree_follow_the_definition(lines: list[bytes]) -> None:
    frontier, tree = Frontier(), Tree()
    for line in lines:
        frontier.append(leaf_hash(line))
        tree.append(leaf_hash(line))
    assert frontier.root() == tree.root() == by_definition(lines)
    for size in range(len(lines) + 1):
        assert tree.root(size) == by_definition(lines[:size])


@given(st.integers(1, 70), st.data())
def test_inclusion_paths_lead_to_the_root_and_nothing_else_does(
    size: int, data: st.DataObject
) -> None:
    lines = [bytes([number]) for number in range(size)]
    tree = Tree(leaf_hash(line) for line in lines)
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_path(index)
    leaf = leaf_hash(lines[index])
    assert root_from_path(leaf, index, size, path) == tree.root()
    other = data.draw(st.integers(0, size).filter(lambda number: number != index))
    assert root_from_path(leaf, other, size, path) != tree.root()
    assert root_from_path(leaf, index, size, [*path, leaf]) != tree.root()
    if path:
        assert root_from_path(leaf, index, size, path[:-1]) != tree.root()
