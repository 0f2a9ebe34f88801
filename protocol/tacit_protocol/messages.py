"""One frozen type for every message of the protocol (SPEC section 4), with its JSON form and its limits.

Every body that is signed is the JSON of one of these types. Decoding is strict: unknown fields, wrong types and
sizes are refused here, before anything looks inside.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from tacit_protocol.errors import EncodingError
from tacit_protocol.signing import Signed

# \Z and not $, which would let a line break pass at the end of a name that goes into paths and labels.
Identifier = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*\Z")]
Pseudonym = Annotated[str, Meta(pattern=r"^[a-z2-7]{16}\Z")]
Key32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Digest64 = Annotated[bytes, Meta(min_length=64, max_length=64)]
Proof64 = Annotated[bytes, Meta(min_length=64, max_length=64)]
Index = Annotated[int, Meta(ge=1, le=255)]
Count = Annotated[int, Meta(ge=0, le=2**40)]
Url = Annotated[str, Meta(max_length=512, pattern=r"^https?://[^\s]+\Z")]
Ciphertext = Annotated[bytes, Meta(max_length=256)]

MAX_TRUSTEES = 64
MAX_POSITIONS = 256  # a query audit opens at most so many elements of a batch: bounds what an auditor may learn
MAX_AUDITED_GRANTS = 64  # batches in one order
MINIMUM_ROSTER = 5  # members of a tally: nobody reads a sum of fewer
MAX_LEAF_BYTES = 0xFFFF  # C2SP tlog-tiles: an entry's length stands in two bytes
_LEAF_PREFIX = b"tacit/1 entry\n"  # the version of the encoding; another one gets another prefix
STREAMS = ("social-audit", "virtual-assessment", "ecovadis", "human-rights")


class Message(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all messages."""


class Trustee(Message, frozen=True):
    """A trustee as the manifest names it: its point, its keys and where it answers."""

    index: Index
    signing_key: Key32
    agreement_key: Key32  # X25519, for messages to this trustee; not for shares, which go to a key of their attempt
    url: Url


class Manifest(Message, frozen=True):
    """What holds for an epoch; signed by the secretariat. Members and trustees refuse anything outside it."""

    epoch: Identifier
    streams: Annotated[tuple[Identifier, ...], Meta(min_length=1, max_length=16)]
    threshold: Index
    trustees: Annotated[tuple[Trustee, ...], Meta(min_length=1, max_length=MAX_TRUSTEES)]
    shuffler: Index
    quota: Count  # evaluations per member and stream in this epoch
    minimum_contributors: Index  # newcomers, and members that replace an upload, are handed over in such numbers
    signing_key: Key32  # the secretariat's
    agreement_key: Key32  # the secretariat's, X25519: records are sealed to it
    opens: Annotated[int, Meta(ge=0, le=2**40)]  # Unix seconds
    closes: Annotated[int, Meta(ge=0, le=2**40)]

    def trustee(self, index: int) -> Trustee:
        """Return the trustee at ``index``; raises :class:`EncodingError` when there is none."""
        for trustee in self.trustees:
            if trustee.index == index:
                return trustee
        raise EncodingError(f"the manifest of epoch {self.epoch} names no trustee {index}")


class Enrolment(Message, frozen=True):
    """A member joins: its keys, signed by itself (proof that it holds them), admitted by the secretariat."""

    signing_key: Key32
    agreement_key: Key32


class Round1(Message, frozen=True):
    """Ceremony R1: a hash commitment to the Feldman commitments and the proof of possession, and a fresh key.

    ``agreement_key`` (X25519) serves this attempt only and is erased with it: the shares stand on the board for ever,
    encrypted, and under a lasting key whoever gets that key would have every share ever erased.
    """

    epoch: Identifier
    stream: Identifier
    attempt: Index
    sender: Index
    commitment: Digest64
    agreement_key: Key32


class EncryptedShare(Message, frozen=True):
    """A share for one trustee, encrypted to it with HPKE."""

    recipient: Index
    ciphertext: Ciphertext


class Round2(Message, frozen=True):
    """Ceremony R2: the opened commitments A_0..A_{t-1} (packed), the proof of possession and the shares."""

    epoch: Identifier
    stream: Identifier
    attempt: Index
    sender: Index
    commitments: Annotated[bytes, Meta(min_length=32, max_length=32 * MAX_TRUSTEES)]
    possession: Proof64
    shares: Annotated[tuple[EncryptedShare, ...], Meta(max_length=MAX_TRUSTEES)]


class Round3(Message, frozen=True):
    """Ceremony R3: the trustees whose shares did not fit their commitments; empty when all did."""

    epoch: Identifier
    stream: Identifier
    attempt: Index
    sender: Index
    accused: Annotated[tuple[Index, ...], Meta(max_length=MAX_TRUSTEES)]


class RevealedShare(Message, frozen=True):
    """A disputed share, revealed by the accused for everyone to check."""

    recipient: Index
    share: Key32


