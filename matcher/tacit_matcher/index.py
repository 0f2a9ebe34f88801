"""Opened records into the ordered, published index, by SQL that DuckDB and Spark SQL both run.

The caller hands over a connection and keeps everything else to itself: files, memory limits, keys. Nothing here knows
what a record is about; a record is its commitment and its bytes, an entry is a tag, a salt and a wrapped key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tacit_protocol.sealed_index import (
    COMMITMENT_BYTES,
    ENTRIES_PER_RECORD,
    ENTRY_BYTES,
    RECORD_BYTES,
    SALT_BYTES,
    SEALED_BYTES,
    TAG_BYTES,
)

FETCH_ROWS = 16384

# One row for each record and each entry. `record` is the position in which a record came out of the shuffle.
CREATE = (
    "CREATE TABLE records (record BIGINT, commitment BINARY, sealed BINARY)",
    "CREATE TABLE entries (record BIGINT, tag BINARY, salt BINARY, wrapped BINARY)",
    "CREATE TABLE published (commitment BINARY, sealed BINARY)",
    "CREATE TABLE dropped (record BIGINT, kept BIGINT, copy BOOLEAN)",
)
REPEATED = "SELECT commitment FROM records GROUP BY commitment HAVING COUNT(*) > 1 ORDER BY commitment"
# Whoever has read a published index could contribute rubbish under a commitment found there. Of several records under
# one commitment the one published before therefore stays; else the first by its bytes, so that the choice does not
# depend on the shuffle. Whether a record of the same bytes is the contributor's own or a copy made from the index
# cannot be told, so the entries of every copy stay: else anybody could make the genuine entries fall out.
DROP = """
INSERT INTO dropped
SELECT record, kept, sealed = first FROM (
    SELECT r.record AS record, r.sealed AS sealed,
           ROW_NUMBER() OVER best AS place,
           FIRST_VALUE(r.record) OVER best AS kept,
           FIRST_VALUE(r.sealed) OVER best AS first
    FROM records r LEFT JOIN published p ON r.commitment = p.commitment AND r.sealed = p.sealed
    WHERE r.commitment IN (SELECT commitment FROM records GROUP BY commitment HAVING COUNT(*) > 1)
    WINDOW best AS (
        PARTITION BY r.commitment
        ORDER BY CASE WHEN p.sealed IS NULL THEN 1 ELSE 0 END, r.sealed, r.record
    )
) WHERE place > 1
"""
_KEPT_ENTRIES = """
SELECT tag, salt, wrapped FROM entries e
WHERE NOT EXISTS (SELECT 1 FROM dropped d WHERE d.record = e.record)
UNION ALL
SELECT DISTINCT e.tag, e.salt, e.wrapped FROM entries e JOIN dropped d ON d.record = e.record
WHERE d.copy AND NOT EXISTS (
    SELECT 1 FROM entries k
    WHERE k.record = d.kept AND k.tag = e.tag AND k.salt = e.salt AND k.wrapped = e.wrapped
)
"""
ORDERED_ENTRIES = f"SELECT tag, salt, wrapped FROM ({_KEPT_ENTRIES}) ORDER BY tag, salt, wrapped"  # noqa: S608
COUNT_ENTRIES = f"SELECT COUNT(*) FROM ({_KEPT_ENTRIES})"  # noqa: S608
ORDERED_RECORDS = """
SELECT sealed FROM records r
WHERE NOT EXISTS (SELECT 1 FROM dropped d WHERE d.record = r.record)
ORDER BY commitment
"""
COUNT_DROPPED = "SELECT COUNT(*) FROM dropped"

# DuckDB takes lists of byte strings as parameters and cuts them itself: no row passes through Python on the way in.
# Another engine loads its tables in its own way, for example from Parquet files.
_LOAD_RECORDS = f"""
INSERT INTO records
SELECT $first + i, sealed[1:{COMMITMENT_BYTES}], sealed
FROM (SELECT UNNEST($pieces::BLOB[]) AS sealed, UNNEST(RANGE($count)) AS i)
"""  # noqa: S608
_LOAD_ENTRIES = f"""
INSERT INTO entries
SELECT $first + i // {ENTRIES_PER_RECORD}, e[1:{TAG_BYTES}], e[{TAG_BYTES + 1}:{TAG_BYTES + SALT_BYTES}],
       e[{TAG_BYTES + SALT_BYTES + 1}:{ENTRY_BYTES}]
FROM (SELECT UNNEST($pieces::BLOB[]) AS e, UNNEST(RANGE($count)) AS i)
"""  # noqa: S608


class Connection(Protocol):
    """The part of a DuckDB connection that is used here."""

    def execute(self, query: str, parameters: object = None) -> Any:  # noqa: ANN401
        """Run a statement."""
        ...


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the opened records."""

    records: int
    entries: int
    duplicates: int


class IndexBuilder:
    """Collects opened records page by page and gives the parts of the index in their order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._loaded = 0
        for statement in CREATE:
            connection.execute(statement)

    def load(self, opened: bytes) -> None:
        """Take in a page of opened records, :data:`SEALED_BYTES` bytes each; raises ValueError on another size."""
        if len(opened) % SEALED_BYTES:
            raise ValueError(f"opened records have {SEALED_BYTES} bytes each")
        starts = range(0, len(opened), SEALED_BYTES)
        records = [opened[i : i + RECORD_BYTES] for i in starts]
        entries = [opened[j : j + ENTRY_BYTES] for i in starts for j in _entry_starts(i)]
        self._insert(_LOAD_RECORDS, records)
        self._insert(_LOAD_ENTRIES, entries)
        self._loaded += len(records)

    def repeated(self) -> list[bytes]:
        """Return the commitments that more than one record carries."""
        return [bytes(row[0]) for row in self._connection.execute(REPEATED).fetchall()]

    def drop_duplicates(self, published: Iterable[bytes]) -> Counts:
        """Keep one record under each commitment; ``published``: the records an earlier index has under them."""
        for sealed in published:
            self._connection.execute("INSERT INTO published VALUES (?, ?)", [sealed[:COMMITMENT_BYTES], sealed])
        self._connection.execute(DROP)
        duplicates = int(self._connection.execute(COUNT_DROPPED).fetchone()[0])
        entries = ENTRIES_PER_RECORD * self._loaded
        if duplicates:
            entries = int(self._connection.execute(COUNT_ENTRIES).fetchone()[0])
        return Counts(self._loaded - duplicates, entries, duplicates)

    def entries(self) -> Iterator[bytes]:
        """Yield the entries in order of tag, salt and wrapped key; many in each piece."""
        return self._pieces(ORDERED_ENTRIES)

    def records(self) -> Iterator[bytes]:
        """Yield the records in order of commitment; many in each piece."""
        return self._pieces(ORDERED_RECORDS)

    def _pieces(self, query: str) -> Iterator[bytes]:
        result = self._connection.execute(query)
        while rows := result.fetchmany(FETCH_ROWS):
            yield b"".join(part for row in rows for part in row)

    def _insert(self, statement: str, pieces: Sequence[bytes]) -> None:
        if pieces:
            self._connection.execute(statement, {"first": self._loaded, "pieces": pieces, "count": len(pieces)})


def _entry_starts(record_start: int) -> range:
    return range(record_start + RECORD_BYTES, record_start + SEALED_BYTES, ENTRY_BYTES)
