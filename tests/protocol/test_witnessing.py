from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, signing, witnessing
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, ProofError, SignatureError
from tacit_protocol.witnessing import (
    AddCheckpoint,
    ForkError,
    OldSizeError,
    UnknownLogError,
    WitnessError,
    WitnessPolicy,
)

LOG = Ed25519PrivateKey.from_private_bytes(bytes([1]) * 32)
LOG_KEY = signing.public_bytes(LOG)
ORIGIN = notes.log_origin(LOG_KEY)
KEYS = {ORIGIN: LOG_KEY}
WITNESSES = [Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (2, 3, 4)]
NAMES = [notes.witness_name(signing.public_bytes(key)) for key in WITNESSES]
BY_NAME = {name: signing.public_bytes(key) for name, key in zip(NAMES, WITNESSES, strict=True)}


def grow(tree: merkle.Tree, count: int, what: str = "leaf") -> merkle.Tree:
    while tree.size < count:
        tree.append(merkle.leaf_hash(f"{what} {tree.size}".encode()))
    return tree


TREE = grow(merkle.Tree(), 20)
FORK = grow(grow(merkle.Tree(), 5), 20, "other")


def head(size: int, tree: merkle.Tree = TREE) -> Checkpoint:
    return Checkpoint(ORIGIN, size, tree.root(size))


def request(old: int, new: int, tree: merkle.Tree = TREE) -> AddCheckpoint:
    return AddCheckpoint(old, tuple(tree.consistency_proof(old, new)), notes.sign_checkpoint(LOG, head(new, tree)))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, 20), (5, 6), (7, 7), (8, 20)])
def test_a_consistent_checkpoint_is_held(old: int, new: int) -> None:
    sent = witnessing.decode_add_checkpoint(request(old, new).encode())
    assert sent == request(old, new)
    assert witnessing.judge(head(old) if old else None, sent, KEYS) == head(new)


def test_an_unknown_log_comes_first() -> None:
    with pytest.raises(UnknownLogError):
        witnessing.judge(None, request(3, 20), {})


def test_a_checkpoint_that_the_log_did_not_sign_is_refused() -> None:
    note = Note(head(9).text(), notes.sign_checkpoint(WITNESSES[0], head(9)).signatures)
    with pytest.raises(SignatureError):
        witnessing.judge(None, AddCheckpoint(0, (), note), KEYS)


def test_an_old_size_beyond_the_new_one_is_no_request() -> None:
    with pytest.raises(EncodingError, match="beyond"):
        witnessing.judge(head(9), AddCheckpoint(9, (), notes.sign_checkpoint(LOG, head(8))), KEYS)


@pytest.mark.parametrize(("held", "old"), [(9, 8), (9, 10), (0, 3), (9, 0)])
def test_another_old_size_is_answered_with_the_size_held(held: int, old: int) -> None:
    with pytest.raises(OldSizeError) as caught:
        witnessing.judge(head(held) if held else None, request(old, 20), KEYS)
    assert caught.value.size == held


def test_two_trees_of_one_size_are_a_fork() -> None:
    with pytest.raises(ForkError) as caught:
        witnessing.judge(head(20), request(20, 20, FORK), KEYS)
    assert caught.value.party == "secretariat"


@pytest.mark.parametrize(("old", "new"), [(6, 20), (19, 20), (6, 7)])
def test_a_fork_finds_no_proof(old: int, new: int) -> None:
    for proof in (FORK.consistency_proof(old, new), TREE.consistency_proof(old, new), []):
        with pytest.raises(ProofError) as caught:
            sent = AddCheckpoint(old, tuple(proof), notes.sign_checkpoint(LOG, head(new, FORK)))
            witnessing.judge(head(old), sent, KEYS)
        assert caught.value.party == "secretariat"


def test_a_proof_where_none_is_due_is_refused() -> None:
    note = notes.sign_checkpoint(LOG, head(9))
    with pytest.raises(ProofError):
        witnessing.judge(None, AddCheckpoint(0, (bytes(32),), note), KEYS)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"old 5\n", b"old 05\n\n", b"old -1\n\n", b"old 5", b"5\n\n", b"old 5\nx\n\n", b"old 5\nAAAA\n\n",
        b"old 5\n" + b"A" * 42 + b"B=\n\n", b"old 5\n\xff\n\n", b"old 5\n" + (b"A" * 43 + b"=\n") * 64 + b"\n",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(EncodingError):
        witnessing.decode_add_checkpoint(body + notes.sign_checkpoint(LOG, head(9)).encode())


def test_a_witness_answer_is_taken_only_with_its_own_cosignature() -> None:
    note, key = notes.sign_checkpoint(LOG, head(9)), BY_NAME[NAMES[0]]
    line = notes.cosign(WITNESSES[0], NAMES[0], note.text, 100)
    stranger = notes.cosign(WITNESSES[1], NAMES[1], note.text, 100)
    answer = (stranger.line() + line.line()).encode()
    assert witnessing.verify_answer(note, answer, NAMES[0], key) == [line]
    for wrong in (stranger.line().encode(), notes.cosign(WITNESSES[0], NAMES[0], "other\n", 1).line().encode()):
        with pytest.raises(SignatureError):
            witnessing.verify_answer(note, wrong, NAMES[0], key)
    for wrong in (b"", b"\xff", line.line().encode()[:-1]):
        with pytest.raises(EncodingError):
            witnessing.verify_answer(note, wrong, NAMES[0], key)


def by(*who: int, time: int = 1000) -> Note:
    note = notes.sign_checkpoint(LOG, head(9))
    return note.with_signatures([notes.cosign(WITNESSES[i], NAMES[i], note.text, time) for i in who])


def test_a_policy_counts_different_witnesses() -> None:
    policy = WitnessPolicy(LOG_KEY, BY_NAME, 2)
    accepted = policy.verify(by(0, 2), 0)
    assert accepted.checkpoint == head(9) and accepted.latest == 1000
    twice = by(0).with_signatures([notes.cosign(WITNESSES[0], NAMES[0], by(0).text, 2000)])
    with pytest.raises(WitnessError) as caught:
        policy.verify(twice, 0)
    assert caught.value.party == ", ".join(sorted(NAMES[1:]))


def test_a_policy_may_ask_for_fresh_cosignatures() -> None:
    policy = WitnessPolicy(LOG_KEY, BY_NAME, 2, maximum_age=60)
    assert policy.verify(by(0, 1), 1060).checkpoint.size == 9
    with pytest.raises(WitnessError) as caught:
        policy.verify(by(0, 1), 1061)
    assert "too old" in str(caught.value.evidence[NAMES[0]])


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_two_majorities_share_a_witness(count: int, needed: int) -> None:
    assert witnessing.majority(count) == needed and 2 * needed > count
