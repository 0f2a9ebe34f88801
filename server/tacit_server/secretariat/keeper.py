"""The keeper of the board: every entry is judged and appended in one transaction.

The operator's commands write to the same database from other processes. So each transaction takes the write lock
first, then reads what others appended meanwhile, and only then judges.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import Session

from tacit_protocol import messages, signing, trustee_evidence
from tacit_protocol.board import Board
from tacit_protocol.ceremony_record import EquivocationError
from tacit_protocol.group import Backend
from tacit_protocol.messages import BoardEntry, BoardPage, Enrolment, GrantRequest, Message
from tacit_protocol.signing import Signed
from tacit_server.errors import ForbiddenError
from tacit_server.files import write_atomically
from tacit_server.home import Home, TrusteeCard
from tacit_server.observing import log
from tacit_server.secretariat import rounds
from tacit_server.secretariat.store import Store

_Grant = tuple[str, str, str, bytes]


def keep_evidence(home: Home, name: str, file: Message) -> tuple[Path, bool]:
    """Keep an evidence file under its name, the first one for good; return its path, and whether it is new."""
    path = home.folder / "evidence" / name
    new = not path.exists()
    if new:
        write_atomically(path, messages.encode(file))
    return path, new


class Keeper:
    """Holds the view of the board in memory; the database is the truth, the view is rebuilt from it at any time."""

    def __init__(self, home: Home, store: Store, group: Backend, *, clock: Callable[[], float] = time.time) -> None:
        self.home, self.store, self.group, self._clock = home, store, group, clock
        self._lock = threading.RLock()
        self._board = Board(home.public_key)
        self._grants: dict[_Grant, int] = {}
        self._enrolments: dict[str, int] = {}
        self._registered: dict[str, bytes] = {}
        self.appended: Callable[[], None] = lambda: None  # called after every transaction that may have appended
        self.catch_up()

    def now(self) -> int:
        """Return the time in Unix seconds."""
        return int(self._clock())

    @property
    def size(self) -> int:
        """Return the number of entries seen on the board."""
        return self._board.size

    @contextmanager
    def view(self) -> Iterator[Board]:
        """Give the view, up to date and unchanging while the block runs."""
        with self._lock:
            self.catch_up()
            yield self._board

    def catch_up(self) -> None:
        """Take in what another process appended, and newly registered trustees."""
        with self._lock, self.store.reading() as session:
            self._follow(session)

    def find_key(self, name: str) -> bytes | None:
        """Return the key of a member, a trustee, an auditor or the operator by its pseudonym."""
        with self._lock:
            key = self._board.ledger.signing_keys.get(name) or self._registered.get(name)
            if key is None and name in self._board.audits.auditors:
                return self._board.audits.key_of(name)
        if key is None and name == signing.pseudonym(self.home.public_key):
            return self.home.public_key
        return key

    def page(self, start: int, limit: int) -> BoardPage:
        """Return a page of the board."""
        with self.store.reading() as session:
            entries = tuple(self.store.entries(session, start, limit))
            return BoardPage(start, self.store.size(session), entries)

    def append(self, message: Signed, signer: str | None = None) -> tuple[BoardEntry, bool]:
        """Append a message; returns its entry, and False when it stood there already.

        ``signer`` signed the request that brought it and is checked; None stands for the secretariat itself, which
        posts its own messages and, once their pages are checked, hand-overs.
        """
        try:
            with self._transaction() as session:
                return self._append(session, message, signer)
        except EquivocationError as error:
            self._keep_equivocation(error)
            raise

    def publish(self, message: Message) -> BoardEntry:
        """Sign a message as the secretariat and append it."""
        signed = signing.sign(self.home.signing_key, messages.kind_of(message), messages.encode(message))
        return self.append(signed)[0]

    def enrol(self, message: Signed, code: str) -> tuple[BoardEntry, bool]:
        """Admit a member by a one-time invitation; the same member again gets its existing entry."""
        with self._transaction() as session:
            return self._enrol(session, message, hashlib.sha256(code.encode()).digest())

    def trustees(self, *, retired: bool = False) -> list[TrusteeCard]:
        """Return the registered trustees, on request with those that were retired."""
        with self.store.reading() as session:
            return self.store.trustees(session, retired=retired)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._lock:
            try:
                with self.store.writing() as session:
                    self._follow(session)
                    yield session
            except BaseException:
                self._forget_uncommitted()
                raise
        self.appended()

    def _enrol(self, session: Session, message: Signed, code_hash: bytes) -> tuple[BoardEntry, bool]:
        enrolment = messages.body_of(message, Enrolment)
        signing.verify(enrolment.signing_key, message)
        invitation = self.store.invitation(session, code_hash)
        if invitation is None:
            raise ForbiddenError("nobody was invited with this code: ask the secretariat for an invitation")
        if invitation.used_by not in (None, message.signer):
            raise ForbiddenError("this invitation was used already: ask the secretariat for another")
        existing = self._existing(session, message)
        if existing is not None:
            return existing, False
        if invitation.expires <= self.now():
            raise ForbiddenError("this invitation has expired: ask the secretariat for another")
        invitation.used_by = message.signer
        session.add(invitation)
        return self._append(session, message, None)

    def _append(self, session: Session, message: Signed, signer: str | None) -> tuple[BoardEntry, bool]:
        if signer is not None:
            rounds.judge_sender(self._board, signer, message)
        existing = self._existing(session, message)
        if existing is not None:
            return existing, False
        now = max(self.now(), self._board.time)  # the board's times never run backwards
        if signer is not None:
            rounds.judge_time(self._board, self.group, message, now)
        entry = BoardEntry(self._board.size, now, message)
        self._take_in(entry)
        self.store.add(session, entry)
        return entry, True

    def _existing(self, session: Session, message: Signed) -> BoardEntry | None:
        found = self.store.find(session, message)
        if found is not None:
            return found
        sequence = None
        if message.kind == "grant":
            grant = messages.body_of(message, GrantRequest)
            sequence = self._grants.get((message.signer, grant.epoch, grant.stream, grant.digest))
        elif message.kind == "enrolment":
            sequence = self._enrolments.get(message.signer)
        return None if sequence is None else self.store.entry(session, sequence)

    def _follow(self, session: Session) -> None:
        for entry in self.store.entries(session, self._board.size):
            self._take_in(entry)
        self._registered = {
            signing.pseudonym(t.signing_key): t.signing_key for t in self.store.trustees(session, retired=True)
        }

    def _take_in(self, entry: BoardEntry) -> None:
        self._board.apply(entry)
        message = entry.message
        if message.kind == "grant":
            grant = messages.body_of(message, GrantRequest)
            self._grants.setdefault((message.signer, grant.epoch, grant.stream, grant.digest), entry.sequence)
        elif message.kind == "enrolment":
            self._enrolments.setdefault(message.signer, entry.sequence)

    def _keep_equivocation(self, error: EquivocationError) -> None:
        """Keep both messages of a trustee that contradicts itself: the log holds only the first."""
        path, _ = keep_evidence(self.home, *trustee_evidence.equivocation(error))
        log.error("a trustee contradicts itself", party=error.party, kind=error.second.kind, evidence=str(path))

    def _forget_uncommitted(self) -> None:
        """Rebuild the view when it ran ahead of the database, because a commit failed."""
        with self.store.reading() as session:
            if self.store.size(session) >= self._board.size:
                return
            self._board = Board(self.home.public_key)
            self._grants, self._enrolments = {}, {}
            self._follow(session)
