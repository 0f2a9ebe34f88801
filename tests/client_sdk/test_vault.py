"""The vault: what is in it stays secret and whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tacit_client import vault as vault_module
from tacit_client.errors import VaultError
from tacit_client.vault import Vault, needs_passphrase, write_atomically


def test_items_come_back_and_are_not_readable_on_disk(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    vault.put("batches/2026-h2/x", b"Schokoladenwerk Nord")
    assert Vault.open(tmp_path).get("batches/2026-h2/x") == b"Schokoladenwerk Nord"
    assert list(vault.names("batches")) == ["batches/2026-h2/x"]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"Schokoladenwerk" not in path.read_bytes()


def test_names_with_dots_survive(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    vault.put("batches/2026.h2/a.b", b"1")
    assert list(vault.names("batches/2026.h2")) == ["batches/2026.h2/a.b"]


def test_a_passphrase_is_needed_and_checked(tmp_path: Path) -> None:
    Vault.create(tmp_path, "correct horse")
    assert needs_passphrase(tmp_path)
    assert not (tmp_path / "vault.key").exists()
    with pytest.raises(VaultError, match="passphrase"):
        Vault.open(tmp_path)
    with pytest.raises(VaultError, match="wrong passphrase"):
        Vault.open(tmp_path, "battery staple")
    assert Vault.open(tmp_path, "correct horse").get("check")


def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path / "home")
    vault.put("keys/signing", b"k")
    for path in (tmp_path / "home").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_second_vault_in_one_place_is_refused(tmp_path: Path) -> None:
    Vault.create(tmp_path)
    with pytest.raises(VaultError, match="already holds"):
        Vault.create(tmp_path)


def test_damaged_swapped_and_missing_items_are_told_apart(tmp_path: Path) -> None:
    vault = Vault.create(tmp_path)
    vault.put("a", b"1")
    vault.put("b", b"2")
    with pytest.raises(VaultError, match="no item"):
        vault.get("c")
    path = tmp_path / "vault" / "a.sealed"
    (tmp_path / "vault" / "b.sealed").write_bytes(path.read_bytes())
    with pytest.raises(VaultError, match="damaged"):
        vault.get("b")  # a file moved to another name does not open there
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(VaultError, match="damaged"):
        vault.get("a")


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/etc/passwd"])
def test_names_cannot_leave_the_vault(tmp_path: Path, name: str) -> None:
    with pytest.raises(VaultError, match="leaves"):
        Vault.create(tmp_path).put(name, b"x")


def test_an_interrupted_write_leaves_the_old_item(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "file"
    write_atomically(target, b"old")

    def fail(descriptor: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(vault_module.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
