"""Sealed records: fixed size, any key opens, nothing else does, and one ciphertext made for two keys is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit_protocol import sealed_index as sealed
from tacit_protocol.errors import SealedRecordError

E, S = "2026-h2", "social-audit"
RECORD_KEY, PAYLOAD = bytes(range(32)), bytes(i % 256 for i in range(sealed.PAYLOAD_BYTES))


def entry_keys(count: int, context: bytes = b"context") -> list[sealed.EntryKey]:
    return [sealed.entry_key(context, hashlib.sha512(b"output %d" % i).digest()) for i in range(count)]


def made(count: int, draw: Callable[[int], bytes], record_key: bytes = RECORD_KEY) -> bytes:
    return sealed.seal_record(E, S, record_key, PAYLOAD, entry_keys(count), draw(sealed.record_random_bytes(count)))


def entries_of(record: bytes) -> list[bytes]:
    return [record[i : i + sealed.ENTRY_BYTES] for i in range(sealed.RECORD_BYTES, len(record), sealed.ENTRY_BYTES)]


@pytest.mark.parametrize("count", [1, 2, 7, 13, 14])
def test_any_one_key_opens_the_record_and_the_size_says_nothing(count: int, draw: Callable[[int], bytes]) -> None:
    record = made(count, draw)
    assert len(record) == sealed.SEALED_BYTES == 1000
    entries = entries_of(record)
    assert entries == sorted(entries) and len(set(entries)) == 14
    for key in entry_keys(count):
        (entry,) = [entry for entry in entries if entry.startswith(key.tag)]
        found = sealed.unwrap(key, entry[12:20], entry[20:])
        assert found == RECORD_KEY
        assert sealed.open_record(E, S, found, record[: sealed.RECORD_BYTES]) == PAYLOAD


def test_the_order_of_keys_does_not_show(draw: Callable[[int], bytes]) -> None:
    keys, random = entry_keys(3), draw(sealed.record_random_bytes(3))
    swapped = random[16:24] + random[8:16] + random[:8] + random[24:]
    one = sealed.seal_record(E, S, RECORD_KEY, PAYLOAD, keys, random)
    assert one == sealed.seal_record(E, S, RECORD_KEY, PAYLOAD, keys[::-1], swapped)


def test_two_contributors_of_one_site_share_tags_and_nothing_else(draw: Callable[[int], bytes]) -> None:
    first, second = made(14, draw, draw(32)), made(14, draw, draw(32))
    assert [entry[:12] for entry in entries_of(first)] == [entry[:12] for entry in entries_of(second)]
    rest = [{record[i : i + 8] for i in range(0, 272, 8)} for record in (first, second)]
    rest = [one | {entry[12:][j : j + 8] for entry in entries_of(record) for j in range(0, 40, 8)}
            for one, record in zip(rest, (first, second), strict=True)]  # fmt: skip
    assert not rest[0] & rest[1]


def test_an_output_opens_nothing_under_another_epoch_stream_or_key() -> None:
    output, public = bytes(64), bytes(range(32))
    contexts = [
        sealed.entry_context(*place)
        for place in ((E, S, public), ("2027-h1", S, public), (E, "ecovadis", public), (E, S, public[::-1]))
    ]
    keys = [sealed.entry_key(context, output) for context in contexts]
    assert len({key.tag for key in keys}) == len({key.wrap for key in keys}) == 4


def test_contexts_of_different_places_never_agree() -> None:
    """The parts are joined by "|", which no identifier contains: "a|b" as an epoch is refused before it comes here."""
    names = ["a", "b", "a.b", "a-b", "ab"]
    contexts = {sealed.entry_context(e, s, bytes(32)) for e in names for s in names}
    assert len(contexts) == len(names) ** 2


@pytest.mark.parametrize("at", [0, 31, 32, 200, 271], ids=lambda i: f"byte {i}")
def test_a_changed_record_is_refused(at: int, draw: Callable[[int], bytes]) -> None:
    record = bytearray(made(1, draw)[: sealed.RECORD_BYTES])
    record[at] ^= 1
    with pytest.raises(SealedRecordError):
        sealed.open_record(E, S, RECORD_KEY, bytes(record))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 39), st.integers(1, 255))
def test_a_changed_entry_leads_to_no_record(at: int, change: int) -> None:
    """The pad has no tag of its own: whatever is changed in salt or wrapped key names another commitment."""
    (key,) = entry_keys(1)
    record = sealed.seal_record(E, S, RECORD_KEY, PAYLOAD, [key], bytes(sealed.record_random_bytes(1)))
    (entry,) = [entry for entry in entries_of(record) if entry.startswith(key.tag)]
    changed = bytearray(entry[12:])
    changed[at] ^= change
    found = sealed.unwrap(key, bytes(changed[:8]), bytes(changed[8:]))
    assert sealed.record_keys(found).commitment != record[:32]
    with pytest.raises(SealedRecordError, match="not committed"):
        sealed.open_record(E, S, found, record[: sealed.RECORD_BYTES])


def test_another_epoch_or_stream_does_not_open(draw: Callable[[int], bytes]) -> None:
    record = made(1, draw)[: sealed.RECORD_BYTES]
    for place in (("2027-h1", S), (E, "ecovadis")):
        with pytest.raises(SealedRecordError, match="does not decrypt"):
            sealed.open_record(*place, RECORD_KEY, record)


def test_wrong_sizes_are_refused(draw: Callable[[int], bytes]) -> None:
    with pytest.raises(SealedRecordError, match="272 bytes"):
        sealed.open_record(E, S, RECORD_KEY, bytes(271))
    with pytest.raises(ValueError, match="224 bytes"):
        sealed.seal_record(E, S, RECORD_KEY, b"", entry_keys(1), draw(sealed.record_random_bytes(1)))
    with pytest.raises(ValueError, match="1 to 14 keys"):
        sealed.seal_record(E, S, RECORD_KEY, PAYLOAD, entry_keys(15), b"")
    with pytest.raises(ValueError, match="random bytes"):
        sealed.seal_record(E, S, RECORD_KEY, PAYLOAD, entry_keys(1), b"")
    with pytest.raises(ValueError, match="32 bytes"):
        sealed.record_keys(bytes(31))


def test_a_dummy_looks_like_a_record_and_opens_with_nothing(draw: Callable[[int], bytes]) -> None:
    dummy = sealed.dummy_record(draw(sealed.SEALED_BYTES))
    assert len(dummy) == sealed.SEALED_BYTES
    assert entries_of(dummy) == sorted(entries_of(dummy))
    with pytest.raises(SealedRecordError):
        sealed.open_record(E, S, RECORD_KEY, dummy[: sealed.RECORD_BYTES])


@pytest.mark.parametrize(("count", "padded"), [(0, 64), (1, 64), (64, 64), (65, 128), (23_000, 23_040)])
def test_record_counts_are_padded_to_the_bucket(count: int, padded: int) -> None:
    assert sealed.padded_records(count) == padded


# --- one ciphertext, two keys -----------------------------------------------------------------------------------

_P = 2**130 - 5


def one_time_key(key: bytes) -> tuple[int, int]:
    """Return Poly1305's r and s of RFC 8439 for the all-zero nonce."""
    stream = Cipher(algorithms.ChaCha20(key, bytes(16)), mode=None).encryptor().update(bytes(32))
    clamp = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    return int.from_bytes(stream[:16], "little") & clamp, int.from_bytes(stream[16:], "little")


