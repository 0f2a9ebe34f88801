"""From a hand-over to a published index: open the records, order them, write the file, announce its root.

Crash order: the list of a hand-over is in its place before the hand-over is on the board, the index file before its
root is, and the pages are deleted after that. A start of the server begins again with every hand-over that has no
index, from the stored pages; the same pages give the same file. List and index are kept.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from tacit_matcher.index import Counts, IndexBuilder
from tacit_protocol import index_file
from tacit_protocol.board import Board
from tacit_protocol.errors import IndexFileError
from tacit_protocol.index_file import IndexFile, IndexHeader
from tacit_protocol.messages import Handover, IndexRoot
from tacit_server.files import PageFolder, sync_folder
from tacit_server.gate import Gate
from tacit_server.observing import log
from tacit_server.secretariat import rounds
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.opening import open_pages

_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where hand-overs wait and indexes lie."""

    folder: Path
    gate: Gate = field(default_factory=Gate)  # by place: what is published are the pages that the list was made of

    def pages(self, epoch: str, stream: str, window: int) -> PageFolder:
        """Return the folder for the pages of a hand-over."""
        return PageFolder(self.folder / "handovers" / epoch / stream / str(window))

    def index(self, epoch: str, stream: str, window: int) -> Path:
        """Return the path of a published index."""
        return self.folder / "indexes" / epoch / stream / f"{window}.tacit-index"

    def handover_list(self, epoch: str, stream: str, window: int) -> Path:
        """Return the path of the list of a hand-over: the hashes of its records, ascending."""
        return self.folder / "indexes" / epoch / stream / f"{window}.tacit-handover"


class Publisher:
    """A thread that publishes every hand-over on the board that has no index yet."""

    def __init__(self, keeper: Keeper, shelves: Shelves, memory_limit: str) -> None:
        self._keeper, self._shelves, self._memory_limit = keeper, shelves, memory_limit
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="tacit-publisher", daemon=True)

    def start(self) -> None:
        """Start; unfinished work of an earlier run comes first."""
        self._wake.set()
        self._thread.start()

    def wake(self) -> None:
        """Look at the board now."""
        self._wake.set()

    def stop(self) -> None:
        """Ask the thread to end; it is not waited for, because nothing it leaves behind is half done."""
        self._stopped.set()
        self._wake.set()

    def publish_due(self) -> None:
        """Publish whatever is due."""
        with self._keeper.view() as board:
            due = rounds.unpublished(board)
        for handover in due:
            if self._stopped.is_set():
                return
            publish(self._keeper, self._shelves, handover, self._memory_limit)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.publish_due()
                delay = None
            except Exception:  # a full disk, too little memory: said in the log, tried again
                log.exception("publishing failed")
                delay = _RETRY_SECONDS
            if delay is None:
                self._wake.wait()
            else:
                self._stopped.wait(delay)
            self._wake.clear()


def publish(keeper: Keeper, shelves: Shelves, handover: Handover, memory_limit: str) -> IndexRoot:
    """Build the index of a hand-over and announce it (SPEC step U6)."""
    place = (handover.epoch, handover.stream, handover.window)
    pages, target = shelves.pages(*place), shelves.index(*place)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as scratch:
        with locked_connection(Path(scratch), memory_limit) as connection:
            builder = IndexBuilder(connection)
            malformed = 0
            opened = open_pages(keeper.home.agreement_key, handover.epoch, handover.stream, pages.pages())
            for page in opened:
                builder.load(page.records)
                malformed += page.malformed
            with keeper.view() as board:
                earlier = _previous_index(board, shelves, place)
            counts = builder.drop_duplicates(_published_under(builder.repeated(), earlier))
            partial = Path(scratch) / "index"
            with partial.open("wb") as file:
                _write(file, builder, handover, counts)
        root = IndexRoot(*place, _root_of(partial), partial.stat().st_size, counts.records, counts.entries)
        partial.replace(target)
        sync_folder(target.parent)
    keeper.publish(root)
    pages.remove()
    log.info(
        "index published", epoch=place[0], stream=place[1], window=place[2], records=counts.records,
        duplicates=counts.duplicates, malformed=malformed, size=root.size,
    )  # fmt: skip
    return root


@contextlib.contextmanager
def locked_connection(scratch: Path, memory_limit: str) -> Iterator[Any]:
    """Give a DuckDB connection in memory that reaches no file and no network, but may spill into ``scratch``."""
    connection = duckdb.connect(":memory:")
    try:
        for setting, value in (
            ("memory_limit", memory_limit),
            ("threads", os.cpu_count() or 1),
            ("temp_directory", str(scratch / "spill")),
            ("preserve_insertion_order", False),
            ("checkpoint_threshold", "1TB"),  # or it rewrites the table in memory over and over while it grows
            ("autoinstall_known_extensions", False),
            ("autoload_known_extensions", False),
            ("enable_external_access", False),
            ("lock_configuration", True),  # last: from here on no statement can undo any of it
        ):
            connection.execute(f"SET {setting} = '{value}'")
        yield connection
    finally:
        connection.close()


def _write(file: BinaryIO, builder: IndexBuilder, handover: Handover, counts: Counts) -> None:
    header = IndexHeader(handover.epoch, handover.stream, handover.window, counts.entries, counts.records)
    file.write(index_file.encode_header(header))
    for piece in builder.entries():
        file.write(piece)
    for piece in builder.records():
        file.write(piece)
    file.flush()
    os.fsync(file.fileno())


def _root_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return index_file.root_of(iter(lambda: file.read(index_file.CHUNK_BYTES), b""))


def _previous_index(board: Board, shelves: Shelves, place: tuple[str, str, int]) -> Path | None:
    windows = [w for (e, s, w) in board.indexes if (e, s) == place[:2] and w < place[2]]
    return shelves.index(*place[:2], max(windows)) if windows else None


def _published_under(commitments: list[bytes], earlier: Path | None) -> list[bytes]:
    if not commitments or earlier is None or not earlier.exists():
        return []
    with earlier.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            index = IndexFile(data)
        except IndexFileError:
            log.warning("an earlier index is damaged", path=earlier.name)
            return []
        found = [index.record(commitment) for commitment in commitments]
        return [record for record in found if record is not None]
