"""What both databases share: SQLite under WAL, one writer at a time, and the columns of a board entry.

Wire types are never tables: rows are turned into messages here and nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlmodel import Field, Session, SQLModel, create_engine

from tacit_protocol import messages
from tacit_protocol.messages import BoardEntry
from tacit_protocol.signing import Signed


class EntryColumns(SQLModel):
    """The columns of one board entry; ``body`` and ``signature`` are the signer's exact bytes."""

    sequence: int = Field(primary_key=True)
    time: int
    kind: str = Field(index=True)
    signer: str
    body: bytes
    signature: bytes
    fingerprint: bytes = Field(unique=True)


def fingerprint(message: Signed) -> bytes:
    """Return the hash by which a repeated message is recognised."""
    return hashlib.sha256(messages.encode(message)).digest()


def columns_of(entry: BoardEntry) -> dict[str, Any]:
    """Return the column values of an entry."""
    message = entry.message
    return {
        "sequence": entry.sequence,
        "time": entry.time,
        "kind": message.kind,
        "signer": message.signer,
        "body": message.body,
        "signature": message.signature,
        "fingerprint": fingerprint(message),
    }


def entry_of(row: EntryColumns) -> BoardEntry:
    """Return the entry a row holds."""
    return BoardEntry(row.sequence, row.time, Signed(row.kind, row.signer, row.body, row.signature))


class Database:
    """An SQLite file: readers never wait, writers wait for each other (also between processes)."""

    def __init__(self, path: Path, tables: list[type[SQLModel]]) -> None:
        self._engine = _engine(path)
        self._writer = self._engine.execution_options(immediate=True)
        with self._writer.begin() as connection:
            for table in tables:
                table.__table__.create(connection, checkfirst=True)  # type: ignore[attr-defined]
        path.chmod(0o600)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the database."""
        with Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that is alone in writing; commits at the end, rolls back on an error."""
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    def forget_deleted(self) -> None:
        """Empty the write-ahead log, which still holds rows as they were before they were deleted or changed."""
        with self._engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            )

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False, "timeout": 15})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:  # noqa: ANN401
        connection.isolation_level = None  # transactions begin where we say so, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401
        # IMMEDIATE takes the write lock before the first read: what a writer judged cannot change under it.
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine
