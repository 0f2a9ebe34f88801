"""Sealed records: from a PRF output to a tag and a wrap key, sealing a record under several keys, opening it with one.

A record is readable with its 32-byte record key rk alone. Every match key of the record has an entry that wraps rk
under that match key's PRF output, so any one of them opens the record, and without an output (an evaluation spent by
somebody who already knows the supplier) nothing does. Layout, byte for byte: SPEC section 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
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
    return seal_under(seal_context(epoch, stream), record_key, payload, keys, random)


def seal_context(epoch: str, stream: str) -> bytes:
    """Return the associated data of a record up to its commitment."""
    return b"|".join((b"tacit/1 record", epoch.encode(), stream.encode(), b""))


def seal_under(context: bytes, record_key: bytes, payload: bytes, keys: Sequence[EntryKey], random: bytes) -> bytes:
    """Do what :func:`seal_record` does, for a context that :func:`seal_context` gave."""
    if len(payload) != PAYLOAD_BYTES:
        raise ValueError(f"a payload has {PAYLOAD_BYTES} bytes, got {len(payload)}")
    if not 0 < len(keys) <= ENTRIES_PER_RECORD:
        raise ValueError(f"a record has 1 to {ENTRIES_PER_RECORD} keys, got {len(keys)}")
    if len(random) != record_random_bytes(len(keys)):
        raise ValueError(f"{len(keys)} keys take {record_random_bytes(len(keys))} random bytes")
    commitment, encryption = _sealing_keys(record_key)
    ciphertext = ChaCha20Poly1305(encryption).encrypt(_NONCE, payload, context + commitment)
    salts = _cut(random[: SALT_BYTES * len(keys)], SALT_BYTES)
    pads = b"".join([_pad(wrap, salt) for (_, wrap), salt in zip(keys, salts, strict=True)])
    wrapped = _cut(_xor(record_key * len(keys), pads), RECORD_KEY_BYTES)
    entries = [tag + salt + masked for (tag, _), salt, masked in zip(keys, salts, wrapped, strict=True)]
    entries += _cut(random[SALT_BYTES * len(keys) :], ENTRY_BYTES)
    entries.sort()
    return b"".join((commitment, ciphertext, *entries))


def unpack_records(
    record_keys: bytes, payloads: bytes, counts: bytes, entry_keys: bytes, random: bytes
) -> Iterator[tuple[bytes, bytes, Sequence[EntryKey], bytes]]:
    """Cut what :meth:`Backend.seal_records` takes into the arguments of :func:`seal_under` for each record."""
    takes = [record_random_bytes(count) for count in counts]
    for what, found, expected in (
        ("record keys", len(record_keys), RECORD_KEY_BYTES * len(counts)),
        ("payloads", len(payloads), PAYLOAD_BYTES * len(counts)),
        ("entry keys", len(entry_keys), ENTRY_KEY_BYTES * sum(counts)),
        ("randomness", len(random), sum(takes)),
    ):
        if found != expected:
            raise ValueError(f"{len(counts)} records need {expected} bytes of {what}, got {found}")
    keys, at = iter(_unpack_keys(entry_keys)), 0
    for record_key, payload, count, take in zip(
        _cut(record_keys, RECORD_KEY_BYTES), _cut(payloads, PAYLOAD_BYTES), counts, takes, strict=True
    ):
        yield record_key, payload, list(islice(keys, count)), random[at : at + take]
        at += take


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
    return _xor(wrapped, _pad(key.wrap, salt))


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


def _pad(wrap: bytes, salt: bytes) -> bytes:
    # One-time pad: several contributors share the wrap key, the salt keeps the pad from repeating. No tag is needed: a
    # changed entry gives a key whose commitment names no record.
    return blake2b(b"tacit/1 pad" + salt, key=wrap, digest_size=RECORD_KEY_BYTES).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(right), "big")


def _cut(packed: bytes, size: int) -> list[bytes]:
    return [packed[i : i + size] for i in range(0, len(packed), size)]
