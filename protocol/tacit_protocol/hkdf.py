"""HKDF (RFC 5869) with SHA-256, for outputs of one block: the two HMAC calls it then consists of.

A contribution derives a million keys. So a key's two padded blocks are hashed once for all messages under it, as
RFC 2104 suggests in section 4, and a single message goes to the interpreter's one-shot HMAC. The RFC's vectors and
another implementation test both.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

HASH_BYTES = 32
_BLOCK_BYTES = 64
_INNER = bytes(octet ^ 0x36 for octet in range(256))
_OUTER = bytes(octet ^ 0x5C for octet in range(256))


def extract(salt: bytes, key_material: bytes) -> bytes:
    """HKDF-Extract: a 32-byte pseudorandom key. The salt is public, as in the RFC: its state is kept for the next."""
    return _extractor(salt)(key_material)


def expand(pseudorandom_key: bytes, info: bytes, length: int = HASH_BYTES) -> bytes:
    """HKDF-Expand for ``length`` up to 32 bytes."""
    if not 0 < length <= HASH_BYTES:
        raise ValueError(f"this HKDF-Expand gives 1 to {HASH_BYTES} bytes")
    return hmac.digest(pseudorandom_key, info + b"\x01", "sha256")[:length]


def expand_each(pseudorandom_key: bytes, *infos: bytes) -> tuple[bytes, ...]:
    """HKDF-Expand to 32 bytes for each of several ``infos``; cheaper than one call for each."""
    keyed = hmac_under(pseudorandom_key)
    return tuple([keyed(info + b"\x01") for info in infos])


def hmac_under(key: bytes) -> Callable[[bytes], bytes]:
    """Return HMAC-SHA-256 (RFC 2104) under ``key`` as a function of the message."""
    block = (key if len(key) <= _BLOCK_BYTES else sha256(key).digest()).ljust(_BLOCK_BYTES, b"\0")
    inner, outer = sha256(block.translate(_INNER)), sha256(block.translate(_OUTER))

    def digest(message: bytes) -> bytes:
        first, second = inner.copy(), outer.copy()
        first.update(message)
        second.update(first.digest())
        return second.digest()

    return digest


_extractor = lru_cache(maxsize=16)(hmac_under)
