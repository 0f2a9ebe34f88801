"""Follow the secretariat's board from where this machine left off; a board that went backwards is refused.

The entries are kept in a file beside the vault. Not trusted and not secret: every entry is judged again on loading.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tacit_protocol import messages
from tacit_protocol.board import Board, BoardError
from tacit_protocol.messages import BoardEntry, BoardPage


class LogFollower:
    """Feeds a :class:`Board` from the local file and then from ``fetch(start)``."""

    def __init__(self, path: Path, board: Board, fetch: Callable[[int], BoardPage]) -> None:
        self._path, self._fetch = path, fetch
        self.board = board
        self._load()

    def follow(self) -> Board:
        """Take in everything new and return the view."""
        while True:
            page = self._fetch(self.board.size)
            if page.size < self.board.size:
                raise BoardError(
                    f"the secretariat shows a board of {page.size} entries, {self.board.size} were seen before: "
                    "keep the file board.jsonl as evidence and ask the secretariat",
                    party="secretariat",
                    evidence={"shown": page.size, "seen": self.board.size},
                )
            with self._path.open("ab") as file:
                for entry in page.entries:
                    self.board.apply(entry)
                    file.write(messages.encode(entry) + b"\n")
            if self.board.size >= page.size:
                return self.board
            if not page.entries:
                raise BoardError("the secretariat announces board entries that it does not show", party="secretariat")

    def _load(self) -> None:
        if not self._path.exists():
            return
        lines = self._path.read_bytes().split(b"\n")
        whole, rest = lines[:-1], lines[-1]
        for line in whole:
            self.board.apply(messages.decode(line, BoardEntry, "board.jsonl"))
        if rest:  # the last write was interrupted: what follows is fetched again
            self._path.write_bytes(b"".join(line + b"\n" for line in whole))
