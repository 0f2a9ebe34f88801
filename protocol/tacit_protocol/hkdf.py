"""HKDF (RFC 5869) with SHA-256, for outputs of one block: the two HMAC calls it then consists of.

HPKE's key schedule is made of it, once for each sealed record. One HMAC that has its key already can be copied, which
the libraries' HKDF makes no use of. The RFC's vectors test it.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

HASH_BYTES = 32
_SHA256 = SHA256()


def extract(salt: bytes, key_material: bytes) -> bytes:
    """HKDF-Extract: a 32-byte pseudorandom key."""
    return _finish(HMAC(salt, _SHA256), key_material)


def expand(pseudorandom_key: bytes, info: bytes, length: int = HASH_BYTES) -> bytes:
    """HKDF-Expand for ``length`` up to 32 bytes."""
    if not 0 < length <= HASH_BYTES:
        raise ValueError(f"this HKDF-Expand gives 1 to {HASH_BYTES} bytes")
    keyed = HMAC(pseudorandom_key, _SHA256)
    keyed.update(info + b"\x01")
    return keyed.finalize()[:length]


def expand_each(pseudorandom_key: bytes, *infos: bytes) -> list[bytes]:
    """HKDF-Expand for 32 bytes under each info, which costs less together than :func:`expand` for each."""
    keyed = HMAC(pseudorandom_key, _SHA256)
    return [_finish(keyed.copy(), info + b"\x01") for info in infos]


def _finish(keyed: HMAC, message: bytes) -> bytes:
    keyed.update(message)
    return keyed.finalize()
