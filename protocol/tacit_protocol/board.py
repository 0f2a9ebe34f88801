"""Follow the board: judge every entry as it comes and keep what members, trustees and auditors need to know.

Members, trustees and auditors run this same code over the same entries and so reach the same view; the secretariat
runs it before it appends. An entry that is not signed by the party that may say such a thing is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tacit_protocol import access, audit_ledger, keygen, merkle, messages, signing, tally_ledger
from tacit_protocol.audit_ledger import AuditLedger
from tacit_protocol.ceremony_record import BEFORE, RESTART, STEPS, CeremonyRecord, StreamKeys, conclude
from tacit_protocol.errors import (
    BoardError,
    CeremonyError,
    SignatureError,
    UnpinnedTrusteeError,
    UploadError,
)
from tacit_protocol.grants import Ledger
from tacit_protocol.group import Backend
from tacit_protocol.handover import is_signed
from tacit_protocol.messages import (
    BoardEntry,
    CeremonyCut,
    Erasure,
    GrantRequest,
    Handover,
    IndexRoot,
    Manifest,
    Trustee,
    UploadCommitment,
    WindowClose,
)
from tacit_protocol.sealed_index import ENTRIES_PER_RECORD
from tacit_protocol.tally_ledger import TallyLedger

__all__ = ["RESTART", "Board", "BoardError", "CeremonyRecord", "StreamId", "StreamKeys", "UnpinnedTrusteeError"]

StreamId = tuple[str, str]  # (epoch, stream)
_LEDGER = frozenset({"manifest", "enrolment", "grant", *access.KINDS})
_SECRETARIAT = frozenset(
    {"manifest", "window-close", "ceremony-cut", "index", "auditor", "rules", "eligibility", "tally"}
)


@dataclass
class Board:
    """The view of whoever follows; ``secretariat_key`` and ``trustee_keys`` (by index) are pinned beforehand.

    ``tree`` is the log's Merkle tree over everything seen: its root at any size is compared with signed checkpoints.
    """

    secretariat_key: bytes
    trustee_keys: Mapping[int, bytes] | None = None
    time: int = 0  # of the last entry
    tree: merkle.Tree = field(default_factory=merkle.Tree)
    ledger: Ledger = field(default_factory=Ledger)
    audits: AuditLedger = field(default_factory=AuditLedger)
    tallies: TallyLedger = field(default_factory=TallyLedger)
    ceremonies: dict[tuple[str, str, int], CeremonyRecord] = field(default_factory=dict)
    granted_at: dict[tuple[str, str, str, bytes], int] = field(default_factory=dict)  # as Ledger.granted: the entry
    closed_windows: dict[StreamId, int] = field(default_factory=dict)
    uploads: dict[int, tuple[str, UploadCommitment]] = field(default_factory=dict)
    handovers: dict[tuple[str, str, int], Handover] = field(default_factory=dict)
    indexes: dict[tuple[str, str, int], IndexRoot] = field(default_factory=dict)
    erased: dict[str, set[int]] = field(default_factory=dict)  # epoch: the trustees that erased their shares
    _keys: dict[StreamId, StreamKeys] = field(default_factory=dict)

    def apply(self, entry: BoardEntry) -> None:
        """Take in the next entry; raises a :class:`TacitError` that names the party when it breaks a rule."""
        if entry.sequence != self.size:
            raise BoardError(
                f"the board continues with entry {entry.sequence}, expected {self.size}",
                party="secretariat",
                evidence={"expected": self.size, "found": entry.sequence},
            )
        if entry.time < self.time:
            raise BoardError(
                f"entry {entry.sequence} of the board is dated before the one that it follows",
                party="secretariat",
                evidence={"entry": entry.sequence, "time": entry.time, "before it": self.time},
            )
        leaf = messages.encode_leaf(entry)
        self._judge(entry)
        self.tree.append(merkle.leaf_hash(leaf))
        self.time = entry.time

    def step_over(self, digest: bytes) -> None:
        """Count an entry by its leaf hash alone: an auditor goes on after one that it had to refuse or that is gone."""
        self.tree.append(digest)

    @property
    def size(self) -> int:
        """Return the number of entries taken in."""
        return self.tree.size

    @property
    def head(self) -> bytes:
        """Return the root over everything taken in."""
        return self.tree.root()

    def manifest(self, epoch: str) -> Manifest:
        """Return the manifest of an epoch; raises :class:`BoardError` when none was opened."""
        manifest = self.ledger.manifests.get(epoch)
        if manifest is None:
            raise BoardError(f"the secretariat has not opened an epoch {epoch}: ask it, or choose another epoch")
        return manifest

    def open_window(self, epoch: str, stream: str) -> int:
        """Return the window that uploads go into now; the first is 1."""
        return self.closed_windows.get((epoch, stream), 0) + 1

    def check_open(self, epoch: str, now: int) -> Manifest:
        """Return the manifest if the epoch is open at ``now`` (Unix seconds); raises :class:`BoardError`."""
        manifest = self.manifest(epoch)
        if now < manifest.opens:
            raise BoardError(f"epoch {epoch} is not open yet: try again later")
        if now >= manifest.closes:
            raise BoardError(f"epoch closed: {epoch} takes nothing any more, use the next one")
        return manifest

    def attempt_number(self, epoch: str, stream: str) -> int:
        """Return the number of the attempt that the ceremony of a stream is in: 1, and one more for each restart."""
        number = 1
        while (record := self.ceremonies.get((epoch, stream, number))) is not None and RESTART in record.cuts:
            number += 1
        return number

    def attempt(self, epoch: str, stream: str) -> CeremonyRecord | None:
        """Return the present attempt of the ceremony for a stream, if any message was sent in it."""
        return self.ceremonies.get((epoch, stream, self.attempt_number(epoch, stream)))

    def stream_keys(self, group: Backend, epoch: str, stream: str) -> StreamKeys:
        """Recompute the stream's public keys from the transcript; every qualified trustee must have agreed to it.

        The first attempt that was completed counts for ever, so that no later restart can change a key in use.
        """
        known = self._keys.get((epoch, stream))
        if known is not None:
            return known
        latest = self.attempt_number(epoch, stream)
        for number in range(1, latest + 1):
            try:
                keys = conclude(group, self.ceremonies.get((epoch, stream, number)), f"{epoch}/{stream}")
            except CeremonyError:
                if number == latest:
                    raise
            else:
                self._keys[epoch, stream] = keys
                return keys
        raise CeremonyError(f"the key ceremony of {epoch}/{stream} has not begun: try again in a moment")

    def latest_index(self, epoch: str, stream: str) -> IndexRoot | None:
        """Return the newest published index of a stream."""
        windows = [window for (e, s, window) in self.indexes if (e, s) == (epoch, stream)]
        return self.indexes[epoch, stream, max(windows)] if windows else None

    def _judge(self, entry: BoardEntry) -> None:
        message = entry.message
        if message.kind in _SECRETARIAT:
            signing.verify(self.secretariat_key, message)
        if message.kind in _LEDGER:
            if message.kind == "manifest":
                self._check_manifest(messages.body_of(message, Manifest))
            grant = messages.body_of(message, GrantRequest) if message.kind == "grant" else None
            if grant is not None and grant.epoch in self.ledger.manifests:
                self.check_open(grant.epoch, entry.time)
            self.ledger.apply(message)
            if grant is not None:
                self.granted_at.setdefault((grant.epoch, grant.stream, message.signer, grant.digest), entry.sequence)
                self.audits.note_grant(entry)
        elif message.kind in audit_ledger.KINDS:
            self.audits.apply(entry, self.ledger, self.tree.root, self._officials())
        elif message.kind in tally_ledger.KINDS:
            self.tallies.apply(entry, self.ledger)
        elif message.kind in STEPS:
            self._ceremony(entry)
        elif message.kind == "upload":
            self._upload(entry)
        elif message.kind == "erasure":
            self._erasure(entry)
        else:
            self._publication(entry)

    def _officials(self) -> set[bytes]:
        parties: list[Manifest | Trustee] = [*self.ledger.manifests.values()]
        parties += [trustee for manifest in self.ledger.manifests.values() for trustee in manifest.trustees]
        return {self.secretariat_key} | {key for p in parties for key in (p.signing_key, p.agreement_key)}

    def _check_manifest(self, manifest: Manifest) -> None:
        if manifest.epoch in self.ledger.manifests:
            raise BoardError(f"epoch {manifest.epoch} was opened twice", party="secretariat")
        indices = [trustee.index for trustee in manifest.trustees]
        if len(set(indices)) != len(indices) or not manifest.threshold <= len(indices):
            raise BoardError(f"the manifest of {manifest.epoch} names impossible trustees", party="secretariat")
        if manifest.shuffler not in indices or manifest.signing_key != self.secretariat_key:
            raise BoardError(f"the manifest of {manifest.epoch} contradicts itself", party="secretariat")
        self._check_trustees(manifest)
        if self.trustee_keys is not None:
            self._check_pinned(manifest, self.trustee_keys)

    @staticmethod
    def _check_trustees(manifest: Manifest) -> None:
        count = len(manifest.trustees)
        if len({trustee.signing_key for trustee in manifest.trustees}) != count:
            raise BoardError(
                f"the manifest of {manifest.epoch} names one trustee under two numbers", party="secretariat"
            )
        if 2 * manifest.threshold <= count:
            # Otherwise two halves could each make a key, and trustees left out could be enough to know it.
            raise BoardError(
                f"the manifest of {manifest.epoch} has a threshold of {manifest.threshold} "
                f"for {count} trustees: more than half of them must be needed",
                party="secretariat",
            )

    @staticmethod
    def _check_pinned(manifest: Manifest, pins: Mapping[int, bytes]) -> None:
        for trustee in manifest.trustees:
            pinned = pins.get(trustee.index)
            if pinned is None:
                raise UnpinnedTrusteeError(
                    f"the manifest of {manifest.epoch} names trustee {trustee.index}, whose key is not pinned here: "
                    "ask the secretariat for a new invitation and run 'tacit enrol' with it",
                    party="secretariat",
                )
            if pinned != trustee.signing_key:
                # A secretariat that names its own machines as trustees would hold the whole key.
                raise BoardError(
                    f"the manifest of {manifest.epoch} gives trustee {trustee.index} another key than the one pinned: "
                    "a new trustee needs a new invitation",
                    party="secretariat",
                )

    def _ceremony(self, entry: BoardEntry) -> None:
        message = entry.message
        body = messages.body_of(message, STEPS[message.kind])
        if not isinstance(body, keygen.CeremonyMessage):
            raise CeremonyError(f"{message.kind} is no step of a ceremony")
        manifest = self.manifest(body.epoch)
        signing.verify(manifest.trustee(body.sender).signing_key, message)
        record = self._ceremony_record(manifest, body.stream, body.attempt, f"trustee {body.sender}")
        record.take_in(body, message, entry.sequence)

    def _ceremony_record(self, manifest: Manifest, stream: str, attempt: int, party: str) -> CeremonyRecord:
        place, current = (manifest.epoch, stream, attempt), self.attempt_number(manifest.epoch, stream)
        if stream not in manifest.streams:
            raise CeremonyError(f"epoch {manifest.epoch} has no stream {stream}", party=party)
        if attempt != current and (place not in self.ceremonies or attempt > current):
            raise CeremonyError(f"the ceremony of {manifest.epoch}/{stream} is in attempt {current}", party=party)
        if place not in self.ceremonies:
            keys = {trustee.index: trustee.signing_key for trustee in manifest.trustees}
            ceremony = keygen.Ceremony(manifest.epoch, stream, attempt, manifest.threshold, keys)
            self.ceremonies[place] = CeremonyRecord(ceremony)
        return self.ceremonies[place]

    def _upload(self, entry: BoardEntry) -> None:
        member = entry.message.signer
        key = self.ledger.signing_keys.get(member)
        if key is None:
            raise SignatureError(f"member {member} is not enrolled: run 'tacit enrol' first", party=member)
        signing.verify(key, entry.message)
        commitment = messages.body_of(entry.message, UploadCommitment)
        if commitment.stream not in self.check_open(commitment.epoch, entry.time).streams:
            raise BoardError(f"epoch {commitment.epoch} has no stream {commitment.stream}", party=member)
        current = self.open_window(commitment.epoch, commitment.stream)
        if commitment.window != current:
            raise BoardError(
                f"window {commitment.window} of {commitment.epoch}/{commitment.stream} is not open, "
                f"window {current} is: run the command again to contribute to that one",
                party=member,
            )
        self.uploads[entry.sequence] = (member, commitment)

    def _erasure(self, entry: BoardEntry) -> None:
        erasure = messages.body_of(entry.message, Erasure)
        manifest = self.manifest(erasure.epoch)
        signing.verify(manifest.trustee(erasure.sender).signing_key, entry.message)
        # Also before the epoch closes: a trustee that fears for its share had better erase it, for all to see.
        self.erased.setdefault(erasure.epoch, set()).add(erasure.sender)

    def _publication(self, entry: BoardEntry) -> None:
        message = entry.message
        if message.kind == "window-close":
            close = messages.body_of(message, WindowClose)
            if close.stream not in self.manifest(close.epoch).streams:
                raise BoardError(f"epoch {close.epoch} has no stream {close.stream}", party="secretariat")
            if close.window != self.open_window(close.epoch, close.stream):
                raise BoardError(f"window {close.window} of {close.epoch}/{close.stream} is not open")
            self.closed_windows[close.epoch, close.stream] = close.window
        elif message.kind == "ceremony-cut":
            cut = messages.body_of(message, CeremonyCut)
            if cut.step not in (*STEPS, RESTART):
                raise CeremonyError(f"the ceremony has no step {cut.step}", party="secretariat")
            record = self._ceremony_record(self.manifest(cut.epoch), cut.stream, cut.attempt, "secretariat")
            if cut.step in BEFORE and not record.finished(BEFORE[cut.step]):
                raise CeremonyError(f"{cut.step} has not begun and cannot be cut", party="secretariat")
            record.cuts.add(cut.step)
        elif message.kind == "handover":
            handover = messages.body_of(message, Handover)
            manifest = self.manifest(handover.epoch)
            signing.verify(manifest.trustee(manifest.shuffler).signing_key, message)
            self._check_handover(manifest, handover)
            self.handovers[handover.epoch, handover.stream, handover.window] = handover
        elif message.kind == "index":
            root = messages.body_of(message, IndexRoot)
            self._check_index(root)
            self.indexes[root.epoch, root.stream, root.window] = root
        else:
            raise BoardError(f"entry {entry.sequence} is of an unknown kind: update this program")

    def handed_over(self, epoch: str, stream: str) -> set[int]:
        """Return the board entries of all uploads that some hand-over of the stream contained."""
        return {i for (e, s, _), h in self.handovers.items() if (e, s) == (epoch, stream) for i in h.entries}

    def leaves_out(self, handover: Handover, sequence: int) -> bool:
        """Tell whether a hand-over on the board leaves out the upload at ``sequence`` without a reason.

        Asked by whoever has a receipt for it. Newcomers, or members that replace an upload, may wait for a crowd of
        their kind; but a hand-over that takes some of a kind has to take all that were receipted.
        """
        member, commitment = self.uploads[sequence]
        place = (handover.epoch, handover.stream)
        if (commitment.epoch, commitment.stream) != place or commitment.window > handover.window:
            return False
        if sequence in handover.entries:
            return False
        before = [h for (e, s, w), h in self.handovers.items() if (e, s) == place and w < handover.window]
        shown = {entry for earlier in before for entry in earlier.entries}
        earlier_members = {self.uploads[entry][0] for entry in shown}
        taken = {self.uploads[entry][0]: entry for entry in handover.entries}
        if taken.get(member, -1) > sequence or sequence in shown:
            return False  # a later upload of the same member took its place, now or before
        kind = member in earlier_members
        return any((other in earlier_members) == kind for other, entry in taken.items() if entry not in shown)

    def _check_handover(self, manifest: Manifest, handover: Handover) -> None:
        place, party = f"{handover.epoch}/{handover.stream}", f"trustee {manifest.shuffler}"
        done = [w for (e, s, w) in self.handovers if (e, s) == (handover.epoch, handover.stream)]
        if handover.window != max(done, default=0) + 1:
            raise BoardError(f"window {handover.window} of {place} is not the next to be handed over", party=party)
        if handover.window > self.closed_windows.get((handover.epoch, handover.stream), 0):
            raise BoardError(f"window {handover.window} of {place} is still open", party=party)
        members, count = set(), 0
        for sequence in handover.entries:
            member, commitment = self.uploads.get(sequence, ("", None))
            if commitment is None or (commitment.epoch, commitment.stream) != (handover.epoch, handover.stream):
                raise UploadError(f"the hand-over of {place} names entry {sequence}, no upload to it", party=party)
            if commitment.window > handover.window or member in members:
                raise UploadError(f"the hand-over of {place} names entry {sequence} out of turn", party=party)
            members.add(member)
            count += commitment.count
        if count != handover.count:
            raise UploadError(
                f"the hand-over of {place} has {handover.count} records, its members committed to {count}", party=party
            )
        if not count and not is_signed(handover, b""):
            # Nobody shows a list of nothing: whoever reads this digest would ask the secretariat for one.
            raise UploadError(f"the empty hand-over of {place} has a digest that is not of an empty list", party=party)
        handed_over = self.handed_over(handover.epoch, handover.stream)
        earlier = {self.uploads[sequence][0] for sequence in handed_over}
        left_out = earlier - members
        if handover.entries and left_out:
            # What is missing from the next index would be that member's: two indexes compared would name it.
            raise UploadError(
                f"the hand-over of {place} leaves out {len(left_out)} members that an earlier one contained",
                party=party,
                evidence={f"left out {i}": member for i, member in enumerate(sorted(left_out), 1)},
            )
        fresh = [self.uploads[sequence][0] for sequence in set(handover.entries) - handed_over]
        replacing = sum(member in earlier for member in fresh)
        least = manifest.minimum_contributors
        for number, who in ((len(fresh) - replacing, "new"), (replacing, "replacing")):
            # In a small crowd the secretariat could guess whose records came in. Each kind needs its own crowd: two
            # indexes compared show what a single member has replaced, also where many new ones came at the same time.
            if 0 < number < least or (handover.entries and not fresh):
                raise UploadError(
                    f"the hand-over of {place} has {number} {who} contributors, {least} are the least", party=party
                )

    def _check_index(self, root: IndexRoot) -> None:
        place = (root.epoch, root.stream, root.window)
        handover = self.handovers.get(place)
        if handover is None or handover.count == 0 or place in self.indexes:
            raise BoardError(
                f"an index of {root.epoch}/{root.stream} window {root.window} is not due", party="secretariat"
            )
        # More than 14 entries for each record only where copies of one record came with other entries.
        least, most = ENTRIES_PER_RECORD * root.records, ENTRIES_PER_RECORD * handover.count
        if root.records > handover.count or not least <= root.entries <= most:
            raise BoardError(
                f"the index of {root.epoch}/{root.stream} window {root.window} holds other counts than "
                "what was handed over",
                party="secretariat",
                evidence={"handed_over": handover.count, "records": root.records, "entries": root.entries},
            )
