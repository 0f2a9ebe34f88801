"""What an auditor's machine holds: its keys in a vault, the keys it pinned, its copy of the log."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_client.configuration import PinnedTrustee, SecretariatCard
from tacit_client.errors import VaultError
from tacit_client.parties import Secretariat
from tacit_client.transport import HttpTransport, Transport
from tacit_client.vault import Vault, write_atomically
from tacit_protocol import messages, signing
from tacit_protocol.messages import Key32, Message

COPY = "copy"


class AuditorCard(Message, frozen=True):
    """The auditor's public keys, for the secretariat that appoints it."""

    signing_key: Key32
    agreement_key: Key32
    version: int = 1


class Pins(msgspec.Struct, frozen=True):
    """Whose keys an auditor trusts. An invitation or a member's ``config.json`` has these fields too and will do."""

    secretariat: SecretariatCard | None = None
    trustees: tuple[PinnedTrustee, ...] = ()

    @property
    def secretariat_key(self) -> bytes | None:
        """Return the secretariat's pinned signing key."""
        return self.secretariat.signing_key if self.secretariat else None

    @property
    def trustee_keys(self) -> dict[int, bytes]:
        """Return the trustees' pinned signing keys by index."""
        return {trustee.index: trustee.signing_key for trustee in self.trustees}


@dataclass
class AuditorHome:
    """The folder of one auditor."""

    folder: Path
    vault: Vault
    transport: Transport | None = None

    @classmethod
    def create(cls, folder: Path, passphrase: str | None = None) -> AuditorHome:
        """Make fresh keys in ``folder`` and write ``card.json``."""
        keys = {
            "keys/signing": Ed25519PrivateKey.generate().private_bytes_raw(),
            "keys/agreement": X25519PrivateKey.generate().private_bytes_raw(),
        }
        home = cls(folder, Vault.create(folder, passphrase, keys))
        write_atomically(folder / "card.json", messages.encode(home.card) + b"\n")
        return home

    @classmethod
    def open(cls, folder: Path, passphrase: str | None = None) -> AuditorHome:
        """Open the auditor that lives in ``folder``."""
        try:
            return cls(folder, Vault.open(folder, passphrase))
        except VaultError as error:
            raise VaultError(error.message.replace("'tacit init'", "'tacit audit init'")) from error

    @property
    def copy(self) -> Path:
        """Return the folder with the copy of the log."""
        return self.folder / COPY

    @cached_property
    def signing_key(self) -> Ed25519PrivateKey:
        """Return the key that signs orders and results."""
        return Ed25519PrivateKey.from_private_bytes(self.vault.get("keys/signing"))

    @cached_property
    def agreement_key(self) -> X25519PrivateKey:
        """Return the key that answers are encrypted to."""
        return X25519PrivateKey.from_private_bytes(self.vault.get("keys/agreement"))

    @property
    def card(self) -> AuditorCard:
        """Return the public keys."""
        return AuditorCard(signing.public_bytes(self.signing_key), self.agreement_key.public_key().public_bytes_raw())

    @property
    def pseudonym(self) -> str:
        """Return the name under which this auditor stands on the log; members compare it."""
        return signing.pseudonym(signing.public_bytes(self.signing_key))

    def secretariat(self, url: str) -> Secretariat:
        """Return the secretariat as this auditor reaches it: requests are signed with the auditor's key."""
        return Secretariat(self.transport or HttpTransport(self.signing_key), url.rstrip("/"))


def read_pins(path: Path) -> Pins:
    """Read pinned keys; raises :class:`VaultError` that names the file."""
    try:
        return messages.decode(path.read_bytes(), Pins, path.name)
    except OSError as error:
        raise VaultError(f"the file of pinned keys {path.name} cannot be read: {error.strerror}") from error
