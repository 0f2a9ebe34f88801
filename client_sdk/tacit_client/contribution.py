"""Seal a member's audited sites and hand them to the shuffler; an interrupted upload goes on where it stopped.

Order of writes: the sealed upload with its salt is in the vault before the commitment goes to the board, the
board's entry number before the first page, the receipt at the end. The commitments of the own records are kept for
good: :mod:`tacit_client.checking` leaves out the member's own records by them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client import pipeline, session
from tacit_client.evaluation import Evaluator
from tacit_client.parties import TrusteeServer, pages_of
from tacit_client.progress import Progress, silent
from tacit_client.row_keys import RowKeys
from tacit_client.session import StreamContext, UnsealedRecords
from tacit_client.vault import Vault
from tacit_matcher.payload import encode_payload
from tacit_matcher.records import AuditedSite
from tacit_matcher.sketch import Prepared, prepare
from tacit_protocol import messages, sealed_index, shuffle, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import UploadError
from tacit_protocol.messages import Manifest, UploadCommitment
from tacit_protocol.signing import Signed

_WHOLE = msgspec.msgpack.Encoder(enc_hook=dict)  # identifiers may be any mapping
UPLOADS = 3  # pages on their way at the same time


class StoredUpload(msgspec.Struct):
    """An upload in the vault, from sealing to the shuffler's receipt."""

    list_digest: bytes
    window: int
    salt: bytes
    records: int  # real ones
    count: int  # with dummies
    sealed: bytes  # packed uploaded records; emptied once the receipt is there
    entry: int | None = None
    receipt: Signed | None = None
    commitments: bytes = b""  # packed, of every record with dummies, in the order sent
    sent: bytes = b""  # packed SHA-256 of every uploaded record, in the same order


@dataclass(frozen=True)
class Contribution:
    """What a contribution came to."""

    epoch: str
    stream: str
    window: int
    records: int
    without_keys: tuple[int, ...]  # positions of records too poor to be found by anybody
    already_there: bool  # the same list had been contributed before; nothing was sent again


