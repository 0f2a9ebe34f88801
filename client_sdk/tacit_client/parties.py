"""What a member asks of the other parties, one method for each path of the HTTP contract (SPEC, appendix A)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tacit_client.transport import Transport
from tacit_protocol import answers, grants, index_file, messages, sealed_index, shuffle, signing, wire
from tacit_protocol.answers import Question
from tacit_protocol.checkpoint import MAX_NOTE_BYTES
from tacit_protocol.errors import IndexFileError, UploadError
from tacit_protocol.group import Backend
from tacit_protocol.messages import BoardEntry, BoardPage, Handover, IndexRoot, Manifest, Receipt, Trustee
from tacit_protocol.signing import Signed
from tacit_protocol.threshold import ShareAnswer

BOARD_PAGE = 1000
DOWNLOAD_BYTES = 64 * index_file.CHUNK_BYTES  # one ranged request: 4 MiB
_INDEX_HEADER_BYTES = 2048


class UploadState(msgspec.Struct, frozen=True):
    """Which pages of an upload the shuffler holds."""

    pages: list[int]
    complete: bool


@dataclass(frozen=True)
class Secretariat:
    """The secretariat's server as a member sees it."""

    transport: Transport
    url: str
    party: str = "secretariat"

    def enrol(self, invitation: str, message: Signed) -> BoardEntry:
        """Join with a one-time invitation; repeating it with the same key gives the same entry."""
        body = self.transport.request(
            self.party,
            "POST",
            f"{self.url}/v1/enrolments",
            messages.encode(message),
            headers={"Tacit-Invitation": invitation},
        )
        return messages.decode(body, BoardEntry, self.party)

    def post(self, message: Signed) -> BoardEntry:
        """Put a signed message on the board; repeating it gives the same entry."""
        body = self.transport.request(self.party, "POST", f"{self.url}/v1/board", messages.encode(message))
        return messages.decode(body, BoardEntry, self.party)

    def checkpoint(self) -> bytes:
        """Return the log's latest checkpoint, a signed note."""
        return self.transport.request(self.party, "GET", f"{self.url}/log/checkpoint", limit=MAX_NOTE_BYTES)

    def board(self, start: int, limit: int = BOARD_PAGE) -> BoardPage:
        """Return the entries from ``start`` on, one page of at most ``limit``."""
        target = f"/v1/board?start={start}&limit={min(limit, BOARD_PAGE)}"
        body = self.transport.request(self.party, "GET", self.url + target)
        return messages.decode(body, BoardPage, self.party)

    def download_index(self, root: IndexRoot, target: Path, progress: Callable[[int], None]) -> None:
        """Fetch the index into ``target`` piece by piece; a partial file is continued, not begun anew."""
        _verify_size(root)
        url = f"{self.url}/v1/indexes/{root.epoch}/{root.stream}/{root.window}"
        have = target.stat().st_size if target.exists() else 0
        if have > root.size:
            target.unlink()
            have = 0
        progress(have)
        with target.open("ab") as file:
            while have < root.size:
                last = min(have + DOWNLOAD_BYTES, root.size) - 1
                headers = {"Range": f"bytes={have}-{last}"}
                piece = self.transport.request(self.party, "GET", url, headers=headers, limit=DOWNLOAD_BYTES)
                if len(piece) != last - have + 1:
                    raise IndexFileError(
                        f"the secretariat sent {len(piece)} bytes of the index where {last - have + 1} were asked for",
                        party=self.party,
                    )
                file.write(piece)
                have += len(piece)
                progress(len(piece))

    def handover_list(self, handover: Handover) -> bytes:
        """Fetch the list of a hand-over with records, 32 bytes for each; it is still to be verified."""
        url = f"{self.url}/v1/handovers/{handover.epoch}/{handover.stream}/{handover.window}"
        size, packed = shuffle.HASH_BYTES * handover.count, bytearray()
        while len(packed) < size:
            last = min(len(packed) + DOWNLOAD_BYTES, size) - 1
            headers = {"Range": f"bytes={len(packed)}-{last}"}
            piece = self.transport.request(self.party, "GET", url, headers=headers, limit=DOWNLOAD_BYTES)
            packed += piece
            if len(packed) != last + 1:
                break  # less or more than was asked for: not the signed list, as the caller will find
        return bytes(packed)


@dataclass(frozen=True)
class TrusteeServer:
    """One trustee's server as a member sees it."""

    transport: Transport
    trustee: Trustee

    @property
    def party(self) -> str:
        """Return the name that errors use."""
        return f"trustee {self.trustee.index}"

    def evaluate(self, group: Backend, epoch: str, stream: str, blinded: bytes) -> ShareAnswer:
        """Have a batch evaluated; whose the answer is is checked here, whether it is right is still to be verified.

        Raises :class:`SignatureError` for what the trustee has not signed, and ``WrongAnswerError`` for what it has
        signed and cannot be decoded.
        """
        url = f"{self.trustee.url}/v1/{epoch}/{stream}/evaluations"
        count = wire.batch_count(blinded)
        body = self.transport.request(self.party, "POST", url, blinded, limit=wire.answer_bytes(count))
        question = Question(epoch, stream, self.trustee.index, grants.batch_digest(epoch, stream, blinded))
        return answers.open_answer(group, self.trustee.signing_key, question, count, body)

    def upload_state(self, epoch: str, stream: str, entry: int) -> UploadState:
        """Ask what the shuffler already holds of an upload."""
        body = self.transport.request(self.party, "GET", self._upload(epoch, stream, entry))
        return messages.decode(body, UploadState, self.party)

    def upload_page(self, epoch: str, stream: str, entry: int, number: int, page: bytes) -> None:
        """Send one page of sealed records; sending it again changes nothing."""
        self.transport.request(self.party, "PUT", f"{self._upload(epoch, stream, entry)}/pages/{number}", page)

    def complete_upload(self, manifest: Manifest, stream: str, entry: int, salt: bytes, count: int) -> Signed:
        """Finish an upload and return the shuffler's signed receipt, checked against the manifest."""
        url = f"{self._upload(manifest.epoch, stream, entry)}/complete"
        message = messages.decode(self.transport.request(self.party, "POST", url, salt), Signed, self.party)
        signing.verify(self.trustee.signing_key, message)
        receipt = messages.body_of(message, Receipt)
        if (receipt.epoch, receipt.stream, receipt.entry, receipt.count) != (manifest.epoch, stream, entry, count):
            raise UploadError(f"{self.party} signed a receipt for something else", party=self.party)
        return message

    def _upload(self, epoch: str, stream: str, entry: int) -> str:
        return f"{self.trustee.url}/v1/{epoch}/{stream}/uploads/{entry}"


def _verify_size(root: IndexRoot) -> None:
    """Refuse a size that the announced counts do not explain: it would fill the member's disk before it is noticed."""
    content = sealed_index.ENTRY_BYTES * root.entries + sealed_index.RECORD_BYTES * root.records
    if not content < root.size <= content + _INDEX_HEADER_BYTES:
        raise IndexFileError(
            f"the secretariat announces an index of {root.size} bytes for {root.records} records",
            party="secretariat",
        )


def pages_of(records: bytes) -> list[bytes]:
    """Split packed uploaded records into pages."""
    size = shuffle.PAGE_RECORDS * shuffle.UPLOAD_BYTES
    return [records[i : i + size] for i in range(0, len(records), size)]
