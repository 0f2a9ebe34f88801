from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.vectors import load, unhex
from tacit_protocol import merkle

VECTORS = load("rfc6962")


def naive(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    leaves = unhex(VECTORS["leaves"])[:size]
    assert merkle.tree_hash(leaves).hex() == VECTORS["roots"][size]


@given(st.lists(st.binary(max_size=5), max_size=70))
def test_every_tree_has_the_hash_of_the_definition(leaves: list[bytes]) -> None:
    assert merkle.tree_hash(iter(leaves)) == naive(leaves)


def test_a_node_is_not_a_leaf() -> None:
    two = [b"a", b"b"]
    assert merkle.tree_hash(two) != merkle.tree_hash([merkle.leaf_hash(b"a") + merkle.leaf_hash(b"b")])
