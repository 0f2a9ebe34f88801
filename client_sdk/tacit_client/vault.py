"""The member's vault: keys, blinds, outputs and uploads under way, encrypted, written atomically.

Trusted: whoever reads the vault and its key reads the member's supplier list. Every item is one file, AES-256-GCM with
a fresh nonce, its name as associated data so that files cannot be swapped. A write goes to a temporary file,
is flushed to the disk and then takes the old one's place, so a crash leaves the old or the new item, never half.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tacit_client.errors import VaultError

_KEY_BYTES = 32
_NONCE_BYTES = 12
_SUFFIX = ".sealed"
_SCRYPT = {"n": 2**16, "r": 8, "p": 1}  # about 64 MiB and a fifth of a second


class Vault:
    """Encrypted items by name below ``home``/vault. Names are relative paths such as ``batches/2026-h2/x``."""

    def __init__(self, home: Path, key: bytes) -> None:
        self._root = home / "vault"
        self._cipher = AESGCM(key)

    @classmethod
    def create(cls, home: Path, passphrase: str | None = None, first: Mapping[str, bytes] | None = None) -> Vault:
        """Make a new vault; with a passphrase the key is derived from it, otherwise kept in a 0600 file.

        The items ``first`` are in it before it counts as made: a crash on the way leaves nothing that opens.
        """
        lock = home / "vault.json"
        if lock.exists():
            raise VaultError(f"{home} already holds a vault: choose another folder, or use it as it is")
        salt = secrets.token_bytes(16)
        key = secrets.token_bytes(_KEY_BYTES) if passphrase is None else _stretch(passphrase, salt)
        vault = cls(home, key)
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            vault._root.mkdir(mode=0o700, exist_ok=True)
            for name, data in {"check": b"tacit vault 1", **(first or {})}.items():
                vault.put(name, data)
            if passphrase is None:
                write_atomically(home / "vault.key", key.hex().encode(), mode=0o600)
            facts = {"version": 1, "lock": "key-file" if passphrase is None else "scrypt", "salt": salt.hex()}
            write_atomically(lock, json.dumps(facts).encode(), mode=0o600)
        except OSError as error:
            raise VaultError(f"no vault can be made in {home}: {error.strerror}; choose another folder") from error
        return vault

    @classmethod
    def open(cls, home: Path, passphrase: str | None = None) -> Vault:
        """Open an existing vault; raises :class:`VaultError` that says whether the passphrase or a file is missing."""
        try:
            facts = json.loads((home / "vault.json").read_text())
            version, kind, salt = facts["version"], facts["lock"], bytes.fromhex(facts["salt"])
        except OSError as error:
            raise VaultError(f"{home} holds no Tacit vault: run 'tacit init' first") from error
        except (ValueError, KeyError, TypeError) as error:
            raise VaultError(f"{home}/vault.json is damaged: restore it from a backup") from error
        if version != 1:
            raise VaultError(f"the vault in {home} is of version {version}: update this program")
        if kind == "scrypt":
            if passphrase is None:
                raise VaultError("the vault is locked with a passphrase: set TACIT_PASSPHRASE or answer the prompt")
            key = _stretch(passphrase, salt)
        else:
            key = _read_key_file(home / "vault.key")
        vault = cls(home, key)
        try:
            vault.get("check")
        except VaultError as error:
            raise VaultError("the vault does not open: wrong passphrase or key file") from error
        return vault

    def put(self, name: str, data: bytes) -> None:
        """Store ``data`` under ``name``, replacing what was there."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        path = self._path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, nonce + self._cipher.encrypt(nonce, data, name.encode()), mode=0o600)

    def get(self, name: str) -> bytes:
        """Return an item; raises :class:`VaultError` when it is missing or damaged."""
        try:
            data = self._path(name).read_bytes()
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode())
        except FileNotFoundError as error:
            raise VaultError(f"the vault has no item {name}") from error
        except (InvalidTag, ValueError, OSError) as error:
            raise VaultError(f"the vault item {name} is damaged: restore the folder from a backup") from error

    def has(self, name: str) -> bool:
        """Tell whether an item exists."""
        return self._path(name).exists()

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of the items below ``prefix``, in order."""
        for path in sorted(self._folder(prefix).rglob("*" + _SUFFIX)):
            yield path.relative_to(self._root).as_posix().removesuffix(_SUFFIX)

    def drop(self, name: str) -> None:
        """Remove an item, if it is there."""
        self._path(name).unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder(name + _SUFFIX)

    def _folder(self, name: str) -> Path:
        path = self._root / name
        if ".." in path.parts or self._root not in path.parents:
            raise VaultError("a vault item's name leaves the vault")
        return path


def needs_passphrase(home: Path) -> bool:
    """Tell whether the vault in ``home`` is locked with a passphrase; False where there is none."""
    try:
        return bool(json.loads((home / "vault.json").read_text())["lock"] == "scrypt")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write_atomically(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a temporary file in the same folder, flush it to the disk, and let it take the place of ``path``."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=_KEY_BYTES, **_SCRYPT).derive(passphrase.encode())


def _read_key_file(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise VaultError(f"the vault's key file {path.name} is missing or damaged: restore it from a backup") from error
    if len(key) != _KEY_BYTES:
        raise VaultError(f"the vault's key file {path.name} is damaged: restore it from a backup")
    return key
