from __future__ import annotations

import hashlib

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_protocol import signing
from tacit_protocol.errors import EncodingError, SignatureError

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = signing.public_bytes(KEY)
replace = msgspec.structs.replace


def test_an_honest_message_verifies_and_is_signed_over_domain_kind_and_body() -> None:
    message = signing.sign(KEY, "grant", b'{"a":1}')
    signing.verify(PUBLIC, message)
    transcript = b"tacit/1 signed message\x00" + (5).to_bytes(4, "big") + b"grant" + b'{"a":1}'
    KEY.public_key().verify(message.signature, transcript)


@pytest.mark.parametrize(
    "change",
    [
        {"body": b'{"a":2}'},
        {"kind": "upload"},
        {"kind": "gran", "body": b't{"a":1}'},
        {"signature": bytes(64)},
        {"signature": b""},
        {"signature": bytes(63)},
        {"kind": "k" * 70_000},
    ],
    ids=["body", "kind", "kind and body moved", "zero", "empty", "short", "long kind"],
)  # fmt: skip
def test_anything_altered_is_refused(change: dict[str, object]) -> None:
    message = replace(signing.sign(KEY, "grant", b'{"a":1}'), **change)
    with pytest.raises(SignatureError) as caught:
        signing.verify(PUBLIC, message)
    assert caught.value.party == signing.pseudonym(PUBLIC)
    assert caught.value.evidence["body_sha256"] == hashlib.sha256(message.body).hexdigest()


def test_a_message_in_anothers_name_is_refused() -> None:
    message = signing.sign(OTHER, "grant", b"{}")
    with pytest.raises(SignatureError, match="not of"):
        signing.verify(PUBLIC, message)
    with pytest.raises(SignatureError, match="does not verify"):
        signing.verify(PUBLIC, replace(message, signer=signing.pseudonym(PUBLIC)))


def test_a_pseudonym_is_80_bits_of_a_hash_in_base32() -> None:
    name = signing.pseudonym(PUBLIC)
    assert len(name) == 16
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert name != signing.pseudonym(signing.public_bytes(OTHER))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(EncodingError):
        signing.pseudonym(bytes(size))
    with pytest.raises(EncodingError):
        signing.verify(bytes(size), signing.sign(KEY, "grant", b""))


def test_the_message_domain_cannot_be_a_signed_request() -> None:
    # The same key signs requests (RFC 9421), whose signature base begins with a quoted component name.
    assert not signing._transcript("grant", b"").startswith(b'"')
