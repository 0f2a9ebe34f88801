"""Encryption at rest: AES-256-GCM under a key that scrypt derives from the server secret.

Every ciphertext is bound to a name (what it is and for which epoch and stream), so that one file or row cannot be
put in another's place.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tacit_server.errors import ConfigurationError

SALT_BYTES = 16
_NONCE_BYTES = 12
_SCRYPT_N = 2**15  # 32 MiB, some 80 ms: once at each start


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals bytes under a name and opens them again."""

    key: bytes = field(repr=False)

    def seal(self, name: str, data: bytes) -> bytes:
        """Return nonce, ciphertext and tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, data, name.encode())

    def unseal(self, name: str, sealed: bytes) -> bytes:
        """Return the data; raises :class:`ConfigurationError` when the secret or the name is another."""
        try:
            return AESGCM(self.key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                f"{name} does not decrypt: the server secret is not the one this home was made with, "
                "or the file was changed"
            ) from error


def derive_sealer(secret: bytes, salt: bytes) -> Sealer:
    """Derive the sealing key from the server secret (RFC 7914)."""
    return Sealer(Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=8, p=1).derive(secret))
