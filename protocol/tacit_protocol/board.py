"""Follow the board: judge every entry as it comes and keep what members, trustees and auditors need to know.

Members, trustees and auditors run this same code over the same entries and so reach the same view; the secretariat
runs it before it appends. An entry that is not signed by the party that may say such a thing is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from tacit_protocol import keygen, messages, signing
from tacit_protocol.errors import CeremonyError, SignatureError, TacitError, UploadError
from tacit_protocol.grants import Ledger
from tacit_protocol.group import Backend
from tacit_protocol.messages import (
    BoardEntry,
    CeremonyCut,
    Handover,
    IndexRoot,
    Manifest,
    Round1,
    Round2,
    Round3,
    Round3Answer,
    Round4,
    UploadCommitment,
    WindowClose,
)
from tacit_protocol.sealed_index import ENTRIES_PER_RECORD

StreamId = tuple[str, str]  # (epoch, stream)
_SECRETARIAT = frozenset({"manifest", "window-close", "ceremony-cut", "index"})
_CEREMONY: dict[str, type[messages.Message]] = {
    "ceremony-1": Round1,
    "ceremony-2": Round2,
    "ceremony-3": Round3,
    "ceremony-3-answer": Round3Answer,
    "ceremony-4": Round4,
}
_BEFORE = {
    "ceremony-2": "ceremony-1",
    "ceremony-3": "ceremony-2",
    "ceremony-3-answer": "ceremony-3",
    "ceremony-4": "ceremony-3-answer",
}
RESTART = "restart"  # a cut with this step gives an attempt up; the next one may then begin


class BoardError(TacitError):
    """The board contradicts itself or what was seen of it before: the secretariat has to explain."""


@dataclass
class CeremonyRecord:
    """One attempt of a ceremony: the first message of each kind and sender, in board order, and the cuts."""

    ceremony: keygen.Ceremony
    sent: dict[str, dict[int, keygen.CeremonyMessage]] = field(default_factory=lambda: {kind: {} for kind in _CEREMONY})
    cuts: set[str] = field(default_factory=set)

    def transcript(self) -> keygen.Transcript:
        """Return the messages of steps 1 to 3 for :mod:`tacit_protocol.keygen`."""
        return keygen.Transcript(
            [m for m in self.sent["ceremony-1"].values() if isinstance(m, Round1)],
            [m for m in self.sent["ceremony-2"].values() if isinstance(m, Round2)],
            [m for m in self.sent["ceremony-3"].values() if isinstance(m, Round3)],
            [m for m in self.sent["ceremony-3-answer"].values() if isinstance(m, Round3Answer)],
        )

    def confirmations(self) -> list[Round4]:
        """Return the messages of step 4."""
        return [m for m in self.sent["ceremony-4"].values() if isinstance(m, Round4)]

    def accused(self) -> set[int]:
        """Return the trustees that have to answer a complaint: those that opened and were accused by another."""
        complaints = (m for m in self.sent["ceremony-3"].values() if isinstance(m, Round3))
        return {index for m in complaints for index in m.accused} & self.sent["ceremony-2"].keys()

    def expected(self, kind: str) -> set[int]:
        """Return whose messages a step waits for: whoever stayed silent in one step is out of the next."""
        if kind == "ceremony-1":
            return set(self.ceremony.signing_keys)
        if kind == "ceremony-3-answer":
            return self.accused()
        return set(self.sent["ceremony-1" if kind == "ceremony-2" else "ceremony-2"])

    def finished(self, kind: str) -> bool:
        """Tell whether a step is over: everybody expected has spoken, or the wait was cut."""
        before = _BEFORE.get(kind)
        if before is not None and not self.finished(before):
            return False
        return kind in self.cuts or self.expected(kind) <= self.sent[kind].keys()

    def verify_turn(self, kind: str, sender: int) -> None:
        """Raise :class:`CeremonyError` unless ``sender`` may send ``kind`` now; what is over stays as it is.

        A message let in late would change the transcript that the others have already agreed to.
        """
        before, party = _BEFORE.get(kind), f"trustee {sender}"
        if RESTART in self.cuts:
            raise CeremonyError("this attempt of the ceremony was given up", party=party)
        if before is not None and not self.finished(before):
            raise CeremonyError(f"{kind} of trustee {sender} comes before {before} is over", party=party)
        if kind in self.cuts:
            raise CeremonyError(f"{kind} of trustee {sender} comes after the wait was cut", party=party)
        if sender not in self.expected(kind):
            raise CeremonyError(f"nothing is expected of trustee {sender} in {kind}", party=party)


@dataclass(frozen=True)
class StreamKeys:
    """The public outcome of a completed ceremony."""

    public_key: bytes
    public_shares: Mapping[int, bytes]
    disqualified: Mapping[int, str]


@dataclass
class Board:
    """The view of whoever follows; ``secretariat_key`` and ``trustee_keys`` (by index) are pinned beforehand.

    ``head`` is a running hash over everything seen, so that a changed past shows.
    """

    secretariat_key: bytes
    trustee_keys: Mapping[int, bytes] | None = None
    size: int = 0
    head: bytes = bytes(32)
    ledger: Ledger = field(default_factory=Ledger)
    ceremonies: dict[tuple[str, str, int], CeremonyRecord] = field(default_factory=dict)
    closed_windows: dict[StreamId, int] = field(default_factory=dict)
    uploads: dict[int, tuple[str, UploadCommitment]] = field(default_factory=dict)
    handovers: dict[tuple[str, str, int], Handover] = field(default_factory=dict)
    indexes: dict[tuple[str, str, int], IndexRoot] = field(default_factory=dict)
    _keys: dict[StreamId, StreamKeys] = field(default_factory=dict)

    def apply(self, entry: BoardEntry) -> None:
        """Take in the next entry; raises a :class:`TacitError` that names the party when it breaks a rule."""
        if entry.sequence != self.size:
            raise BoardError(
                f"the board continues with entry {entry.sequence}, expected {self.size}",
                party="secretariat",
                evidence={"expected": self.size, "found": entry.sequence},
            )
        self._judge(entry)
        self.size += 1
        self.head = hashlib.sha256(self.head + messages.encode(entry)).digest()

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
                keys = _conclude(group, self.ceremonies.get((epoch, stream, number)), f"{epoch}/{stream}")
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
        if message.kind in ("manifest", "enrolment", "grant"):
            if message.kind == "manifest":
                self._check_manifest(messages.body_of(message, Manifest))
            self.ledger.apply(message)
        elif message.kind in _CEREMONY:
            self._ceremony(entry)
        elif message.kind == "upload":
            self._upload(entry)
        else:
            self._publication(entry)

    def _check_manifest(self, manifest: Manifest) -> None:
        if manifest.epoch in self.ledger.manifests:
            raise BoardError(f"epoch {manifest.epoch} was opened twice", party="secretariat")
        indices = [trustee.index for trustee in manifest.trustees]
        if len(set(indices)) != len(indices) or not manifest.threshold <= len(indices):
            raise BoardError(f"the manifest of {manifest.epoch} names impossible trustees", party="secretariat")
        if manifest.shuffler not in indices or manifest.signing_key != self.secretariat_key:
            raise BoardError(f"the manifest of {manifest.epoch} contradicts itself", party="secretariat")
        if len({trustee.signing_key for trustee in manifest.trustees}) != len(indices):
            raise BoardError(
                f"the manifest of {manifest.epoch} names one trustee under two numbers", party="secretariat"
            )
        if 2 * manifest.threshold <= len(indices):
            # Otherwise two halves could each make a key, and trustees left out could be enough to know it.
            raise BoardError(
                f"the manifest of {manifest.epoch} has a threshold of {manifest.threshold} "
                f"for {len(indices)} trustees: more than half of them must be needed",
                party="secretariat",
            )
        for trustee in manifest.trustees:
            # A secretariat that names its own machines as trustees, in another's place or beside the pinned ones,
            # would hold the whole key.
            if self.trustee_keys is not None and self.trustee_keys.get(trustee.index) != trustee.signing_key:
                raise BoardError(
                    f"the manifest of {manifest.epoch} gives trustee {trustee.index} another key than the one pinned: "
                    "a new trustee needs a new invitation",
                    party="secretariat",
                )

    def _ceremony(self, entry: BoardEntry) -> None:
        message = entry.message
        body = messages.body_of(message, _CEREMONY[message.kind])
        if not isinstance(body, Round1 | Round2 | Round3 | Round3Answer | Round4):
            raise CeremonyError(f"{message.kind} is no step of a ceremony")
        manifest = self.manifest(body.epoch)
        signing.verify(manifest.trustee(body.sender).signing_key, message)
        record = self._ceremony_record(manifest, body.stream, body.attempt, f"trustee {body.sender}")
        earlier = record.sent[message.kind].get(body.sender)
        if earlier is not None and earlier != body:
            raise CeremonyError(
                f"trustee {body.sender} sent two different messages in step {message.kind}",
                party=f"trustee {body.sender}",
                evidence={"entry": entry.sequence},
            )
        if earlier is None:
            record.verify_turn(message.kind, body.sender)
            record.sent[message.kind][body.sender] = body

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
        if commitment.stream not in self.manifest(commitment.epoch).streams:
            raise BoardError(f"epoch {commitment.epoch} has no stream {commitment.stream}", party=member)
        current = self.open_window(commitment.epoch, commitment.stream)
        if commitment.window != current:
            raise BoardError(
                f"window {commitment.window} of {commitment.epoch}/{commitment.stream} is not open, "
                f"window {current} is: run the command again to contribute to that one",
                party=member,
            )
        self.uploads[entry.sequence] = (member, commitment)

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
            if cut.step not in (*_CEREMONY, RESTART):
                raise CeremonyError(f"the ceremony has no step {cut.step}", party="secretariat")
            record = self._ceremony_record(self.manifest(cut.epoch), cut.stream, cut.attempt, "secretariat")
            if cut.step in _BEFORE and not record.finished(_BEFORE[cut.step]):
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


def _conclude(group: Backend, record: CeremonyRecord | None, place: str) -> StreamKeys:
    if record is None:
        raise CeremonyError(f"the key ceremony of {place} has not begun: try again in a moment")
    if not record.finished("ceremony-3-answer"):
        raise CeremonyError(f"the key ceremony of {place} is under way: try again in a moment")
    outcome = keygen.conclude(group, record.ceremony, record.transcript())
    keygen.verify_agreement(record.ceremony, outcome, record.confirmations())
    return StreamKeys(outcome.public_key, outcome.public_shares, outcome.disqualified)
