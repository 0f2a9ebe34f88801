"""Follow the log: fetch what a signed checkpoint covers, verify it against the root, judge it, keep it.

Every fetched entry is hashed onto the tree seen so far; only when the root is the signed one is anything taken in. A
log that changed what was seen, or that holds an entry which a rule forbids, is followed no further: the files in
``evidence/`` show why, to anybody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, following, messages, witnessing
from tacit_protocol.board import Board, BoardError
from tacit_protocol.checkpoint import Note
from tacit_protocol.errors import SignatureError, TacitError
from tacit_protocol.following import BadEntryError, ForkedLogError, StaleLogError
from tacit_protocol.messages import BoardEntry, Manifest
from tacit_protocol.witnessing import WitnessError, WitnessPolicy
from tacit_server.errors import ConfigurationError
from tacit_server.files import write_atomically
from tacit_server.observing import log
from tacit_server.trustee.store import Store
from tacit_server.trustee.upstream import RefusedError, UnreachableError, Upstream

_PATIENCE_SECONDS = 5.0
_PROVEN = ("fork-*.json", "entry-*.json", "witnessed-*.json", "trustee-*.json")
_PAGE_ENTRIES = 1000


class Follower:
    """Holds the view of the board. ``lock`` guards it; ``work`` runs after every turn, outside the lock."""

    def __init__(
        self, store: Store, upstream: Upstream, secretariat_key: bytes, evidence_folder: Path, poll_seconds: float
    ) -> None:
        self._store, self._upstream, self._evidence = store, upstream, evidence_folder
        self._poll_seconds = poll_seconds
        self.board = Board(secretariat_key)
        self.note: Note | None = None  # the checkpoint up to which the board was verified
        self.lock = threading.RLock()
        self.broken: TacitError | None = None
        self.work: Callable[[], bool] = lambda: False
        self._cosigned: dict[str, int] = {}  # epoch: the size that enough of its trustees have cosigned
        self._turn_lock, self._turns_begun = threading.Lock(), 0
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="tacit-follower", daemon=True)
        self._restore()

    def start(self) -> None:
        """Begin to follow in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; not waited for, because what it keeps is whole at any moment."""
        self._stopped.set()
        self._wake.set()

    def wake(self) -> None:
        """Look at the log soon: something has happened there."""
        self._wake.set()

    def find_key(self, name: str) -> bytes | None:
        """Return the signing key of an enrolled member."""
        with self.lock:
            return self.board.ledger.signing_keys.get(name)

    def cosigned_size(self, manifest: Manifest) -> int:
        """Return up to where the log is verified here and cosigned by a majority of the epoch's trustees.

        A secretariat that shows each trustee another log finds no majority for more than one of them.
        """
        with self.lock:
            note, known = self.note, self._cosigned.get(manifest.epoch, 0)
            if note is None or known == self.board.size:
                return known
            witnesses = {notes.witness_name(t.signing_key): t.signing_key for t in manifest.trustees}
            policy = WitnessPolicy(self.board.secretariat_key, witnesses, witnessing.majority(len(witnesses)))
            try:
                self._cosigned[manifest.epoch] = policy.verify(note, 0).checkpoint.size
            except (WitnessError, SignatureError):
                return known
            return self._cosigned[manifest.epoch]

    def refresh(self) -> None:
        """Return when a turn that began after this call has ended; many callers share one turn."""
        seen = self._turns_begun
        with self._turn_lock:
            if self._turns_begun > seen:
                return  # the turn we waited for began after we asked
            self._turns_begun += 1
            try:
                self._fetch()
            except (UnreachableError, RefusedError, StaleLogError) as error:
                log.warning("log not reached", reason=error.message)

    def refuse(self, error: TacitError) -> None:
        """Follow no further: somebody showed that the log contradicts itself."""
        self.broken = self.broken or error

    def keep_evidence(self, name: str, content: bytes) -> None:
        """Keep an evidence file; the first of a name stays as it is."""
        path = self._evidence / name
        if not path.exists():
            write_atomically(path, content)

    def _run(self) -> None:
        delay = self._poll_seconds
        while not self._stopped.is_set():
            again = False
            try:
                with self._turn_lock:
                    self._turns_begun += 1
                    self._fetch()
                again = self.work()
                delay = self._poll_seconds
            except (UnreachableError, RefusedError, StaleLogError) as error:
                delay = min(2 * delay, _PATIENCE_SECONDS)
                log.warning("log not reached", reason=error.message)
            except TacitError as error:
                log.error("log refused", reason=error.message, party=error.party)
            except Exception:
                if not self._stopped.is_set():
                    log.exception("a turn failed")
            if not again:
                self._wake.wait(delay)
                self._wake.clear()

    def _fetch(self) -> None:
        if self.broken is not None:
            raise self.broken
        note = notes.decode_note(self._upstream.checkpoint(), "secretariat")
        if note == self.note:
            return
        try:
            with self.lock:
                shown = following.verify_head(self.board, note)
            entries = list(self._entries(self.board.size, shown.size))
            with self.lock:
                following.verify_entries(self.board, shown, entries)
                self._compare_with_witnessed(note, entries)
        except ForkedLogError as error:
            raise self._forked(error, note) from error
        self._take_in(note, entries)

    def _compare_with_witnessed(self, note: Note, entries: list[BoardEntry]) -> None:
        """Refuse a log that is not the one this trustee has cosigned: the secretariat keeps two."""
        kept = self._store.witnessed(notes.log_origin(self.board.secretariat_key))
        if kept is None:
            return
        held = notes.decode_checkpoint(notes.decode_note(kept).text)
        if held.size > self.board.size + len(entries):
            return  # what it covers is not here yet
        if following.root_at(self.board, entries, held.size) != held.root:
            file = evidence.fork(
                self.board.secretariat_key, notes.decode_note(kept), self.board.tree, note, None, None, None
            )
            self.keep_evidence(f"witnessed-{held.size}.json", messages.encode(file))
            error = following.forked(held, self.board.size)
            self.refuse(error)
            raise error

    def _entries(self, start: int, size: int) -> Iterator[BoardEntry]:
        """Yield the entries from ``start`` on, in pages, as far as the secretariat gives them."""
        while start < size:
            page = self._upstream.board(start, min(_PAGE_ENTRIES, size - start))
            if not page.entries:
                return
            yield from page.entries[: size - start]
            start += len(page.entries)

    def _take_in(self, note: Note, entries: list[BoardEntry]) -> None:
        with self.lock:
            before = self.board.size
            try:
                following.take_in(self.board, note, entries)
                self.note = note
            except BadEntryError as error:
                self.keep_evidence(f"entry-{error.file.entry}.json", messages.encode(error.file))
                self._keep(entries[: self.board.size - before], None)
                self.refuse(error)
                raise
            self._keep(entries, note)

    def _keep(self, taken: list[BoardEntry], note: Note | None) -> None:
        try:
            self._store.follow(taken, self.board.size, self.board.head, note.encode() if note else None)
        except Exception:
            self.board = Board(self.board.secretariat_key)  # the view ran ahead of the disk: back to what is kept
            self._restore()
            raise

    def _forked(self, error: ForkedLogError, note: Note) -> TacitError:
        size = notes.decode_checkpoint(note.text).size
        if self.note is not None:  # both halves, each signed: for everybody to see
            try:
                shown: list[BoardEntry] | None = list(self._entries(0, size))
            except TacitError:
                shown = None
            with self.lock:
                found = following.find_fork(
                    self.board, self.note, self._store.followed(), note, iter(shown) if shown else None
                )
            self.keep_evidence(f"fork-{self.board.size}-{size}.json", messages.encode(found))
        self.refuse(error)
        return error

    def _restore(self) -> None:
        for entry in self._store.followed():
            self.board.apply(entry)
        kept = self._store.head()
        if kept is not None and (kept.size, kept.head) != (self.board.size, self.board.head):
            raise ConfigurationError("what this trustee kept of the log was changed on disk: restore a backup")
        self.note = notes.decode_note(kept.note) if kept is not None and kept.note else None
        files = sorted(path.name for pattern in _PROVEN for path in self._evidence.glob(pattern))
        if files:
            self.broken = BoardError(
                f"the secretariat changed or broke the log earlier (evidence/{files[0]} in the home shows how): "
                "this trustee follows it no further",
                party="secretariat",
            )
