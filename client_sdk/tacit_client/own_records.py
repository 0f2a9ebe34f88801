"""Look whether everything this member contributed is under the logged root of the index; if not, complain.

Done once for each published index that must contain the member's upload. The complaint is a file with the shuffler's
receipt, the commitment on the log, what was published instead and the hashes of missing records; with the list of the
hand-over it shows who lost them. The member gives it to the auditor.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client.contribution import StoredUpload, load_upload
from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.log_follower import LogFollower
from tacit_client.session import StreamContext
from tacit_client.vault import Vault
from tacit_protocol import evidence, handover, messages, shuffle, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import HandoverListError
from tacit_protocol.evidence import MAX_MISSING, Complaint
from tacit_protocol.handover_evidence import MissingRecord
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import Handover, IndexRoot
from tacit_protocol.sealed_index import COMMITMENT_BYTES
from tacit_protocol.shuffle import HASH_BYTES


@dataclass(frozen=True)
class OwnRecords:
    """The records of one member in one (epoch, stream)."""

    vault: Vault
    context: StreamContext
    log: LogFollower
    signing_key: Ed25519PrivateKey

    def verify(
        self,
        board: Board,
        opened: Callable[[IndexRoot], AbstractContextManager[IndexFile]],
        listed: Callable[[Handover], bytes],
    ) -> str | None:
        """Return what to tell the member when something is missing.

        ``opened`` gives an index file, verified; ``listed`` the list of a hand-over as the secretariat shows it.
        """
        upload = load_upload(self.vault, self.context)
        if upload is None or upload.receipt is None or upload.entry is None:
            return None
        epoch, stream = self.context.epoch, self.context.stream
        done = [h for (e, s, w), h in board.handovers.items() if (e, s) == (epoch, stream) and w >= upload.window]
        for each in done:
            if board.leaves_out(each, upload.entry):
                shuffler = f"trustee {board.manifest(epoch).shuffler}"
                return self._complain(
                    upload, each, (), f"all {upload.count} records", [f"{shuffler} left them out of its hand-over"]
                )
        root = board.latest_index(epoch, stream)
        if root is None or upload.entry not in board.handovers[epoch, stream, root.window].entries:
            return None
        if self._verified() == root.root:
            return None
        with opened(root) as index:
            missing = missing_records(index, upload)
        if missing:
            return self._look_for(board, upload, root, missing, listed)
        self.vault.put(self._name(), root.root)
        return None

    def _look_for(
        self,
        board: Board,
        upload: StoredUpload,
        root: IndexRoot,
        missing: tuple[MissingRecord, ...],
        listed: Callable[[Handover], bytes],
    ) -> str:
        what = f"{len(missing)} of the {upload.count} records"
        place = (self.context.epoch, self.context.stream, root.window)
        try:
            lost, shown = self._blame(board, board.handovers[place], missing, listed)
        except (Refused, PartyUnavailable) as error:
            # Nothing is complained of yet, and the command that asked goes on: this is looked at again each time.
            return (
                f"{what} of your contribution (dummies counted) are not in window {root.window} of "
                f"{place[0]}/{place[1]}. Who lost them is not known yet: the list of the hand-over could not be had "
                f"({error.message}). Run 'tacit status' again later; if it stays so, tell the auditor"
            )
        return self._complain(upload, root, shown, what, lost)

    def _blame(
        self,
        board: Board,
        handed_over: Handover,
        missing: tuple[MissingRecord, ...],
        listed: Callable[[Handover], bytes],
    ) -> tuple[list[str], tuple[MissingRecord, ...]]:
        """Return who lost how many records, in words, and those to be named in the complaint: some of each party's."""
        try:
            hashes = listed(handed_over)
            handover.verify_list(handed_over, hashes)
        except Refused as error:
            if error.evidence.get("status") != 404:
                raise
            return ["the secretariat does not show the list of the hand-over"], missing[:MAX_MISSING]
        except HandoverListError as error:
            return [error.message], missing[:MAX_MISSING]
        dropped = tuple(each for each in missing if not handover.holds(hashes, each.sent_sha256))
        left_out = tuple(each for each in missing if handover.holds(hashes, each.sent_sha256))
        shuffler = f"trustee {board.manifest(self.context.epoch).shuffler}"
        parties = ((dropped, f"{shuffler} did not hand over"), (left_out, "the secretariat did not publish"))
        lost = [f"{who} {len(which)} of them" for which, who in parties if which]
        named = dropped[: MAX_MISSING // 2] + left_out[: MAX_MISSING // 2]
        return lost, tuple(sorted(named, key=lambda each: each.position))

    def _complain(
        self,
        upload: StoredUpload,
        published: Handover | IndexRoot,
        missing: tuple[MissingRecord, ...],
        what: str,
        lost: list[str],
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
            evidence.under(tree, note, log.find(messages.kind_of(published), published)),
            shuffle.salted_hashes(upload.salt, upload.sent),
            missing,
        )
        signed = signing.sign(self.signing_key, "complaint", messages.encode(complaint))
        place = f"{self.context.epoch}-{self.context.stream}-{published.window}"
        path = log.keep_complaint(place, messages.encode(signed))
        return (
            f"{what} of your contribution (dummies counted) are not in window {published.window} of "
            f"{self.context.epoch}/{self.context.stream}, although the shuffler confirmed them: {'; '.join(lost)}. "
            f"Give {path} to the auditor"
        )

    def _verified(self) -> bytes:
        return self.vault.get(self._name()) if self.vault.has(self._name()) else b""

    def _name(self) -> str:
        return f"verified/{self.context.epoch}/{self.context.stream}"


def missing_records(index: IndexFile, upload: StoredUpload) -> tuple[MissingRecord, ...]:
    """Return every record of the upload, dummies too, whose commitment is not in the index (SPEC step U7)."""
    salts, found = shuffle.hash_salts(upload.salt, upload.count), []
    for position in range(len(upload.commitments) // COMMITMENT_BYTES):
        commitment = upload.commitments[COMMITMENT_BYTES * position :][:COMMITMENT_BYTES]
        if index.record(commitment) is None:
            place = slice(HASH_BYTES * position, HASH_BYTES * (position + 1))
            found.append(MissingRecord(position, salts[place], upload.sent[place], commitment))
    return tuple(found)
