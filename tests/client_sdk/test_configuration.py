"""Invitations and settings: damaged ones are named, and pinned keys stay pinned."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from benchmarks.demo import numbers

from tacit_client import configuration
from tacit_client.configuration import Invitation, PinnedTrustee, SecretariatCard
from tacit_client.errors import VaultError
from tacit_protocol import messages

SECRETARIAT = SecretariatCard("https://secretariat.example", bytes(range(32)))
TRUSTEES = (PinnedTrustee(1, b"\1" * 32), PinnedTrustee(2, b"\2" * 32))
INVITATION = Invitation(1, SECRETARIAT, "code", TRUSTEES)


def write(folder: Path, data: bytes) -> Path:
    path = folder / "invitation.json"
    path.write_bytes(data)
    return path


def test_an_invitation_becomes_settings_and_comes_back(tmp_path: Path) -> None:
    invitation = configuration.read_invitation(write(tmp_path, messages.encode(INVITATION)))
    assert invitation == INVITATION
    settings = configuration.of_invitation(invitation, bytes(32))
    configuration.save(tmp_path, settings)
    assert configuration.load(tmp_path) == settings
    assert settings.trustee_keys == {1: b"\1" * 32, 2: b"\2" * 32}


GOOD = messages.encode(INVITATION)
BAD = {
    "nothing": b"",
    "a picture": b"\x89PNG\r\n\x1a\n",
    "a list": b"Supplier name,City\n",
    "half of one": GOOD[:-10],
    "one with a field more": GOOD[:-1] + b',"x":1}',
    "one with a short key": GOOD.replace(b"AQEB", b"AQ==", 1),
    "one that points elsewhere": GOOD.replace(b"https://", b"file:///"),
    "a trustee's number too large": GOOD.replace(b'"index":1', b'"index":999'),
    "a gigabyte": b'{"version":1,' + b" " * 10**6,
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_invitation_is_named(what: str, tmp_path: Path) -> None:
    with pytest.raises(VaultError, match=r"invitation\.json is no invitation, or a damaged one"):
        configuration.read_invitation(write(tmp_path, BAD[what]))


def test_an_invitation_of_a_later_version_asks_for_an_update(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="of version 2: update this program"):
        configuration.read_invitation(write(tmp_path, GOOD.replace(b'"version":1', b'"version":2')))


def test_a_missing_invitation_a_folder_and_a_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("none.json", "", "pipe.json"):
        with pytest.raises(VaultError, match="does not exist or is no file"):
            configuration.read_invitation(tmp_path / name)


def test_without_settings_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="not enrolled: run 'tacit enrol INVITATION' first"):
        configuration.load(tmp_path)


def test_damaged_settings_and_later_ones_are_told_apart(tmp_path: Path) -> None:
    configuration.save(tmp_path, configuration.of_invitation(INVITATION, bytes(32)))
    path = tmp_path / "config.json"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"version": 1', b'"version": 7'))
    with pytest.raises(VaultError, match="of version 7: update this program"):
        configuration.load(tmp_path)
    path.write_bytes(whole[:40])
    with pytest.raises(VaultError, match=r"config\.json is damaged"):
        configuration.load(tmp_path)


def test_another_invitation_of_the_same_round_may_add_a_trustee_and_move_the_server() -> None:
    known = configuration.of_invitation(INVITATION, bytes(32))
    moved = SecretariatCard("https://elsewhere.example", SECRETARIAT.signing_key)
    more = Invitation(1, moved, "other", (*TRUSTEES, PinnedTrustee(3, b"\3" * 32)))
    configuration.verify_same_round(known, more)


def test_a_pinned_trustee_is_not_replaced_by_a_later_invitation() -> None:
    known = configuration.of_invitation(INVITATION, bytes(32))
    swapped = Invitation(1, SECRETARIAT, "other", (TRUSTEES[0], PinnedTrustee(2, b"\4" * 32)))
    with pytest.raises(VaultError, match="trustee 2 another key than the one pinned") as caught:
        configuration.verify_same_round(known, swapped)
    assert caught.value.party == "secretariat"


def test_a_vault_stays_in_its_round() -> None:
    known = configuration.of_invitation(INVITATION, bytes(32))
    other = Invitation(1, SecretariatCard(SECRETARIAT.url, b"\7" * 32), "other", TRUSTEES)
    with pytest.raises(VaultError, match="round of another secretariat: make another vault"):
        configuration.verify_same_round(known, other)


def test_os_ids_of_merged_facilities_are_read_where_the_file_is_there(tmp_path: Path) -> None:
    assert configuration.load_aliases(tmp_path) == {}
    retired, current = (numbers.os_id("DE", Random(seed)) for seed in (1, 2))
    (tmp_path / "os-id-aliases.csv").write_text(f"retired,current\n{retired},{current}\n", encoding="utf-8-sig")
    assert configuration.load_aliases(tmp_path) == {retired: current}


@pytest.mark.parametrize(("content", "said"), [(b"DE,\xff", "UTF-8"), (b"a,b\nDE123,DE456", "line 2")])
def test_a_bad_file_of_aliases_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "os-id-aliases.csv").write_bytes(content)
    with pytest.raises(VaultError, match=said) as caught:
        configuration.load_aliases(tmp_path)
    assert "os-id-aliases.csv" in caught.value.message
