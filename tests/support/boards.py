"""A whole board in memory, honest unless a test makes it otherwise: every party's keys are at hand."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from support.vectors import draw_from
from tacit_protocol import grants, handover, index_file, keygen, messages, sealed_index, shuffle, signing, voprf
from tacit_protocol.board import Board
from tacit_protocol.group import Backend, load_backend
from tacit_protocol.index_file import IndexHeader
from tacit_protocol.keygen import Ceremony, KeyShare, Transcript
from tacit_protocol.messages import (
    AuditorAppointment,
    BoardEntry,
    Enrolment,
    GrantRequest,
    Handover,
    IndexRoot,
    Manifest,
    Message,
    QueryAuditOrder,
    Round4,
    Trustee,
    UploadCommitment,
    WindowClose,
)
from tacit_protocol.signing import Signed

EPOCH, STREAM = "2026-h2", "social-audit"
START = 1_780_000_000
DAY = 86400
CLOSES = START + 180 * DAY


@dataclass(frozen=True)
class Batch:
    """A member's batch as its vault would hold it."""

    inputs: tuple[bytes, ...]
    blinds: bytes
    blinded: bytes


@dataclass(frozen=True)
class Sent:
    """What a member keeps of an upload: its salt, and the packed hashes of its records in the order sent."""

    salt: bytes
    hashes: bytes


