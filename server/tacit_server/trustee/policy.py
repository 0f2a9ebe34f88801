"""What this trustee allows, judged from its own view of the board and its own clock; without input or output."""

from __future__ import annotations

from tacit_protocol.board import Board, StreamKeys
from tacit_protocol.errors import CeremonyError, GrantError
from tacit_protocol.group import Backend
from tacit_protocol.messages import Manifest, UploadCommitment
from tacit_server.errors import ConflictError, ForbiddenError, NotFoundError


def allow_stream(board: Board, group: Backend, epoch: str, stream: str, now: int) -> StreamKeys:
    """Return the stream's keys; raises when the epoch is closed or its ceremony is not complete (409)."""
    manifest = board.check_open(epoch, now)
    if stream not in manifest.streams:
        raise ConflictError(f"epoch {epoch} has no stream {stream}")
    return board.stream_keys(group, epoch, stream)


def own_public_share(keys: StreamKeys, index: int, epoch: str, stream: str) -> bytes:
    """Return the verification share of trustee ``index``; raises when it was left out of the ceremony."""
    public = keys.public_shares.get(index)
    if public is None:
        reason = keys.disqualified.get(index, "it took no part")
        raise CeremonyError(
            f"trustee {index} has no share of {epoch}/{stream} ({reason}): ask another", party=f"trustee {index}"
        )
    return public


def allow_evaluation(
    board: Board, covered: int, member: str, epoch: str, stream: str, digest: bytes, count: int
) -> None:
    """Raise :class:`~tacit_protocol.errors.GrantError` unless the log grants this batch to ``member``.

    ``covered`` is the size of the checkpoint that this trustee has verified and enough witnesses have cosigned. The
    trustee holds every leaf below it and has computed its root itself, so the grant's place in the board is its
    inclusion proof; the member has nothing to send along.
    """
    board.ledger.covers(member, epoch, stream, digest, count)
    if board.granted_at[epoch, stream, member, digest] >= covered:
        raise GrantError("the grant of this batch is on the log but not cosigned yet: ask again in a moment")


def shuffles(board: Board, index: int, epoch: str) -> Manifest:
    """Return the manifest if trustee ``index`` is the shuffler of the epoch."""
    manifest = board.manifest(epoch)
    if manifest.shuffler != index:
        raise NotFoundError(f"trustee {manifest.shuffler} shuffles in epoch {epoch}, this is trustee {index}")
    return manifest


def own_commitment(board: Board, member: str, epoch: str, stream: str, entry: int) -> UploadCommitment:
    """Return the member's own commitment at ``entry`` of the board."""
    sender, commitment = board.uploads.get(entry, ("", None))
    if commitment is None or (commitment.epoch, commitment.stream) != (epoch, stream):
        raise NotFoundError(f"entry {entry} of the board commits to no upload to {epoch}/{stream}")
    if sender != member:
        raise ForbiddenError(f"entry {entry} of the board is the commitment of another member", party=member)
    return commitment


def window_is_open(board: Board, commitment: UploadCommitment, now: int) -> None:
    """Raise unless the commitment's window still takes uploads (409)."""
    board.check_open(commitment.epoch, now)
    current = board.open_window(commitment.epoch, commitment.stream)
    if commitment.window != current:
        raise ConflictError(
            f"window {commitment.window} of {commitment.epoch}/{commitment.stream} is closed, window {current} is "
            "open: run the command again to contribute to that one"
        )
