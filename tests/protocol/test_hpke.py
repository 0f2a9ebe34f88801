"""HPKE: the library's single-shot form takes no associated data, so RFC 9180's vectors cannot go through it directly.

A second implementation, short and only for this test, is held to the vector; then it and ours open each other's
ciphertexts.
"""

from __future__ import annotations

import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from support.vectors import load
from tacit_protocol import hpke
from tacit_protocol.errors import EncodingError

VECTOR = {name: bytes.fromhex(text) for name, text in load("rfc9180").items() if name != "source"}
_KEM_SUITE = b"KEM" + (0x0020).to_bytes(2, "big")
_HPKE_SUITE = b"HPKE" + b"".join(i.to_bytes(2, "big") for i in (0x0020, 0x0001, 0x0003))


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]


def _shared_secret(private: X25519PrivateKey, public: bytes, encapsulated: bytes, recipient: bytes) -> bytes:
    exchanged = private.exchange(X25519PublicKey.from_public_bytes(public))
    prk = _extract(_KEM_SUITE, b"", b"eae_prk", exchanged)
    return _expand(_KEM_SUITE, prk, b"shared_secret", encapsulated + recipient, 32)


def _key_schedule(shared_secret: bytes, info: bytes) -> tuple[bytes, bytes]:
    context = b"\x00" + _extract(_HPKE_SUITE, b"", b"psk_id_hash", b"") + _extract(_HPKE_SUITE, b"", b"info_hash", info)
    secret = _extract(_HPKE_SUITE, shared_secret, b"secret", b"")
    return _expand(_HPKE_SUITE, secret, b"key", context, 32), _expand(_HPKE_SUITE, secret, b"base_nonce", context, 12)


def public(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def test_the_second_implementation_reproduces_rfc_9180() -> None:
    recipient = X25519PrivateKey.from_private_bytes(VECTOR["recipient_private_key"])
    ephemeral = X25519PrivateKey.from_private_bytes(VECTOR["ephemeral_private_key"])
    enc, to = VECTOR["encapsulated_key"], VECTOR["recipient_public_key"]
    assert (public(ephemeral), public(recipient)) == (enc, to)
    shared = _shared_secret(recipient, enc, enc, to)
    assert shared == _shared_secret(ephemeral, to, enc, to) == VECTOR["shared_secret"]
    key, nonce = _key_schedule(shared, VECTOR["info"])
    assert (key, nonce) == (VECTOR["key"], VECTOR["base_nonce"])
    opened = ChaCha20Poly1305(key).decrypt(nonce, VECTOR["ciphertext"], VECTOR["associated_data"])
    assert opened == VECTOR["plaintext"]


def test_unseal_opens_what_the_second_implementation_seals() -> None:
    recipient = X25519PrivateKey.from_private_bytes(VECTOR["recipient_private_key"])
    ephemeral = X25519PrivateKey.from_private_bytes(VECTOR["ephemeral_private_key"])
    enc, to = VECTOR["encapsulated_key"], VECTOR["recipient_public_key"]
    key, nonce = _key_schedule(_shared_secret(ephemeral, to, enc, to), b"the context")
    sealed = enc + ChaCha20Poly1305(key).encrypt(nonce, VECTOR["plaintext"], b"")
    assert hpke.unseal(recipient, sealed, b"the context") == VECTOR["plaintext"]


def test_the_second_implementation_opens_what_seal_makes() -> None:
    recipient = X25519PrivateKey.generate()
    sealed = hpke.seal(public(recipient), b"a share", b"the context")
    enc = sealed[:32]
    key, nonce = _key_schedule(_shared_secret(recipient, enc, enc, public(recipient)), b"the context")
    assert ChaCha20Poly1305(key).decrypt(nonce, sealed[32:], b"") == b"a share"
    assert len(sealed) == len(b"a share") + hpke.OVERHEAD


def test_every_sealing_is_different() -> None:
    recipient = public(X25519PrivateKey.generate())
    assert hpke.seal(recipient, b"same", b"") != hpke.seal(recipient, b"same", b"")


@pytest.mark.parametrize("alter", [0, 31, 32, -1])
def test_an_altered_ciphertext_is_refused(alter: int) -> None:
    recipient = X25519PrivateKey.generate()
    sealed = bytearray(hpke.seal(public(recipient), b"plain", b"context"))
    sealed[alter] ^= 1
    with pytest.raises(EncodingError):
        hpke.unseal(recipient, bytes(sealed), b"context")


def test_another_context_or_key_does_not_open() -> None:
    recipient = X25519PrivateKey.generate()
    sealed = hpke.seal(public(recipient), b"plain", b"context")
    with pytest.raises(EncodingError):
        hpke.unseal(recipient, sealed, b"another")
    with pytest.raises(EncodingError):
        hpke.unseal(X25519PrivateKey.generate(), sealed, b"context")


@pytest.mark.parametrize("size", [0, 1, 31, 32, 47, 48])
def test_short_and_low_order_ciphertexts_are_refused_not_crashes(size: int) -> None:
    with pytest.raises(EncodingError):
        hpke.unseal(X25519PrivateKey.generate(), bytes(size), b"")


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), bytes(31), b""], ids=["zero", "one", "short", "empty"])
def test_sealing_to_an_unusable_key_is_a_clear_error(key: bytes) -> None:
    with pytest.raises(EncodingError, match="not a usable X25519 key"):
        hpke.seal(key, b"plain", b"")
