"""Evidence about a hand-over: a bad one, which proves that the shuffler cheats; and how a complaint is decided.

A complaint names records by their hashes in a receipted upload. The list that the shuffler signed and the index that
the secretariat signed decide for each of them who lost it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tacit_protocol import handover, messages, shuffle, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import ProofError
from tacit_protocol.messages import Count, Handover, Key32, Message, UploadCommitment
from tacit_protocol.shuffle import HASH_BYTES
from tacit_protocol.signing import Signed


class BadHandover(Message, frozen=True):
    """A hand-over as the shuffler signed it, and its list as the secretariat made it from the pages."""

    log_key: Key32
    handover: Signed
    hashes: bytes  # packed, ascending
    format: Literal["tacit/1 bad handover"] = "tacit/1 bad handover"


class MissingRecord(Message, frozen=True):
    """A record of a receipted upload that should be in an index.

    ``sent_sha256`` is the hash of what the shuffler received at ``position``, with its salt under the commitment;
    ``commitment`` is where the member says that the index would have it.
    """

    position: Count
    salt: Key32
    sent_sha256: Key32
    commitment: Key32


@dataclass(frozen=True)
class Verdict:
    """How many of the records in a complaint each party lost."""

    by_shuffler: int
    by_secretariat: int


def verify_missing(commitment: UploadCommitment, salted: bytes, missing: Sequence[MissingRecord]) -> None:
    """Raise :class:`ProofError` unless every missing record was in the upload that the commitment is for."""
    if len(salted) != HASH_BYTES * commitment.count:
        raise ProofError(f"the complaint shows {len(salted) // HASH_BYTES} records of {commitment.count}")
    if shuffle.digest_of_salted(commitment.epoch, commitment.stream, salted) != commitment.digest:
        raise ProofError("the records that the complaint shows are not those of the upload on the log")
    positions = [record.position for record in missing]
    if positions != sorted(set(positions)):
        raise ProofError("the complaint names a record twice or out of order")
    for record in missing:
        place = slice(HASH_BYTES * record.position, HASH_BYTES * (record.position + 1))
        if hashlib.sha256(record.salt + record.sent_sha256).digest() != salted[place]:
            raise ProofError(f"the record that the complaint names at {record.position} was not in the upload")


def decide(missing: Sequence[MissingRecord], hashes: bytes, in_index: Callable[[bytes], bool]) -> Verdict:
    """Say for every record who lost it; ``hashes`` is the verified list, ``in_index`` looks a commitment up.

    Raises :class:`ProofError` when none of them is missing.
    """
    dropped = sum(not handover.holds(hashes, record.sent_sha256) for record in missing)
    handed_over = [record for record in missing if handover.holds(hashes, record.sent_sha256)]
    left_out = sum(not in_index(record.commitment) for record in handed_over)
    if not dropped and not left_out:
        raise ProofError("all of the records that the complaint calls missing were handed over and are in the index")
    return Verdict(dropped, left_out)


def fault(board: Board, message: Handover, hashes: bytes) -> str | None:
    """Return in words what the shuffler did wrong in a hand-over that it signed, or None.

    ``hashes`` count only if they are what it signed for; the uploads that it names are looked up on the board.
    """
    wrong = handover.fault(message, hashes) if handover.is_signed(message, hashes) else None
    return wrong or _wrong_uploads(board, message)


def verify_bad_handover(evidence: BadHandover, board: Board) -> str:
    """Return in words what the evidence proves against the shuffler; ``board`` is the log read whole.

    Raises a :class:`TacitError` when the shuffler did not sign it, or when nothing is wrong with it.
    """
    message = messages.body_of(evidence.handover, Handover)
    manifest = board.manifest(message.epoch)
    signing.verify(manifest.trustee(manifest.shuffler).signing_key, evidence.handover)
    wrong = fault(board, message, evidence.hashes)
    if wrong is None:
        raise ProofError("nothing here shows that the shuffler broke a rule in this hand-over")
    return f"the shuffler signed a hand-over of {message.epoch}/{message.stream} window {message.window}: {wrong}"


def _wrong_uploads(board: Board, message: Handover) -> str | None:
    committed = 0
    if any(sequence >= board.size for sequence in message.entries):
        return None  # beyond what was read of the log: nobody can tell yet, and no board takes it
    for sequence in message.entries:
        _, commitment = board.uploads.get(sequence, ("", None))
        if commitment is None or (commitment.epoch, commitment.stream) != (message.epoch, message.stream):
            return f"it names entry {sequence}, which is no upload to it"
        if commitment.window > message.window:
            return f"it names entry {sequence}, an upload to window {commitment.window}"
        committed += commitment.count
    if len(set(message.entries)) != len(message.entries):
        return "it names an upload twice"
    if committed != message.count:
        return f"it has {message.count} records, the members whose uploads it names committed to {committed}"
    return None
