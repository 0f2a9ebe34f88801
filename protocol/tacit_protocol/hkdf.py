"""HKDF (RFC 5869) with SHA-256, for outputs of one block: the two HMAC calls it then consists of.

The interpreter's one-shot HMAC serves here because a contribution derives a million keys; the RFC's vectors test it.
"""

from __future__ import annotations

import hmac

HASH_BYTES = 32


def extract(salt: bytes, key_material: bytes) -> bytes:
    """HKDF-Extract: a 32-byte pseudorandom key."""
    return hmac.digest(salt, key_material, "sha256")


def expand(pseudorandom_key: bytes, info: bytes, length: int = HASH_BYTES) -> bytes:
    """HKDF-Expand for ``length`` up to 32 bytes."""
    if not 0 < length <= HASH_BYTES:
        raise ValueError(f"this HKDF-Expand gives 1 to {HASH_BYTES} bytes")
    return hmac.digest(pseudorandom_key, info + b"\x01", "sha256")[:length]
