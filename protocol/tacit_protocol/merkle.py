"""RFC 6962 Merkle trees over SHA-256: hashes, inclusion and consistency proofs, and their verification (RFC 9162).

:class:`CompactRange` follows a tree in logarithmic memory; :class:`Tree` keeps every complete subtree's hash (64 bytes
a leaf) and so gives the root and the proofs of any earlier size at once. Proof generation needs nothing but the hashes
of complete subtrees, so that it runs over tiles just as well (:class:`NodeReader`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tacit_protocol.errors import ProofError

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
NodeReader = Callable[
    [int, int], bytes
]  # (level, index): hash of the complete subtree over [index, index + 1) << level


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_hash(leaves: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash of the leaves; of none, the hash of the empty string."""
    followed = CompactRange()
    for leaf in leaves:
        followed.append(leaf_hash(leaf))
    return followed.root()


@dataclass(slots=True)
class CompactRange:
    """The complete subtrees on a tree's right edge: enough to append and to know the root."""

    size: int = 0
    _edge: list[tuple[int, bytes]] = field(default_factory=list)  # (level, hash), the largest first

    def append(self, digest: bytes) -> None:
        """Add the hash of the next leaf; complete subtrees of equal size are merged as they appear."""
        level = 0
        while self._edge and self._edge[-1][0] == level:
            digest = node_hash(self._edge.pop()[1], digest)
            level += 1
        self._edge.append((level, digest))
        self.size += 1

    def root(self) -> bytes:
        """Return the root; what is not merged yet is folded from the right."""
        if not self._edge:
            return EMPTY_ROOT
        digest = self._edge[-1][1]
        for _, left in reversed(self._edge[:-1]):
            digest = node_hash(left, digest)
        return digest

    def copy(self) -> CompactRange:
        """Return an independent copy, to try what a tree would become."""
        return CompactRange(self.size, list(self._edge))


