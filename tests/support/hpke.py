"""A second, short implementation of HPKE (RFC 9180), with the ephemeral key as an argument: for tests and vectors only.

The library draws the ephemeral key itself, so nothing made with it could be the same in every run.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_KEM_SUITE = b"KEM" + (0x0020).to_bytes(2, "big")
_HPKE_SUITE = b"HPKE" + b"".join(i.to_bytes(2, "big") for i in (0x0020, 0x0001, 0x0003))


def seal_with(ephemeral: X25519PrivateKey, recipient: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Return enc || ciphertext || tag; one ephemeral key must never seal twice."""
    enc = ephemeral.public_key().public_bytes_raw()
    key, nonce = key_schedule(shared_secret(ephemeral, recipient, enc, recipient), info)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plaintext, b"")


def shared_secret(private: X25519PrivateKey, public: bytes, encapsulated: bytes, recipient: bytes) -> bytes:
    """ExtractAndExpand of section 4.1 over the exchange of ``private`` and ``public``."""
    exchanged = private.exchange(X25519PublicKey.from_public_bytes(public))
    prk = _extract(_KEM_SUITE, b"", b"eae_prk", exchanged)
    return _expand(_KEM_SUITE, prk, b"shared_secret", encapsulated + recipient, 32)


def key_schedule(secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    """KeySchedule of section 5.1 in base mode: key and base nonce."""
    context = b"\x00" + _extract(_HPKE_SUITE, b"", b"psk_id_hash", b"") + _extract(_HPKE_SUITE, b"", b"info_hash", info)
    expanded = _extract(_HPKE_SUITE, secret, b"secret", b"")
    return _expand(_HPKE_SUITE, expanded, b"key", context, 32), _expand(
        _HPKE_SUITE, expanded, b"base_nonce", context, 12
    )


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]
