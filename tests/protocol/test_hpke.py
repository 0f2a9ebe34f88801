"""HPKE: the library's single-shot form takes no associated data, so RFC 9180's vectors cannot go through it directly.

A second implementation, short and only for this test, is held to the vector; then it and ours open each other's
ciphertexts.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from support.hpke import key_schedule, shared_secret
from support.vectors import load
from tacit_protocol import hpke
from tacit_protocol.errors import EncodingError

VECTOR = {name: bytes.fromhex(text) for name, text in load("rfc9180").items() if name != "source"}


def public(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes_raw()


def test_the_second_implementation_reproduces_rfc_9180() -> None:
    recipient = X25519PrivateKey.from_private_bytes(VECTOR["recipient_private_key"])
    ephemeral = X25519PrivateKey.from_private_bytes(VECTOR["ephemeral_private_key"])
    enc, to = VECTOR["encapsulated_key"], VECTOR["recipient_public_key"]
    assert (public(ephemeral), public(recipient)) == (enc, to)
    shared = shared_secret(recipient, enc, enc, to)
    assert shared == shared_secret(ephemeral, to, enc, to) == VECTOR["shared_secret"]
    key, nonce = key_schedule(shared, VECTOR["info"])
    assert (key, nonce) == (VECTOR["key"], VECTOR["base_nonce"])
    opened = ChaCha20Poly1305(key).decrypt(nonce, VECTOR["ciphertext"], VECTOR["associated_data"])
    assert opened == VECTOR["plaintext"]


def test_unseal_opens_what_the_second_implementation_seals() -> None:
    recipient = X25519PrivateKey.from_private_bytes(VECTOR["recipient_private_key"])
    ephemeral = X25519PrivateKey.from_private_bytes(VECTOR["ephemeral_private_key"])
    enc, to = VECTOR["encapsulated_key"], VECTOR["recipient_public_key"]
    key, nonce = key_schedule(shared_secret(ephemeral, to, enc, to), b"the context")
    sealed = enc + ChaCha20Poly1305(key).encrypt(nonce, VECTOR["plaintext"], b"")
    assert hpke.unseal(recipient, sealed, b"the context") == VECTOR["plaintext"]


def test_the_second_implementation_opens_what_seal_makes() -> None:
    recipient = X25519PrivateKey.generate()
    sealed = hpke.seal(public(recipient), b"a share", b"the context")
    enc = sealed[:32]
    key, nonce = key_schedule(shared_secret(recipient, enc, enc, public(recipient)), b"the context")
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
