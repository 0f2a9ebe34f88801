"""Look whether everything this member contributed is under the logged root of the index; if not, complain.

Done once for each published index that must contain the member's upload. The complaint is a file with the shuffler's
receipt, the commitment on the log and what was published instead; the member gives it to the auditor.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client.contribution import StoredUpload, load_upload
from tacit_client.log_follower import LogFollower
from tacit_client.session import StreamContext
from tacit_client.vault import Vault
from tacit_protocol import evidence, messages, signing
from tacit_protocol.board import Board
from tacit_protocol.evidence import Complaint, MissingRecord
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import Handover, IndexRoot
from tacit_protocol.sealed_index import COMMITMENT_BYTES

_HASH_BYTES = 32


@dataclass(frozen=True)
class OwnRecords:
    """The records of one member in one (epoch, stream)."""

    vault: Vault
    context: StreamContext
    log: LogFollower
    signing_key: Ed25519PrivateKey

    def verify(self, board: Board, opened: Callable[[IndexRoot], AbstractContextManager[IndexFile]]) -> str | None:
        """Return what to tell the member when something is missing; ``opened`` gives an index file, verified."""
        upload = load_upload(self.vault, self.context)
        if upload is None or upload.receipt is None or upload.entry is None:
            return None
        epoch, stream = self.context.epoch, self.context.stream
        done = [h for (e, s, w), h in board.handovers.items() if (e, s) == (epoch, stream) and w >= upload.window]
        for handover in done:
            if board.leaves_out(handover, upload.entry):
                return self._complain(upload, "handover", handover, ())
        root = board.latest_index(epoch, stream)
        if root is None or upload.entry not in board.handovers[epoch, stream, root.window].entries:
            return None
        if self._verified() == root.root:
            return None
        with opened(root) as index:
            missing = missing_records(index, upload)
        if missing:
            return self._complain(upload, "index", root, missing)
        self.vault.put(self._name(), root.root)
        return None

    def _complain(
        self, upload: StoredUpload, kind: str, published: Handover | IndexRoot, missing: tuple[MissingRecord, ...]
    ) -> str:
        log, note = self.log, self.log.note
        if note is None or upload.receipt is None or upload.entry is None:
            raise ValueError("a complaint is about a receipted upload on a log that was read")
        tree = log.board.tree
        complaint = Complaint(
            log.board.secretariat_key,
            note.encode().decode(),
            upload.receipt,
            evidence.under(tree, note, log.entry(upload.entry)),
            evidence.under(tree, note, log.find(kind, published)),
            missing,
        )
        signed = signing.sign(self.signing_key, "complaint", messages.encode(complaint))
        place = f"{self.context.epoch}-{self.context.stream}-{published.window}"
        path = log.keep_complaint(place, messages.encode(signed))
        what = f"{len(missing)} of the {upload.count} records" if missing else f"all {upload.count} records"
        return (
            f"{what} of your contribution (dummies counted) are not in window {published.window} of "
            f"{self.context.epoch}/{self.context.stream}, although the shuffler confirmed them: give {path} to the "
            "auditor"
        )

    def _verified(self) -> bytes:
        return self.vault.get(self._name()) if self.vault.has(self._name()) else b""

    def _name(self) -> str:
        return f"verified/{self.context.epoch}/{self.context.stream}"


def missing_records(index: IndexFile, upload: StoredUpload) -> tuple[MissingRecord, ...]:
    """Return every record of the upload, dummies too, whose commitment is not in the index."""
    found = []
    for position in range(len(upload.commitments) // COMMITMENT_BYTES):
        commitment = upload.commitments[COMMITMENT_BYTES * position :][:COMMITMENT_BYTES]
        if index.record(commitment) is None:
            found.append(MissingRecord(commitment, upload.sent[_HASH_BYTES * position :][:_HASH_BYTES]))
    return tuple(found)