@dataclass
class MadeBoard:
    """Entries in order; ``time`` moves on by a minute for each."""

    seed: str = "board"
    group: Backend = field(default_factory=lambda: load_backend("auto"))
    entries: list[BoardEntry] = field(default_factory=list)
    time: int = START
    quota: int = 65536

    def __post_init__(self) -> None:
        self.draw = draw_from(self.seed)
        self.secretariat = self.signing_key()
        self.trustees = {index: self.signing_key() for index in (1, 2, 3)}
        self.agreements = {index: X25519PrivateKey.from_private_bytes(self.draw(32)) for index in (1, 2, 3)}
        self.auditor = self.signing_key()
        self.auditor_agreement = X25519PrivateKey.from_private_bytes(self.draw(32))
        self.files: dict[int, bytes] = {}  # window -> index
        self.shares: dict[int, KeyShare] = {}  # of the stream's key, by trustee
        self.lists: dict[int, bytes] = {}  # window -> list of the hand-over
        self.sent: dict[int, Sent] = {}  # entry of an upload's commitment -> what was sent

    def signing_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.draw(32))

    @property
    def secretariat_key(self) -> bytes:
        return signing.public_bytes(self.secretariat)

    @property
    def trustee_keys(self) -> dict[int, bytes]:
        return {index: signing.public_bytes(key) for index, key in self.trustees.items()}

    def sign(self, key: Ed25519PrivateKey, message: Message) -> Signed:
        return signing.sign(key, messages.kind_of(message), messages.encode(message))

    def add(self, key: Ed25519PrivateKey, message: Message) -> int:
        """Append a message, whatever it says; returns its entry number."""
        return self.append(self.sign(key, message))

    def append(self, signed: Signed) -> int:
        self.entries.append(BoardEntry(len(self.entries), self.time, signed))
        self.time += 60
        return len(self.entries) - 1

    def board(self) -> Board:
        """Return the view of somebody who follows and pinned all keys."""
        board = Board(self.secretariat_key, self.trustee_keys)
        for entry in self.entries:
            board.apply(entry)
        return board

    def manifest(self) -> Manifest:
        trustees = tuple(
            Trustee(
                index,
                self.trustee_keys[index],
                self.agreements[index].public_key().public_bytes_raw(),
                f"https://trustee-{index}.example",
            )
            for index in self.trustees
        )
        agreement = X25519PrivateKey.from_private_bytes(hashlib.sha256(self.seed.encode()).digest())
        agreement_key = agreement.public_key().public_bytes_raw()
        return Manifest(
            EPOCH, (STREAM,), 2, trustees, 3, self.quota, 1, self.secretariat_key, agreement_key, START, CLOSES
        )

    def open(self) -> MadeBoard:
        """Append the manifest, the whole ceremony and the auditor's appointment."""
        self.add(self.secretariat, self.manifest())
        self.ceremony()
        self.add(self.secretariat, self.appointment())
        return self

    def appointment(self) -> AuditorAppointment:
        agreement = self.auditor_agreement.public_key().public_bytes_raw()
        return AuditorAppointment(signing.public_bytes(self.auditor), agreement, CLOSES + 365 * DAY)

    def ceremony(self, wrong: int | None = None, attempt: int = 1) -> None:
        """Append the ceremony; trustee ``wrong`` confirms another public key than the transcript gives."""
        ceremony = Ceremony(EPOCH, STREAM, attempt, 2, self.trustee_keys)
        drawn = {i: keygen.round1(self.group, ceremony, i, self.draw(ceremony.random_bytes())) for i in self.trustees}
        begun = Transcript([message for _, message in drawn.values()], [])
        opened = Transcript(begun.round1, [keygen.round2(ceremony, state, begun) for state, _ in drawn.values()])
        complaints = [keygen.round3(self.group, ceremony, state, opened) for state, _ in drawn.values()]
        transcript = Transcript(opened.round1, opened.round2, complaints)
        for step in (transcript.round1, transcript.round2, transcript.round3):
            for message in step:
                self.add(self.trustees[message.sender], message)
        for i, (state, _) in drawn.items():
            self.shares[i], _, confirmation = keygen.round4(self.group, ceremony, state, transcript)
            if i == wrong:
                confirmation = Round4(EPOCH, STREAM, attempt, i, hashlib.sha512(b"another key").digest())
            self.add(self.trustees[i], confirmation)

    def member(self) -> Ed25519PrivateKey:
        """Enrol a new member."""
        key = self.signing_key()
        agreement = X25519PrivateKey.from_private_bytes(self.draw(32)).public_key().public_bytes_raw()
        self.add(key, Enrolment(signing.public_bytes(key), agreement))
        return key

    def batch(self, inputs: list[bytes], count: int = grants.PADDING) -> Batch:
        """Blind inputs with dummies up to ``count``, as a member does."""
        from tacit_client.session import _DUMMY_PREFIX

        padded = tuple(inputs + [_DUMMY_PREFIX + self.draw(32) for _ in range(count - len(inputs))])
        blinds = voprf.draw_blinds(self.group, self.draw(voprf.blind_random_bytes(count)))
        return Batch(padded, blinds, voprf.blind(self.group, padded, blinds).encode())

    def grant(self, member: Ed25519PrivateKey, blinded: bytes) -> int:
        digest = grants.batch_digest(EPOCH, STREAM, blinded)
        return self.add(member, GrantRequest(EPOCH, STREAM, len(blinded) // 32, digest))

    def grant_any(self, member: Ed25519PrivateKey, count: int = grants.PADDING) -> int:
        """Grant a batch of which only the digest matters."""
        return self.add(member, GrantRequest(EPOCH, STREAM, count, self.draw(64)))

    def order(
        self, member: Ed25519PrivateKey, *numbers: int, positions: int = 16, **changes: object
    ) -> QueryAuditOrder:
        """Return an order over grants, naming the log as it is now."""
        board = self.board()
        values: dict[str, object] = {
            "member": signing.pseudonym(signing.public_bytes(member)),
            "epoch": EPOCH,
            "stream": STREAM,
            "grants": numbers,
            "positions": positions,
            "checkpoint": board.size,
            "root": board.tree.root(),
            "nonce": self.draw(32),
        }
        return QueryAuditOrder(**{**values, **changes})  # type: ignore[arg-type]

    def window(self, *members: Ed25519PrivateKey, records: int = 64, extra: int = 0) -> None:
        """Append uploads, the window's end, the hand-over and the index; ``extra`` records come from nowhere."""
        window = 1 + max(self.files, default=0)
        uploads = [self.upload(m, window, records) for m in members]
        self.publish(window, tuple(uploads), records * len(members), records * len(members) + extra)

    def upload(self, member: Ed25519PrivateKey, window: int, records: int = 64) -> int:
        """Append the commitment to an upload of records of which only the hashes matter."""
        sent = Sent(self.draw(shuffle.SALT_BYTES), self.draw(shuffle.HASH_BYTES * records))
        digest = shuffle.upload_digest(sent.salt, EPOCH, STREAM, sent.hashes)
        entry = self.add(member, UploadCommitment(EPOCH, STREAM, window, records, digest))
        self.sent[entry] = sent
        return entry

    def hand_over(self, window: int, uploads: tuple[int, ...], count: int, packed: bytes | None = None) -> int:
        """Append the shuffler's hand-over; ``packed`` is the list that it signs, by default the right one."""
        if packed is None:
            sent = b"".join(self.sent[entry].hashes for entry in uploads)
            packed = handover.make_list(sent[i : i + 32] for i in range(0, len(sent), 32))
        self.lists[window] = packed
        digest = handover.list_digest(EPOCH, STREAM, window, packed)
        return self.add(self.trustees[3], Handover(EPOCH, STREAM, window, uploads, count, digest))

    def publish(self, window: int, uploads: tuple[int, ...], handed: int, records: int) -> None:
        self.add(self.secretariat, WindowClose(EPOCH, STREAM, window))
        self.hand_over(window, uploads, handed)
        self.announce(window, records)

    def announce(self, window: int, records: int) -> None:
        """Append the root of an index of random records."""
        entries = records * sealed_index.ENTRIES_PER_RECORD
        data = self.index(window, entries, records)
        self.files[window] = data
        root = index_file.root_of(index_file.chunks(data))
        self.add(self.secretariat, IndexRoot(EPOCH, STREAM, window, root, len(data), records, entries))

    def index(self, window: int, entries: int, records: int) -> bytes:
        head = index_file.encode_header(IndexHeader(EPOCH, STREAM, window, entries, records))
        rows = sorted(self.draw(sealed_index.ENTRY_BYTES) for _ in range(entries))
        kept = sorted(self.draw(sealed_index.RECORD_BYTES) for _ in range(records))
        return head + b"".join(rows) + b"".join(kept)
