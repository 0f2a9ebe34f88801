"""Contribution: once, whole, resumable; what the shuffler and the secretariat may refuse."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.memory import MemoryRound, fresh
from support.trustees import EPOCH, STREAM, Trustees
from support.world import audited
from tacit_client import contribution
from tacit_client.contribution import Contribution, own_records_name
from tacit_client.errors import PartyUnavailable
from tacit_client.vault import Vault
from tacit_matcher.records import AuditedSite, Site
from tacit_protocol import grants, messages, sealed_index, shuffle
from tacit_protocol.errors import UploadError
from tacit_protocol.messages import Receipt, UploadCommitment

TRUSTEES = Trustees.after_ceremony()
SITES = [audited(number) for number in range(5)]


@pytest.fixture
def parties() -> MemoryRound:
    return MemoryRound(TRUSTEES)


@pytest.fixture
def member(parties: MemoryRound, tmp_path: Path) -> tuple[Vault, Ed25519PrivateKey]:
    return fresh(tmp_path, parties)


def contribute(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], sites: list[AuditedSite] = SITES
) -> Contribution:
    """One run of the program on the member's vault."""
    return parties.contributor(*member).contribute(parties.board, sites)


def commitments(parties: MemoryRound) -> list[UploadCommitment]:
    return [messages.body_of(entry, UploadCommitment) for entry in parties.entries if entry.kind == "upload"]


def test_a_contribution_is_padded_committed_to_and_receipted(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey]
) -> None:
    result = contribute(parties, member)
    assert (result.window, result.records, result.without_keys, result.already_there) == (1, 5, (), False)
    (commitment,) = commitments(parties)
    assert commitment.count == sealed_index.RECORD_BUCKET
    own = member[0].get(own_records_name(TRUSTEES.context))
    assert len(own) == 5 * sealed_index.COMMITMENT_BYTES  # the dummies are nobody's


def test_uploading_the_same_list_twice_sends_nothing_the_second_time(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey]
) -> None:
    contribute(parties, member)
    sent = len(parties.asked)
    assert contribute(parties, member).already_there
    assert len(parties.asked) == sent


def test_another_list_replaces_the_first(parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey]) -> None:
    contribute(parties, member)
    assert not contribute(parties, member, SITES[:3]).already_there
    assert len(commitments(parties)) == 2
    assert parties.used(member[1]) == grants.PADDING  # the keys of the three were known


def test_rows_too_poor_to_be_found_are_reported_and_left_out(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey]
) -> None:
    poor = AuditedSite(Site("X"), SITES[0].audit_date, "SMETA 4-pillar")
    result = contribute(parties, member, [SITES[0], poor, SITES[1]])
    assert (result.records, result.without_keys) == (2, (1,))
    sent = len(parties.asked)
    with pytest.raises(UploadError, match="nothing was sent"):
        contribute(parties, member, [poor])
    assert len(parties.asked) == sent


CUTS = ["/v1/board", "/evaluations", "/uploads/3", "/pages/0", "/complete"]


@pytest.mark.parametrize("target", CUTS)
@pytest.mark.parametrize("lost", ["the request", "the answer"])
def test_a_line_cut_anywhere_costs_nothing_but_another_run(
    target: str, lost: str, parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey]
) -> None:
    def cut(party: str, called: str) -> None:
        if called.endswith(target):
            raise PartyUnavailable(f"{party} does not answer", party=party)

    def lose(party: str, called: str, body: bytes) -> bytes:
        cut(party, called)
        return body

    if target == "/evaluations":
        parties.down = {"trustee 1", "trustee 2", "trustee 3"}
    elif lost == "the request":
        parties.before = cut
    else:
        parties.change = lose
    with pytest.raises(Exception, match=r"does not answer|must answer") as caught:
        contribute(parties, member)
    assert caught.value.party  # type: ignore[attr-defined]
    parties.down, parties.before = set(), lambda party, called: None
    parties.change = lambda party, called, body: body
    assert contribute(parties, member).records == 5
    assert parties.used(member[1]) == grants.PADDING
    assert len(commitments(parties)) == 1
    assert len(parties.finished) == 1


