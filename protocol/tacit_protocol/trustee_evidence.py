"""Evidence against a trustee: an answer that it signed and that is wrong, and two ceremony messages in place of one.

A wrong answer is judged with the log, which holds the grant and the ceremony that the trustee's public share follows
from; two messages are judged by their two signatures alone. Blinded elements are uniform whatever was asked, so a
wrong answer's file tells nobody a plan or a supplier (claim C1); the member is named by the grant, as on the log.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tacit_protocol import answers, evidence, grants, messages, signing, wire
from tacit_protocol.answers import Question, WrongAnswerError
from tacit_protocol.board import Board
from tacit_protocol.ceremony_record import STEPS, EquivocationError
from tacit_protocol.checkpoint import Note
from tacit_protocol.errors import CeremonyError, EncodingError, ProofError
from tacit_protocol.evidence import LeafUnder, NoteText
from tacit_protocol.group import Backend
from tacit_protocol.keygen import CeremonyMessage
from tacit_protocol.merkle import Tree
from tacit_protocol.messages import BoardEntry, Count, GrantRequest, Index, Key32, Message
from tacit_protocol.signing import Signed

# Longer than any answer: whoever judges reads what the trustee signed, also where it is too long.
SignedAnswer = Annotated[
    bytes, Meta(min_length=signing.SIGNATURE_BYTES, max_length=2 * wire.answer_bytes(grants.BLOCK))
]
Batch = Annotated[bytes, Meta(max_length=wire.BATCH_BYTES)]


class WrongAnswer(Message, frozen=True):
    """A trustee's signed answer to a granted batch, which does not hold under its public share on the log.

    ``grant`` is the grant, as entry ``entry`` under ``shown``; ``blinded`` the batch whose digest it names.
    """

    log_key: Key32
    shown: NoteText
    entry: Count
    grant: LeafUnder
    trustee: Index
    blinded: Batch
    answer: SignedAnswer
    format: Literal["tacit/1 wrong answer"] = "tacit/1 wrong answer"


class Equivocation(Message, frozen=True):
    """Two messages that one trustee signed for one step of one attempt of a ceremony, and that differ.

    ``signing_key`` is the trustee's; a key signs for one log only, so the ceremony's place names it completely.
    """

    signing_key: Key32
    first: Signed
    second: Signed
    format: Literal["tacit/1 equivocation"] = "tacit/1 equivocation"


def wrong_answer(
    log_key: bytes, shown: Note, tree: Tree, grant: BoardEntry, blinded: bytes, error: WrongAnswerError
) -> WrongAnswer:
    """Put the evidence together; ``tree`` holds at least what ``shown`` covers, and ``shown`` covers the grant."""
    under = evidence.under(tree, shown, grant)
    return WrongAnswer(log_key, shown.encode().decode(), grant.sequence, under, error.trustee, blinded, error.signed)


def equivocation(error: EquivocationError) -> tuple[str, Equivocation]:
    """Return the evidence and a name for its file."""
    ceremony, kind = error.ceremony, error.second.kind
    place = f"{ceremony.epoch}-{ceremony.stream}-{ceremony.attempt}-{kind}"
    file = Equivocation(ceremony.signing_keys[error.sender], error.first, error.second)
    return f"equivocation-{place}-trustee-{error.sender}.json", file


def verify_wrong_answer(group: Backend, file: WrongAnswer, board: Board) -> str:
    """Return in words what is wrong with the answer; ``board`` is the log read whole.

    Raises a :class:`TacitError` when it proves nothing: the log holds no such grant, the batch is another, the trustee
    did not sign, or its answer is right. A member that invents evidence ends here.
    """
    request = _grant(file, board)
    if grants.batch_digest(request.epoch, request.stream, file.blinded) != request.digest:
        raise ProofError("the batch in it is not the one that the grant on the log names")
    try:
        blinded = wire.decode_batch(group, file.blinded)
    except EncodingError as error:
        raise ProofError(f"the batch in it is none that a trustee may answer: {error.message}") from error
    manifest = board.manifest(request.epoch)
    if file.trustee not in {trustee.index for trustee in manifest.trustees}:
        raise ProofError(f"epoch {request.epoch} has no trustee {file.trustee}")
    share = board.stream_keys(group, request.epoch, request.stream).public_shares.get(file.trustee)
    if share is None:
        raise ProofError(f"trustee {file.trustee} has no share of {request.epoch}/{request.stream} to answer with")
    question = Question(request.epoch, request.stream, file.trustee, request.digest)
    try:
        answers.judge(group, manifest.trustee(file.trustee).signing_key, share, question, blinded, file.answer)
    except WrongAnswerError as error:
        return (
            f"trustee {file.trustee} signed a wrong answer to the batch granted in entry {file.entry}: {error.message}"
        )
    raise ProofError(f"the answer of trustee {file.trustee} to this batch is right")


def verify_equivocation(file: Equivocation) -> tuple[int, str]:
    """Return the trustee's number, and in words what it did; raises a :class:`TacitError` when it proves nothing.

    The number is the one that the key gave itself in the messages: that the key is this trustee's is for whoever has
    it pinned to say.
    """
    first, second = (_ceremony_message(file.signing_key, message) for message in (file.first, file.second))
    places = [(m.kind, b.epoch, b.stream, b.attempt, b.sender) for m, b in ((file.first, first), (file.second, second))]
    if places[0] != places[1]:
        # Another attempt is another ceremony: a trustee says something new in it, and rightly so.
        raise ProofError("the two messages are not of one step of one attempt of a ceremony by one trustee")
    if first == second:
        raise ProofError("the two messages say the same: a message may be sent again")
    kind, epoch, stream, attempt, sender = places[0]
    place = f"step {kind} of attempt {attempt} of the key ceremony of {epoch}/{stream}"
    return sender, f"trustee {sender} signed two different messages in {place}"


def _grant(file: WrongAnswer, board: Board) -> GrantRequest:
    if file.log_key != board.secretariat_key:
        raise ProofError("it is about the log of another secretariat than the one that was read")
    entry = evidence.verify_leaf_on(board, file.shown, file.entry, file.grant)
    if entry.message.kind != "grant":
        raise ProofError(f"entry {file.entry} is no grant")
    return messages.body_of(entry.message, GrantRequest)


def _ceremony_message(key: bytes, message: Signed) -> CeremonyMessage:
    if message.kind not in STEPS:
        raise ProofError(f"a message of kind {message.kind} is no step of a ceremony")
    signing.verify(key, message)
    body = messages.body_of(message, STEPS[message.kind])
    if not isinstance(body, CeremonyMessage):
        raise CeremonyError(f"{message.kind} is no step of a ceremony")
    return body
