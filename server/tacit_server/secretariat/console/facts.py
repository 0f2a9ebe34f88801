"""What the public page says, as plain values taken from the board and the published checkpoint. No input, no output."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from tacit_protocol import checkpoint as notes
from tacit_protocol.audit_ledger import AuditLedger, OrderedAudit
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import SignatureError, TacitError
from tacit_protocol.group import Backend
from tacit_protocol.messages import Manifest
from tacit_protocol.signing import pseudonym
from tacit_protocol.witnessing import majority
from tacit_server.secretariat import rounds


@dataclass(frozen=True, slots=True)
class Moment:
    """A time: as people read it, as machines read it, and how long ago that was in words."""

    text: str
    iso: str
    ago: str


@dataclass(frozen=True, slots=True)
class WitnessFacts:
    """One trustee as a witness of the log."""

    index: int
    name: str
    cosigned: Moment | None


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One stream of an epoch."""

    name: str
    public_key: str
    ceremony: str
    open_window: int | None
    contributors: int
    evaluations: int
    index_window: int | None
    index_records: int
    index_megabytes: str
    index_root: str


@dataclass(frozen=True, slots=True)
class EpochFacts:
    """One epoch and its streams."""

    name: str
    state: str
    opens: Moment
    closes: Moment
    threshold: int
    trustees: int
    quota: int
    minimum: int
    erased: str
    streams: Sequence[StreamFacts]


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """One query audit."""

    entry: int
    member: str
    batches: int
    positions: int
    due: Moment
    state: str
    late: bool


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Everything that the page shows."""

    origin: str
    log_key: str
    made: Moment
    size: int
    root: str
    waiting: int
    witnesses: Sequence[WitnessFacts]
    needed: int
    members: int
    grants: int
    auditors: Sequence[str]
    epochs: Sequence[EpochFacts]
    audits: Sequence[AuditFacts]


def page_facts(board: Board, group: Backend, note: Note | None, keys: dict[int, bytes], now: int) -> PageFacts:
    """Return what the page shows; ``keys`` are the registered trustees' signing keys by index."""
    origin = notes.log_origin(board.secretariat_key)
    head = notes.decode_checkpoint(note.text) if note is not None else Checkpoint(origin, 0, b"")
    manifests = sorted(board.ledger.manifests.values(), key=lambda m: m.opens, reverse=True)
    return PageFacts(
        origin,
        notes.verifier_key(origin, notes.ED25519, board.secretariat_key),
        moment(now, now),
        head.size,
        head.root.hex(),
        board.size - head.size,
        [_witness(index, key, note, now) for index, key in sorted(keys.items())],
        majority(len(keys)) if keys else 0,
        len(board.ledger.signing_keys),
        len(board.ledger.granted),
        sorted(name for name, card in board.audits.auditors.items() if card.until > now),
        [_epoch(board, group, manifest, now) for manifest in manifests],
        [_audit(board.audits, ordered, now) for ordered in reversed(board.audits.orders.values())],
    )


def moment(seconds: int, now: int) -> Moment:
    """Return a time for people and machines, in UTC."""
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return Moment(at.strftime("%d %B %Y, %H:%M UTC"), at.strftime("%Y-%m-%dT%H:%M:%SZ"), _distance(seconds - now))


def _distance(seconds: int) -> str:
    count, unit = abs(seconds), "second"
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if count >= size:
            count, unit = count // size, name
            break
    text = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"in {text}" if seconds > 0 else f"{text} ago"


def _witness(index: int, key: bytes, note: Note | None, now: int) -> WitnessFacts:
    try:
        time = notes.verify_cosignature(note, notes.witness_name(key), key) if note is not None else None
    except SignatureError:
        time = None
    return WitnessFacts(index, pseudonym(key), None if time is None else moment(time, now))


def _epoch(board: Board, group: Backend, manifest: Manifest, now: int) -> EpochFacts:
    state = "not open yet" if now < manifest.opens else "open" if now < manifest.closes else "closed"
    erased = board.erased.get(manifest.epoch, set())
    return EpochFacts(
        manifest.epoch,
        state,
        moment(manifest.opens, now),
        moment(manifest.closes, now),
        manifest.threshold,
        len(manifest.trustees),
        manifest.quota,
        manifest.minimum_contributors,
        ", ".join(f"trustee {index}" for index in sorted(erased)),
        [_stream(board, group, manifest.epoch, stream) for stream in manifest.streams],
    )


def _stream(board: Board, group: Backend, epoch: str, stream: str) -> StreamFacts:
    stage = rounds.stage(board, group, epoch, stream)
    try:
        key = board.stream_keys(group, epoch, stream).public_key.hex()
    except TacitError:
        key = ""
    index = board.latest_index(epoch, stream)
    return StreamFacts(
        stream,
        key,
        stage.ceremony,
        stage.window,
        stage.contributors,
        stage.evaluations,
        index.window if index else None,
        index.records if index else 0,
        f"{index.size / 1e6:.1f}" if index else "",
        index.root.hex() if index else "",
    )


def _audit(audits: AuditLedger, ordered: OrderedAudit, now: int) -> AuditFacts:
    result, answered = audits.results.get(ordered.entry), ordered.entry in audits.answers
    late = not answered and now > ordered.due
    if result is not None:
        state = {"not-plausible": "not plausible", "false": "false openings"}.get(result.outcome, result.outcome)
    else:
        state = "answered, not judged yet" if answered else "no answer in time" if late else "waits for the answer"
    order = ordered.order
    return AuditFacts(
        ordered.entry, order.member, len(order.grants), order.positions, moment(ordered.due, now), state, late
    )
