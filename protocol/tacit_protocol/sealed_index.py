"""Sealed records: from a PRF output to a tag and a wrap key, sealing a record under several keys, opening it with one.

A record is readable with its 32-byte record key rk alone. Every match key of the record has an entry that wraps rk
under that match key's PRF output, so any one of them opens the record, and without an output (an evaluation spent by
somebody who already knows the supplier) nothing does. Layout, byte for byte: SPEC section 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tacit_protocol import blake2
from tacit_protocol.errors import SealedRecordError
from tacit_protocol.group import Backend

TAG_BYTES = 12
SALT_BYTES = 8
RECORD_KEY_BYTES = 32
ENTRY_KEY_BYTES = TAG_BYTES + 32  # tag and wrap key, packed
ENTRY_BYTES = TAG_BYTES + SALT_BYTES + RECORD_KEY_BYTES  # 52
COMMITMENT_BYTES = 32
PAYLOAD_BYTES = 224
RECORD_BYTES = COMMITMENT_BYTES + PAYLOAD_BYTES + 16  # 272
ENTRIES_PER_RECORD = 14
SEALED_BYTES = RECORD_BYTES + ENTRIES_PER_RECORD * ENTRY_BYTES  # 1000
RECORD_BUCKET = 64  # a contribution's record count is padded to a multiple of this

_NONCE = bytes(12)  # the encryption key is used for one message only


class EntryKey(NamedTuple):
    """What a PRF output gives: the public tag an entry is found by, and the secret that unwraps it."""

    tag: bytes
    wrap: bytes

    def __repr__(self) -> str:
        return f"EntryKey(tag={self.tag!r})"  # never the secret


@dataclass(frozen=True, slots=True)
class RecordKeys:
    """What a record key gives: the public commitment, the encryption key and the sketch's key."""

    commitment: bytes
    encryption: bytes = field(repr=False)
    sketch: bytes = field(repr=False)


def entry_context(epoch: str, stream: str, public_key: bytes) -> bytes:
    """Return what separates epochs, streams and keys in the derivation of tags and wrap keys."""
    return b"|".join((b"tacit/1 entry", epoch.encode(), stream.encode(), public_key))


def entry_key(context: bytes, output: bytes) -> EntryKey:
    """Derive tag and wrap key from a 64-byte PRF output (SPEC step S1)."""
    derived = blake2.derive(output, context, ENTRY_KEY_BYTES)
    return EntryKey(derived[:TAG_BYTES], derived[TAG_BYTES:])


def entry_keys(group: Backend, context: bytes, outputs: Iterable[bytes]) -> list[EntryKey]:
    """Derive what :func:`entry_key` gives for each of many outputs, in one call of the back end (SPEC step S1)."""
    return _unpack_keys(group.entry_keys(context, b"".join(outputs)))


def record_keys(record_key: bytes) -> RecordKeys:
    """Derive commitment, encryption key and sketch key from rk (SPEC step S2)."""
    if len(record_key) != RECORD_KEY_BYTES:
        raise ValueError(f"a record key has {RECORD_KEY_BYTES} bytes")
    return RecordKeys(*_sealing_keys(record_key), sketch_key(record_key))


def sketch_key(record_key: bytes) -> bytes:
    """Derive the sketch's key alone: what a payload needs before its record is sealed (SPEC step S2)."""
    return blake2.derive(record_key, b"tacit/1 sketch", 32)


def record_random_bytes(keys: int) -> int:
    """Return how much randomness :func:`seal_record` takes for a record with ``keys`` entry keys."""
    return keys * SALT_BYTES + (ENTRIES_PER_RECORD - keys) * ENTRY_BYTES


def seal_record(
    epoch: str, stream: str, record_key: bytes, payload: bytes, keys: Sequence[EntryKey], random: bytes
) -> bytes:
    """Seal one record and its entries: :data:`SEALED_BYTES` bytes, whatever the number of keys (SPEC step S3).

    The entries it lacks are random, which nobody without a wrap key can tell from real ones. Entries are sorted, so
    their order says nothing about which kind of key made them.
    """
    if len(payload) != PAYLOAD_BYTES:
        raise ValueError(f"a payload has {PAYLOAD_BYTES} bytes, got {len(payload)}")
    packed = b"".join([key.tag + key.wrap for key in keys])
    return seal_records(seal_context(epoch, stream), record_key, payload, bytes([len(keys)]), packed, random)


def seal_context(epoch: str, stream: str) -> bytes:
    """Return the associated data of a record up to its commitment."""
    return b"|".join((b"tacit/1 record", epoch.encode(), stream.encode(), b""))


def seal_records(
    context: bytes, record_keys: bytes, payloads: bytes, counts: bytes, entry_keys: bytes, random: bytes
) -> bytes:
    """Do what :func:`seal_record` does for many records, packed as :meth:`Backend.seal_records` takes them.

    ``context`` is what :func:`seal_context` gave. Column by column, because a contribution has 300,000 entries.
    """
    _refuse_misfits(record_keys, payloads, counts, entry_keys, random)
    keys, (salts, fillers) = _cut(record_keys, RECORD_KEY_BYTES), _salts_and_fillers(counts, random)
    entries = _entries(b"".join([key * count for key, count in zip(keys, counts, strict=True)]), entry_keys, salts)
    sealed: list[bytes] = []
    at = 0
    for key, payload, count, lacking in zip(keys, _cut(payloads, PAYLOAD_BYTES), counts, fillers, strict=True):
        commitment, encryption = _sealing_keys(key)
        sealed += (commitment, ChaCha20Poly1305(encryption).encrypt(_NONCE, payload, context + commitment))
        sealed += sorted(entries[at : at + count] + lacking)
        at += count
    return b"".join(sealed)


