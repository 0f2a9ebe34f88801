"""The round's transitions, without input or output: who may post what now, and where every stream stands.

:class:`tacit_protocol.board.Board` judges what a message says and that its signer may say it, for everybody alike.
Here is what the secretariat adds before it appends: its clock, and that the key ceremony comes before uploads.
"""

from __future__ import annotations

from dataclasses import dataclass

from tacit_protocol import messages
from tacit_protocol.board import RESTART, Board, CeremonyRecord
from tacit_protocol.errors import CeremonyError, EncodingError
from tacit_protocol.group import Backend
from tacit_protocol.messages import GrantRequest, Handover, UploadCommitment
from tacit_protocol.signing import Signed, pseudonym
from tacit_server.errors import ConflictError, ForbiddenError

MEMBER_KINDS = frozenset({"grant", "upload", "query-audit-answer", "statement", "tally-input"})
CEREMONY_KINDS = ("ceremony-1", "ceremony-2", "ceremony-3", "ceremony-3-answer", "ceremony-4")
TRUSTEE_KINDS = frozenset({*CEREMONY_KINDS, "handover", "erasure", "tally-release"})
AUDITOR_KINDS = frozenset({"query-audit", "query-audit-result"})
OPERATOR_KINDS = frozenset(
    {"manifest", "window-close", "ceremony-cut", "index", "auditor", "rules", "eligibility", "tally"}
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a stream stands: ``ceremony`` in words, the open window once the keys are there, the last index."""

    epoch: str
    stream: str
    ceremony: str
    window: int | None
    waiting_handover: int | None
    index: int | None
    contributors: int
    evaluations: int


def judge_sender(board: Board, signer: str, message: Signed) -> None:
    """Raise :class:`ForbiddenError` unless ``signer``, who sent the request, may post such a message."""
    if message.signer != signer:
        raise ForbiddenError(f"the message is signed by {message.signer}, the request by {signer}", party=signer)
    if message.kind in OPERATOR_KINDS or message.kind == "enrolment":
        raise ForbiddenError(f"a message of kind {message.kind} is not posted here", party=signer)
    if message.kind in MEMBER_KINDS:
        if signer not in board.ledger.signing_keys:
            raise ForbiddenError(f"only an enrolled member posts a message of kind {message.kind}", party=signer)
    elif message.kind in TRUSTEE_KINDS:
        if signer not in trustee_names(board):
            raise ForbiddenError(f"only a trustee posts a message of kind {message.kind}", party=signer)
    elif message.kind in AUDITOR_KINDS:
        if signer not in board.audits.auditors:
            raise ForbiddenError(f"only an appointed auditor posts a message of kind {message.kind}", party=signer)
    else:
        raise EncodingError(f"no message on the board is of kind {message.kind[:32]!r}", party=signer)


def judge_time(board: Board, group: Backend, message: Signed, now: int) -> None:
    """Raise unless the epoch is open at ``now`` and, for an upload, its window: the ceremony comes first."""
    if message.kind == "grant":
        # An unknown epoch or stream is the ledger's to refuse.
        grant = messages.body_of(message, GrantRequest)
        if grant.epoch in board.ledger.manifests:
            board.check_open(grant.epoch, now)
    elif message.kind == "upload":
        upload = messages.body_of(message, UploadCommitment)
        board.check_open(upload.epoch, now)
        board.stream_keys(group, upload.epoch, upload.stream)
    elif message.kind == "handover" and messages.body_of(message, Handover).count:
        raise ConflictError("a hand-over with records is posted with its pages, to its own 'complete' path")


def trustee_names(board: Board) -> set[str]:
    """Return the pseudonyms of all trustees that a manifest names."""
    return {pseudonym(t.signing_key) for manifest in board.ledger.manifests.values() for t in manifest.trustees}


def shuffler_name(board: Board, epoch: str) -> str:
    """Return the pseudonym of an epoch's shuffler."""
    manifest = board.manifest(epoch)
    return pseudonym(manifest.trustee(manifest.shuffler).signing_key)


def expect_handover(board: Board, epoch: str, stream: str, window: int) -> None:
    """Raise :class:`ConflictError` unless the pages of this window's hand-over are due now."""
    place = f"window {window} of {epoch}/{stream}"
    if stream not in board.manifest(epoch).streams:
        raise ConflictError(f"epoch {epoch} has no stream {stream}")
    if (epoch, stream, window) in board.handovers:
        raise ConflictError(f"{place} was handed over already")
    if window >= board.open_window(epoch, stream):
        raise ConflictError(f"{place} is still open")


def pending_handover(board: Board, epoch: str, stream: str) -> int | None:
    """Return the first closed window that was not handed over yet."""
    done = [w for (e, s, w) in board.handovers if (e, s) == (epoch, stream)]
    following = max(done, default=0) + 1
    return following if following <= board.closed_windows.get((epoch, stream), 0) else None


def unpublished(board: Board) -> list[Handover]:
    """Return the hand-overs with records that have no index yet, in board order."""
    return [h for place, h in board.handovers.items() if h.count and place not in board.indexes]


def stage(board: Board, group: Backend, epoch: str, stream: str) -> Stage:
    """Return where a stream stands."""
    try:
        board.stream_keys(group, epoch, stream)
        ceremony, window = "complete", board.open_window(epoch, stream)
    except CeremonyError as error:
        ceremony, window = _ceremony_words(board.attempt(epoch, stream), board, epoch, stream, error), None
    index = board.latest_index(epoch, stream)
    used = [count for (e, s, _), count in board.ledger.used.items() if (e, s) == (epoch, stream)]
    members = {m for m, c in board.uploads.values() if (c.epoch, c.stream) == (epoch, stream)}
    pending = pending_handover(board, epoch, stream)
    return Stage(epoch, stream, ceremony, window, pending, index.window if index else None, len(members), sum(used))


def _ceremony_words(record: CeremonyRecord | None, board: Board, epoch: str, stream: str, error: CeremonyError) -> str:
    number = board.attempt_number(epoch, stream)
    again = "" if number == 1 else f" (attempt {number})"
    if record is None or RESTART in record.cuts:
        return f"waits for the trustees{again}"
    for kind in CEREMONY_KINDS:
        if not record.finished(kind):
            silent = sorted(record.expected(kind) - record.sent[kind].keys())
            return f"{kind}{again}: waits for trustee {', '.join(map(str, silent))}"
    return f"failed{again}: {error.message}"
