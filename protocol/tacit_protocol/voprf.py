"""RFC 9497 with one key: suite ristretto255-SHA512, modes OPRF and VOPRF; what the published vectors test.

Names are the RFC's. The threshold path of Tacit (:mod:`tacit_protocol.threshold`) uses the same blinding and the
same Finalize, so its outputs are the RFC's outputs under the shared key.
"""

from __future__ import annotations

from collections.abc import Sequence

from tacit_protocol import scalars
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import SCALAR_BYTES, UNIFORM_BYTES, Backend, Elements

MODE_OPRF = 0x00
MODE_VOPRF = 0x01
SUITE = b"ristretto255-SHA512"


def context_string(mode: int = MODE_VOPRF) -> bytes:
    """CreateContextString, RFC 9497 section 3.1."""
    return b"OPRFV1-" + bytes([mode]) + b"-" + SUITE


def hash_to_group_dst(mode: int = MODE_VOPRF) -> bytes:
    """Return the domain separation tag of HashToGroup, RFC 9497 section 4.1."""
    return b"HashToGroup-" + context_string(mode)


def hash_to_scalar_dst(mode: int = MODE_VOPRF) -> bytes:
    """Return the domain separation tag of HashToScalar, RFC 9497 section 4.1."""
    return b"HashToScalar-" + context_string(mode)


def derive_key(group: Backend, seed: bytes, info: bytes, mode: int = MODE_VOPRF) -> bytes:
    """DeriveKeyPair, RFC 9497 section 3.2.1: return the secret scalar for a 32-byte seed."""
    derive_input = seed + len(info).to_bytes(2, "big") + info
    for counter in range(256):
        secret = group.hash_to_scalar([derive_input + bytes([counter])], b"DeriveKeyPair" + context_string(mode))
        if secret != scalars.ZERO:
            return secret
    raise EncodingError("DeriveKeyPair: no key from this seed")


def draw_blinds(group: Backend, random: bytes) -> bytes:
    """Turn n x 64 uniform bytes into n packed blinds; a zero blind (probability 2^-252) is an error."""
    blinds = group.reduce_scalars(random)
    if any(blinds[i : i + SCALAR_BYTES] == scalars.ZERO for i in range(0, len(blinds), SCALAR_BYTES)):
        raise EncodingError("a blind is zero: draw the randomness again")
    return blinds


def blind_random_bytes(count: int) -> int:
    """Return how many uniform bytes :func:`draw_blinds` needs for ``count`` blinds."""
    return UNIFORM_BYTES * count


def blind(group: Backend, inputs: Sequence[bytes], blinds: bytes, mode: int = MODE_VOPRF) -> Elements:
    """Blind, RFC 9497 section 3.3.1, for a batch: B_i = r_i * HashToGroup(m_i)."""
    return group.multiply_each(blinds, group.hash_to_group(inputs, hash_to_group_dst(mode)))


def blind_evaluate(group: Backend, secret: bytes, blinded: Elements) -> Elements:
    """BlindEvaluate, RFC 9497 section 3.3.1, without the proof: D_i = k * B_i."""
    return group.multiply(secret, blinded)


def finalize(group: Backend, inputs: Sequence[bytes], blinds: bytes, evaluated: Elements) -> bytes:
    """Finalize, RFC 9497 section 3.3.1, for a batch: n packed 64-byte outputs."""
    return group.finalise(inputs, group.unblind(scalars.from_int(1), [evaluated], blinds))
