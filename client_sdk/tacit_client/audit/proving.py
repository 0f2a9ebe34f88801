"""Judge an evidence file: a fork of the log, an entry that breaks a rule, a contributor's complaint."""

from __future__ import annotations

import mmap
from collections.abc import Mapping

import msgspec

from tacit_client.audit.sources import EntrySource, Unreadable
from tacit_client.errors import PartyUnavailable
from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, messages, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import EncodingError, ProofError, TacitError
from tacit_protocol.evidence import BadEntry, Complaint, ForkEvidence
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import Handover, IndexRoot
from tacit_protocol.signing import Signed


def read(data: bytes, name: str) -> ForkEvidence | BadEntry | Signed:
    """Decode an evidence file; a complaint is a signed message."""
    try:
        return messages.decode(data, Signed, name)
    except EncodingError:
        return evidence.decode(data, name)


def log_key(file: ForkEvidence | BadEntry) -> str:
    """Return the pseudonym of the log that an evidence file is about."""
    return signing.pseudonym(file.log_key)


def check_log(file: ForkEvidence | BadEntry, pinned: bytes | None) -> None:
    """Raise :class:`ProofError` when the file is about another log than the pinned one."""
    if pinned is not None and file.log_key != pinned:
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
    try:
        board.apply(entry)
    except TacitError as error:
        return f"entry {entry.sequence}, signed for by the log, breaks a rule: {error.message}"
    raise ProofError(f"entry {entry.sequence} breaks no rule that this program knows")


def prove_complaint(signed: Signed, board: Board, source: EntrySource) -> tuple[str, tuple[str, ...]]:
    """Return in words what a complaint shows, and who must explain it; raises when it shows nothing."""
    complaint = evidence.verify_complaint(signed, board)
    publication = messages.decode_leaf(complaint.publication.leaf)
    manifest = board.manifest(msgspec.json.decode(publication.message.body)["epoch"])
    shuffler = f"trustee {manifest.shuffler}"
    if publication.message.kind == "handover":
        handover = messages.body_of(publication.message, Handover)
        text = f"the hand-over of window {handover.window} leaves out an upload that the shuffler had receipted"
        return text, (shuffler,)
    root = messages.body_of(publication.message, IndexRoot)
    _verify_missing(complaint, root, source)
    text = (
        f"the index of window {root.window} lacks {len(complaint.missing)} records that member {signed.signer} names "
        "as its own, of an upload that the shuffler receipted and handed over. The pages of the hand-over, whose "
        "digest the shuffler signed, show whether they were in it: ask both for them"
    )
    return text, (shuffler, "secretariat")


def _verify_missing(complaint: Complaint, root: IndexRoot, source: EntrySource) -> None:
    path = source.index(root)
    if path is None:
        raise PartyUnavailable("the index file is needed to look for the records: it is not there")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        index = IndexFile(data)
        index.verify(root)
        present = sum(index.record(record.commitment) is not None for record in complaint.missing)
    if present:
        raise ProofError(f"{present} of the records that the complaint calls missing are in the index")