@dataclass
class Contributor:
    """Contributes to one (epoch, stream) for one member."""

    vault: Vault
    evaluator: Evaluator
    context: StreamContext
    manifest: Manifest
    shuffler: TrusteeServer
    signing_key: Ed25519PrivateKey
    aliases: Mapping[str, str] = field(default_factory=dict)  # OS IDs of merged facilities

    def contribute(self, board: Board, sites: Sequence[AuditedSite], progress: Progress = silent) -> Contribution:
        """Evaluate, seal, commit and upload; raises :class:`UploadError` when no record can be found by anybody."""
        window = board.open_window(self.context.epoch, self.context.stream)
        rows = RowKeys([site.site for site in sites], self.aliases, progress, secrets.token_bytes, keep=prepare)
        upload, fresh = self._prepare(board, window, sites, rows, progress)
        if upload.receipt is None:
            self._send(upload, progress)
        poor = tuple(position for position, row in enumerate(rows) if not row.inputs)
        return Contribution(self.context.epoch, self.context.stream, upload.window, upload.records, poor, not fresh)

    def _prepare(
        self, board: Board, window: int, sites: Sequence[AuditedSite], rows: RowKeys[Prepared], progress: Progress
    ) -> tuple[StoredUpload, bool]:
        stored = load_upload(self.vault, self.context)
        # Comparing the list with an earlier one takes all keys; otherwise they are derived as the evaluation goes on.
        if stored is not None and stored.list_digest == _list_digest(sites, rows):
            if stored.receipt is not None and not self._was_left_out(board, stored):
                return stored, False
            if stored.window == window and stored.receipt is None:
                return stored, True  # interrupted: go on with the same upload
        outputs = self.evaluator.outputs(rows.inputs(), rows.whole)
        usable = [position for position, row in enumerate(rows) if row.inputs]
        if not usable:
            raise UploadError("no row of the list has enough on it to be found by anybody: nothing was sent")

        def payload_of(number: int, sketch_key: bytes) -> bytes:
            position = usable[number]
            return encode_payload(sites[position], sketch_key, rows[position].kept)

        records = UnsealedRecords([rows[position].inputs for position in usable], payload_of)
        sealed, own, sent = bytearray(), bytearray(), bytearray()
        total = sealed_index.padded_records(len(usable))
        progress("sealing", 0, total)
        for page in session.seal_contribution(
            self.evaluator.group, self.context, self.manifest.agreement_key, records, outputs, secrets.token_bytes
        ):
            own += page.commitments
            sealed += page.uploads
            for record in shuffle.split_page(page.uploads):
                sent += hashlib.sha256(record).digest()
            progress("sealing", len(own) // sealed_index.COMMITMENT_BYTES, total)
        self._remember_own(bytes(own[: sealed_index.COMMITMENT_BYTES * len(usable)]))
        upload = StoredUpload(
            _list_digest(sites, rows), window, secrets.token_bytes(32), len(usable), total, bytes(sealed),
            commitments=bytes(own), sent=bytes(sent),
        )  # fmt: skip
        self._save(upload)
        return upload, True

    def _send(self, upload: StoredUpload, progress: Progress) -> None:
        epoch, stream = self.context.epoch, self.context.stream
        pages = pages_of(upload.sealed)
        if upload.entry is None:
            digest = shuffle.upload_digest(upload.salt, epoch, stream, upload.sent)
            commitment = UploadCommitment(epoch, stream, upload.window, upload.count, digest)
            message = signing.sign(self.signing_key, messages.kind_of(commitment), messages.encode(commitment))
            promised = self.evaluator.secretariat.post(message)
            upload.entry = promised.sequence
            self._save(upload)
            self.evaluator.logged(promised)
        held = set(self.shuffler.upload_state(epoch, stream, upload.entry).pages)
        missing = [number for number in range(len(pages)) if number not in held]
        send = partial(self._send_page, upload.entry, pages)
        with closing(pipeline.several(send, missing, UPLOADS)) as sent:
            for left, _ in zip(reversed(range(len(missing))), sent, strict=True):
                progress("upload", len(pages) - left, len(pages))
        upload.receipt = self.shuffler.complete_upload(self.manifest, stream, upload.entry, upload.salt, upload.count)
        upload.sealed = b""
        self._save(upload)

    def _send_page(self, entry: int, pages: Sequence[bytes], number: int) -> None:
        self.shuffler.upload_page(self.context.epoch, self.context.stream, entry, number, pages[number])

    def _was_left_out(self, board: Board, upload: StoredUpload) -> bool:
        """Tell whether a later hand-over left this upload out without a reason, although the shuffler receipted it."""
        place, entry = (self.context.epoch, self.context.stream), upload.entry
        later = [h for (e, s, w), h in board.handovers.items() if (e, s) == place and w >= upload.window]
        return entry is not None and any(board.leaves_out(handover, entry) for handover in later)

    def _remember_own(self, commitments: bytes) -> None:
        name = own_records_name(self.context)
        earlier = self.vault.get(name) if self.vault.has(name) else b""
        self.vault.put(name, earlier + commitments)

    def _save(self, upload: StoredUpload) -> None:
        self.vault.put(_upload_name(self.context), msgspec.msgpack.encode(upload))


def load_upload(vault: Vault, context: StreamContext) -> StoredUpload | None:
    """Return the member's latest upload to a stream."""
    name = _upload_name(context)
    return msgspec.msgpack.decode(vault.get(name), type=StoredUpload) if vault.has(name) else None


def _upload_name(context: StreamContext) -> str:
    return f"uploads/{context.epoch}/{context.stream}"


def own_records_name(context: StreamContext) -> str:
    """Return the vault item that holds the commitments of the member's own records."""
    return f"own/{context.epoch}/{context.stream}"


def _list_digest(sites: Sequence[AuditedSite], rows: RowKeys[Prepared]) -> bytes:
    digest = hashlib.sha256()
    for site, row in zip(sites, rows, strict=True):
        if row.inputs:
            digest.update(_WHOLE.encode((site, row.inputs)))
    return digest.digest()