class Round3Answer(Message, frozen=True):
    """Ceremony R3, the accused trustee's answer to the complaints."""

    epoch: Identifier
    stream: Identifier
    attempt: Index
    sender: Index
    revealed: Annotated[tuple[RevealedShare, ...], Meta(max_length=MAX_TRUSTEES)]


class Round4(Message, frozen=True):
    """Ceremony R4: agreement to the transcript and the public key that follows from it."""

    epoch: Identifier
    stream: Identifier
    attempt: Index
    sender: Index
    transcript: Digest64


class AccessRules(Message, frozen=True):
    """What an epoch asks of members beyond being enrolled; signed by the secretariat, before the epoch's manifest."""

    epoch: Identifier
    restricted: Annotated[tuple[Identifier, ...], Meta(max_length=16)]  # streams for members that are let in by name
    statement: Annotated[str, Meta(max_length=8000)]  # the text that every member signs; empty: none


class Eligibility(Message, frozen=True):
    """The secretariat lets a member into a restricted stream, or takes it out again for what is still to be granted."""

    epoch: Identifier
    stream: Identifier
    member: Pseudonym
    eligible: bool


class StatementSignature(Message, frozen=True):
    """A member signs the statement of an epoch: SHA-256 of its text, bound to the epoch."""

    epoch: Identifier
    statement: Key32


class GrantRequest(Message, frozen=True):
    """A member asks for one batch to be evaluated; on the board it is the grant."""

    epoch: Identifier
    stream: Identifier
    count: Annotated[int, Meta(ge=1, le=8192)]
    digest: Digest64


class UploadCommitment(Message, frozen=True):
    """A member commits to what it gives to the shuffler: a digest over the salted hashes of all records."""

    epoch: Identifier
    stream: Identifier
    window: Annotated[int, Meta(ge=1, le=10_000)]
    count: Annotated[int, Meta(ge=1, le=2**24)]
    digest: Digest64


class Receipt(Message, frozen=True):
    """The shuffler confirms to a member that it holds what the commitment on the board says."""

    epoch: Identifier
    stream: Identifier
    window: Annotated[int, Meta(ge=1, le=10_000)]
    entry: Count  # sequence number of the commitment on the board
    count: Annotated[int, Meta(ge=1, le=2**24)]


class WindowClose(Message, frozen=True):
    """The secretariat closes a window: the shuffler hands over, later uploads belong to the next window."""

    epoch: Identifier
    stream: Identifier
    window: Annotated[int, Meta(ge=1, le=10_000)]


class CeremonyCut(Message, frozen=True):
    """The secretariat ends the wait for silent trustees in a step; on the board for everybody to see."""

    epoch: Identifier
    stream: Identifier
    attempt: Index
    step: Identifier


class Handover(Message, frozen=True):
    """The shuffler hands a window over: which commitments went in, how many records came out, the digest of their list.

    No entries and a count of 0 say that fewer than the minimum of members contributed: the records wait for the
    next window, because in a small crowd the secretariat could guess whose they are.
    """

    epoch: Identifier
    stream: Identifier
    window: Annotated[int, Meta(ge=1, le=10_000)]
    entries: tuple[Count, ...]
    count: Count
    digest: Digest64


class IndexRoot(Message, frozen=True):
    """The secretariat publishes an index: its root (RFC 6962 over 64 KiB chunks), its size and its counts."""

    epoch: Identifier
    stream: Identifier
    window: Annotated[int, Meta(ge=1, le=10_000)]
    root: Key32
    size: Count
    records: Count
    entries: Count


class AuditorAppointment(Message, frozen=True):
    """The secretariat appoints an auditor until a date; members compare its pseudonym with what it told them."""

    signing_key: Key32
    agreement_key: Key32  # X25519: answers to query audits are sealed to it
    until: Annotated[int, Meta(ge=0, le=2**40)]  # Unix seconds


class QueryAuditOrder(Message, frozen=True):
    """An auditor asks a member to open some elements of granted batches.

    ``checkpoint`` is a size of the log after the last of the grants and ``root`` what the log came to at that size;
    together with the nonce, drawn after, they choose the positions.
    """

    member: Pseudonym
    epoch: Identifier
    stream: Identifier
    grants: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=MAX_AUDITED_GRANTS)]  # entry numbers
    positions: Annotated[int, Meta(ge=1, le=MAX_POSITIONS)]  # in each batch
    checkpoint: Count
    root: Key32
    nonce: Key32


class QueryAuditAnswer(Message, frozen=True):
    """A member has answered an order: the digest of the sealed answer that it hands to the auditor."""

    order: Count  # sequence number of the order on the board
    digest: Digest64


class QueryAuditResult(Message, frozen=True):
    """What an audit came to, in counts: nothing in it names a supplier."""

    order: Count
    outcome: Literal["plausible", "not-plausible", "false", "refused"]
    plausible: Count
    implausible: Count
    padding: Count


