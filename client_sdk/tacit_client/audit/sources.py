"""Where the log's entries and the published indexes come from: a folder of files; a server is copied into one first.

A folder holds ``board.jsonl``, one entry a line, and ``indexes/EPOCH/STREAM/WINDOW.tacit-index``. Nothing in it is
trusted: everything is judged on reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.parties import Secretariat
from tacit_protocol import messages
from tacit_protocol.errors import EncodingError, IndexFileError
from tacit_protocol.messages import BoardEntry, IndexRoot

ENTRIES = "board.jsonl"
Line = BoardEntry | EncodingError


class EntrySource(Protocol):
    """What an audit reads. Nothing that comes out of it was judged."""

    name: str

    def entries(self) -> Iterator[Line]:
        """Yield all entries as the source gives them; one that cannot be read comes as its error."""
        ...

    def index(self, root: IndexRoot) -> Path | None:
        """Return the file of a published index, or None where the source has none."""
        ...


class FolderSource:
    """A folder with a copy of the log."""

    def __init__(self, folder: Path, name: str | None = None) -> None:
        self.folder, self.name = folder, name or f"folder {folder.name}"
        if not (folder / ENTRIES).is_file():
            raise PartyUnavailable(f"{folder} holds no {ENTRIES}: download the log first, or name another folder")

    def entries(self) -> Iterator[Line]:
        """Yield the lines of ``board.jsonl``."""
        with (self.folder / ENTRIES).open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield messages.decode(line, BoardEntry)
                except EncodingError as error:
                    yield EncodingError(f"line {number} of {ENTRIES} is no entry of the log: {error.message}")

    def index(self, root: IndexRoot) -> Path | None:
        """Return the path of an index in the folder."""
        path = index_path(self.folder, root)
        return path if path.is_file() else None


def index_path(folder: Path, root: IndexRoot) -> Path:
    """Return where in a folder an index lies. The names come from a decoded message and cannot leave the folder."""
    return folder / "indexes" / root.epoch / root.stream / f"{root.window}.tacit-index"


def download_entries(secretariat: Secretariat, target: Path) -> int:
    """Fetch the whole log into a new file ``target``, unjudged; returns how many entries came."""
    count, size = 0, 1
    with target.open("wb") as file:
        while count < size:
            page = secretariat.board(count)
            if not page.entries and page.size > count:
                raise PartyUnavailable("the secretariat announces entries that it does not show", party="secretariat")
            file.writelines(messages.encode(entry) + b"\n" for entry in page.entries)
            count, size = count + len(page.entries), page.size
    return count


def download_indexes(secretariat: Secretariat, folder: Path, roots: list[IndexRoot]) -> None:
    """Fetch the indexes that the folder does not hold whole; what cannot be had is left out and will be missed."""
    for root in roots:
        path = index_path(folder, root)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            secretariat.download_index(root, path, lambda _: None)
        except (Refused, IndexFileError):
            path.unlink(missing_ok=True)
