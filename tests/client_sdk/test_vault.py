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


def test_a_vault_works_in_another_folder(tmp_path: Path) -> None:
    Vault.create(tmp_path / "old", "pass").put("batches/x", b"1")
    (tmp_path / "old").rename(tmp_path / "new")
    assert Vault.open(tmp_path / "new", "pass").get("batches/x") == b"1"


def test_an_interrupted_making_leaves_nothing_that_opens_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, left = vault_module.write_atomically, [3]

    def die(path: Path, data: bytes, mode: int = 0o644) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(path, data, mode)

    keys = {"keys/a": b"1", "keys/b": b"2"}
    for steps in range(4):  # check, two keys, the key file; then only the lock is missing
        left[0] = steps
        monkeypatch.setattr(vault_module, "write_atomically", die)
        with pytest.raises(KeyboardInterrupt):
            Vault.create(tmp_path, None, keys)
        monkeypatch.undo()
        with pytest.raises(VaultError, match="holds no Tacit vault"):
            Vault.open(tmp_path)
    Vault.create(tmp_path, None, keys)
    assert Vault.open(tmp_path).get("keys/b") == b"2"


def test_a_place_where_no_vault_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(VaultError, match="no vault can be made in"):
            Vault.create(home)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version":1,"lock":"scrypt","salt":"xyz"}', '{"version":1}'])
def test_a_damaged_lock_file_is_named(tmp_path: Path, text: str) -> None:
    Vault.create(tmp_path)
    (tmp_path / "vault.json").write_text(text)
    assert not needs_passphrase(tmp_path) or "scrypt" in text
    with pytest.raises(VaultError, match="damaged"):
        Vault.open(tmp_path, "x")


def test_a_vault_of_a_later_version_asks_for_an_update(tmp_path: Path) -> None:
    Vault.create(tmp_path)
    path = tmp_path / "vault.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(VaultError, match="version 2: update"):
        Vault.open(tmp_path)


@pytest.mark.parametrize("text", ["", "zz", "00" * 31])
def test_a_damaged_key_file_is_named(tmp_path: Path, text: str) -> None:
    Vault.create(tmp_path)
    (tmp_path / "vault.key").write_text(text)
    with pytest.raises(VaultError, match=r"vault\.key is (missing or )?damaged"):
        Vault.open(tmp_path)