class Erasure(Message, frozen=True):
    """A trustee says that it has erased its shares of an epoch: from here on nobody can evaluate with them."""

    epoch: Identifier
    sender: Index


class TallyAnnouncement(Message, frozen=True):
    """The secretariat announces a tally: who is to submit to it, and which trustee of the epoch decrypts the sum.

    A later one of the same name replaces it, as long as some of its roster have not submitted.
    """

    tally: Identifier
    epoch: Identifier
    trustee: Index
    roster: Annotated[tuple[Pseudonym, ...], Meta(min_length=MINIMUM_ROSTER, max_length=1000)]  # ascending


class TallyInput(Message, frozen=True):
    """A member has submitted to a tally: the digest of its masked and encrypted counts."""

    announcement: Count  # sequence number of the announcement on the board
    digest: Digest64


class TallyRelease(Message, frozen=True):
    """The tally trustee releases the sum over the whole roster: the digest of the release, small cells left out."""

    announcement: Count
    digest: Digest64


class BoardEntry(Message, frozen=True):
    """One line of the board: its position, when the secretariat took it in, and the signed message.

    It is a leaf of the log, in the form that :func:`encode_leaf` gives.
    """

    sequence: Count
    time: Count
    message: Signed


class BoardPage(Message, frozen=True):
    """A page of the board from ``start`` on; ``size`` is the board's length when the page was read."""

    start: Count
    size: Count
    entries: tuple[BoardEntry, ...]


KINDS: dict[str, type[Message]] = {
    "manifest": Manifest,
    "enrolment": Enrolment,
    "ceremony-1": Round1,
    "ceremony-2": Round2,
    "ceremony-3": Round3,
    "ceremony-3-answer": Round3Answer,
    "ceremony-4": Round4,
    "grant": GrantRequest,
    "upload": UploadCommitment,
    "receipt": Receipt,
    "window-close": WindowClose,
    "ceremony-cut": CeremonyCut,
    "handover": Handover,
    "index": IndexRoot,
    "auditor": AuditorAppointment,
    "query-audit": QueryAuditOrder,
    "query-audit-answer": QueryAuditAnswer,
    "query-audit-result": QueryAuditResult,
    "erasure": Erasure,
    "rules": AccessRules,
    "eligibility": Eligibility,
    "statement": StatementSignature,
    "tally": TallyAnnouncement,
    "tally-input": TallyInput,
    "tally-release": TallyRelease,
}
_KIND_OF = {kind_type: kind for kind, kind_type in KINDS.items()}
_M = TypeVar("_M", bound=Struct)


def encode(message: Struct) -> bytes:
    """Return the JSON form: UTF-8, fields in the order of the type, bytes as base64, no white space."""
    return msgspec.json.encode(message)


def decode(data: bytes, message_type: type[_M], party: str | None = None) -> _M:
    """Decode and check foreign JSON; raises :class:`EncodingError` that names the field and ``party``."""
    try:
        return msgspec.json.decode(data, type=message_type)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        sender = f" from {party}" if party else ""
        raise EncodingError(f"a {message_type.__name__} message{sender} is malformed: {error}", party=party) from None


def encode_leaf(entry: BoardEntry) -> bytes:
    """Return an entry as the log holds it: the version's line, then the entry's JSON.

    Raises :class:`EncodingError` when it is larger than an entry of a tiled log can be.
    """
    leaf = _LEAF_PREFIX + encode(entry)
    if len(leaf) > MAX_LEAF_BYTES:
        raise EncodingError(
            f"a {entry.message.kind[:32]} message of {len(entry.message.body)} bytes does not fit into the log: "
            f"an entry has {len(leaf)} bytes with it, {MAX_LEAF_BYTES} at most",
            party=entry.message.signer,
        )
    return leaf


def decode_leaf(leaf: bytes, party: str | None = None) -> BoardEntry:
    """Return the entry that a leaf of the log holds; it must be in the one form that :func:`encode_leaf` gives."""
    if not leaf.startswith(_LEAF_PREFIX):
        raise EncodingError("an entry of the log is of another version: update this program", party=party)
    entry = decode(leaf[len(_LEAF_PREFIX) :], BoardEntry, party)
    if _LEAF_PREFIX + encode(entry) != leaf:
        raise EncodingError("an entry of the log is not in its canonical form", party=party)
    return entry


def kind_of(message: Message) -> str:
    """Return the kind under which ``message`` is signed."""
    return _KIND_OF[type(message)]


def body_of(message: Signed, message_type: type[_M]) -> _M:
    """Decode the body of a signed message of a known type; it must be the one encoding that :func:`encode` gives.

    JSON has many forms for one value, and of a repeated field two readers may see two values.
    """
    if KINDS.get(message.kind) is not message_type:
        raise EncodingError(f"expected a {message_type.__name__}, got kind {message.kind[:32]!r}", party=message.signer)
    body = decode(message.body, message_type, party=message.signer)
    if encode(body) != message.body:
        raise EncodingError(f"a {message_type.__name__} message is not in its canonical form", party=message.signer)
    return body
