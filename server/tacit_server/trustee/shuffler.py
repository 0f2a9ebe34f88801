"""The shuffler: collects uploads sealed to the secretariat, and hands a closed window over in random order.

Crash order of a hand-over: shuffled pages on disk, then the signed message in the database, then pages and message
to the secretariat until its board shows the hand-over, then everything that links members to records is deleted but
each member's latest upload, which the next window's hand-over needs.
"""

from __future__ import annotations

import mmap
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tacit_protocol import messages, shuffle, signing
from tacit_protocol.errors import UploadError
from tacit_protocol.handover import list_digest, make_list
from tacit_protocol.messages import BoardEntry, Handover, Manifest, Receipt, UploadCommitment
from tacit_protocol.shuffle import HASH_BYTES, PAGE_RECORDS, SHUFFLE_RANDOM_BYTES, UPLOAD_BYTES
from tacit_protocol.signing import Signed
from tacit_server.errors import ConflictError
from tacit_server.files import PageFolder, write_atomically
from tacit_server.gate import Gate
from tacit_server.home import Home
from tacit_server.observing import log
from tacit_server.trustee.store import Place, Store, UploadRow
from tacit_server.trustee.upstream import RefusedError, Upstream

PAGE_BYTES = PAGE_RECORDS * UPLOAD_BYTES
_HASHES = "hashes"  # beside the pages of an upload: of each record, in the order sent


