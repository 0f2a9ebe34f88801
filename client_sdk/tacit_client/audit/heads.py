"""Check the log's checkpoint: who signed it, which trustees cosigned it, and that it covers what was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tacit_client.audit.findings import FINDING, UNCHECKED, Report, WitnessFacts
from tacit_client.audit.sources import EntrySource
from tacit_protocol import checkpoint as notes
from tacit_protocol import tiles
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, SignatureError
from tacit_protocol.witnessing import majority

CHECKPOINTS, COSIGNATURES, TILES = "checkpoint", "cosignatures", "files of the log"
FRESH_SECONDS = 86400  # a log at rest is cosigned again all the time; one that is not may hide what is new


@dataclass(frozen=True)
class HeadCheck:
    """The checkpoint of a source against the entries that were read from it into ``board``."""

    source: EntrySource
    report: Report
    board: Board
    trustee_keys: Mapping[int, bytes]

    def verify(self, now: int) -> Note | None:
        """Return the checkpoint if the log signed it and it covers what was read; report what is wrong or missing."""
        try:
            note = self.source.note()
            if note is None:
                text = "there is no checkpoint: nothing shows that others are shown the same log"
                self.report.add(UNCHECKED, CHECKPOINTS, text)
                return None
            self.report.checked(CHECKPOINTS)
            key = self.board.secretariat_key
            head = notes.verify_log(note, notes.log_origin(key), key)
        except (EncodingError, SignatureError) as error:
            self.report.add(FINDING, CHECKPOINTS, error.message, "secretariat")
            return None
        self._cosignatures(note, now)
        covered = self._covers(head)
        self._tiles(head)
        return note if covered else None

    def _covers(self, head: Checkpoint) -> bool:
        size = self.board.size
        if head.size > size or self.board.tree.root(head.size) != head.root:
            text = f"the signed checkpoint of {head.size} entries is not of the {size} entries that the log shows"
            facts: dict[str, str | int] = {"signed root": head.root.hex(), "size": head.size, "entries shown": size}
            self.report.add(FINDING, CHECKPOINTS, text, "secretariat", evidence=facts)
            return False
        if size > head.size:
            text = f"the last {size - head.size} entries are under no checkpoint yet"
            self.report.add(UNCHECKED, CHECKPOINTS, text)
        return True

    def _cosignatures(self, note: Note, now: int) -> None:
        times: list[int] = []
        for index, key in sorted(self.trustee_keys.items()):
            self.report.checked(COSIGNATURES)
            try:
                time = notes.verify_cosignature(note, notes.witness_name(key), key)
            except SignatureError as error:
                text = f"the checkpoint carries a cosignature of trustee {index} that is none: {error.message}"
                self.report.add(FINDING, COSIGNATURES, text, "secretariat")
                time = None
            self.report.witnesses.append(WitnessFacts(index, time, None if time is None else max(0, now - time)))
            times += [] if time is None else [time]
        needed = majority(len(self.trustee_keys))
        if self.trustee_keys and len(times) < needed:
            text = (
                f"{len(times)} of {len(self.trustee_keys)} trustees cosigned the checkpoint, {needed} are needed "
                "before it is sure that everybody is shown the same log"
            )
            self.report.add(UNCHECKED, COSIGNATURES, text)
        elif times and max(times) < now - FRESH_SECONDS:
            hours = (now - max(times)) // 3600
            self.report.add(UNCHECKED, COSIGNATURES, f"the newest cosignature is {hours} hours old: news may be hidden")

    def _tiles(self, head: Checkpoint) -> None:
        """Compare every file with hashes: whoever verifies an inclusion proof relies on them."""
        if not self.source.tiled or head.size > self.board.size:
            return
        for name in tiles.grown(0, head.size):
            if name.level is None:
                continue
            self.report.checked(TILES)
            content = self.source.tile(name)
            if content is None:
                self.report.add(FINDING, TILES, f"the log does not show its file {name.path()}", "secretariat")
            elif content != tiles.tile(self.board.tree, name):
                text = f"the log's file {name.path()} does not hold the hashes of its entries"
                self.report.add(FINDING, TILES, text, "secretariat")