@dataclass(slots=True)
class Tree:
    """All complete subtrees of a growing tree, packed by level; proofs for any size up to the present one."""

    size: int = 0
    _levels: list[bytearray] = field(default_factory=list)
    _range: CompactRange = field(default_factory=CompactRange)

    def append(self, digest: bytes) -> None:
        """Add the hash of the next leaf."""
        self._range.append(digest)
        level, index = 0, self.size
        while True:
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += digest
            if index % 2 == 0:
                break
            digest = node_hash(self.node(level, index - 1), digest)
            level, index = level + 1, index // 2
        self.size += 1

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree; raises :class:`IndexError` when it is not complete yet."""
        if level >= len(self._levels) or not 0 <= HASH_BYTES * index < len(self._levels[level]):
            raise IndexError(f"no complete subtree {index} at level {level} in a tree of {self.size} leaves")
        return bytes(self._levels[level][HASH_BYTES * index : HASH_BYTES * (index + 1)])

    def nodes(self, level: int, start: int, count: int) -> bytes:
        """Return the packed hashes of ``count`` neighbouring complete subtrees: what a tile holds."""
        packed = self._levels[level][HASH_BYTES * start : HASH_BYTES * (start + count)]
        if len(packed) != HASH_BYTES * count:
            raise IndexError(f"no {count} complete subtrees from {start} on at level {level}")
        return bytes(packed)

    def root(self, size: int | None = None) -> bytes:
        """Return the root at ``size``, by default the present one."""
        if size is None or size == self.size:
            return self._range.root()
        self._check(size)
        return range_hash(self.node, 0, size)

    def compact(self) -> CompactRange:
        """Return the right edge as it is now."""
        return self._range.copy()

    def copy(self) -> Tree:
        """Return an independent copy."""
        return Tree(self.size, [bytearray(level) for level in self._levels], self._range.copy())

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the audit path of a leaf in the tree of ``size`` leaves."""
        return inclusion_proof(self.node, index, self._check(size))

    def consistency_proof(self, old: int, size: int | None = None) -> list[bytes]:
        """Return the proof that the tree of ``old`` leaves is a beginning of that of ``size``."""
        return consistency_proof(self.node, old, self._check(size))

    def _check(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise IndexError(f"a tree of {self.size} leaves has no state of {size}")
        return size


def range_hash(read: NodeReader, start: int, end: int) -> bytes:
    """Return MTH(D[start:end]) where ``start`` is a multiple of the largest power of two that is below the length."""
    if start == end:
        return EMPTY_ROOT
    digest: bytes | None = None
    for level, index in reversed(_complete_parts(start, end)):
        part = read(level, index)
        digest = part if digest is None else node_hash(part, digest)
    assert digest is not None  # noqa: S101 (the range is not empty)
    return digest


def inclusion_proof(read: NodeReader, index: int, size: int) -> list[bytes]:
    """Return PATH(index, D[0:size]) of RFC 6962 section 2.1.1."""
    if not 0 <= index < size:
        raise IndexError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_hash(read, middle, end))
            end = middle
        else:
            path.append(range_hash(read, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(read: NodeReader, old: int, new: int) -> list[bytes]:
    """Return PROOF(old, D[0:new]) of RFC 6962 section 2.1.2; empty for ``old`` 0 and for equal sizes."""
    if not 0 <= old <= new:
        raise IndexError(f"no consistency proof from {old} to {new} leaves")
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_hash(read, middle, end))
            end = middle
        else:
            path.append(range_hash(read, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(range_hash(read, start, end))
    return path[::-1]


def verify_inclusion(root: bytes, size: int, index: int, digest: bytes, proof: Sequence[bytes]) -> None:
    """Raise :class:`ProofError` unless the leaf hash ``digest`` stands at ``index`` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofError(f"leaf {index} is outside a tree of {size} leaves")
    place, last, found = index, size - 1, digest
    for step in _sound(proof):
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if place % 2 == 1 or place == last:
            found = node_hash(step, found)
            while place % 2 == 0 and place != 0:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    if last != 0 or found != root:
        raise ProofError(
            f"the inclusion proof of leaf {index} does not lead to the root of {size} leaves",
            evidence={"leaf": index, "size": size, "root": root.hex()},
        )


def root_before(size: int, index: int, proof: Sequence[bytes]) -> bytes:
    """Return the root over the leaves before ``index``: its inclusion proof, which was verified, holds their subtrees.

    They are the steps from the left, the nearest and smallest first.
    """
    place, last, found = index, size - 1, b""
    for step in proof:
        if place % 2 == 1 or place == last:
            found = node_hash(step, found) if found else step
            while place % 2 == 0 and place != 0:
                place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    return found or EMPTY_ROOT


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise :class:`ProofError` unless the old tree is a beginning of the new one (RFC 9162 section 2.1.4.2)."""
    steps = _sound(proof)
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {old} leaves is no beginning of one of {new}")
    if old in (0, new):
        if steps or (old == 0 and old_root != EMPTY_ROOT) or (old == new and old_root != new_root):
            raise _inconsistent(old, old_root, new, new_root)
        return
    if old & (old - 1) == 0:
        steps = [old_root, *steps]
    if not steps:
        raise _inconsistent(old, old_root, new, new_root)
    place, last = old - 1, new - 1
    while place % 2 == 1:
        place, last = place >> 1, last >> 1
    old_found = new_found = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if place % 2 == 1 or place == last:
            old_found, new_found = node_hash(step, old_found), node_hash(step, new_found)
            while place % 2 == 0 and place != 0:
                place, last = place >> 1, last >> 1
        else:
            new_found = node_hash(new_found, step)
        place, last = place >> 1, last >> 1
    if last != 0 or old_found != old_root or new_found != new_root:
        raise _inconsistent(old, old_root, new, new_root)


def _inconsistent(old: int, old_root: bytes, new: int, new_root: bytes) -> ProofError:
    return ProofError(
        f"the tree of {old} leaves is not shown to be a beginning of the tree of {new}",
        evidence={"old size": old, "old root": old_root.hex(), "new size": new, "new root": new_root.hex()},
    )


def _sound(proof: Sequence[bytes]) -> list[bytes]:
    if any(len(step) != HASH_BYTES for step in proof):
        raise ProofError(f"every step of a proof has {HASH_BYTES} bytes")
    return list(proof)


def _split(count: int) -> int:
    """Return the largest power of two that is smaller than ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _complete_parts(start: int, end: int) -> list[tuple[int, int]]:
    """Split a range into complete subtrees, the leftmost first: (level, index)."""
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        parts.append((level, start >> level))
        start += 1 << level
    return parts
