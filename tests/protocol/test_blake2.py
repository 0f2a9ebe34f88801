"""Key derivation by keyed BLAKE2b, against RFC 7693 and the known answers of its authors."""

from __future__ import annotations

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.vectors import load
from tacit_protocol import blake2

VECTORS = load("rfc7693")


def sequence(length: int, seed: int) -> bytes:
    """Return the self-test's deterministic bytes: the highest octet of a Fibonacci generator modulo 2^32."""
    made, (one, two) = bytearray(), (0xDEAD4BAD * seed % 2**32, 1)
    for _ in range(length):
        one, two = two, (one + two) % 2**32
        made.append(two >> 24)
    return bytes(made)


def test_the_self_test_of_rfc_7693() -> None:
    facts, grand = VECTORS["self_test"], blake2b(digest_size=32)
    for size in facts["sizes"]:
        for length in facts["messages"]:
            message = sequence(length, length)
            grand.update(blake2b(message, digest_size=size).digest())
            grand.update(blake2.derive(sequence(size, size), message, size))
    assert grand.hexdigest() == facts["hash"]


def test_known_answers() -> None:
    facts = {name: bytes.fromhex(text) for name, text in VECTORS["keyed"].items()}
    assert blake2.derive(facts["key"], facts["message"], blake2.MAX_BYTES) == facts["hash"]
    assert blake2b(bytes.fromhex(VECTORS["unkeyed"]["message"])).hexdigest() == VECTORS["unkeyed"]["hash"]


@given(st.binary(min_size=1, max_size=64), st.binary(max_size=200), st.integers(1, 63))
def test_sizes_give_unrelated_bytes(key: bytes, message: bytes, size: int) -> None:
    shorter = blake2.derive(key, message, size)
    assert len(shorter) == size
    if size >= 4:  # else two may agree by chance
        assert shorter != blake2.derive(key, message, size + 1)[:size]
        assert shorter != blake2.derive(key, message + b"\x00", size)


@pytest.mark.parametrize(("key", "size"), [(b"", 32), (bytes(65), 32), (b"key", 0), (b"key", 65)])
def test_no_key_and_sizes_beyond_the_standards_are_refused(key: bytes, size: int) -> None:
    with pytest.raises(ValueError, match=r"key|digest_size"):
        blake2.derive(key, b"message", size)
