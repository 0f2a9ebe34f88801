"""Judge an evidence file: a fork of the log, a bad entry or hand-over, a complaint, a trustee's answer or messages."""

from __future__ import annotations

import mmap
from collections.abc import Mapping

from tacit_client.audit.sources import EntrySource, Place, Unreadable
from tacit_client.errors import PartyUnavailable, VaultError
from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, handover, handover_evidence, messages, signing, trustee_evidence
from tacit_protocol.board import Board
from tacit_protocol.errors import EncodingError, HandoverListError, ProofError, TacitError
from tacit_protocol.evidence import BadEntry, Complaint, ForkEvidence
from tacit_protocol.group import load_backend
from tacit_protocol.handover_evidence import BadHandover
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import Handover, IndexRoot
from tacit_protocol.signing import Signed
from tacit_protocol.trustee_evidence import Equivocation, WrongAnswer

EvidenceFile = ForkEvidence | BadEntry | BadHandover | WrongAnswer | Equivocation


def read(data: bytes, name: str) -> EvidenceFile | Signed:
    """Decode an evidence file; a complaint is a signed message."""
    try:
        return messages.decode(data, Signed, name)
    except EncodingError:
        return evidence.decode(data, name)


def log_key(file: EvidenceFile) -> str | None:
    """Return the pseudonym of the log that an evidence file is about; None where two signatures are all it needs."""
    return None if isinstance(file, Equivocation) else signing.pseudonym(file.log_key)


def check_log(file: EvidenceFile, pinned: bytes | None) -> None:
    """Raise :class:`ProofError` when the file is about another log than the pinned one."""
    if pinned is not None and not isinstance(file, Equivocation) and file.log_key != pinned:
        raise ProofError("it is about the log of another secretariat than the one pinned here")


def cosigned_both(fork: ForkEvidence, trustee_keys: Mapping[int, bytes]) -> tuple[str, ...]:
    """Return the trustees whose cosignatures stand under both halves of a proven fork: no honest witness does that."""
    halves = [notes.decode_note(half.encode()) for half in (fork.kept, fork.shown)]
    return tuple(
        f"trustee {index}"
        for index, key in sorted(trustee_keys.items())
        if all(notes.verify_cosignature(half, notes.witness_name(key), key) is not None for half in halves)
    )


def prove_bad_entry(file: BadEntry, source: EntrySource, key: bytes) -> str:
    """Return in words what is wrong with the entry: the log is read up to it, and then it must be refused.

    Raises :class:`ProofError` when the log did not sign for it, or when the rules let it pass.
    """
    entry = evidence.verify_bad_entry(file)
    board = Board(key)
    for line in source.entries():
        if board.size == entry.sequence:
            break
        if isinstance(line, Unreadable) or line.sequence != board.size:
            raise PartyUnavailable(f"the log cannot be read up to entry {entry.sequence}")
        board.apply(line)
    if not evidence.follows(file, board.tree):
        raise ProofError(
            f"the log that was read has something else before entry {entry.sequence} than the log that holds the "
            "entry: get it from the secretariat itself"
        )
    try:
        board.apply(entry)
    except TacitError as error:
        return f"entry {entry.sequence}, signed for by the log, breaks a rule: {error.message}"
    raise ProofError(f"entry {entry.sequence} breaks no rule that this program knows")


def check_pinned(file: WrongAnswer, pins: Mapping[int, bytes]) -> None:
    """Raise :class:`VaultError` unless the trustee's key is pinned: the secretariat could name a machine of its own."""
    if file.trustee not in pins:
        raise VaultError(
            f"no key of trustee {file.trustee} is pinned, and the secretariat names the trustees: get the key from the "
            "trustee itself and give it with --trustee-keys"
        )


def prove_wrong_answer(file: WrongAnswer, board: Board) -> tuple[str, tuple[str, ...]]:
    """Return in words what is wrong with a trustee's answer, and who it is; raises when the file proves nothing.

    ``board`` is the log read whole under the pinned keys, so that a manifest with other ones was refused.
    """
    text = trustee_evidence.verify_wrong_answer(load_backend(), file, board)
    return text, (f"trustee {file.trustee}",)


