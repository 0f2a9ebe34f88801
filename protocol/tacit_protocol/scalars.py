"""Scalar arithmetic modulo the group order, in constant time, through libsodium (RFC 9496 section 4).

Only for the handful of secret scalars of a proof or a ceremony; batches go through :mod:`tacit_protocol.group`.
"""

from __future__ import annotations

import ctypes

import rbcl  # noqa: F401  (initialises libsodium)
from rbcl._sodium import _sodium as _lib

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
    if int.from_bytes(scalar, "little") >= ORDER:
        raise EncodingError(f"{what}: the scalar is not canonical")
    if scalar == ZERO:
        raise EncodingError(f"{what}: the scalar is zero")
    return scalar


def reduce(uniform: bytes) -> bytes:
    """Reduce 64 uniform bytes to a scalar."""
    if len(uniform) != UNIFORM_BYTES:
        raise ValueError(f"a uniform string has {UNIFORM_BYTES} bytes, got {len(uniform)}")
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    _lib.crypto_core_ristretto255_scalar_reduce(out, uniform)
    return out.raw


def add(left: bytes, right: bytes) -> bytes:
    """Return left + right."""
    return _binary(_lib.crypto_core_ristretto255_scalar_add, left, right)


def subtract(left: bytes, right: bytes) -> bytes:
    """Return left - right."""
    return _binary(_lib.crypto_core_ristretto255_scalar_sub, left, right)


def multiply(left: bytes, right: bytes) -> bytes:
    """Return left * right."""
    return _binary(_lib.crypto_core_ristretto255_scalar_mul, left, right)


def invert(scalar: bytes) -> bytes:
    """Return 1 / scalar."""
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    if len(scalar) != SCALAR_BYTES or _lib.crypto_core_ristretto255_scalar_invert(out, scalar) != 0:
        raise ValueError("zero has no inverse")
    return out.raw


def _binary(function: ctypes._NamedFuncPointer, left: bytes, right: bytes) -> bytes:
    if len(left) != SCALAR_BYTES or len(right) != SCALAR_BYTES:
        raise ValueError(f"a scalar has {SCALAR_BYTES} bytes")
    out = ctypes.create_string_buffer(SCALAR_BYTES)
    function(out, left, right)
    return out.raw
