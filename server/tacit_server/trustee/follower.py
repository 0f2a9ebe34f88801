"""Follow the board: fetch what is new, verify it, keep it, and refuse a board that changes what was seen.

What was seen is kept with a running hash. Every turn overlaps with the last entry seen and also reads again one
earlier page, so that the whole board is compared with the kept one over and over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from tacit_protocol import messages
from tacit_protocol.board import Board, BoardError
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import BoardEntry
from tacit_server.errors import ConfigurationError
from tacit_server.files import write_atomically
from tacit_server.observing import log
from tacit_server.trustee.store import Store
from tacit_server.trustee.upstream import RefusedError, UnreachableError, Upstream

_REREAD_TURNS = 20  # turns between two looks at an earlier page
_PATIENCE_SECONDS = 5.0


class Follower:
    """Holds the view of the board. ``lock`` guards it; ``work`` runs after every turn, outside the lock."""

    def __init__(
        self, store: Store, upstream: Upstream, secretariat_key: bytes, evidence: Path, poll_seconds: float
    ) -> None:
        self._store, self._upstream, self._evidence = store, upstream, evidence
        self._poll_seconds = poll_seconds
        self.board = Board(secretariat_key)
        self.lock = threading.RLock()
        self.broken: TacitError | None = None
        self.work: Callable[[], bool] = lambda: False
        self._turn_lock, self._turns_begun = threading.Lock(), 0
        self._reread_at, self._until_reread = 0, 0
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

    def find_key(self, name: str) -> bytes | None:
        """Return the signing key of an enrolled member."""
        with self.lock:
            return self.board.ledger.signing_keys.get(name)

    def refresh(self) -> None:
        """Return when a turn that began after this call has ended; many callers share one turn."""
        seen = self._turns_begun
        with self._turn_lock:
            if self._turns_begun > seen:
                return  # the turn we waited for began after we asked
            self._turns_begun += 1
            try:
                self._fetch()
            except (UnreachableError, RefusedError) as error:
                log.warning("board not reached", reason=error.message)

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
            except (UnreachableError, RefusedError) as error:
                delay = min(2 * delay, _PATIENCE_SECONDS)
                log.warning("board not reached", reason=error.message)
            except TacitError as error:
                log.error("board refused", reason=error.message, party=error.party)
            except Exception:
                if not self._stopped.is_set():
                    log.exception("a turn failed")
            if not again:
                self._wake.wait(delay)
                self._wake.clear()

    def _fetch(self) -> None:
        if self.broken is not None:
            raise self.broken
        while not self._stopped.is_set():
            start = max(self.board.size - 1, 0)  # overlap by one: the last entry must still be what it was
            page = self._upstream.board(start)
            if page.size < self.board.size:
                raise self._contradiction(f"the board had {self.board.size} entries and now has {page.size}", None)
            self._compare(page.entries[: self.board.size - start], start)
            new = page.entries[self.board.size - start :]
            self._take_in(new)
            if self.board.size >= page.size or not new:
                break
        self._reread()

    def _take_in(self, entries: tuple[BoardEntry, ...]) -> None:
        taken: list[BoardEntry] = []
        try:
            with self.lock:
                for entry in entries:
                    self.board.apply(entry)
                    taken.append(entry)
        finally:
            self._keep(taken)

    def _keep(self, taken: list[BoardEntry]) -> None:
        try:
            if taken:
                self._store.follow(taken, self.board.size, self.board.head)
        except Exception:
            with self.lock:  # the view ran ahead of the disk: go back to what is kept
                self.board = Board(self.board.secretariat_key)
                self._restore()
            raise

    def _reread(self) -> None:
        self._until_reread -= 1
        if self._until_reread > 0 or self.board.size == 0:
            return
        start = self._reread_at if self._reread_at < self.board.size else 0
        page = self._upstream.board(start)
        known = page.entries[: self.board.size - start]
        self._compare(known, start)
        self._reread_at, self._until_reread = start + len(known), _REREAD_TURNS

    def _compare(self, entries: tuple[BoardEntry, ...], start: int) -> None:
        if not entries:
            return
        for kept, shown in zip(self._store.entries(start, len(entries)), entries, strict=True):
            if kept != shown:
                raise self._contradiction(f"entry {kept.sequence} of the board was changed", (kept, shown))

    def _contradiction(self, what: str, pair: tuple[BoardEntry, BoardEntry] | None) -> BoardError:
        if pair is not None:  # both halves, each signed: for everybody to see
            write_atomically(self._evidence, messages.encode(_Evidence(*pair)))
        error = BoardError(
            f"{what}: this trustee follows it no further; the secretariat has to explain", party="secretariat"
        )
        self.broken = error
        return error

    def _restore(self) -> None:
        for entry in self._store.followed():
            self.board.apply(entry)
        kept = self._store.head()
        if kept is not None and kept != (self.board.size, self.board.head):
            raise ConfigurationError("what this trustee kept of the board was changed on disk: restore a backup")
        if self._evidence.exists():
            self.broken = BoardError(
                f"the secretariat changed the board earlier ({self._evidence.name} in the home shows how): "
                "this trustee follows it no further",
                party="secretariat",
            )


class _Evidence(messages.Message, frozen=True):
    kept: BoardEntry
    shown: BoardEntry
