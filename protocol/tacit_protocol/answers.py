"""A trustee's signed answer to a batch: who said it, to what, and what is left when it was wrong (SPEC steps E3, E4).

The proof shows that an answer is wrong; the signature shows whose it is. Without it a member could only say so: with
it the answer itself is evidence, and whoever changes an answer on the way makes no evidence against a trustee.
The signature binds the answer to one batch of one epoch and stream, so that it can be held against no other one.
Source: Ed25519, RFC 8032.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tacit_protocol import wire
from tacit_protocol.dleq import Binding
from tacit_protocol.errors import EncodingError, ProofError, SignatureError, TacitError
from tacit_protocol.group import Backend, Elements
from tacit_protocol.threshold import ShareAnswer, verify_answer

_DOMAIN = b"tacit/1 signed answer\x00"


class WrongAnswerError(ProofError):
    """A trustee signed an answer that does not hold; ``signed`` is the answer as it came.

    It proves that the answer is wrong, not that the trustee meant it to be: a broken machine signs too.
    """

    def __init__(self, cause: TacitError, trustee: int, signed: bytes) -> None:
        super().__init__(cause.message, party=f"trustee {trustee}", evidence=cause.evidence)
        self.trustee, self.signed = trustee, signed


@dataclass(frozen=True, slots=True)
class Question:
    """What an answer is to: ``digest`` is that of the batch, 64 bytes, as the grant on the log has it."""

    epoch: str
    stream: str
    trustee: int
    digest: bytes

    @property
    def party(self) -> str:
        """Return the name of whoever answers."""
        return f"trustee {self.trustee}"

    @property
    def binding(self) -> Binding:
        """Return what the proof of an answer is bound to."""
        return Binding(self.epoch, self.stream, self.trustee)

    def transcript(self, content: bytes) -> bytes:
        """Return the bytes that are signed for ``content``, proof || evaluated elements.

        Every part has a fixed size or its length before it: no two questions and answers give one string. The prefix
        is that of nothing else which these keys sign.
        """
        return _DOMAIN + self.binding.encode() + self.digest + hashlib.sha512(content).digest()


def sign(private_key: Ed25519PrivateKey, question: Question, content: bytes) -> bytes:
    """Return signature || content, the answer as it travels (SPEC step E3)."""
    return private_key.sign(question.transcript(content)) + content


def verify(public_key: bytes, question: Question, signed: bytes) -> bytes:
    """Return the content of an answer that the trustee signed, whatever it is worth.

    Raises :class:`SignatureError` without a party: it shows only that these are not the trustee's own bytes.
    """
    signature, content = wire.split_answer(signed)
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, question.transcript(content))
    except (InvalidSignature, ValueError) as error:
        raise SignatureError(
            f"what came as the answer of {question.party} to this batch is not signed by it: it was changed on the "
            "way, or its server has lost its key. It proves nothing against anybody"
        ) from error
    return content


def open_answer(group: Backend, public_key: bytes, question: Question, count: int, signed: bytes) -> ShareAnswer:
    """Decode a trustee's answer to ``count`` elements, which is still to be verified.

    Raises :class:`SignatureError` for what the trustee did not sign, and :class:`WrongAnswerError` for what it did
    sign and is no answer: a wrong size, an element or a scalar that does not decode.
    """
    content = verify(public_key, question, signed)
    try:
        return wire.decode_answer(group, question.trustee, count, content, wire.split_answer(signed)[0])
    except EncodingError as error:
        raise WrongAnswerError(error, question.trustee, signed) from error


def judge(
    group: Backend, public_key: bytes, public_share: bytes, question: Question, blinded: Elements, signed: bytes
) -> None:
    """Raise :class:`WrongAnswerError` for a signed answer that does not hold (SPEC step E4), for any reason.

    ``public_share`` is the trustee's on the log, 32 bytes.
    """
    answer = open_answer(group, public_key, question, len(blinded), signed)
    share = group.decode(public_share)
    verify_signed(group, question.epoch, question.stream, share, blinded, answer)


def verify_signed(
    group: Backend, epoch: str, stream: str, public_share: Elements, blinded: Elements, answer: ShareAnswer
) -> None:
    """Verify an answer's proof; raises :class:`WrongAnswerError` where the answer carries its signature.

    An answer that did not travel has none: then it is a plain :class:`ProofError`.
    """
    try:
        verify_answer(group, epoch, stream, public_share, blinded, answer)
    except ProofError as error:
        if not answer.signature:
            raise
        raise WrongAnswerError(error, answer.trustee, wire.encode_answer(answer)) from error
