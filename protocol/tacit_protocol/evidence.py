"""Evidence files, complete in themselves: anybody with the log's public key can judge them.

A fork: two checkpoints that the log signed and that cannot both be true. A bad entry: one that the log holds under a
checkpoint although a rule forbids it. A complaint: records that were receipted and are not in the index. A bad
hand-over (:mod:`~tacit_protocol.handover_evidence`). No supplier, tag or match key is in any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta

from tacit_protocol import checkpoint as notes
from tacit_protocol import handover_evidence, merkle, messages, signing
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, ProofError
from tacit_protocol.handover_evidence import BadHandover, MissingRecord
from tacit_protocol.merkle import Tree
from tacit_protocol.messages import Count, Handover, IndexRoot, Key32, Message, Receipt, UploadCommitment
from tacit_protocol.shuffle import HASH_BYTES
from tacit_protocol.signing import Signed

if TYPE_CHECKING:
    from tacit_protocol.trustee_evidence import Equivocation, WrongAnswer

NoteText = Annotated[str, Meta(max_length=notes.MAX_NOTE_BYTES)]
MAX_MISSING = 64  # records that a complaint names: enough to prove it, and more would only tell the auditor more
Path = Annotated[tuple[Key32, ...], Meta(max_length=64)]


class LeafUnder(Message, frozen=True):
    """An entry as the log holds it, and its inclusion proof under one of the checkpoints."""

    leaf: bytes
    proof: Path


class ForkEvidence(Message, frozen=True):
    """Two checkpoints of one log; the one kept is the older in the finder's hands.

    ``entry`` is a place where they differ, with what stands there under each; absent when the sizes are equal, or when
    the log did not show what its second checkpoint is made of.
    """

    log_key: Key32
    kept: NoteText
    shown: NoteText
    entry: Count | None = None
    kept_leaf: LeafUnder | None = None
    shown_leaf: LeafUnder | None = None
    format: Literal["tacit/1 fork"] = "tacit/1 fork"


class BadEntry(Message, frozen=True):
    """An entry in the log that breaks a rule: ``reason`` is what the finder says, to be judged by reading the log."""

    log_key: Key32
    shown: NoteText
    entry: Count
    leaf: LeafUnder
    reason: str
    format: Literal["tacit/1 bad entry"] = "tacit/1 bad entry"


class Complaint(Message, frozen=True):
    """A contributor says that records which the shuffler receipted are not in the index that they belong in.

    ``receipt`` is the shuffler's, ``upload`` the member's commitment on the log, ``publication`` the index root that
    lacks the records, or the hand-over that leaves the whole upload out; both as entries under ``shown``. ``salted``
    are the salted hashes of all records of the upload, which come to the digest in ``upload``; of the missing ones
    alone the hashes are shown. The file is a signed message of kind "complaint" by the member. It shows what was
    promised; who of shuffler and secretariat broke the promise, the hand-over's list shows, which the shuffler signed.
    """

    log_key: Key32
    shown: NoteText
    receipt: Signed
    upload: LeafUnder
    publication: LeafUnder
    salted: Annotated[bytes, Meta(max_length=HASH_BYTES * 2**24)]
    missing: Annotated[tuple[MissingRecord, ...], Meta(max_length=MAX_MISSING)]
    format: Literal["tacit/1 complaint"] = "tacit/1 complaint"


def verify_complaint(signed: Signed, board: Board) -> Complaint:
    """Return a complaint whose receipt, commitment and publication are what it says; ``board`` is the log read whole.

    Raises a :class:`TacitError` when the member did not sign it, when the log does not hold the two entries, when the
    receipt is not the shuffler's for that commitment, or when the publication did not have to contain the upload.
    """
    member = board.ledger.signing_keys.get(signed.signer)
    if member is None or signed.kind != "complaint":
        raise ProofError("this is no complaint of an enrolled member")
    signing.verify(member, signed)
    complaint = messages.decode(signed.body, Complaint, signed.signer)
    upload, publication = (messages.decode_leaf(each.leaf) for each in (complaint.upload, complaint.publication))
    for entry, where in ((upload, complaint.upload), (publication, complaint.publication)):
        verify_leaf_on(board, complaint.shown, entry.sequence, where)
    receipt = messages.body_of(complaint.receipt, Receipt)
    manifest = board.manifest(receipt.epoch)
    signing.verify(manifest.trustee(manifest.shuffler).signing_key, complaint.receipt)
    commitment = messages.body_of(upload.message, UploadCommitment)
    # With the place: a trustee that shuffles in another epoch could otherwise sign for this epoch's shuffler.
    promised = (receipt.entry, signed.signer, receipt.epoch, receipt.stream, receipt.count)
    made = (upload.sequence, upload.message.signer, commitment.epoch, commitment.stream, commitment.count)
    if made != promised:
        raise ProofError("the receipt is for another upload")
    if publication.message.kind == "handover":
        handover = messages.body_of(publication.message, Handover)
        if not board.leaves_out(handover, receipt.entry) or complaint.missing:
            raise ProofError("this hand-over did not leave the upload out, or single records of it are named")
    else:
        root = messages.body_of(publication.message, IndexRoot)
        contained = board.handovers[root.epoch, root.stream, root.window].entries
        if receipt.entry not in contained or not complaint.missing:
            raise ProofError("this index did not have to contain the upload, or nothing is missing")
        handover_evidence.verify_missing(commitment, complaint.salted, complaint.missing)
    return complaint


def under(tree: Tree, shown: Note, entry: messages.BoardEntry) -> LeafUnder:
    """Return an entry with its inclusion proof under a checkpoint."""
    size = notes.decode_checkpoint(shown.text).size
    return LeafUnder(messages.encode_leaf(entry), tuple(tree.inclusion_proof(entry.sequence, size)))


def fork(
    log_key: bytes,
    kept: Note,
    old: Tree,
    shown: Note,
    new: Tree | None,
    leaves: tuple[bytes, bytes] | None,
    entry: int | None,
) -> ForkEvidence:
    """Put fork evidence together; ``leaves`` are the two entries at ``entry``, ``new`` the tree of what was shown."""
    texts = (kept.encode().decode(), shown.encode().decode())
    if new is None or leaves is None or entry is None:
        return ForkEvidence(log_key, *texts)
    before, after = (notes.decode_checkpoint(note.text).size for note in (kept, shown))
    return ForkEvidence(
        log_key, *texts, entry,
        LeafUnder(leaves[0], tuple(old.inclusion_proof(entry, before))),
        LeafUnder(leaves[1], tuple(new.inclusion_proof(entry, after))),
    )  # fmt: skip


def verify_fork(evidence: ForkEvidence) -> str:
    """Return in words what the evidence proves; raises :class:`ProofError` when it proves nothing.

    It is checked that the log's key signed both checkpoints and that they contradict each other.
    """
    kept, shown = (_signed(evidence.log_key, text) for text in (evidence.kept, evidence.shown))
    if kept.size == shown.size and kept.root != shown.root:
        return f"the log signed two different trees of {kept.size} entries"
    if evidence.entry is None or evidence.kept_leaf is None or evidence.shown_leaf is None:
        raise ProofError(
            f"the log signed checkpoints of {kept.size} and {shown.size} entries; nothing here shows that they "
            "contradict each other: it must be asked for a consistency proof"
        )
    _verify_leaf(kept, evidence.entry, evidence.kept_leaf)
    _verify_leaf(shown, evidence.entry, evidence.shown_leaf)
    if evidence.kept_leaf.leaf == evidence.shown_leaf.leaf:
        raise ProofError("the entry is the same under both checkpoints")
    return f"the log signed checkpoints of {kept.size} and {shown.size} entries with different entries {evidence.entry}"


def bad_entry(log_key: bytes, shown: Note, tree: Tree, entry: int, leaf: bytes, reason: str) -> BadEntry:
    """Put the evidence for a bad entry together; ``tree`` holds at least what ``shown`` covers."""
    size = notes.decode_checkpoint(shown.text).size
    found = LeafUnder(leaf, tuple(tree.inclusion_proof(entry, size)))
    return BadEntry(log_key, shown.encode().decode(), entry, found, reason)


def verify_bad_entry(evidence: BadEntry) -> messages.BoardEntry:
    """Return the entry that the log signed for; whether it breaks a rule is for whoever has read what comes before it.

    Raises :class:`ProofError` when the log did not sign for it.
    """
    return verify_leaf(evidence.log_key, evidence.shown, evidence.entry, evidence.leaf)


def follows(evidence: BadEntry, tree: Tree) -> bool:
    """Tell whether a bad entry whose proof was verified stands right after ``tree`` in the log that holds it.

    Else whoever shows a log with another beginning could make any entry break a rule.
    """
    size = notes.decode_checkpoint(notes.decode_note(evidence.shown.encode()).text).size
    return tree.root() == merkle.root_before(size, evidence.entry, evidence.leaf.proof)


def verify_leaf(log_key: bytes, shown: str, entry: int, under: LeafUnder) -> messages.BoardEntry:
    """Return the entry at ``entry`` that the log signed for with its checkpoint ``shown``; raises if it did not."""
    _verify_leaf(_signed(log_key, shown), entry, under)
    return messages.decode_leaf(under.leaf, "secretariat")


def verify_leaf_on(board: Board, shown: str, entry: int, under: LeafUnder) -> messages.BoardEntry:
    """Return the entry at ``entry`` that the log signed for with ``shown``, and which ``board`` holds there too.

    Raises :class:`ProofError` when the log that was read is older, or another history of it.
    """
    found = verify_leaf(board.secretariat_key, shown, entry, under)
    if entry >= board.size:
        raise ProofError(f"the log that was read has {board.size} entries, not entry {entry} yet: read the log anew")
    if board.tree.node(0, entry) != merkle.leaf_hash(under.leaf):
        raise ProofError(
            f"the log that was read has something else as entry {entry}: read the log anew; if that stays so, "
            "it was forked, which a fork's evidence file shows"
        )
    return found


def decode(data: bytes, party: str | None = None) -> ForkEvidence | BadEntry | BadHandover | WrongAnswer | Equivocation:
    """Decode an evidence file; raises :class:`EncodingError`."""
    from tacit_protocol import trustee_evidence  # its types are made of those of this module

    kinds: dict[str, type[ForkEvidence | BadEntry | BadHandover | WrongAnswer | Equivocation]] = {
        "tacit/1 fork": ForkEvidence,
        "tacit/1 bad entry": BadEntry,
        "tacit/1 bad handover": BadHandover,
        "tacit/1 wrong answer": trustee_evidence.WrongAnswer,
        "tacit/1 equivocation": trustee_evidence.Equivocation,
    }
    try:
        kind = kinds[msgspec.json.decode(data, type=_Head).format]
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
        raise EncodingError("this is no evidence file that this program knows", party=party) from None
    return messages.decode(data, kind, party)


class _Head(msgspec.Struct):
    format: str


def _signed(log_key: bytes, text: str) -> Checkpoint:
    return notes.verify_log(notes.decode_note(text.encode()), notes.log_origin(log_key), log_key)


def _verify_leaf(checkpoint: Checkpoint, entry: int, under: LeafUnder) -> None:
    digest = merkle.leaf_hash(under.leaf)
    merkle.verify_inclusion(checkpoint.root, checkpoint.size, entry, digest, under.proof)
