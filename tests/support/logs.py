"""A secretariat that shows a log as a test likes it, to members and trustees that follow it; and its witnesses."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.boards import MadeBoard
from tacit_client.configuration import PinnedTrustee, WitnessPolicyFile
from tacit_client.errors import Refused
from tacit_client.log_follower import LogFollower
from tacit_protocol import checkpoint as notes
from tacit_protocol import merkle, messages
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.messages import BoardEntry, BoardPage


@dataclass
class LogServer:
    """Signs whatever ``made`` holds; ``cosigners`` are the trustees whose cosignatures it shows."""

    made: MadeBoard
    cosigners: tuple[int, ...] = (1, 2, 3)
    page: int = 1000
    starts: list[int] = field(default_factory=list)  # of the pages asked for
    shown: list[BoardEntry] | None = None  # what is given in place of what was signed
    covered: int | None = None  # how many entries the checkpoint covers, if not all
    cosigned_at: int | None = None
    transport: Any = None

    def note(self) -> Note:
        entries = self.made.entries[: self.covered]
        head = Checkpoint(
            notes.log_origin(self.made.secretariat_key),
            len(entries),
            merkle.tree_hash(map(messages.encode_leaf, entries)),
        )
        note = notes.sign_checkpoint(self.made.secretariat, head)
        for index in self.cosigners:
            name = notes.witness_name(self.made.trustee_keys[index])
            line = notes.cosign(self.made.trustees[index], name, note.text, self.cosigned_at or self.made.time)
            note = note.with_signatures([line])
        return note

    def checkpoint(self) -> bytes:
        if not self.made.entries:
            raise Refused("secretariat refuses: no checkpoint yet", party="secretariat", evidence={"status": 404})
        return self.note().encode()

    def board(self, start: int, limit: int = 1000) -> BoardPage:
        self.starts.append(start)
        entries = self.made.entries if self.shown is None else self.shown
        return BoardPage(start, len(entries), tuple(entries[start : start + min(limit, self.page)]))

    def policy(self, needed: int = 2, maximum_age: int | None = None) -> WitnessPolicyFile:
        pins = tuple(PinnedTrustee(index, key) for index, key in self.made.trustee_keys.items())
        return WitnessPolicyFile(1, self.made.secretariat_key, pins, needed, maximum_age)

    def follower(self, home: Path, *, patience: float = 0.0, needed: int = 2, age: int | None = None) -> LogFollower:
        """Return a member's machine; called again with the same folder it is the same machine later."""
        board = Board(self.made.secretariat_key, self.made.trustee_keys)
        clock = lambda: float(self.made.time)  # noqa: E731
        return LogFollower(home, board, self.policy(needed, age), self, clock=clock, patience=patience)  # type: ignore[arg-type]
