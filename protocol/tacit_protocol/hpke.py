"""HPKE (RFC 9180) as Tacit uses it: base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305.

The context goes into ``info`` because single-shot HPKE of the library takes no associated data. Everything here goes
through the library, which draws its ephemeral keys from the operating system. Only
:meth:`~tacit_protocol.group.Backend.seal_each` of the native back end takes them as an argument: it seals a whole
upload to one recipient, with a table of the recipient's point in place of an exchange from scratch for each record.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tacit_protocol.errors import EncodingError

EPHEMERAL_BYTES = 32
OVERHEAD = 32 + 16  # encapsulated key and authentication tag
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


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


def unseal(private_key: X25519PrivateKey, ciphertext: bytes, info: bytes) -> bytes:
    """Decrypt; raises :class:`EncodingError` when the ciphertext is not for this key and ``info``."""
    try:
        return _SUITE.decrypt(ciphertext, private_key, info)
    except (InvalidTag, ValueError) as error:
        raise EncodingError("a ciphertext does not decrypt under this key and context") from error
