"""Follow the log: take in what a checkpoint covers, and nothing else. Without input or output.

Members, trustees and auditors all do it this way: the entries that came are hashed onto the tree seen so far, the
root must be the signed one, and only then is each judged by :class:`~tacit_protocol.board.Board`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, merkle, messages
from tacit_protocol.board import Board, BoardError, UnpinnedTrusteeError
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import TacitError
from tacit_protocol.evidence import BadEntry, ForkEvidence
from tacit_protocol.messages import BoardEntry


class ForkedLogError(BoardError):
    """What the log shows does not continue what it showed before."""


class StaleLogError(BoardError):
    """The log shows less than it did before; that alone proves nothing, a copy on the way may be old."""


class BadEntryError(BoardError):
    """The log holds an entry that a rule forbids; ``file`` is the evidence."""

    def __init__(self, cause: TacitError, entry: int, file: BadEntry) -> None:
        found: dict[str, str | int] = {**cause.evidence, "entry": entry}
        super().__init__(
            f"entry {entry} of the log breaks a rule: {cause.message}", party="secretariat", evidence=found
        )
        self.file = file


def verify_head(board: Board, note: Note) -> Checkpoint:
    """Return the checkpoint, signed by the log; raises when it goes back behind ``board`` or contradicts it."""
    shown = notes.verify_log(note, notes.log_origin(board.secretariat_key), board.secretariat_key)
    if shown.size <= board.size and board.tree.root(shown.size) != shown.root:
        raise forked(shown, board.size)
    if shown.size < board.size:
        raise StaleLogError(
            f"the secretariat shows a log of {shown.size} entries, {board.size} were seen before: try again later",
            party="secretariat",
            evidence={"shown": shown.size, "seen": board.size},
        )
    return shown


def verify_entries(board: Board, shown: Checkpoint, entries: Sequence[BoardEntry]) -> None:
    """Raise :class:`ForkedLogError` unless ``entries`` take the board's tree to the root of the checkpoint."""
    tree = board.tree.compact()
    for entry in entries:
        tree.append(merkle.leaf_hash(messages.encode_leaf(entry)))
    if (tree.size, tree.root()) != (shown.size, shown.root):
        raise forked(shown, board.size)


def root_at(board: Board, entries: Sequence[BoardEntry], size: int) -> bytes:
    """Return the root of the first ``size`` entries of the board and of ``entries``, which follow it."""
    if size <= board.size:
        return board.tree.root(size)
    tree = board.tree.compact()
    for entry in entries[: size - board.size]:
        tree.append(merkle.leaf_hash(messages.encode_leaf(entry)))
    return tree.root()


def take_in(board: Board, note: Note, entries: Sequence[BoardEntry]) -> None:
    """Judge verified entries one by one; raises :class:`BadEntryError`, with those before it taken in.

    An unpinned trustee is no broken rule: its error comes through as it is.
    """
    for position, entry in enumerate(entries):
        try:
            board.apply(entry)
        except UnpinnedTrusteeError:
            raise
        except TacitError as error:
            tree = _tree_with(board, entries[position:])
            leaf = messages.encode_leaf(entry)
            file = evidence.bad_entry(board.secretariat_key, note, tree, entry.sequence, leaf, error.message)
            raise BadEntryError(error, entry.sequence, file) from error


def find_fork(
    board: Board, kept: Note, own: Iterator[BoardEntry], note: Note, shown: Iterator[BoardEntry] | None
) -> ForkEvidence:
    """Compare what was ``kept`` (its checkpoint and ``own`` entries) with what the log shows now, entry by entry.

    ``shown`` None: the log does not give the entries of its new checkpoint; then both checkpoints are all there is.
    """
    key = board.secretariat_key
    head, before = notes.decode_checkpoint(note.text), notes.decode_checkpoint(kept.text)
    if shown is None or head.size == before.size:
        return evidence.fork(key, kept, board.tree, note, None, None, None)
    new, place, pair = merkle.Tree(), None, None
    for position, entry in enumerate(shown):
        if position == head.size:
            break
        leaf = messages.encode_leaf(entry)
        new.append(merkle.leaf_hash(leaf))
        if place is None and position < before.size:
            mine = messages.encode_leaf(next(own))
            if mine != leaf:
                place, pair = position, (mine, leaf)
    if (new.size, new.root()) != (head.size, head.root):
        return evidence.fork(key, kept, board.tree, note, None, None, None)
    return evidence.fork(key, kept, board.tree, note, new, pair, place)


def forked(shown: Checkpoint, seen: int) -> ForkedLogError:
    """Return the error for a log that changed what was seen."""
    return ForkedLogError(
        f"what the secretariat shows does not lead from the {seen} entries of its log seen before to the checkpoint of "
        f"{shown.size} that it signed: nothing is sent or answered until it has explained this",
        party="secretariat",
        evidence={"shown size": shown.size, "shown root": shown.root.hex(), "seen": seen},
    )


def _tree_with(board: Board, rest: Sequence[BoardEntry]) -> merkle.Tree:
    tree = board.tree.copy()
    for entry in rest:
        tree.append(merkle.leaf_hash(messages.encode_leaf(entry)))
    return tree
