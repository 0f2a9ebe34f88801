"""Evaluation: every fault of a trustee is named, nothing is lost, and no quota is spent twice."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.memory import MemoryRound, fresh
from support.trustees import EPOCH, STREAM, Trustees
from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.evaluation import Evaluator, stored_batches
from tacit_client.vault import Vault
from tacit_protocol import dleq, grants, messages, scalars, signing
from tacit_protocol.answers import WrongAnswerError
from tacit_protocol.errors import ProofError, QuorumError
from tacit_protocol.messages import BoardEntry, GrantRequest

PROOF, SIGNATURE = dleq.PROOF_BYTES, signing.SIGNATURE_BYTES
TRUSTEES = Trustees.after_ceremony()
KEY = b"\x07tacit/1 one supplier's key"


@pytest.fixture
def parties() -> MemoryRound:
    return MemoryRound(TRUSTEES)


@pytest.fixture
def member(parties: MemoryRound, tmp_path: Path) -> tuple[Evaluator, Vault, Ed25519PrivateKey]:
    vault, key = fresh(tmp_path, parties)
    return parties.evaluator(vault, key), vault, key


def again(parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]) -> Evaluator:
    """A new run of the program on the same vault."""
    return parties.evaluator(member[1], member[2])


def other_key(body: bytes) -> bytes:
    group = TRUSTEES.group
    return body[:PROOF] + group.multiply(scalars.reduce(secrets.token_bytes(64)), group.decode(body[PROOF:])).encode()


LIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "answers garbage of the right size": (lambda body: secrets.token_bytes(len(body)), "not"),
    "answers too little": (lambda body: body[:-32], "bytes, expected"),
    "answers too much": (lambda body: body + bytes(32), "bytes, expected"),
    "answers nothing": (lambda body: b"", "with 0 bytes, expected"),
    "answers a non-canonical point": (lambda body: body[:-32] + b"\xff" * 32, "not"),
    "answers a point with bit 255 set": (lambda body: body[:-1] + bytes([body[-1] | 0x80]), "not"),
    "answers the identity": (lambda body: body[:PROOF] + bytes(32) + body[PROOF + 32 :], "identity"),
    "answers with a wrong proof": (lambda body: secrets.token_bytes(31) + b"\x00" + body[32:], "proof"),
    "answers with a proof scalar above the order": (lambda body: b"\xff" * 32 + body[32:], ""),
    "swaps two answers": (
        lambda body: body[:PROOF] + body[PROOF + 32 : PROOF + 64] + body[PROOF : PROOF + 32] + body[PROOF + 64 :],
        "proof",
    ),
    "evaluates under another key": (other_key, "proof"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_trustee_that_lies_is_named_and_another_asked(
    lie: str, parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey], tmp_path: Path
) -> None:
    change, why = LIES[lie]
    parties.lie = lambda party, content: change(content) if party == "trustee 1" else content
    accused: list[WrongAnswerError] = []

    def accuse(grant: BoardEntry, blinded: bytes, error: WrongAnswerError) -> Path:
        assert grants.batch_digest(EPOCH, STREAM, blinded) == messages.body_of(grant.message, GrantRequest).digest
        accused.append(error)
        return tmp_path / "evidence.json"

    member[0].accuse = accuse
    outputs = member[0].outputs([KEY])
    assert outputs.keys() == {KEY} and len(outputs[KEY]) == 64
    (warning,) = member[0].warnings
    assert warning.startswith("trustee 1: ") and why in warning and str(tmp_path / "evidence.json") in warning
    # What it signed is kept byte for byte, with its signature: that is the evidence.
    (error,) = accused
    assert error.party == "trustee 1"
    assert [error.signed] == [answers[1] for answers in parties.cache.values()]
    # It answers last from now on, so that no further batch waits for it.
    assert member[0].trustees[-1].party == "trustee 1"


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_changed_on_the_way_makes_no_evidence_and_another_trustee_is_asked(
    lie: str, parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    """Whoever sits between member and trustee could frame a trustee otherwise."""

    def change(party: str, target: str, body: bytes) -> bytes:
        return body[:SIGNATURE] + LIES[lie][0](body[SIGNATURE:]) if party == "trustee 1" else body

    parties.change = change
    member[0].accuse = lambda grant, blinded, error: pytest.fail("nobody is accused of what it did not sign")
    assert member[0].outputs([KEY]).keys() == {KEY}
    (warning,) = member[0].warnings
    assert warning.startswith("trustee 1: ") and "is not signed by it" in warning
    assert member[0].trustees[-1].party == "trustee 1"


@pytest.mark.parametrize("body", [b"", bytes(63), bytes(64), bytes(128)])
def test_an_answer_without_a_signature_makes_no_evidence(
    body: bytes, parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    parties.change = lambda party, target, answer: body if party == "trustee 1" else answer
    member[0].accuse = lambda grant, blinded, error: pytest.fail("nobody signed this")
    assert member[0].outputs([KEY]).keys() == {KEY}
    assert "is not signed by it" in member[0].warnings[0]


def test_another_trustees_signature_does_not_pass(
    parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    parties.signing[1] = parties.signing[2]
    assert member[0].outputs([KEY]).keys() == {KEY}
    assert member[0].warnings[0].startswith("trustee 1: ") and "is not signed by it" in member[0].warnings[0]


def test_with_too_few_trustees_all_are_named_and_a_later_run_pays_nothing(
    parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    parties.down = {"trustee 1", "trustee 3"}
    with pytest.raises(QuorumError, match=r"2 trustees must answer, 1 did.*run the command again") as caught:
        member[0].outputs([KEY])
    assert set(str(caught.value.party).split(", ")) == {"trustee 1", "trustee 3"}
    assert parties.used(member[2]) == grants.PADDING
    parties.down = set()
    assert KEY in again(parties, member).outputs([KEY])
    assert parties.used(member[2]) == grants.PADDING


@pytest.mark.parametrize(
    "moment", ["before the grant", "after the grant", "while trustees answer", "after the answers"]
)
def test_a_run_that_is_killed_at_any_moment_is_finished_without_more_quota(
    moment: str,
    parties: MemoryRound,
    member: tuple[Evaluator, Vault, Ed25519PrivateKey],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(BaseException):
        pass

    def kill_at(target_end: str) -> Callable[[str, str], None]:
        def before(party: str, target: str) -> None:
            if target.endswith(target_end):
                raise Killed

        return before

    if moment == "before the grant":
        parties.before = kill_at("/board")
    elif moment == "while trustees answer":
        parties.before = kill_at("/evaluations")
    elif moment == "after the grant":
        monkeypatch.setattr(Evaluator, "_ask", lambda *_: (_ for _ in ()).throw(Killed()))
    else:
        monkeypatch.setattr(Evaluator, "_land", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        member[0].outputs([KEY])
    monkeypatch.undo()
    parties.before = lambda party, target: None
    first = again(parties, member).outputs([KEY])
    assert parties.used(member[2]) == grants.PADDING
    asked = len(parties.asked)
    assert again(parties, member).outputs([KEY]) == first
    assert len(parties.asked) == asked  # what is in the vault is not asked for again


def test_a_batch_that_was_refused_for_the_quota_is_forgotten_and_a_smaller_one_fits(tmp_path: Path) -> None:
    parties = MemoryRound(TRUSTEES, quota=2 * grants.PADDING)
    vault, key = fresh(tmp_path, parties)
    many = [b"%d" % i for i in range(2 * grants.PADDING)]
    with pytest.raises(Refused, match=r"quota of member .* is used up") as caught:
        parties.evaluator(vault, key).outputs(many)
    assert caught.value.evidence["asked"] == 3 * grants.PADDING
    assert parties.used(key) == 0
    assert len(parties.evaluator(vault, key).outputs(many[:100])) == 100


def test_the_blinds_of_a_refused_batch_are_kept_because_its_signed_request_may_be_logged_all_the_same(
    parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    """A query audit of that grant could not be answered otherwise, and would be held against the member."""

    def log_and_refuse(party: str, target: str, body: bytes) -> bytes:
        raise Refused("secretariat refuses: the quota is used up", party=party, kind="grant")

    parties.change = log_and_refuse
    with pytest.raises(Refused, match="used up"):
        member[0].outputs([KEY])
    parties.change = lambda party, target, body: body
    again(parties, member).outputs([KEY])  # planned anew
    assert parties.used(member[2]) == 2 * grants.PADDING
    kept = {
        grants.batch_digest(EPOCH, STREAM, batch.blinded(TRUSTEES.group).encode())
        for batch in stored_batches(member[1], EPOCH, STREAM)
    }
    assert kept == {digest for _, _, _, digest in parties.ledger.granted}


def test_a_refusal_for_another_reason_does_not_lose_a_batch_that_was_granted(
    parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    parties.down = {"trustee 1", "trustee 2", "trustee 3"}
    with pytest.raises(QuorumError):
        member[0].outputs([KEY])

    def wrong_clock(party: str, target: str) -> None:
        raise Refused("secretariat refuses: the request is from the past", party=party, kind="unauthenticated")

    parties.before = wrong_clock
    with pytest.raises(Refused, match="from the past"):
        again(parties, member).outputs([KEY])
    parties.before, parties.down = (lambda party, target: None), set()
    again(parties, member).outputs([KEY])
    assert parties.used(member[2]) == grants.PADDING


def test_what_was_answered_is_kept_when_the_quota_does_not_reach_for_the_rest(tmp_path: Path) -> None:
    parties = MemoryRound(TRUSTEES, quota=grants.BLOCK)
    vault, key = fresh(tmp_path, parties)
    with pytest.raises(Refused, match="quota"):
        parties.evaluator(vault, key).outputs([b"%d" % i for i in range(grants.BLOCK)])
    known, unfinished = parties.evaluator(vault, key)._load()
    assert len(known) > grants.BLOCK - grants.PADDING
    assert unfinished == {}


def test_trustees_that_answer_one_input_in_two_ways_are_noticed(
    parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    member[0].outputs([KEY])
    other = MemoryRound(Trustees.after_ceremony())  # another key behind the same addresses
    other.ledger, other.entries = parties.ledger, parties.entries
    evaluator = other.evaluator(member[1], member[2])
    with pytest.raises(ProofError, match="canary") as caught:
        evaluator.outputs([b"another"])
    assert "trustee" in str(caught.value.party)


def test_the_member_is_not_enrolled(parties: MemoryRound, tmp_path: Path) -> None:
    stranger = Ed25519PrivateKey.generate()
    with pytest.raises(Refused, match="not enrolled: run 'tacit enrol' first"):
        parties.evaluator(Vault.create(tmp_path / "stranger"), stranger).outputs([KEY])


def test_a_secretariat_that_is_down_is_named_and_nothing_is_spent(
    parties: MemoryRound, member: tuple[Evaluator, Vault, Ed25519PrivateKey]
) -> None:
    parties.down = {"secretariat"}
    with pytest.raises(PartyUnavailable, match="secretariat does not answer"):
        member[0].outputs([KEY])
    parties.down = set()
    again(parties, member).outputs([KEY])
    assert parties.used(member[2]) == grants.PADDING