def prove_equivocation(file: Equivocation, pins: Mapping[int, bytes]) -> tuple[str, tuple[str, ...]]:
    """Return in words what a trustee said twice, and who it is; raises when the file proves nothing."""
    index, text = trustee_evidence.verify_equivocation(file)
    pinned, name = pins.get(index), signing.pseudonym(file.signing_key)
    if pinned is None:
        raise VaultError(
            f"two different messages are signed with the key {name}, as trustee {index}: get that trustee's key from "
            "itself and give it with --trustee-keys"
        )
    if pinned != file.signing_key:
        raise ProofError(f"the key {name} that signed both messages is not the one pinned for trustee {index}")
    return text, (f"trustee {index}",)


def prove_bad_handover(file: BadHandover, board: Board) -> tuple[str, tuple[str, ...]]:
    """Return in words what is wrong with a hand-over that the shuffler signed, and who that is."""
    text = handover_evidence.verify_bad_handover(file, board)
    manifest = board.manifest(messages.body_of(file.handover, Handover).epoch)
    return text, (f"trustee {manifest.shuffler}",)


def place_of(signed: Signed) -> Place:
    """Return the epoch, stream and window that a complaint is about; nothing of it was verified."""
    complaint = messages.decode(signed.body, Complaint, signed.signer)
    message = messages.decode_leaf(complaint.publication.leaf).message
    if message.kind == "handover":
        left_out = messages.body_of(message, Handover)
        return left_out.epoch, left_out.stream, left_out.window
    root = messages.body_of(message, IndexRoot)
    return root.epoch, root.stream, root.window


def prove_complaint(signed: Signed, board: Board, source: EntrySource) -> tuple[str, tuple[str, ...]]:
    """Return in words what a complaint shows, and who is to blame; raises when it shows nothing.

    Each record was in the upload that the shuffler receipted: one that is not in the list that it signed, it dropped.
    One that is in the list and not in the index is the secretariat's to explain, which may be innocent only if the
    member had sealed something else than it says: that, nobody but the secretariat can see.
    """
    complaint = evidence.verify_complaint(signed, board)
    place = place_of(signed)
    shuffler, window = f"trustee {board.manifest(place[0]).shuffler}", place[2]
    if not complaint.missing:
        text = f"the hand-over of window {window} leaves out an upload that the shuffler had receipted"
        return text, (shuffler,)
    handed_over = board.handovers[place]
    hashes = source.handover_list(handed_over)
    if hashes is None and place not in source.withheld:
        raise PartyUnavailable(
            "the list of the hand-over is needed to judge this: it is not in the folder, and only members and "
            "appointed auditors get it from the secretariat"
        )
    if hashes is None:
        return f"the secretariat does not show the list of the hand-over of window {window}", ("secretariat",)
    try:
        handover.verify_list(handed_over, hashes)
    except HandoverListError as error:
        # The secretariat saw the list before it took the hand-over in: it let the fault pass.
        return error.message, (shuffler, "secretariat") if error.party == "shuffler" else ("secretariat",)
    present = _in_index([m.commitment for m in complaint.missing], board.indexes[place], source)
    verdict = handover_evidence.decide(complaint.missing, hashes, present.__contains__)
    texts, parties = [], []
    if verdict.by_shuffler:
        parties.append(shuffler)
        texts.append(
            f"the hand-over of window {window} lacks {verdict.by_shuffler} records that the shuffler had receipted"
        )
    if verdict.by_secretariat:
        parties.append("secretariat")
        texts.append(
            f"the index of window {window} lacks {verdict.by_secretariat} records that the shuffler handed over: "
            f"either the secretariat left them out, or member {signed.signer} sealed something else than it says. "
            "The secretariat must explain"
        )
    return "; ".join(texts), tuple(parties)


def _in_index(commitments: list[bytes], root: IndexRoot, source: EntrySource) -> set[bytes]:
    path = source.index(root)
    if path is None:
        raise PartyUnavailable("the index file is needed to look for the records: it is not there")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        index = IndexFile(data)
        index.verify(root)
        return {each for each in commitments if index.record(each) is not None}
