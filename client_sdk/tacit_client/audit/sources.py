"""Where the log and the published indexes are read from: a folder of files, in one of two layouts.

The log's own files, as any web server hands them out (C2SP tlog-tiles): ``log/checkpoint``, ``log/tile/…``; or what a
member's program keeps: ``board.jsonl``, one entry a line, and ``checkpoint``. Indexes lie in
``indexes/EPOCH/STREAM/WINDOW.tacit-index``, the lists of hand-overs beside them (``WINDOW.tacit-handover``). Nothing in
a folder is trusted: everything is judged on reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tacit_client.errors import PartyUnavailable
from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, messages, tiles
from tacit_protocol.checkpoint import Note
from tacit_protocol.errors import EncodingError
from tacit_protocol.messages import BoardEntry, Handover, IndexRoot
from tacit_protocol.tiles import TileName

ENTRIES, CHECKPOINT, LOG = "board.jsonl", "checkpoint", "log"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Entries that cannot be read: how many, why, and the leaf's hash where the leaf itself is there."""

    why: str
    count: int = 1
    digest: bytes = bytes(merkle.HASH_BYTES)


Place = tuple[str, str, int]  # epoch, stream, window
Line = BoardEntry | Unreadable


class EntrySource(Protocol):
    """What an audit reads. Nothing that comes out of it was judged."""

    name: str
    tiled: bool  # has the log's own files
    withheld: set[Place]  # hand-overs whose list the secretariat says it does not have

    def note(self) -> Note | None:
        """Return the log's checkpoint, or None where the source has none; raises :class:`EncodingError`."""
        ...

    def entries(self) -> Iterator[Line]:
        """Yield all entries in order; what cannot be read comes as :class:`Unreadable`."""
        ...

    def tile(self, name: TileName) -> bytes | None:
        """Return a tile or bundle; None where the source has no such file."""
        ...

    def index(self, root: IndexRoot) -> Path | None:
        """Return the file of a published index, or None where the source has none."""
        ...

    def handover_list(self, handover: Handover) -> bytes | None:
        """Return the list of a hand-over, or None where the source has none."""
        ...


class FolderSource:
    """A folder in either layout."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.folder, self.name = folder, name or f"folder {folder.name}"
        self.withheld: set[Place] = set()
        self.tiled = (folder / LOG / CHECKPOINT).is_file()
        if not self.tiled and not (folder / ENTRIES).is_file():
            raise PartyUnavailable(
                f"{folder} holds neither {LOG}/{CHECKPOINT} nor {ENTRIES}: download the log first, or name another "
                "folder"
            )

    def note(self) -> Note | None:
        """Return the checkpoint in the folder."""
        path = self.folder / LOG / CHECKPOINT if self.tiled else self.folder / CHECKPOINT
        return notes.decode_note(path.read_bytes(), "secretariat") if path.is_file() else None

    def entries(self) -> Iterator[Line]:
        """Yield the entries of the bundles that the checkpoint covers, or the lines of ``board.jsonl``."""
        yield from self._bundled() if self.tiled else self._lines()

    def tile(self, name: TileName) -> bytes | None:
        """Return a file of the log."""
        path = self.folder / LOG / name.path()
        return path.read_bytes() if self.tiled and path.is_file() else None

    def index(self, root: IndexRoot) -> Path | None:
        """Return the path of an index in the folder."""
        path = index_path(self.folder, root)
        return path if path.is_file() else None

    def handover_list(self, handover: Handover) -> bytes | None:
        """Return the list in the folder; that of an empty hand-over is nothing, and no file."""
        if not handover.count:
            return b""
        path = list_path(self.folder, handover)
        return path.read_bytes() if path.is_file() else None

    def _lines(self) -> Iterator[Line]:
        with (self.folder / ENTRIES).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield messages.decode(line, BoardEntry)
                except EncodingError as error:
                    yield Unreadable(f"line {number} of {ENTRIES} is no entry of the log: {error.message}")

    def _bundled(self) -> Iterator[Line]:
        note = self.note()
        size = notes.decode_checkpoint(note.text, "secretariat").size if note is not None else 0
        for name in bundles(size):
            try:
                leaves = tiles.decode_bundle(self.tile(name) or b"", name.width)
            except EncodingError as error:
                yield Unreadable(f"{name.path()} of the log: {error.message}", name.width)
                continue
            for leaf in leaves:
                try:
                    yield messages.decode_leaf(leaf, "secretariat")
                except EncodingError as error:
                    yield Unreadable(error.message, 1, merkle.leaf_hash(leaf))


def bundles(size: int) -> Iterator[TileName]:
    """Yield the entry bundles of a log of ``size`` entries, in order."""
    return (name for name in tiles.grown(0, size) if name.level is None)


def index_path(folder: Path, root: IndexRoot) -> Path:
    """Return where in a folder an index lies. The names come from a decoded message and cannot leave the folder."""
    return folder / "indexes" / root.epoch / root.stream / f"{root.window}.tacit-index"


def list_path(folder: Path, handover: Handover) -> Path:
    """Return where in a folder the list of a hand-over lies."""
    return folder / "indexes" / handover.epoch / handover.stream / f"{handover.window}.tacit-handover"