@dataclass(frozen=True)
class Shuffler:
    """Uploads and hand-overs of the epochs in which this trustee shuffles."""

    home: Home
    store: Store
    upstream: Upstream
    sent: dict[bytes, set[int]] = field(default_factory=dict)  # signature of a hand-over: pages brought so far
    gate: Gate = field(default_factory=Gate)  # by entry: nothing is replaced between verifying and the receipt

    # --- uploads ---------------------------------------------------------------------------------------------

    def pages(self, commitment: UploadCommitment, entry: int) -> PageFolder:
        """Return the folder for the pages of an upload."""
        return PageFolder(self._folder("uploads", (commitment.epoch, commitment.stream)) / str(entry))

    def receive_page(self, member: str, commitment: UploadCommitment, entry: int, number: int, page: bytes) -> None:
        """Store a page; once the upload is complete nothing about it changes any more."""
        shuffle.split_page(page)
        with self.gate.writing(entry):
            self._store_page(member, commitment, entry, number, page)

    def _store_page(self, member: str, commitment: UploadCommitment, entry: int, number: int, page: bytes) -> None:
        pages = self.pages(commitment, entry)
        if self.store.upload(entry) is not None:
            if pages.size(number) != len(page) or pages.read(number) != page:
                raise ConflictError("this upload is complete and has a receipt: it is not changed any more")
            return
        others = sum(size for n, size in pages.sizes().items() if n != number)
        if number >= commitment.count or others + len(page) > commitment.count * UPLOAD_BYTES:
            raise UploadError(
                f"member {member} committed to {commitment.count} records and sends more",
                party=member,
                evidence={"committed": commitment.count},
            )
        pages.write(number, page)

    def verify(self, member: str, commitment: UploadCommitment, entry: int, salt: bytes) -> None:
        """Raise :class:`UploadError` unless all pages are here and are what was committed to; keep their hashes."""
        pages = self.pages(commitment, entry)
        sizes = pages.sizes()
        missing = next((n for n, found in enumerate(sizes) if n != found), None)
        if missing is not None:
            raise UploadError(f"page {missing} of the upload is missing", party=member)
        count = sum(sizes.values()) // UPLOAD_BYTES
        hashes = shuffle.verify_upload(commitment, member, salt, count, pages.pages())
        write_atomically(pages.path / _HASHES, hashes)

    def receipt(self, entry: int) -> Signed | None:
        """Return the receipt of a complete upload."""
        row = self.store.upload(entry)
        return messages.decode(row.receipt, Signed) if row else None

    def accept(self, member: str, commitment: UploadCommitment, entry: int) -> Signed:
        """Sign the receipt of a verified upload; from here on it belongs to the window.

        Raises :class:`UploadError` when a record of it is in another member's upload: two members could otherwise make
        an honest shuffler hand a record over twice, which is held against it. Not for two calls at a time.
        """
        self._refuse_copies(member, commitment, entry)
        body = Receipt(commitment.epoch, commitment.stream, commitment.window, entry, commitment.count)
        signed = signing.sign(self.home.signing_key, messages.kind_of(body), messages.encode(body))
        self.store.add_upload(
            UploadRow(
                entry=entry,
                epoch=commitment.epoch,
                stream=commitment.stream,
                window=commitment.window,
                member=member,
                count=commitment.count,
                receipt=messages.encode(signed),
            )
        )
        return signed

    # --- hand-overs ------------------------------------------------------------------------------------------

    def prepare(self, place: Place, window: int, minimum: int, handed_over: set[int]) -> Signed:
        """Return the hand-over of a closed window, made ready once: pages on disk, message kept.

        ``handed_over`` are the uploads of earlier hand-overs. Newcomers, and members that replace an upload, wait while
        there are fewer than ``minimum`` of their kind; when both wait the hand-over is empty.
        """
        kept = self.store.handover(place, window)
        if kept is not None:
            return kept
        rows = self._due(place, window, minimum, handed_over)
        pages = self._handover_pages(place, window)
        pages.remove()
        count = self._write_shuffled(rows, pages)
        hashes = make_list(shuffle.record_hashes(pages.pages()))
        digest = list_digest(*place, window, hashes)
        body = Handover(*place, window, tuple(row.entry for row in rows), count, digest)
        signed = signing.sign(self.home.signing_key, messages.kind_of(body), messages.encode(body))
        self.store.add_handover(place, window, signed)
        return signed

    def deliver(self, signed: Signed) -> BoardEntry:
        """Bring a hand-over to the secretariat, which gives it an entry; everything may be sent again."""
        handover = messages.body_of(signed, Handover)
        if not handover.count:
            return self.upstream.post(signed)
        place = (handover.epoch, handover.stream)
        pages, sent = self._handover_pages(place, handover.window), self.sent.setdefault(signed.signature, set())
        for number in pages.sizes():
            if number not in sent:  # after a failure it goes on where it was
                self.upstream.put_page(*place, handover.window, number, pages.read(number))
                sent.add(number)
        try:
            entry = self.upstream.complete(*place, handover.window, signed)
        except RefusedError:
            self.sent.pop(signed.signature)  # it lacks a page: the next try brings all of them again
            raise
        self.sent.pop(signed.signature)
        log.info("handed over", window=handover.window, records=handover.count, uploads=len(handover.entries))
        return entry

    def tidy(self, place: Place, window: int, handed_over: set[int], abandoned: Sequence[int]) -> None:
        """After a hand-over: delete its pages, uploads that a later one replaced for good, and ``abandoned`` ones."""
        if self.store.handover(place, window) is None:
            return
        self._handover_pages(place, window).remove()
        latest, shown = self._latest(place, window, handed_over)
        kept = {row.entry for row in (*latest.values(), *shown.values())}
        for row in self.store.uploads(place):
            if row.window <= window and row.entry not in kept:
                self._remove_upload(place, row.entry)
        for entry in abandoned:
            if self.store.upload(entry) is None:
                self._remove_upload(place, entry)
        self.store.remove_handover(place, window)  # last: a crash before it tidies again

    def erase_epoch(self, manifest: Manifest) -> None:
        """Delete all uploads of an epoch."""
        for stream in manifest.streams:
            for what in ("uploads", "handovers"):
                PageFolder(self._folder(what, (manifest.epoch, stream))).remove()

    def _refuse_copies(self, member: str, commitment: UploadCommitment, entry: int) -> None:
        place = (commitment.epoch, commitment.stream)
        own = set(self._hashes(place, entry))
        for row in self.store.uploads(place):
            if row.member != member and (copies := sum(other in own for other in self._hashes(place, row.entry))):
                raise UploadError(
                    f"{copies} records of this upload are in another member's: seal the list anew and send that",
                    party=member,
                )

    def _hashes(self, place: Place, entry: int) -> Iterator[bytes]:
        packed = (self._folder("uploads", place) / str(entry) / _HASHES).read_bytes()
        return (packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES))

    def _remove_upload(self, place: Place, entry: int) -> None:
        PageFolder(self._folder("uploads", place) / str(entry)).remove()
        self.store.remove_upload(entry)

    def _due(self, place: Place, window: int, minimum: int, handed_over: set[int]) -> list[UploadRow]:
        """Return one upload for each member that the next index is to hold, in board order (SPEC step U4).

        None when nothing is new.

        One member alone that replaces its upload would be named by what has left the index, however many newcomers hide
        what has come in; so either kind waits until there are enough of it.
        """
        latest, shown = self._latest(place, window, handed_over)
        newcomers = [row for member, row in latest.items() if member not in shown]
        replacing = [row for member, row in latest.items() if member in shown and row.entry != shown[member].entry]
        fresh = {row.member: row for kind in (newcomers, replacing) if len(kind) >= minimum for row in kind}
        if len(fresh) < len(newcomers) + len(replacing):
            log.info(
                "too few contributors: records wait for the next window", window=window,
                contributors=len(newcomers), replacing=len(replacing),
            )  # fmt: skip
        return sorted((shown | fresh).values(), key=lambda row: row.entry) if fresh else []

    def _latest(
        self, place: Place, window: int, handed_over: set[int]
    ) -> tuple[dict[str, UploadRow], dict[str, UploadRow]]:
        """Return each member's latest complete upload up to ``window``, and its latest that was handed over."""
        latest, shown = {}, {}
        for row in self.store.uploads(place):
            if row.window <= window:
                latest[row.member] = row
                if row.entry in handed_over:
                    shown[row.member] = row
        return latest, shown

    def _write_shuffled(self, rows: Sequence[UploadRow], pages: PageFolder) -> int:
        """Write all records of ``rows`` in random order; memory grows by a few dozen bytes a record, not by records."""
        if not rows:
            return 0
        joined = pages.path / "joined"
        joined.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with joined.open("wb") as file:
            for row in rows:
                folder = self._folder("uploads", (row.epoch, row.stream)) / str(row.entry)
                for page in PageFolder(folder).pages():
                    file.write(page)
        count = joined.stat().st_size // UPLOAD_BYTES
        places = [i.to_bytes(4, "big") for i in range(count)]
        order = shuffle.shuffle(places, secrets.token_bytes(SHUFFLE_RANDOM_BYTES * count))
        with joined.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for number, page in enumerate(_picked(data, order)):
                pages.write(number, page)
        joined.unlink()
        return count

    def _handover_pages(self, place: Place, window: int) -> PageFolder:
        return PageFolder(self._folder("handovers", place) / str(window))

    def _folder(self, what: str, place: Place) -> Path:
        return self.home.folder / what / place[0] / place[1]


def _picked(data: mmap.mmap, order: Sequence[bytes]) -> Iterator[bytes]:
    for start in range(0, len(order), PAGE_RECORDS):
        starts = (UPLOAD_BYTES * int.from_bytes(i, "big") for i in order[start : start + PAGE_RECORDS])
        yield b"".join(data[i : i + UPLOAD_BYTES] for i in starts)