def _refuse_misfits(record_keys: bytes, payloads: bytes, counts: bytes, entry_keys: bytes, random: bytes) -> None:
    if counts and not 0 < min(counts) <= max(counts) <= ENTRIES_PER_RECORD:
        raise ValueError(f"a record has 1 to {ENTRIES_PER_RECORD} keys, got {min(counts)} to {max(counts)}")
    for what, found, expected in (
        ("bytes of record keys", len(record_keys), RECORD_KEY_BYTES * len(counts)),
        ("bytes of payloads", len(payloads), PAYLOAD_BYTES * len(counts)),
        ("bytes of entry keys", len(entry_keys), ENTRY_KEY_BYTES * sum(counts)),
        ("random bytes", len(random), sum(map(record_random_bytes, counts))),
    ):
        if found != expected:
            raise ValueError(f"records of these numbers of keys take {expected} {what}, got {found}")


def _salts_and_fillers(counts: bytes, random: bytes) -> tuple[list[bytes], list[list[bytes]]]:
    """Cut a batch's randomness: a salt for each entry key, and for each record the entries that it lacks."""
    salts: list[bytes] = []
    fillers, at = [], 0
    for count in counts:
        middle, end = at + SALT_BYTES * count, at + record_random_bytes(count)
        salts += [random[i : i + SALT_BYTES] for i in range(at, middle, SALT_BYTES)]
        fillers.append([random[i : i + ENTRY_BYTES] for i in range(middle, end, ENTRY_BYTES)])
        at = end
    return salts, fillers


def _entries(record_keys: bytes, entry_keys: bytes, salts: Sequence[bytes]) -> list[bytes]:
    """Return tag, salt and wrapped record key for each packed entry key; ``record_keys`` has one for each as well."""
    starts = range(0, len(entry_keys), ENTRY_KEY_BYTES)
    pads = _pads([entry_keys[i + TAG_BYTES : i + ENTRY_KEY_BYTES] for i in starts], salts)
    wrapped = _cut(_xor(record_keys, pads), RECORD_KEY_BYTES)
    tags = [entry_keys[i : i + TAG_BYTES] for i in starts]
    return [tag + salt + masked for tag, salt, masked in zip(tags, salts, wrapped, strict=True)]


def dummy_record(random: bytes) -> bytes:
    """Return a record nobody can open: :data:`SEALED_BYTES` random bytes, its entries sorted like real ones."""
    if len(random) != SEALED_BYTES:
        raise ValueError(f"a dummy record takes {SEALED_BYTES} random bytes")
    return random[:RECORD_BYTES] + b"".join(sorted(_cut(random[RECORD_BYTES:], ENTRY_BYTES)))


def padded_records(count: int) -> int:
    """Return the number of records after padding with dummies to the bucket."""
    return max(1, -(-count // RECORD_BUCKET)) * RECORD_BUCKET


def unwrap(key: EntryKey, salt: bytes, wrapped: bytes) -> bytes:
    """Recover the record key from an entry (SPEC step M2). It is right only if its commitment names a record."""
    return _xor(wrapped, _pads([key.wrap], [salt]))


def open_record(epoch: str, stream: str, record_key: bytes, record: bytes) -> bytes:
    """Open a record found under the commitment to ``record_key`` and return its payload (SPEC step M3).

    ChaCha20-Poly1305 does not commit to its key: a contributor could craft one ciphertext that opens under two keys
    to two suppliers (Len, Grubbs, Ristenpart, ePrint 2020/1491). So the stored commitment is compared first.
    """
    return open_committed(epoch, stream, record_keys(record_key), record)


def open_committed(epoch: str, stream: str, derived: RecordKeys, record: bytes) -> bytes:
    """Do what :func:`open_record` does, with what :func:`record_keys` gave for the record key."""
    if len(record) != RECORD_BYTES:
        raise SealedRecordError(f"a record has {RECORD_BYTES} bytes, got {len(record)}")
    if record[:COMMITMENT_BYTES] != derived.commitment:
        raise SealedRecordError("the record is not committed to the key that an entry gave for it")
    try:
        return ChaCha20Poly1305(derived.encryption).decrypt(
            _NONCE, record[COMMITMENT_BYTES:], seal_context(epoch, stream) + derived.commitment
        )
    except InvalidTag as error:
        raise SealedRecordError("a record does not decrypt in this epoch and stream") from error


def _unpack_keys(packed: bytes) -> list[EntryKey]:
    return [EntryKey(key[:TAG_BYTES], key[TAG_BYTES:]) for key in _cut(packed, ENTRY_KEY_BYTES)]


def _sealing_keys(record_key: bytes) -> tuple[bytes, bytes]:
    """Return commitment and encryption key."""
    derived = blake2.derive(record_key, b"tacit/1 record", COMMITMENT_BYTES + 32)
    return derived[:COMMITMENT_BYTES], derived[COMMITMENT_BYTES:]


def _pads(wraps: Sequence[bytes], salts: Sequence[bytes]) -> bytes:
    # One-time pads: several contributors share a wrap key, the salt keeps its pad from repeating. No tag is needed: a
    # changed entry gives a key whose commitment names no record.
    made = [
        blake2b(b"tacit/1 pad" + salt, key=wrap, digest_size=RECORD_KEY_BYTES).digest()
        for wrap, salt in zip(wraps, salts, strict=True)
    ]
    return b"".join(made)


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(right), "big")


def _cut(packed: bytes, size: int) -> list[bytes]:
    return [packed[i : i + size] for i in range(0, len(packed), size)]
