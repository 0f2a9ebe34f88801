"""Evidence against whoever keeps the log, complete in itself: anybody with the log's public key can judge it.

A fork: two checkpoints that the log signed and that cannot both be true. A bad entry: one that the log holds under a
checkpoint although a rule forbids it. No record, tag or match key is in either.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, messages
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, ProofError
from tacit_protocol.merkle import Tree
from tacit_protocol.messages import Count, Key32, Message

NoteText = Annotated[str, Meta(max_length=notes.MAX_NOTE_BYTES)]
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
    under = LeafUnder(leaf, tuple(tree.inclusion_proof(entry, size)))
    return BadEntry(log_key, shown.encode().decode(), entry, under, reason)


def verify_bad_entry(evidence: BadEntry) -> messages.BoardEntry:
    """Return the entry that the log signed for; whether it breaks a rule is for whoever has read what comes before it.

    Raises :class:`ProofError` when the log did not sign for it.
    """
    _verify_leaf(_signed(evidence.log_key, evidence.shown), evidence.entry, evidence.leaf)
    return messages.decode_leaf(evidence.leaf.leaf, "secretariat")


def decode(data: bytes, party: str | None = None) -> ForkEvidence | BadEntry:
    """Decode an evidence file; raises :class:`EncodingError`."""
    try:
        kind = msgspec.json.decode(data, type=_Head).format
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise EncodingError("this is no evidence file", party=party) from None
    if kind == "tacit/1 fork":
        return messages.decode(data, ForkEvidence, party)
    return messages.decode(data, BadEntry, party)


class _Head(msgspec.Struct):
    format: str


def _signed(log_key: bytes, text: str) -> Checkpoint:
    return notes.verify_log(notes.decode_note(text.encode()), notes.log_origin(log_key), log_key)


def _verify_leaf(checkpoint: Checkpoint, entry: int, under: LeafUnder) -> None:
    digest = merkle.leaf_hash(under.leaf)
    merkle.verify_inclusion(checkpoint.root, checkpoint.size, entry, digest, under.proof)
