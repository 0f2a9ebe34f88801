"""Follow the secretariat's log from where this machine left off; nothing is done on a log that was not witnessed.

A checkpoint counts once the witness policy of this member accepts it. The entries it covers are hashed onto the tree
seen before, and only when the root is the signed one are they judged and kept. On a fork both halves go into a file
that anybody can judge. ``board.jsonl`` holds the entries, ``checkpoint`` the note they were verified against: not
trusted and not secret, both are verified again on loading. Order of writes: entries first, the checkpoint after.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from tacit_client.configuration import WitnessPolicyFile
from tacit_client.errors import Refused, VaultError
from tacit_client.parties import Secretariat
from tacit_client.transport import Transport
from tacit_client.vault import write_atomically
from tacit_protocol import checkpoint as notes
from tacit_protocol import following, merkle, messages, trustee_evidence
from tacit_protocol.answers import WrongAnswerError
from tacit_protocol.board import Board, BoardError
from tacit_protocol.checkpoint import Note
from tacit_protocol.errors import TacitError
from tacit_protocol.following import BadEntryError, ForkedLogError
from tacit_protocol.messages import BoardEntry
from tacit_protocol.witnessing import Cosigned, WitnessError

WITNESS_SECONDS = 30.0  # how long to wait for cosignatures; in normal operation they take a fraction of a second
_POLL_SECONDS = 0.1
_PROVEN = ("fork-*.json", "entry-*.json")


class LogFollower:
    """Feeds a :class:`Board` from the local files and then from the secretariat; safe to use from several threads."""

    def __init__(
        self,
        home: Path,
        board: Board,
        policy: WitnessPolicyFile,
        secretariat: Secretariat,
        *,
        clock: Callable[[], float] = time.time,
        patience: float = WITNESS_SECONDS,
    ) -> None:
        self._entries_file, self._note_file = home / "board.jsonl", home / "checkpoint"
        self._evidence = home / "evidence"
        self._policy, self._secretariat, self._clock, self._patience = policy, secretariat, clock, patience
        self._lock = threading.Lock()
        self.board = board
        self.note: Note | None = None
        self._bytes = 0  # how long the file of entries is, as far as this follower knows
        self._load()

    @property
    def transport(self) -> Transport:
        """Return what the secretariat is asked through."""
        return self._secretariat.transport

    def follow(self) -> Board:
        """Take in everything new and return the view."""
        with self._lock:
            self._refuse_if_proven()
            self._take_in(self._witnessed(0).note)
            return self.board

    def wait_for(self, entry: BoardEntry) -> None:
        """Return once ``entry``, which the secretariat has promised, stands on the witnessed log."""
        with self._lock:
            self._refuse_if_proven()
            if self.board.size <= entry.sequence:
                self._take_in(self._witnessed(entry.sequence + 1).note)
            if self.board.tree.node(0, entry.sequence) != merkle.leaf_hash(messages.encode_leaf(entry)):
                raise BoardError(
                    f"entry {entry.sequence} of the log is not what the secretariat answered when it took it in",
                    party="secretariat",
                    evidence={"entry": entry.sequence},
                )

    def entry(self, sequence: int) -> BoardEntry:
        """Return one entry of the log as it was read."""
        return next(islice(self._kept_entries(), sequence, None))

    def find(self, kind: str, body: messages.Message) -> BoardEntry:
        """Return the entry with this message."""
        encoded = messages.encode(body)
        return next(each for each in self._kept_entries() if (each.message.kind, each.message.body) == (kind, encoded))

    def keep_complaint(self, name: str, content: bytes) -> Path:
        """Keep a file that the member gives to the auditor; nothing stops because of it."""
        return self._keep_evidence(f"complaint-{name}.json", content)

    def keep_wrong_answer(self, grant: BoardEntry, blinded: bytes, error: WrongAnswerError) -> Path | None:
        """Keep the evidence of a trustee's signed wrong answer; nothing stops because of it, other trustees are asked.

        None while this machine has not seen the grant on the witnessed log: then the file would prove nothing.
        """
        with self._lock:
            key, tree = self.board.secretariat_key, self.board.tree
            if self.note is None or grant.sequence >= notes.decode_checkpoint(self.note.text).size:
                return None
            if tree.node(0, grant.sequence) != merkle.leaf_hash(messages.encode_leaf(grant)):
                return None
            file = trustee_evidence.wrong_answer(key, self.note, tree, grant, blinded, error)
            return self._keep_evidence(f"answer-{grant.sequence}-trustee-{error.trustee}.json", messages.encode(file))

    def _witnessed(self, size: int) -> Cosigned:
        """Return a checkpoint of at least ``size`` entries that the policy accepts; waits for it for a while."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                note = notes.decode_note(self._secretariat.checkpoint(), "secretariat")
                cosigned = self._policy.verify(note, int(self._clock()))
                if cosigned.checkpoint.size >= size:
                    return cosigned
                problem: TacitError = WitnessError(
                    "the witnesses are behind: what was sent is with the secretariat but not cosigned yet; run the "
                    "command again in a moment, it goes on where it stopped",
                    party="secretariat",
                    evidence={"cosigned": cosigned.checkpoint.size, "needed": size},
                )
            except WitnessError as error:
                problem = error
            except Refused as error:
                if error.evidence.get("status") != 404:
                    raise
                problem = error
            if time.monotonic() > deadline:
                raise problem
            time.sleep(_POLL_SECONDS)

    def _take_in(self, note: Note) -> None:
        if note == self.note:
            return
        try:
            shown = following.verify_head(self.board, note)
            entries = list(self._fetch(self.board.size, shown.size))
            following.verify_entries(self.board, shown, entries)
        except ForkedLogError as error:
            raise self._forked(error, note) from error
        before = self.board.size
        try:
            following.take_in(self.board, note, entries)
        except BadEntryError as error:
            path = self._keep_evidence(f"entry-{error.file.entry}.json", messages.encode(error.file))
            _add(error, f" (evidence: {path})")
            raise
        finally:
            self._keep(entries[: self.board.size - before])
        write_atomically(self._note_file, note.encode())
        self.note = note

    def _keep(self, entries: list[BoardEntry]) -> None:
        if self._entries_file.exists() and self._entries_file.stat().st_size != self._bytes:
            # Another run on this vault has read on meanwhile: an entry kept twice would shift all that follow.
            have = sum(1 for _ in self._kept_entries())
            entries = [entry for entry in entries if entry.sequence >= have]
        with self._entries_file.open("ab") as file:
            for entry in entries:
                file.write(messages.encode(entry) + b"\n")
            self._bytes = file.tell()

    def _fetch(self, start: int, size: int) -> Iterator[BoardEntry]:
        while start < size:
            page = self._secretariat.board(start, size - start)
            if not page.entries:
                return
            yield from page.entries[: size - start]
            start += len(page.entries)

    def _forked(self, error: ForkedLogError, note: Note) -> ForkedLogError:
        if self.note is None:
            return error
        size = notes.decode_checkpoint(note.text).size
        try:
            shown: list[BoardEntry] | None = list(self._fetch(0, size))
        except TacitError:
            shown = None
        own = self._kept_entries()
        found = following.find_fork(self.board, self.note, own, note, iter(shown) if shown else None)
        path = self._keep_evidence(f"fork-{self.board.size}-{size}.json", messages.encode(found))
        _add(error, f" (both halves: {path})")
        return error

    def _keep_evidence(self, name: str, content: bytes) -> Path:
        self._evidence.mkdir(exist_ok=True)
        path = self._evidence / name
        if not path.exists():
            write_atomically(path, content)
        return path

    def _refuse_if_proven(self) -> None:
        found = sorted(path for pattern in _PROVEN for path in self._evidence.glob(pattern))
        if found:
            raise BoardError(
                f"the secretariat changed or broke its log earlier, {found[0]} shows how: nothing is sent. Give the "
                "file to the auditor; move it away only once the secretariat has explained it",
                party="secretariat",
            )

    def _load(self) -> None:
        for entry in self._kept_entries():
            if entry.sequence >= self.board.size:
                self.board.apply(entry)
        self._bytes = self._entries_file.stat().st_size if self._entries_file.exists() else 0
        if self._note_file.exists():
            self.note = notes.decode_note(self._note_file.read_bytes(), self._note_file.name)
            head = notes.verify_log(self.note, notes.log_origin(self.board.secretariat_key), self.board.secretariat_key)
            if head.size > self.board.size or self.board.tree.root(head.size) != head.root:
                raise VaultError(
                    f"{self._entries_file.name} is not what {self._note_file.name} covers: restore both from a "
                    "backup, or remove both to read the log anew"
                )

    def _kept_entries(self) -> Iterator[BoardEntry]:
        if not self._entries_file.exists():
            return
        lines = self._entries_file.read_bytes().split(b"\n")
        whole, rest = lines[:-1], lines[-1]
        if rest:  # the last write was interrupted: what follows is fetched again
            self._entries_file.write_bytes(b"".join(line + b"\n" for line in whole))
        for line in whole:
            yield messages.decode(line, BoardEntry, self._entries_file.name)


def _add(error: TacitError, more: str) -> None:
    error.message += more
    error.args = (error.message,)
