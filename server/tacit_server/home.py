"""A party's home folder: who it is (public), its keys (sealed), its database, its files. Folder mode 0700.

``party.json`` says who this is and whom it trusts; ``keys.sealed`` holds signing and agreement keys; ``secret`` is
the server secret, unless the environment gives it; ``card.json`` is what the other parties get.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_protocol import messages, signing
from tacit_protocol.errors import EncodingError
from tacit_protocol.messages import Index, Key32, Url
from tacit_server import sealing
from tacit_server.errors import ConfigurationError
from tacit_server.files import write_atomically
from tacit_server.sealing import Sealer
from tacit_server.settings import ServerSettings

_T = TypeVar("_T", bound=msgspec.Struct)
_KEYS = "the key file keys.sealed"


class SecretariatCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What trustees and members pin of the secretariat."""

    url: Url
    signing_key: Key32


class TrusteeCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the secretariat registers of a trustee."""

    index: Index
    url: Url
    signing_key: Key32
    agreement_key: Key32


class Party(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public facts about a home. ``secretariat`` and ``index`` are a trustee's."""

    role: Literal["secretariat", "trustee"]
    url: Url
    salt: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    version: Literal[1] = 1
    index: Index | None = None
    secretariat: SecretariatCard | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """An opened home with its keys."""

    folder: Path
    party: Party
    signing_key: Ed25519PrivateKey = field(repr=False)
    agreement_key: X25519PrivateKey = field(repr=False)
    sealer: Sealer = field(repr=False)

    @property
    def database(self) -> Path:
        """Return where the database is."""
        return self.folder / "tacit.sqlite"

    @property
    def public_key(self) -> bytes:
        """Return the public signing key."""
        return signing.public_bytes(self.signing_key)

    def card(self) -> SecretariatCard | TrusteeCard:
        """Return what the other parties get."""
        if self.party.index is None:
            return SecretariatCard(self.party.url, self.public_key)
        agreement = self.agreement_key.public_key().public_bytes_raw()
        return TrusteeCard(self.party.index, self.party.url, self.public_key, agreement)


def create_home(
    folder: Path,
    settings: ServerSettings,
    *,
    url: str,
    index: int | None = None,
    secretariat: SecretariatCard | None = None,
) -> Home:
    """Make a new home with fresh keys and write its card; an existing one is never overwritten."""
    if (folder / "party.json").exists():
        raise ConfigurationError(f"{folder} is already the home of a party: choose another folder")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    role: Literal["secretariat", "trustee"] = "secretariat" if index is None else "trustee"
    try:
        party = msgspec.convert(
            Party(role, url.rstrip("/"), secrets.token_bytes(sealing.SALT_BYTES), 1, index, secretariat), Party,
            from_attributes=True,
        )  # fmt: skip
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"cannot make a home of this: {error}") from None
    if settings.secret is None and not (folder / "secret").exists():
        write_atomically(folder / "secret", secrets.token_urlsafe(32).encode() + b"\n")
    sealer = sealing.derive_sealer(_secret(folder, settings), party.salt)
    signing_key, agreement_key = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    keys = signing_key.private_bytes_raw() + agreement_key.private_bytes_raw()
    write_atomically(folder / "keys.sealed", sealer.seal(_KEYS, keys))
    home = Home(folder, party, signing_key, agreement_key, sealer)
    write_atomically(folder / "card.json", messages.encode(home.card()) + b"\n", mode=0o644)
    write_atomically(folder / "party.json", messages.encode(party) + b"\n")  # last: it makes the folder a home
    return home


def open_home(folder: Path, settings: ServerSettings, role: Literal["secretariat", "trustee"]) -> Home:
    """Open a home and decrypt its keys; raises :class:`ConfigurationError` that says what is missing or wrong."""
    party = read_json(folder / "party.json", Party, f"'tacit-server {role} init --home {folder}' makes a home")
    if party.role != role:
        raise ConfigurationError(f"{folder} is the home of a {party.role}, not of a {role}")
    sealer = sealing.derive_sealer(_secret(folder, settings), party.salt)
    try:
        keys = sealer.unseal(_KEYS, (folder / "keys.sealed").read_bytes())
    except FileNotFoundError:
        raise ConfigurationError(f"{folder / 'keys.sealed'} is missing: restore it from a backup") from None
    signing_key = Ed25519PrivateKey.from_private_bytes(keys[:32])
    return Home(folder, party, signing_key, X25519PrivateKey.from_private_bytes(keys[32:]), sealer)


def read_json(path: Path, kind: type[_T], hint: str) -> _T:
    """Read a JSON file of a known type; raises :class:`ConfigurationError` with the file's name and ``hint``."""
    try:
        return messages.decode(path.read_bytes(), kind)
    except (OSError, EncodingError) as error:
        reason = error.message if isinstance(error, EncodingError) else (error.strerror or "unreadable")
        raise ConfigurationError(f"{path}: {reason}; {hint}") from None


def _secret(folder: Path, settings: ServerSettings) -> bytes:
    if settings.secret is not None:
        secret = settings.secret.get_secret_value().encode()
        if len(secret) < 16:
            raise ConfigurationError("TACIT_SERVER_SECRET is too short: give at least 16 characters")
        return secret
    path = folder / "secret"
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(f"{path} can be read by others: run 'chmod 600 {path}'")
        return path.read_bytes().strip()
    except OSError:
        raise ConfigurationError(f"no server secret: set TACIT_SERVER_SECRET or restore {path}") from None
