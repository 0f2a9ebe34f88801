"""Shamir's polynomials in the ceremony: the value at a trustee's point, in the clear and in the exponent (Feldman)."""

from __future__ import annotations

from tacit_protocol import scalars
from tacit_protocol.group import SCALAR_BYTES, Backend, Elements


def evaluate(coefficients: bytes, at: int) -> bytes:
    """Return f(at) for packed secret ``coefficients``, the constant term first, by Horner's rule."""
    point, value = scalars.from_int(at), scalars.ZERO
    for offset in range(len(coefficients) - SCALAR_BYTES, -1, -SCALAR_BYTES):
        value = scalars.add(scalars.multiply(value, point), coefficients[offset : offset + SCALAR_BYTES])
    return value


def commitment_at(group: Backend, commitments: Elements, at: int) -> bytes:
    """Return f(at) G, encoded, from the public commitments to the coefficients."""
    powers = b"".join(scalars.from_int(at**k) for k in range(len(commitments)))
    return group.weighted_sum(powers, commitments).encode()
