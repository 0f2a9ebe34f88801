"""The trustee's database: what it saw of the board, its ceremonies, its shares (sealed), uploads and hand-overs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from tacit_protocol import messages
from tacit_protocol.messages import BoardEntry
from tacit_protocol.signing import Signed
from tacit_server.tables import Database, EntryColumns, columns_of, entry_of

Place = tuple[str, str]  # epoch, stream


class FollowedRow(EntryColumns, table=True):
    """An entry of the board as this trustee saw and verified it."""

    __tablename__ = "followed"


class HeadRow(SQLModel, table=True):
    """The root over everything seen, and the signed checkpoint that it was verified against: one row."""

    __tablename__ = "head"

    id: int = Field(primary_key=True)
    size: int
    head: bytes
    note: bytes | None = None


class WitnessRow(SQLModel, table=True):
    """The latest checkpoint of a log that this trustee has cosigned."""

    __tablename__ = "witnessed"

    origin: str = Field(primary_key=True)
    note: bytes = b""


class CeremonyRow(SQLModel, table=True):
    """A ceremony's secret polynomial (sealed; absent once dropped) or why the attempt failed for this trustee."""

    __tablename__ = "ceremonies"

    epoch: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    sealed: bytes | None = None
    failure: str | None = None


class OutboxRow(SQLModel, table=True):
    """A ceremony message as signed, kept before it is sent: a restart sends the same bytes again."""

    __tablename__ = "outbox"

    epoch: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    message: bytes


class ShareRow(SQLModel, table=True):
    """A key share (sealed). It is used only when the whole ceremony agreed to ``public``."""

    __tablename__ = "shares"

    epoch: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    attempt: int = Field(primary_key=True)
    sealed: bytes
    public: bytes


class UploadRow(SQLModel, table=True):
    """A complete upload; ``entry`` is its commitment's place on the board, ``receipt`` as signed."""

    __tablename__ = "uploads"

    entry: int = Field(primary_key=True)
    epoch: str = Field(index=True)
    stream: str
    window: int
    member: str
    count: int
    receipt: bytes


class HandoverRow(SQLModel, table=True):
    """A hand-over made ready: signed, its shuffled pages on disk."""

    __tablename__ = "handovers"

    epoch: str = Field(primary_key=True)
    stream: str = Field(primary_key=True)
    window: int = Field(primary_key=True)
    message: bytes


