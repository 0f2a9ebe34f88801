"""Scalar arithmetic modulo the group order, in constant time, through libsodium (RFC 9496 section 4).

Only for the secret scalars of a proof or a ceremony and the blinds of a batch; elements go through
:mod:`tacit_protocol.group`.
"""

from __future__ import annotations

import ctypes
import hmac
from collections.abc import Callable

from tacit_protocol import sodium
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import ORDER, SCALAR_BYTES, UNIFORM_BYTES

ZERO = bytes(SCALAR_BYTES)


def from_int(value: int) -> bytes:
    """Encode a *public* integer modulo the order."""
    return (value % ORDER).to_bytes(SCALAR_BYTES, "little")


def check(scalar: bytes, what: str) -> bytes:
    """Return ``scalar`` if it is canonical and not zero; libsodium itself would take non-canonical ones."""
    if len(scalar) != SCALAR_BYTES:
        raise EncodingError(f"{what}: a scalar has {SCALAR_BYTES} bytes, got {len(scalar)}")
    # Comparing integers or bytes stops at the first difference: how soon would tell of the secret.
    if not hmac.compare_digest(reduce(scalar + bytes(SCALAR_BYTES)), scalar):
        raise EncodingError(f"{what}: the scalar is not canonical")
    if hmac.compare_digest(scalar, ZERO):
        raise EncodingError(f"{what}: the scalar is zero")
    return scalar


def reduce(uniform: bytes) -> bytes:
    """Reduce 64 uniform bytes to a scalar."""
    if len(uniform) != UNIFORM_BYTES:
        raise ValueError(f"a uniform string has {UNIFORM_BYTES} bytes, got {len(uniform)}")
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    sodium.scalar_reduce(out, uniform)
    return out.raw


def add(left: bytes, right: bytes) -> bytes:
    """Return left + right."""
    return _binary(sodium.scalar_add, left, right)


def subtract(left: bytes, right: bytes) -> bytes:
    """Return left - right."""
    return _binary(sodium.scalar_sub, left, right)


def multiply(left: bytes, right: bytes) -> bytes:
    """Return left * right."""
    return _binary(sodium.scalar_mul, left, right)


def scale(factor: bytes, packed: bytes) -> bytes:
    """Multiply every scalar of a packed batch by ``factor``."""
    if len(factor) != SCALAR_BYTES or len(packed) % SCALAR_BYTES:
        raise ValueError(f"scalars have {SCALAR_BYTES} bytes each")
    out = ctypes.create_string_buffer(len(packed))
    held, source = sodium.address(packed)
    target = ctypes.addressof(out)
    for i in range(0, len(packed), SCALAR_BYTES):
        sodium.scalar_mul(target + i, factor, source + i)
    del held
    return out.raw


def invert(scalar: bytes) -> bytes:
    """Return 1 / scalar."""
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    if len(scalar) != SCALAR_BYTES or sodium.scalar_invert(out, scalar) != 0:
        raise ValueError("zero has no inverse")
    return out.raw


def invert_each(packed: bytes) -> bytes:
    """Invert a packed batch at the price of one inversion and three multiplications each (Montgomery's trick).

    Raises :class:`EncodingError` when one of them is zero; which one is secret.
    """
    if len(packed) % SCALAR_BYTES:
        raise ValueError(f"scalars have {SCALAR_BYTES} bytes each")
    if not packed:
        return b""
    held, source = sodium.address(packed)
    buffer = ctypes.create_string_buffer(len(packed) + SCALAR_BYTES)
    running = ctypes.create_string_buffer(SCALAR_BYTES)
    at, each = ctypes.addressof(buffer), range(0, len(packed), SCALAR_BYTES)
    ctypes.memmove(buffer, from_int(1), SCALAR_BYTES)
    for i in each:  # the buffer becomes 1, s_0, s_0 s_1, ...
        sodium.scalar_mul(at + i + SCALAR_BYTES, at + i, source + i)
    if sodium.scalar_invert(running, at + len(packed)) != 0:
        raise EncodingError("one of the scalars is zero")
    for i in reversed(each):  # and from its end, with the inverse of what remains, the inverses
        sodium.scalar_mul(at + i, running, at + i)
        sodium.scalar_mul(running, running, source + i)
    del held
    return buffer.raw[: len(packed)]


def _binary(function: Callable[..., None], left: bytes, right: bytes) -> bytes:
    if len(left) != SCALAR_BYTES or len(right) != SCALAR_BYTES:
        raise ValueError(f"a scalar has {SCALAR_BYTES} bytes")
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    function(out, left, right)
    return out.raw
