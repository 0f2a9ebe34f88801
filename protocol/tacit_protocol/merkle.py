"""RFC 6962 Merkle tree hashing over SHA-256 (section 2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

HASH_BYTES = 32


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash of the leaves; of none, the hash of the empty string.

    Works through the leaves once with a stack of logarithmic depth: complete subtrees of equal size are merged as
    they appear, what is left is folded from the right.
    """
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        size, digest = 1, leaf_hash(leaf)
        while stack and stack[-1][0] == size:
            digest = node_hash(stack.pop()[1], digest)
            size *= 2
        stack.append((size, digest))
    if not stack:
        return hashlib.sha256(b"").digest()
    _, digest = stack.pop()
    while stack:
        digest = node_hash(stack.pop()[1], digest)
    return digest