def test_pages_go_out_several_at_a_time_and_never_more(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shuffle, "PAGE_RECORDS", 7)  # the bucket of 64 is ten pages then
    together = threading.Barrier(contribution.UPLOADS, timeout=60)
    lock, sending, most = threading.Lock(), 0, 0

    def before(party: str, target: str) -> None:
        nonlocal sending, most
        number = int(target.rsplit("/", 1)[1]) if "/pages/" in target else 10**6
        with lock:
            sending += number < 10**6
            most = max(most, sending)
        if number < 9:
            together.wait()  # passes only when as many pages are on their way at the same time

    def after(party: str, target: str, body: bytes) -> bytes:
        nonlocal sending
        with lock:
            sending -= "/pages/" in target
        return body

    parties.before, parties.change = before, after
    assert contribute(parties, member).records == 5
    assert most == contribution.UPLOADS == 3
    assert sorted(parties.pages[3]) == list(range(10))


def test_pages_that_arrived_before_the_line_was_cut_are_not_sent_again(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shuffle, "PAGE_RECORDS", 7)
    monkeypatch.setattr(contribution, "UPLOADS", 1)  # so that it is certain which ones were on their way

    def cut(party: str, target: str) -> None:
        if target.endswith("/pages/4"):
            raise PartyUnavailable(f"{party} does not answer", party=party)

    parties.before = cut
    with pytest.raises(PartyUnavailable):
        contribute(parties, member)
    parties.before = lambda party, target: None
    arrived = set(parties.pages[3])
    assert arrived == {0, 1, 2, 3}
    begun = len(parties.asked)
    contribute(parties, member)
    again = {int(target.rsplit("/", 1)[1]) for _, target in parties.asked[begun:] if "/pages/" in target}
    assert again == set(range(10)) - arrived


def test_what_was_cut_off_goes_into_the_next_window_when_the_window_has_closed(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey]
) -> None:
    def cut(party: str, called: str) -> None:
        if called.endswith("/complete"):
            raise PartyUnavailable(f"{party} does not answer", party=party)

    parties.before = cut
    with pytest.raises(PartyUnavailable):
        contribute(parties, member)
    parties.before = lambda party, called: None
    parties.board.closed_windows[EPOCH, STREAM] = 1
    result = contribute(parties, member)
    assert (result.window, result.already_there) == (2, False)
    assert [commitment.window for commitment in commitments(parties)] == [1, 2]
    assert parties.used(member[1]) == grants.PADDING


def test_a_receipt_is_believed_only_from_the_shuffler_and_for_this_upload(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey]
) -> None:
    from tacit_protocol import signing

    def receipt(key: Ed25519PrivateKey, **changes: object) -> bytes:
        (entry,) = [i for i, message in enumerate(parties.entries) if message.kind == "upload"]
        facts = {"epoch": EPOCH, "stream": STREAM, "window": 1, "entry": entry, "count": 64, **changes}
        return messages.encode(signing.sign(key, "receipt", messages.encode(Receipt(**facts))))  # type: ignore[arg-type]

    lies = {
        "another count": lambda: receipt(parties.signing[3], count=128),
        "another entry": lambda: receipt(parties.signing[3], entry=0),
        "another epoch": lambda: receipt(parties.signing[3], epoch="2020-h1"),
        "another signer": lambda: receipt(parties.signing[2]),
        "no receipt": lambda: b"{}",
        "a web page": lambda: b"<html>",
    }
    for lie in lies.values():
        parties.change = lambda party, called, body, lie=lie: lie() if called.endswith("/complete") else body  # type: ignore[misc]
        with pytest.raises(Exception, match=r"trustee 3|signed in the name of"):
            contribute(parties, member)
    parties.change = lambda party, called, body: body
    assert not contribute(parties, member).already_there
    assert contribute(parties, member).already_there


def test_an_upload_that_a_hand_over_passed_by_is_sent_again(
    parties: MemoryRound, member: tuple[Vault, Ed25519PrivateKey], tmp_path: Path
) -> None:
    contribute(parties, member)
    other = fresh(tmp_path, parties)
    contribute(parties, other, [audited(77)])
    first = min(parties.finished)
    del parties.finished[first]
    parties.close_window()
    again = contribute(parties, member)
    assert (again.already_there, again.window) == (False, 2)
