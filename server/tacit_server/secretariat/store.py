"""The secretariat's database: the board, invitations, registered trustees."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlmodel import Field, Session, SQLModel, col, func, select

from tacit_protocol.messages import BoardEntry
from tacit_protocol.signing import Signed
from tacit_server.home import TrusteeCard
from tacit_server.tables import Database, EntryColumns, columns_of, entry_of, fingerprint


class BoardRow(EntryColumns, table=True):
    """One entry of the board."""

    __tablename__ = "board"


class InvitationRow(SQLModel, table=True):
    """An invitation; the code itself is not stored, only its hash."""

    __tablename__ = "invitations"

    code_hash: bytes = Field(primary_key=True)
    created: int
    expires: int
    used_by: str | None = None


class TrusteeRow(SQLModel, table=True):
    """A trustee whose card was registered."""

    __tablename__ = "trustees"

    index: int = Field(primary_key=True)
    url: str
    signing_key: bytes = Field(unique=True)
    agreement_key: bytes
    retired: bool = False  # no longer a witness, and in no manifest from then on


class Store:
    """Reads and writes of the secretariat's database; every method that takes a session runs inside its transaction."""

    def __init__(self, path: Path) -> None:
        self._database = Database(path, [BoardRow, InvitationRow, TrusteeRow])
        self.reading, self.writing, self.close = self._database.reading, self._database.writing, self._database.close

    def entries(self, session: Session, start: int, limit: int | None = None) -> Iterator[BoardEntry]:
        """Yield the board's entries from ``start`` on."""
        query = select(BoardRow).where(BoardRow.sequence >= start).order_by(col(BoardRow.sequence))
        yield from (entry_of(row) for row in session.exec(query.limit(limit)))

    def size(self, session: Session) -> int:
        """Return the number of entries on the board."""
        return session.exec(select(func.count()).select_from(BoardRow)).one()

    def find(self, session: Session, message: Signed) -> BoardEntry | None:
        """Return the entry of this very message, if it is on the board."""
        row = session.exec(select(BoardRow).where(BoardRow.fingerprint == fingerprint(message))).first()
        return entry_of(row) if row else None

    def entry(self, session: Session, sequence: int) -> BoardEntry | None:
        """Return one entry."""
        row = session.get(BoardRow, sequence)
        return entry_of(row) if row else None

    def add(self, session: Session, entry: BoardEntry) -> None:
        """Append an entry."""
        session.add(BoardRow(**columns_of(entry)))
        session.flush()

    def trustees(self, session: Session, *, retired: bool = False) -> list[TrusteeCard]:
        """Return the registered trustees in order of their indices, on request with those that were retired."""
        rows = session.exec(select(TrusteeRow).order_by(col(TrusteeRow.index)))
        return [_card(row) for row in rows if retired or not row.retired]

    def retire_trustee(self, session: Session, index: int) -> None:
        """Leave a trustee out from now on; its number is not given to another."""
        row = session.get(TrusteeRow, index)
        if row is not None:
            row.retired = True
            session.add(row)

    def add_trustee(self, session: Session, card: TrusteeCard) -> None:
        """Register a trustee or update its address."""
        session.merge(
            TrusteeRow(index=card.index, url=card.url, signing_key=card.signing_key, agreement_key=card.agreement_key)
        )

    def add_invitation(self, session: Session, code_hash: bytes, created: int, expires: int) -> None:
        """Store an invitation by the hash of its code."""
        session.add(InvitationRow(code_hash=code_hash, created=created, expires=expires))

    def invitation(self, session: Session, code_hash: bytes) -> InvitationRow | None:
        """Return an invitation; changes to it are saved with the transaction."""
        return session.get(InvitationRow, code_hash)

    def open_invitations(self, session: Session, now: int) -> int:
        """Return how many invitations can still be used."""
        usable = (col(InvitationRow.used_by).is_(None), col(InvitationRow.expires) > now)
        return session.exec(select(func.count()).select_from(InvitationRow).where(*usable)).one()


def _card(row: TrusteeRow) -> TrusteeCard:
    return TrusteeCard(row.index, row.url, row.signing_key, row.agreement_key)
