from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.vectors import load, unhex
from tacit_protocol import merkle
from tacit_protocol.errors import ProofError

VECTORS = load("rfc6962")
SIZES = 130  # every pair of sizes up to here, every leaf of every size


def leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % i for i in range(count)]


def naive(data: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not data:
        return hashlib.sha256(b"").digest()
    if len(data) == 1:
        return hashlib.sha256(b"\x00" + data[0]).digest()
    k = split(len(data))
    return hashlib.sha256(b"\x01" + naive(data[:k]) + naive(data[k:])).digest()


def split(count: int) -> int:
    k = 1
    while 2 * k < count:
        k *= 2
    return k


def naive_path(m: int, data: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1, word for word."""
    if len(data) == 1:
        return []
    k = split(len(data))
    if m < k:
        return [*naive_path(m, data[:k]), naive(data[k:])]
    return [*naive_path(m - k, data[k:]), naive(data[:k])]


def naive_proof(m: int, data: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962 section 2.1.2, word for word."""
    if m == len(data):
        return [] if whole else [naive(data)]
    k = split(len(data))
    if m <= k:
        return [*naive_proof(m, data[:k], whole), naive(data[k:])]
    return [*naive_proof(m - k, data[k:], False), naive(data[:k])]


@pytest.fixture(scope="module")
def tree() -> merkle.Tree:
    tree = merkle.Tree()
    for leaf in leaves(SIZES):
        tree.append(merkle.leaf_hash(leaf))
    return tree


@pytest.fixture(scope="module")
def roots() -> list[bytes]:
    return [naive(leaves(size)) for size in range(SIZES + 1)]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    data = unhex(VECTORS["leaves"])[:size]
    assert merkle.tree_hash(data).hex() == VECTORS["roots"][size]


def test_published_proofs() -> None:
    tree = merkle.Tree()
    for leaf in unhex(VECTORS["leaves"]):
        tree.append(merkle.leaf_hash(leaf))
    for each in VECTORS["inclusion"]:
        assert [step.hex() for step in tree.inclusion_proof(each["leaf"], each["size"])] == each["proof"]
    for each in VECTORS["consistency"]:
        assert [step.hex() for step in tree.consistency_proof(each["old"], each["new"])] == each["proof"]


@given(st.lists(st.binary(max_size=5), max_size=70))
def test_every_tree_has_the_hash_of_the_definition(data: list[bytes]) -> None:
    tree = merkle.Tree()
    for leaf in data:
        tree.append(merkle.leaf_hash(leaf))
    assert merkle.tree_hash(iter(data)) == naive(data) == tree.root() == tree.compact().root()


def test_a_node_is_not_a_leaf() -> None:
    two = [b"a", b"b"]
    assert merkle.tree_hash(two) != merkle.tree_hash([merkle.leaf_hash(b"a") + merkle.leaf_hash(b"b")])


def test_a_tree_knows_its_root_at_every_earlier_size(tree: merkle.Tree, roots: list[bytes]) -> None:
    assert [tree.root(size) for size in range(SIZES + 1)] == roots


def test_every_inclusion_proof_is_that_of_the_definition(tree: merkle.Tree, roots: list[bytes]) -> None:
    for size in range(1, SIZES + 1):
        for index in range(size):
            proof = tree.inclusion_proof(index, size)
            if size < 40 or index in (0, size // 2, size - 1):
                assert proof == naive_path(index, leaves(size))
            merkle.verify_inclusion(roots[size], size, index, merkle.leaf_hash(leaves(SIZES)[index]), proof)


def test_every_consistency_proof_is_that_of_the_definition(tree: merkle.Tree, roots: list[bytes]) -> None:
    for new in range(SIZES + 1):
        for old in range(new + 1):
            proof = tree.consistency_proof(old, new)
            if old and (new < 40 or old in (1, new // 2, new - 1)):
                assert proof == naive_proof(old, leaves(new))
            merkle.verify_consistency(old, roots[old], new, roots[new], proof)


@given(st.data())
def test_a_changed_inclusion_proof_is_refused(tree: merkle.Tree, roots: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, SIZES))
    index = data.draw(st.integers(0, size - 1))
    digest, proof = merkle.leaf_hash(leaves(SIZES)[index]), tree.inclusion_proof(index, size)
    packed = bytearray(roots[size] + digest + b"".join(proof))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    root, digest, rest = bytes(packed[:32]), bytes(packed[32:64]), bytes(packed[64:])
    with pytest.raises(ProofError):
        merkle.verify_inclusion(root, size, index, digest, [rest[i : i + 32] for i in range(0, len(rest), 32)])


@given(st.data())
def test_a_changed_consistency_proof_is_refused(tree: merkle.Tree, roots: list[bytes], data: st.DataObject) -> None:
    new = data.draw(st.integers(2, SIZES))
    old = data.draw(st.integers(1, new - 1))
    packed = bytearray(roots[old] + roots[new] + b"".join(tree.consistency_proof(old, new)))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    rest = bytes(packed[64:])
    with pytest.raises(ProofError):
        merkle.verify_consistency(
            old, bytes(packed[:32]), new, bytes(packed[32:64]), [rest[i : i + 32] for i in range(0, len(rest), 32)]
        )


@given(st.data())
def test_a_proof_of_another_place_or_length_is_refused(
    tree: merkle.Tree, roots: list[bytes], data: st.DataObject
) -> None:
    size = data.draw(st.integers(2, SIZES))
    index, other = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    digest, proof = merkle.leaf_hash(leaves(SIZES)[index]), tree.inclusion_proof(index, size)
    for place, steps in ((other, proof), (index, proof[:-1]), (index, [*proof, bytes(32)]), (index, [*proof, b""])):
        with pytest.raises(ProofError):
            merkle.verify_inclusion(roots[size], size, place, digest, steps)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(roots[size], size, size, digest, proof)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (0, 5, "a proof where none is due"),
        (5, 5, "equal sizes, other roots"),
        (6, 5, "a tree that shrank"),
        (3, 5, "no proof at all"),
    ],
)
def test_what_is_no_consistency_is_refused(
    tree: merkle.Tree, roots: list[bytes], old: int, new: int, what: str
) -> None:
    proof = [bytes(32)] if old == 0 else []
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, roots[old] if old != new else bytes(32), new, roots[new], proof)


def test_questions_beyond_the_tree_are_programming_errors(tree: merkle.Tree) -> None:
    for question in (
        lambda: tree.inclusion_proof(SIZES),
        lambda: tree.inclusion_proof(0, SIZES + 1),
        lambda: tree.consistency_proof(7, 6),
        lambda: tree.root(SIZES + 1),
        lambda: tree.node(0, SIZES),
        lambda: tree.nodes(1, 0, SIZES),
    ):
        with pytest.raises(IndexError):
            question()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 33])
def test_an_inclusion_proof_gives_the_root_before_its_leaf(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    tree = merkle.Tree()
    for leaf in leaves:
        tree.append(merkle.leaf_hash(leaf))
    for index in range(size):
        proof = tree.inclusion_proof(index)
        assert merkle.root_before(size, index, proof) == merkle.tree_hash(leaves[:index])
