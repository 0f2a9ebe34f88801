"""Keyed BLAKE2b (RFC 7693): the pseudorandom function by which keys are derived from keys that are uniform already.

A PRF output and a record key are uniform, so HKDF's Extract adds nothing (RFC 5869 section 3.3), and HMAC, which is
left of it, calls four times the compression that a hash with a key of its own calls once or twice. libsodium derives
keys by the same function. A contribution derives hundreds of thousands of them. The RFC's self-test tests it.
"""

from __future__ import annotations

from hashlib import blake2b

MAX_BYTES = 64  # of a key and of what is derived


def derive(key: bytes, message: bytes, size: int) -> bytes:
    """Return ``size`` bytes, 1 to 64, for a message under a key of 1 to 64 bytes; sizes give unrelated bytes."""
    if not key:
        raise ValueError("without a key BLAKE2b is a hash that anybody can compute")
    return blake2b(message, key=key, digest_size=size).digest()
