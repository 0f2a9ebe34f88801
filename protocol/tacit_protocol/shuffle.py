"""The upload through the shuffler: sealed to the secretariat, committed to on the board, shuffled with everybody's.

The shuffler sees who sends but only ciphertext; the secretariat opens the records but not whose they are. Only
together can they link a member and a tag. Source: Bittau et al., Prochlo (SOSP 2017).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_protocol import hpke
from tacit_protocol.errors import EncodingError, UploadError
from tacit_protocol.group import Backend
from tacit_protocol.messages import UploadCommitment
from tacit_protocol.sealed_index import RECORD_BUCKET, SEALED_BYTES

UPLOAD_BYTES = SEALED_BYTES + hpke.OVERHEAD  # 1048
SALT_BYTES = 32
HASH_BYTES = 32  # SHA-256 of one uploaded record
PAGE_RECORDS = 2048  # records in one request
SHUFFLE_RANDOM_BYTES = 16
T = TypeVar("T")


def seal_for_secretariat(agreement_key: bytes, epoch: str, stream: str, sealed: bytes) -> bytes:
    """Encrypt one sealed record to the secretariat: :data:`UPLOAD_BYTES` bytes (SPEC step U1)."""
    if len(sealed) != SEALED_BYTES:
        raise ValueError(f"a sealed record has {SEALED_BYTES} bytes, got {len(sealed)}")
    return hpke.seal(agreement_key, sealed, _info(epoch, stream))


def seal_all_for_secretariat(
    group: Backend, agreement_key: bytes, epoch: str, stream: str, sealed: bytes, random: bytes
) -> bytes:
    """Do what :func:`seal_for_secretariat` does for packed sealed records; packed, 32 random bytes for each."""
    return group.seal_each(agreement_key, _info(epoch, stream), sealed, SEALED_BYTES, random)


def open_at_secretariat(private_key: X25519PrivateKey, epoch: str, stream: str, upload: bytes) -> bytes:
    """Decrypt one shuffled record; raises :class:`EncodingError` when it was not sealed for this epoch and stream."""
    if len(upload) != UPLOAD_BYTES:
        raise EncodingError(f"an uploaded record has {UPLOAD_BYTES} bytes, got {len(upload)}")
    return hpke.unseal(private_key, upload, _info(epoch, stream))


def record_hashes(pages: Iterable[bytes]) -> Iterator[bytes]:
    """Yield SHA-256 of each uploaded record in order; raises :class:`UploadError` when they are not whole."""
    rest = b""
    for page in pages:
        data = rest + page
        whole = len(data) - len(data) % UPLOAD_BYTES
        for start in range(0, whole, UPLOAD_BYTES):
            yield hashlib.sha256(data[start : start + UPLOAD_BYTES]).digest()
        rest = data[whole:]
    if rest:
        raise UploadError("the pages do not hold whole records")


def hash_salts(salt: bytes, count: int) -> bytes:
    """Return a salt of 32 bytes for each of ``count`` records, packed: SHAKE256 (FIPS 202) of the upload's salt.

    With one salt for each, a complaint shows the hashes of the missing records and of no others. Whoever had all of an
    upload's hashes and the opened hand-over could tell which of its records are this member's.
    """
    if len(salt) != SALT_BYTES:
        raise UploadError(f"the salt of an upload has {SALT_BYTES} bytes")
    return hashlib.shake_256(b"tacit/1 upload salts\x00" + salt).digest(SALT_BYTES * count)


def salted_hashes(salt: bytes, hashes: bytes) -> bytes:
    """Return SHA-256(salt of the record || hash of the record) for each packed hash, packed."""
    starts = range(0, len(hashes), HASH_BYTES)
    salts, sha256 = hash_salts(salt, len(starts)), hashlib.sha256
    return b"".join([sha256(salts[i : i + HASH_BYTES] + hashes[i : i + HASH_BYTES]).digest() for i in starts])


def digest_of_salted(epoch: str, stream: str, salted: bytes) -> bytes:
    """Return the digest in an upload's commitment from its salted hashes, as a complaint shows them."""
    return hashlib.sha512(b"tacit/1 upload\x00" + _info(epoch, stream) + salted).digest()


def upload_digest(salt: bytes, epoch: str, stream: str, hashes: bytes) -> bytes:
    """Return the digest over all records, from their packed hashes in the order sent (SPEC step U2).

    The salt hides that two uploads are equal, and which of the handed over records are in this one.
    """
    return digest_of_salted(epoch, stream, salted_hashes(salt, hashes))


def verify_upload(commitment: UploadCommitment, member: str, salt: bytes, count: int, pages: Iterable[bytes]) -> bytes:
    """Return the packed hashes of the records if they are what ``member`` committed to on the board (SPEC step U3).

    Raises :class:`UploadError` otherwise, and when a record is there twice: a hand-over with a record twice is held
    against the shuffler.
    """
    if count != commitment.count:
        raise UploadError(
            f"member {member} committed to {commitment.count} records and sent {count}",
            party=member,
            evidence={"committed": commitment.count, "received": count},
        )
    if count % RECORD_BUCKET:
        raise UploadError(f"an upload is padded to a multiple of {RECORD_BUCKET} records, got {count}", party=member)
    try:
        found = list(record_hashes(pages))
    except UploadError:
        found = []
    if len(found) != count:
        raise UploadError(f"the pages of member {member} do not hold {count} whole records", party=member)
    hashes = b"".join(found)
    digest = upload_digest(salt, commitment.epoch, commitment.stream, hashes)
    if not hmac.compare_digest(digest, commitment.digest):
        raise UploadError(f"the upload of member {member} is not what it committed to on the board", party=member)
    if len(set(found)) != count:
        raise UploadError(f"member {member} sent a record twice: seal the list anew and send that", party=member)
    return hashes


def split_page(page: bytes) -> list[bytes]:
    """Split a page into uploaded records; raises :class:`UploadError` on a wrong size."""
    if len(page) % UPLOAD_BYTES or not 0 < len(page) <= PAGE_RECORDS * UPLOAD_BYTES:
        raise UploadError(f"a page has 1 to {PAGE_RECORDS} records of {UPLOAD_BYTES} bytes, got {len(page)} bytes")
    return [page[i : i + UPLOAD_BYTES] for i in range(0, len(page), UPLOAD_BYTES)]


def shuffle(records: Sequence[T], random: bytes) -> list[T]:
    """Return records, all members' at the shuffler, in uniformly random order (SPEC step U4); 16 random bytes each."""
    if len(random) != SHUFFLE_RANDOM_BYTES * len(records):
        raise ValueError(f"shuffling takes {SHUFFLE_RANDOM_BYTES} random bytes for each record")
    keys = [random[i : i + SHUFFLE_RANDOM_BYTES] for i in range(0, len(random), SHUFFLE_RANDOM_BYTES)]
    order = sorted(range(len(records)), key=keys.__getitem__)
    return [records[i] for i in order]


def _info(epoch: str, stream: str) -> bytes:
    return b"|".join((b"tacit/1 upload", epoch.encode(), stream.encode()))
