"""Signed messages: Ed25519 over a domain-separated body, and the pseudonym that names a signing key.

The signer's exact bytes travel and are kept, so a signature is checked over what was signed and no two encodings of one
message can compete. Source: RFC 8032.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tacit_protocol.errors import EncodingError, SignatureError

PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64
_DOMAIN = b"tacit/1 signed message\x00"


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signed message as it travels and as it stands on the board.

    kind: the message type's name; body: its JSON, byte for byte as signed; signer: pseudonym of the key.
    """

    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    signer: Annotated[str, msgspec.Meta(min_length=16, max_length=16)]
    body: bytes
    signature: Annotated[bytes, msgspec.Meta(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


def pseudonym(public_key: bytes) -> str:
    """Return the 16-character name of a signing key: base32 of the first 80 bits of its SHA-256, lower case."""
    if len(public_key) != PUBLIC_KEY_BYTES:
        raise EncodingError(f"a signing key has {PUBLIC_KEY_BYTES} bytes, got {len(public_key)}")
    return base64.b32encode(hashlib.sha256(b"tacit/1 key name\x00" + public_key).digest()[:10]).decode().lower()


def public_bytes(private_key: Ed25519PrivateKey) -> bytes:
    """Return the 32-byte public key of ``private_key``."""
    return private_key.public_key().public_bytes_raw()


def sign(private_key: Ed25519PrivateKey, kind: str, body: bytes) -> Signed:
    """Sign ``body`` as a message of ``kind``."""
    signature = private_key.sign(_transcript(kind, body))
    return Signed(kind, pseudonym(public_bytes(private_key)), body, signature)


def verify(public_key: bytes, message: Signed) -> None:
    """Raise :class:`SignatureError` unless ``message`` was signed by the owner of ``public_key``."""
    if message.signer != pseudonym(public_key):
        raise SignatureError(
            f"the message is signed in the name of {message.signer}, not of {pseudonym(public_key)}",
            party=message.signer,
        )
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            message.signature, _transcript(message.kind, message.body)
        )
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(
            f"the signature on a {message.kind} message does not verify",
            party=message.signer,
            evidence={"kind": message.kind, "body_sha256": hashlib.sha256(message.body).hexdigest()},
        ) from error


def _transcript(kind: str, body: bytes) -> bytes:
    # The kind is signed with the body, so that a signed upload can never be shown as a signed grant request.
    name = kind.encode()
    return _DOMAIN + len(name).to_bytes(4, "big") + name + body