def blocks_of(associated: bytes, ciphertext: bytes) -> list[int]:
    """Return the numbers that Poly1305 sums up over associated data, ciphertext and their lengths."""
    lengths = len(associated).to_bytes(8, "little") + len(ciphertext).to_bytes(8, "little")
    padded = b"".join(part + bytes(-len(part) % 16) for part in (associated, ciphertext)) + lengths
    return [int.from_bytes(padded[i : i + 16], "little") + 2**128 for i in range(0, len(padded), 16)]


def for_two_keys(keys: tuple[bytes, bytes], associated: bytes, size: int) -> bytes:
    """Make ciphertext and tag that authenticate under both keys (Len, Grubbs, Ristenpart, ePrint 2020/1491).

    Two blocks of the ciphertext stay free; the tag is tried until both come out as blocks: one time in sixteen.
    """
    (r1, s1), (r2, s2) = map(one_time_key, keys)
    first = -(-len(associated) // 16)  # the two free blocks are the first of the ciphertext
    blocks = blocks_of(associated, bytes(size))
    powers = [[pow(r, len(blocks) - i, _P) for i in range(len(blocks))] for r in (r1, r2)]
    fixed = [
        sum(b * power for i, (b, power) in enumerate(zip(blocks, row, strict=True)) if i not in (first, first + 1))
        for row in powers
    ]
    (a, b), (c, d) = ((row[first], row[first + 1]) for row in powers)
    inverse = pow(a * d - b * c, -1, _P)
    for trial in range(10_000):
        tag = int.from_bytes(hashlib.sha256(b"%d" % trial).digest()[:16], "little")
        u, v = ((tag - s) % 2**128 - part for s, part in ((s1, fixed[0]), (s2, fixed[1])))
        x, y = (u * d - v * b) * inverse % _P, (v * a - u * c) * inverse % _P
        if all(2**128 <= value < 2**129 for value in (x, y)):
            chosen = b"".join((value - 2**128).to_bytes(16, "little") for value in (x, y))
            return chosen + bytes(size - 32) + tag.to_bytes(16, "little")
    raise AssertionError("no such ciphertext was found")


def test_a_record_made_to_open_under_two_keys_is_refused_under_the_second() -> None:
    keys = (RECORD_KEY, RECORD_KEY[::-1])
    commitment = sealed.record_keys(keys[0]).commitment
    associated = b"|".join((b"tacit/1 record", E.encode(), S.encode(), commitment))
    encryption = tuple(sealed.record_keys(key).encryption for key in keys)
    ciphertext = for_two_keys((encryption[0], encryption[1]), associated, sealed.PAYLOAD_BYTES)
    # The cipher alone takes it under either key, with two different payloads: one record, two stories.
    stories = [ChaCha20Poly1305(key).decrypt(bytes(12), ciphertext, associated) for key in encryption]
    assert stories[0] != stories[1]
    record = commitment + ciphertext
    assert len(record) == sealed.RECORD_BYTES
    assert sealed.open_record(E, S, keys[0], record) == stories[0]
    with pytest.raises(SealedRecordError, match="not committed"):
        sealed.open_record(E, S, keys[1], record)


def test_no_representation_shows_a_secret() -> None:
    key, derived = sealed.entry_key(b"context", b"\x07" * 64), sealed.record_keys(RECORD_KEY)
    for shown in (repr(key), str(key), f"{key}", repr(derived)):
        assert not any(repr(secret) in shown for secret in (key.wrap, derived.encryption, derived.sketch))
    assert repr(key.tag) in repr(key)
