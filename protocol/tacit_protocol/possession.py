"""Proof of possession: a trustee shows in the ceremony that it knows the polynomial it has committed to.

Schnorr's proof over the constant term, with the challenge over the whole ceremony and all commitments (SPEC step R1).
Without it a trustee could cancel the others' contributions by choosing its own as a difference (rogue key).
"""

from __future__ import annotations

from tacit_protocol import scalars
from tacit_protocol.errors import CeremonyError
from tacit_protocol.group import ELEMENT_BYTES, SCALAR_BYTES, Backend

_DST = b"HashToScalar-tacit/1 ceremony possession"


def prove(group: Backend, context: bytes, index: int, secret: bytes, commitments: bytes, nonce: bytes) -> bytes:
    """Return c || s, 64 bytes, for the secret scalar behind the first of the packed ``commitments``.

    ``context`` binds the proof to its ceremony; ``nonce`` is a fresh uniform scalar.
    """
    point = group.multiply_base(nonce).encode()
    challenge = _challenge(group, context, index, commitments, point)
    return challenge + scalars.subtract(nonce, scalars.multiply(challenge, secret))


def verify(group: Backend, context: bytes, index: int, commitments: bytes, proof: bytes) -> None:
    """Raise :class:`CeremonyError` naming the trustee unless the proof holds, ``EncodingError`` on a bad scalar."""
    constant = group.decode(commitments[:ELEMENT_BYTES])
    challenge = scalars.check(proof[:SCALAR_BYTES], "possession")
    response = scalars.check(proof[SCALAR_BYTES:], "possession")
    point = group.add(group.multiply_base(response), group.multiply_each(challenge, constant)).encode()
    if _challenge(group, context, index, commitments, point) != challenge:
        raise CeremonyError("proof of possession does not hold", party=f"trustee {index}")


def _challenge(group: Backend, context: bytes, index: int, commitments: bytes, point: bytes) -> bytes:
    return group.hash_to_scalar([context + index.to_bytes(2, "big") + commitments + point], _DST)
