"""HPKE (RFC 9180) as Tacit uses it: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.

The context goes into ``info`` because single-shot HPKE of the library takes no associated data. Opening and single
messages go through the library, which draws its ephemeral keys from the operating system. :func:`seal_each` seals a
whole upload after exchanges that the back end made with ephemeral keys that it was given, so that both back ends give
the same bytes; what of the key schedule depends on recipient and ``info`` alone is done once. The RFC's vector and the
library's receiver test it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tacit_protocol import hkdf
from tacit_protocol.errors import EncodingError

EPHEMERAL_BYTES = 32
OVERHEAD = 32 + 16  # encapsulated key and authentication tag
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_KEM_ID, _SUITE_ID = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"
_NONCE_BYTES = 12


def verify_key(public_key: bytes) -> None:
    """Raise :class:`EncodingError` when nothing can be encrypted to ``public_key``: another size, or of low order.

    Every clamped scalar takes a point of low order to zero, so one fixed exchange decides it for everybody alike.
    """
    try:
        X25519PrivateKey.from_private_bytes(bytes(32)).exchange(X25519PublicKey.from_public_bytes(public_key))
    except ValueError as error:
        raise EncodingError("an agreement key is not a usable X25519 key") from error


def seal(public_key: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Encrypt to ``public_key``: 32-byte encapsulated key, ciphertext, 16-byte tag.

    The ephemeral key comes from the operating system inside the library, which offers no other way. Raises
    :class:`EncodingError` when the key has another size or is of low order, so that no secret could be agreed.
    """
    try:
        return _SUITE.encrypt(plaintext, X25519PublicKey.from_public_bytes(public_key), info)
    except ValueError as error:
        raise EncodingError("an agreement key is not a usable X25519 key") from error


def seal_each(
    public_key: bytes, info: bytes, plaintexts: Sequence[bytes], exchanges: Iterable[tuple[bytes, bytes]]
) -> Iterator[bytes]:
    """Yield what :func:`seal` gives for each plaintext, after an exchange of its own with ``public_key``.

    An exchange is the ephemeral public key and the Diffie-Hellman output; the ephemeral key must serve nothing else.
    The rest of Encap is that of RFC 9180 section 4.1, the key schedule that of section 5.1.
    """
    hashes = [_labeled(_SUITE_ID, b"psk_id_hash"), _labeled(_SUITE_ID, b"info_hash", info)]
    context = b"".join([b"\x00", *(hkdf.extract(b"", labeled) for labeled in hashes)])
    key_info = _sized(hkdf.HASH_BYTES, _labeled(_SUITE_ID, b"key", context))
    nonce_info = _sized(_NONCE_BYTES, _labeled(_SUITE_ID, b"base_nonce", context))
    shared_info = _sized(hkdf.HASH_BYTES, _labeled(_KEM_ID, b"shared_secret"))
    eae_prk, secret_label = _labeled(_KEM_ID, b"eae_prk"), _labeled(_SUITE_ID, b"secret")
    for plaintext, (enc, exchanged) in zip(plaintexts, exchanges, strict=True):
        extracted = hkdf.extract(b"", eae_prk + exchanged)
        shared_secret = hkdf.expand(extracted, shared_info + enc + public_key)
        key, nonce = hkdf.expand_each(hkdf.extract(shared_secret, secret_label), key_info, nonce_info)
        yield enc + ChaCha20Poly1305(key).encrypt(nonce[:_NONCE_BYTES], plaintext, None)


def unseal(private_key: X25519PrivateKey, ciphertext: bytes, info: bytes) -> bytes:
    """Decrypt; raises :class:`EncodingError` when the ciphertext is not for this key and ``info``."""
    try:
        return _SUITE.decrypt(ciphertext, private_key, info)
    except (InvalidTag, ValueError) as error:
        raise EncodingError("a ciphertext does not decrypt under this key and context") from error


def _labeled(suite_id: bytes, label: bytes, rest: bytes = b"") -> bytes:
    """Return what LabeledExtract and LabeledExpand of section 4 put before their input."""
    return b"".join((b"HPKE-v1", suite_id, label, rest))


def _sized(length: int, labeled: bytes) -> bytes:
    """Return the info with which LabeledExpand asks for ``length`` bytes."""
    return length.to_bytes(2, "big") + labeled
