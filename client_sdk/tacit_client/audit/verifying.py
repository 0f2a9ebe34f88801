"""Verify a whole log: every entry, every signature, every public key, every count, every index file.

The rules are those of :class:`~tacit_protocol.board.Board`, the same that members and trustees follow. What an auditor
adds: it goes on after a finding, looks at the files, and at what is overdue.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tacit_client.audit import silences
from tacit_client.audit.findings import FINDING, NOTE, UNCHECKED, Report, StreamFacts
from tacit_client.audit.heads import HeadCheck
from tacit_client.audit.sources import EntrySource, Unreadable
from tacit_protocol import evidence, handover, merkle, messages
from tacit_protocol.board import Board
from tacit_protocol.checkpoint import Note
from tacit_protocol.errors import (
    CeremonyError,
    EncodingError,
    HandoverListError,
    IndexFileError,
    SignatureError,
    TacitError,
)
from tacit_protocol.group import Backend
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import BoardEntry, Handover, IndexRoot, Manifest

ENTRIES, RULES = "entries in sequence", "signatures and rules"
KEYS, CEREMONIES, FILES, AUDITS = "pinned keys", silences.CEREMONIES, "index files", "query audits"
LISTS, ERASURES = "lists of hand-overs", "erasures"
ERASURE_SECONDS = 30 * 86400  # after an epoch closes
_WHERE = ": the secretariat gives it to members and to auditors that it has appointed"


@dataclass
class Verification:
    """One pass over a log; ``now`` is the time against which deadlines are measured (Unix seconds)."""

    group: Backend
    source: EntrySource
    report: Report
    now: int
    secretariat_key: bytes | None = None
    trustee_keys: Mapping[int, bytes] | None = None
    board: Board = field(init=False)
    head: Note | None = None  # the checkpoint, if it covers what was read
    refused: list[tuple[int, bytes, str]] = field(default_factory=list)  # entry, leaf, why
    _gap: bool = False

    def read_entries(self) -> Board:
        """Judge every entry; returns the view that those which hold come to."""
        key = self.secretariat_key
        self.board = Board(key or bytes(32), self.trustee_keys or None)
        for line in self.source.entries():
            if isinstance(line, Unreadable):
                self.report.add(FINDING, ENTRIES, line.why, "secretariat", entry=self.board.size)
                for _ in range(line.count):
                    self.board.step_over(line.digest)
                continue
            if key is None and self.board.size == 0:
                self.board = Board(first_key(line), self.trustee_keys or None)
            self._entry(line)
        if self.board.size == 0:
            self.report.add(UNCHECKED, ENTRIES, "the log is empty: there is nothing to verify")
        self.report.size, self.report.head = self.board.size, self.board.head.hex()
        self._pins()
        self.head = HeadCheck(self.source, self.report, self.board, self.trustee_keys or {}).verify(self.now)
        return self.board

    def conclude(self) -> Report:
        """Check keys, files and audits after :meth:`read_entries`, and return the report."""
        for manifest in self.board.ledger.manifests.values():
            for stream in manifest.streams:
                public_key = self._ceremony(manifest, stream)
                self.report.streams.append(self._facts(manifest, stream, public_key))
        silences.report_witnesses(self.report, self.board, self.now)
        for root in self.board.indexes.values():
            self._index(root)
        for each in self.board.handovers.values():
            self._handover(each)
        self._query_audits()
        self._erasures()
        return self.report

    def evidence(self) -> dict[str, bytes]:
        """Return the evidence files for the entries that break a rule, by name; none without a signed checkpoint."""
        if self.head is None:
            return {}
        key, head, tree = self.board.secretariat_key, self.head, self.board.tree
        return {
            f"entry-{number}.json": messages.encode(evidence.bad_entry(key, head, tree, number, leaf, why))
            for number, leaf, why in self.refused
        }

    def _entry(self, entry: BoardEntry) -> None:
        report, number = self.report, entry.sequence
        report.checked(ENTRIES)
        if number > self.board.size:
            report.add(
                FINDING,
                ENTRIES,
                f"entries {self.board.size} to {number - 1} are missing; what is found after may follow from that",
                "secretariat",
                entry=self.board.size,
            )
            self._gap = True
            while self.board.size < number:
                self.board.step_over(bytes(merkle.HASH_BYTES))
        elif number < self.board.size:
            report.add(FINDING, ENTRIES, f"entry {number} comes again or out of turn", "secretariat", entry=number)
            return
        report.checked(RULES)
        try:
            self.board.apply(entry)
        except TacitError as error:
            leaf = _leaf(entry)
            self.refused.append((number, leaf, error.message))
            # Whoever appended it let it pass, whoever signed it may be to blame too.
            again = " (after a gap)" if self._gap else ""
            text = f"{entry.message.kind}: {error.message}{again}"
            # Whose name stands under what it did not sign is not to blame for it.
            signer = None if isinstance(error, SignatureError) else error.party
            report.add(FINDING, RULES, text, signer, "secretariat", entry=number, evidence=error.evidence)
            self.board.step_over(merkle.leaf_hash(leaf))

    def _pins(self) -> None:
        manifests = list(self.board.ledger.manifests.values())
        self.report.checked(KEYS, len(manifests))
        unpinned = {t.index for m in manifests for t in m.trustees} - (self.trustee_keys or {}).keys()
        if self.secretariat_key is None and self.board.size:
            text = "no key of the secretariat was given: the log was checked with the first key that it shows itself"
            self.report.add(UNCHECKED, KEYS, text)
        if unpinned:
            text = (
                f"no key was given for trustee {', '.join(map(str, sorted(unpinned)))}: the secretariat may have put "
                "its own machines in their place. Get the keys from the trustees and give them with --trustee-keys"
            )
            self.report.add(UNCHECKED, KEYS, text)

    def _ceremony(self, manifest: Manifest, stream: str) -> str:
        place = f"{manifest.epoch}/{stream}"
        self.report.checked(CEREMONIES)
        try:
            keys = self.board.stream_keys(self.group, manifest.epoch, stream)
        except CeremonyError as error:
            record = self.board.attempt(manifest.epoch, stream)
            published = self.board.latest_index(manifest.epoch, stream) is not None
            over = record is not None and record.finished("ceremony-4")
            waits = silences.report_ceremony(self.report, self.board, manifest, stream, self.now, complete=False)
            if over or published:
                text = f"{place} has no public key that all trustees agreed to: {error.message}"
                self.report.add(
                    FINDING, CEREMONIES, text, error.party, None if over else "secretariat", evidence=error.evidence
                )
            elif not waits:
                text = f"the key ceremony of {place} is not complete: {error.message}"
                self.report.add(NOTE, CEREMONIES, text, error.party)
            return ""
        silences.report_ceremony(self.report, self.board, manifest, stream, self.now, complete=True)
        for index, reason in keys.disqualified.items():
            text = f"trustee {index} was disqualified in the ceremony of {place}: it {reason}"
            self.report.add(FINDING, CEREMONIES, text, f"trustee {index}")  # the key has a share less than announced
        return keys.public_key.hex()

    def _facts(self, manifest: Manifest, stream: str, public_key: str) -> StreamFacts:
        place = (manifest.epoch, stream)
        used = [count for (e, s, _), count in self.board.ledger.used.items() if (e, s) == place]
        uploads = [c for _, c in self.board.uploads.values() if (c.epoch, c.stream) == place]
        index = self.board.latest_index(*place)
        window, records = (index.window, index.records) if index else (0, 0)
        return StreamFacts(*place, public_key, len(used), sum(used), manifest.quota, len(uploads), window, records)

    def _index(self, root: IndexRoot) -> None:
        place = f"the index of {root.epoch}/{root.stream} window {root.window}"
        path = self.source.index(root)
        if path is None:
            self.report.add(UNCHECKED, FILES, f"{place} was not there to be compared with its root on the log{_WHERE}")
            return
        self.report.checked(FILES)
        try:
            _verify_file(path, root)
        except (IndexFileError, ValueError) as error:
            text = error.message if isinstance(error, IndexFileError) else f"{place} is empty"
            evidence = error.evidence if isinstance(error, IndexFileError) else {}
            self.report.add(FINDING, FILES, text, "secretariat", evidence=evidence)

    def _handover(self, message: Handover) -> None:
        place = (message.epoch, message.stream, message.window)
        hashes = self.source.handover_list(message)
        if hashes is None:
            withheld = place in self.source.withheld
            absent = f"was not there to be compared with its digest{_WHERE}"
            what = "is not shown by the secretariat" if withheld else absent
            text = f"the list of the hand-over of {message.epoch}/{message.stream} window {message.window} {what}"
            self.report.add(FINDING if withheld else UNCHECKED, LISTS, text, "secretariat" if withheld else None)
            return
        self.report.checked(LISTS)
        try:
            handover.verify_list(message, hashes)
        except HandoverListError as error:
            shuffler = f"trustee {self.board.manifest(message.epoch).shuffler}"
            # The secretariat saw the list before it took the hand-over in, and let it pass.
            parties = (shuffler, "secretariat") if error.party == "shuffler" else ("secretariat",)
            self.report.add(FINDING, LISTS, error.message, *parties, evidence=error.evidence)

    def _query_audits(self) -> None:
        audits = self.board.audits
        self.report.checked(AUDITS, len(audits.orders))
        for late in audits.overdue(self.now):
            text = f"member {late.order.member} did not answer the query audit ordered in entry {late.entry} in time"
            self.report.add(FINDING, AUDITS, text, late.order.member, entry=late.entry)
        words = {
            "not-plausible": "asked for suppliers that its auditor judged not plausible",
            "false": "opened other inputs than it had blinded",
            "refused": "gave its auditor no usable answer in time",
        }
        for entry, result in audits.results.items():
            if result.outcome in words and (result.outcome != "refused" or entry in audits.answers):
                member = audits.orders[entry].order.member
                text = f"member {member} {words[result.outcome]} (query audit ordered in entry {entry})"
                counts = {"plausible": result.plausible, "implausible": result.implausible, "padding": result.padding}
                self.report.add(FINDING, AUDITS, text, member, entry=entry, evidence=counts)

    def _erasures(self) -> None:
        for manifest in self.board.ledger.manifests.values():
            if self.now < manifest.closes:
                continue
            self.report.checked(ERASURES)
            missing = {t.index for t in manifest.trustees} - self.board.erased.get(manifest.epoch, set())
            late = self.now > manifest.closes + ERASURE_SECONDS
            for index in sorted(missing):
                text = (
                    f"trustee {index} has not said that it erased its shares of epoch {manifest.epoch}, which is closed"
                )
                self.report.add(FINDING if late else NOTE, ERASURES, text, f"trustee {index}")


def first_key(entry: BoardEntry) -> bytes:
    """Return the secretariat's key out of the first manifest, for want of a pinned one."""
    try:
        return messages.body_of(entry.message, Manifest).signing_key
    except EncodingError:
        return bytes(32)


def _leaf(entry: BoardEntry) -> bytes:
    try:
        return messages.encode_leaf(entry)
    except EncodingError:  # larger than any entry of a log: that it is refused was said already
        return messages.encode(entry)


def _verify_file(path: Path, root: IndexRoot) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        IndexFile(data).verify(root)