class Store:
    """Reads and writes of the trustee's database, one transaction each."""

    def __init__(self, path: Path) -> None:
        tables: list[type[SQLModel]] = [
            FollowedRow, HeadRow, WitnessRow, CeremonyRow, OutboxRow, ShareRow, UploadRow, HandoverRow,
        ]  # fmt: skip
        self._database = Database(path, tables)
        self.reading, self.writing, self.close = self._database.reading, self._database.writing, self._database.close

    # --- the board as seen ---------------------------------------------------------------------------------

    def followed(self) -> Iterator[BoardEntry]:
        """Yield every entry seen, in order."""
        with self.reading() as session:
            yield from (entry_of(row) for row in session.exec(select(FollowedRow).order_by(col(FollowedRow.sequence))))

    def entry(self, sequence: int) -> BoardEntry | None:
        """Return one entry seen."""
        with self.reading() as session:
            row = session.get(FollowedRow, sequence)
            return entry_of(row) if row else None

    def entries(self, start: int, limit: int) -> list[BoardEntry]:
        """Return entries seen from ``start`` on."""
        query = select(FollowedRow).where(FollowedRow.sequence >= start).order_by(col(FollowedRow.sequence))
        with self.reading() as session:
            return [entry_of(row) for row in session.exec(query.limit(limit))]

    def head(self) -> HeadRow | None:
        """Return size and root of what was seen, and its checkpoint."""
        with self.reading() as session:
            return session.get(HeadRow, 1)

    def follow(self, entries: Iterable[BoardEntry], size: int, head: bytes, note: bytes | None) -> None:
        """Add verified entries and move the head along, in one transaction; without a note the earlier one stays."""
        with self.writing() as session:
            session.add_all(FollowedRow(**columns_of(entry)) for entry in entries)
            row = session.get(HeadRow, 1) or HeadRow(id=1, size=0, head=b"")
            row.size, row.head, row.note = size, head, note or row.note
            session.add(row)

    def witnessed(self, origin: str) -> bytes | None:
        """Return the checkpoint of a log that was cosigned last."""
        with self.reading() as session:
            row = session.get(WitnessRow, origin)
            return row.note if row and row.note else None

    @contextmanager
    def witnessing(self, origin: str) -> Iterator[WitnessRow]:
        """Give the row of a log alone: what is set in it is on disk when the block has ended without an error."""
        with self.writing() as session:
            row = session.get(WitnessRow, origin) or WitnessRow(origin=origin)
            yield row
            session.add(row)

    # --- ceremonies and shares -----------------------------------------------------------------------------

    def ceremony(self, place: Place, attempt: int) -> CeremonyRow | None:
        """Return the state of an attempt."""
        with self.reading() as session:
            return session.get(CeremonyRow, (*place, attempt))

    def outbox(self, place: Place, attempt: int) -> dict[str, Signed]:
        """Return the messages made so far in an attempt, by kind."""
        query = select(OutboxRow).where(
            OutboxRow.epoch == place[0], OutboxRow.stream == place[1], OutboxRow.attempt == attempt
        )
        with self.reading() as session:
            return {row.kind: messages.decode(row.message, Signed) for row in session.exec(query)}

    def begin_ceremony(self, place: Place, attempt: int, sealed: bytes, first: Signed) -> None:
        """Keep the sealed polynomial and the first message, both or neither."""
        with self.writing() as session:
            session.add(CeremonyRow(epoch=place[0], stream=place[1], attempt=attempt, sealed=sealed))
            self._add_message(session, place, attempt, first)

    def keep_message(self, place: Place, attempt: int, message: Signed) -> None:
        """Keep a message that is about to be sent."""
        with self.writing() as session:
            self._add_message(session, place, attempt, message)

    def keep_share(self, place: Place, attempt: int, sealed: bytes, public: bytes, last: Signed) -> None:
        """Keep the share and the agreement to the transcript; the polynomial is no longer needed and dropped."""
        with self.writing() as session:
            session.add(ShareRow(epoch=place[0], stream=place[1], attempt=attempt, sealed=sealed, public=public))
            self._add_message(session, place, attempt, last)
            session.merge(CeremonyRow(epoch=place[0], stream=place[1], attempt=attempt))
        self._database.forget_deleted()

    def fail_ceremony(self, place: Place, attempt: int, reason: str) -> None:
        """Remember that an attempt failed for this trustee; its polynomial is dropped."""
        with self.writing() as session:
            session.merge(CeremonyRow(epoch=place[0], stream=place[1], attempt=attempt, failure=reason))
        self._database.forget_deleted()

    def shares(self, place: Place) -> list[ShareRow]:
        """Return the shares of a stream, one for each attempt that this trustee agreed to."""
        query = select(ShareRow).where(ShareRow.epoch == place[0], ShareRow.stream == place[1])
        with self.reading() as session:
            return list(session.exec(query))

    def erase_epoch(self, epoch: str) -> int:
        """Erase shares, polynomials and uploads of an epoch; returns how many shares there were.

        SQLite overwrites deleted rows with zeros (secure_delete); its log, which has them too, is emptied.
        """
        with self.writing() as session:
            count = session.exec(select(func.count()).select_from(ShareRow).where(ShareRow.epoch == epoch)).one()
            for table in (ShareRow, CeremonyRow, OutboxRow, UploadRow, HandoverRow):
                session.exec(delete(table).where(table.epoch == epoch))  # type: ignore[arg-type]
        self._database.forget_deleted()
        return count

    # --- the shuffler --------------------------------------------------------------------------------------

    def upload(self, entry: int) -> UploadRow | None:
        """Return a complete upload."""
        with self.reading() as session:
            return session.get(UploadRow, entry)

    def uploads(self, place: Place) -> list[UploadRow]:
        """Return the complete uploads of a stream in board order."""
        query = select(UploadRow).where(UploadRow.epoch == place[0], UploadRow.stream == place[1])
        with self.reading() as session:
            return list(session.exec(query.order_by(col(UploadRow.entry))))

    def add_upload(self, row: UploadRow) -> None:
        """Keep a complete upload."""
        with self.writing() as session:
            session.merge(row)

    def remove_upload(self, entry: int) -> None:
        """Forget an upload that a later one of the same member replaced."""
        with self.writing() as session:
            session.exec(delete(UploadRow).where(col(UploadRow.entry) == entry))

    def handover(self, place: Place, window: int) -> Signed | None:
        """Return the hand-over that was made ready for a window."""
        with self.reading() as session:
            row = session.get(HandoverRow, (*place, window))
            return messages.decode(row.message, Signed) if row else None

    def add_handover(self, place: Place, window: int, message: Signed) -> None:
        """Keep a hand-over whose pages are on disk."""
        with self.writing() as session:
            session.merge(HandoverRow(epoch=place[0], stream=place[1], window=window, message=messages.encode(message)))

    def remove_handover(self, place: Place, window: int) -> None:
        """Forget a hand-over that is on the board."""
        with self.writing() as session:
            session.exec(
                delete(HandoverRow).where(
                    col(HandoverRow.epoch) == place[0],
                    col(HandoverRow.stream) == place[1],
                    col(HandoverRow.window) == window,
                )
            )

    def _add_message(self, session: Session, place: Place, attempt: int, message: Signed) -> None:
        session.add(
            OutboxRow(
                epoch=place[0],
                stream=place[1],
                attempt=attempt,
                kind=message.kind,
                message=messages.encode(message),
            )
        )
