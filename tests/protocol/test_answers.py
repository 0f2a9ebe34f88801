"""A trustee's signed answer: what it signed is told from what it did not, and a wrong one carries what proves it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from support.trustees import EPOCH, STREAM, Trustees
from tacit_protocol import answers, grants, scalars, signing, wire
from tacit_protocol.answers import Question, WrongAnswerError
from tacit_protocol.errors import ProofError, SignatureError

TRUSTEES = Trustees.after_ceremony()
GROUP = TRUSTEES.group
KEY = Ed25519PrivateKey.generate()
PUBLIC = signing.public_bytes(KEY)
COUNT = 5
BATCH = GROUP.multiply_base(GROUP.reduce_scalars(secrets.token_bytes(64 * COUNT)))
DIGEST = grants.batch_digest(EPOCH, STREAM, BATCH.encode())
QUESTION = Question(EPOCH, STREAM, 1, DIGEST)
CONTENT = wire.encode_content(TRUSTEES.answer(1, BATCH))
RIGHT = answers.sign(KEY, QUESTION, CONTENT)
SHARE = TRUSTEES.outcome.public_shares[1]


def other_key(content: bytes) -> bytes:
    """Answer rightly, proof and all, but under a key of one's own."""
    from tacit_protocol.dleq import Binding
    from tacit_protocol.threshold import evaluate_share

    key = scalars.reduce(secrets.token_bytes(64))
    public = GROUP.multiply_base(key)
    answer = evaluate_share(GROUP, key, public, BATCH, Binding(EPOCH, STREAM, 1), secrets.token_bytes(64))
    return wire.encode_content(answer)


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda content: b"",
    "too little": lambda content: content[:-32],
    "too much": lambda content: content + content[-32:],
    "garbage": lambda content: secrets.token_bytes(len(content)),
    "a point that does not decode": lambda content: content[:-32] + b"\xff" * 32,
    "the identity": lambda content: content[:64] + bytes(32) + content[96:],
    "a proof scalar above the order": lambda content: b"\xff" * 32 + content[32:],
    "a wrong proof": lambda content: scalars.from_int(7) + content[32:],
    "two answers swapped": lambda content: content[:64] + content[96:128] + content[64:96] + content[128:],
    "another key, with a proof that holds for it": other_key,
    "another trustee's right answer": lambda content: wire.encode_content(TRUSTEES.answer(2, BATCH)),
}


def test_a_right_answer_passes_and_survives_its_frame() -> None:
    answers.judge(GROUP, PUBLIC, SHARE, QUESTION, BATCH, RIGHT)
    assert len(RIGHT) == wire.answer_bytes(COUNT)
    opened = answers.open_answer(GROUP, PUBLIC, QUESTION, COUNT, RIGHT)
    assert wire.encode_answer(opened) == RIGHT and opened.trustee == 1


@pytest.mark.parametrize("wrong", WRONG)
def test_a_signed_wrong_answer_carries_what_proves_it(wrong: str) -> None:
    signed = answers.sign(KEY, QUESTION, WRONG[wrong](CONTENT))
    with pytest.raises(WrongAnswerError) as caught:
        answers.judge(GROUP, PUBLIC, SHARE, QUESTION, BATCH, signed)
    assert caught.value.signed == signed and caught.value.party == "trustee 1" and caught.value.trustee == 1


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_answer_that_was_not_signed_names_nobody(wrong: str) -> None:
    unsigned = RIGHT[:64] + WRONG[wrong](CONTENT)
    with pytest.raises(SignatureError) as caught:
        answers.judge(GROUP, PUBLIC, SHARE, QUESTION, BATCH, unsigned)
    assert caught.value.party is None


@pytest.mark.parametrize(
    "other",
    [
        replace(QUESTION, epoch="2027-h1"),
        replace(QUESTION, stream="ecovadis"),
        replace(QUESTION, trustee=2),
        replace(QUESTION, digest=grants.batch_digest(EPOCH, STREAM, BATCH.encode()[:-32])),
        replace(QUESTION, epoch=EPOCH + STREAM[0], stream=STREAM[1:]),
    ],
)
def test_a_signature_holds_for_one_question_only(other: Question) -> None:
    with pytest.raises(SignatureError):
        answers.verify(PUBLIC, other, RIGHT)


def test_another_key_or_a_message_of_the_same_key_is_no_signed_answer() -> None:
    with pytest.raises(SignatureError):
        answers.verify(signing.public_bytes(Ed25519PrivateKey.generate()), QUESTION, RIGHT)
    message = signing.sign(KEY, "erasure", QUESTION.transcript(CONTENT))
    with pytest.raises(SignatureError):
        answers.verify(PUBLIC, QUESTION, message.signature + CONTENT)


def test_an_answer_that_did_not_travel_gives_no_evidence() -> None:
    wrong = replace(TRUSTEES.answer(1, BATCH), trustee=2)
    with pytest.raises(ProofError) as caught:
        answers.verify_signed(GROUP, EPOCH, STREAM, GROUP.decode(SHARE), BATCH, wrong)
    assert not isinstance(caught.value, WrongAnswerError)


@given(st.binary(max_size=200))
def test_no_bytes_pass_or_raise_anything_else(body: bytes) -> None:
    with pytest.raises(SignatureError):
        answers.open_answer(GROUP, PUBLIC, QUESTION, COUNT, body)


@given(st.integers(0, len(RIGHT) * 8 - 1))
def test_no_changed_bit_passes(bit: int) -> None:
    changed = bytearray(RIGHT)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureError):
        answers.open_answer(GROUP, PUBLIC, QUESTION, COUNT, bytes(changed))
