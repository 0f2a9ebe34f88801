"""Uploads and the shuffle: sealed to one party, bound to a commitment, out in an order that says nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from support.vectors import draw_from
from tacit_protocol import shuffle
from tacit_protocol.errors import EncodingError, UploadError
from tacit_protocol.handover import list_digest
from tacit_protocol.messages import UploadCommitment
from tacit_protocol.sealed_index import SEALED_BYTES

E, S = "2026-h2", "social-audit"
KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


def uploaded(count: int = 64) -> list[bytes]:
    draw = draw_from("uploads")
    return [draw(shuffle.UPLOAD_BYTES) for _ in range(count)]


def hashes(records: list[bytes]) -> bytes:
    return b"".join(shuffle.record_hashes(records))


def committed(records: list[bytes], salt: bytes = bytes(32)) -> UploadCommitment:
    return UploadCommitment(E, S, 1, len(records), shuffle.upload_digest(salt, E, S, hashes(records)))


def test_only_the_secretariat_opens_an_upload_and_only_in_its_place() -> None:
    sealed = bytes(SEALED_BYTES)
    upload = shuffle.seal_for_secretariat(PUBLIC, E, S, sealed)
    assert len(upload) == shuffle.UPLOAD_BYTES == 1048
    assert shuffle.open_at_secretariat(KEY, E, S, upload) == sealed
    other = X25519PrivateKey.from_private_bytes(bytes(32))
    for key, epoch, stream, changed in (
        (other, E, S, upload),
        (KEY, "2027-h1", S, upload),
        (KEY, E, "ecovadis", upload),
        (KEY, E, S, upload[:-1] + bytes([upload[-1] ^ 1])),
        (KEY, E, S, upload[:-1]),
    ):
        with pytest.raises(EncodingError):
            shuffle.open_at_secretariat(key, epoch, stream, changed)
    with pytest.raises(ValueError, match="1000 bytes"):
        shuffle.seal_for_secretariat(PUBLIC, E, S, sealed[1:])


def test_what_was_committed_to_is_accepted_however_it_is_cut_into_pages() -> None:
    records, salt = uploaded(128), bytes(range(32))
    commitment, whole = committed(records, salt), b"".join(records)
    for size in (1048, 10_480, 1048 * 128, 1000):
        pages = [whole[i : i + size] for i in range(0, len(whole), size)]
        shuffle.verify_upload(commitment, "m", salt, 128, pages)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda records: [*records[:-1], records[-1][:-1] + b"\x00"], "not what it committed to"),
        (lambda records: records[::-1], "not what it committed to"),
        (lambda records: [*records[:-1], records[-1][:-1]], "whole records"),
        (lambda records: [*records, b""], None),
    ],
    ids=["one byte", "order", "a byte short", "an empty page"],
)
def test_anything_else_is_refused_by_name(change: Callable[[list[bytes]], list[bytes]], reason: str | None) -> None:
    records = uploaded()
    commitment = committed(records)
    if reason is None:
        shuffle.verify_upload(commitment, "m", bytes(32), 64, change(records))
        return
    with pytest.raises(UploadError, match=reason) as caught:
        shuffle.verify_upload(commitment, "m", bytes(32), 64, change(records))
    assert caught.value.party == "m"


def test_another_salt_count_or_bucket_is_refused() -> None:
    records = uploaded()
    with pytest.raises(UploadError, match="not what it committed"):
        shuffle.verify_upload(committed(records), "m", bytes(31) + b"\x01", 64, records)
    with pytest.raises(UploadError, match="committed to 64"):
        shuffle.verify_upload(committed(records), "m", bytes(32), 128, records)
    with pytest.raises(UploadError, match="multiple of 64"):
        shuffle.verify_upload(committed(records[:63]), "m", bytes(32), 63, records[:63])
    with pytest.raises(UploadError, match="32 bytes"):
        shuffle.verify_upload(committed(records), "m", b"", 64, records)


def test_equal_uploads_have_unrelated_commitments() -> None:
    records = uploaded()
    assert committed(records, bytes(32)).digest != committed(records, bytes(range(32))).digest


def test_a_digest_belongs_to_its_place_and_purpose() -> None:
    packed = hashes(uploaded())
    digests = [
        shuffle.upload_digest(bytes(32), E, S, packed),
        shuffle.upload_digest(bytes(32), "2027-h1", S, packed),
        shuffle.upload_digest(bytes(32), E, "ecovadis", packed),
        list_digest(E, S, 1, packed),
        list_digest(E, S, 2, packed),
        list_digest("2027-h1", S, 1, packed),
    ]
    assert len(set(digests)) == len(digests)


@given(st.lists(st.binary(max_size=3), max_size=40), st.binary(min_size=1, max_size=8))
def test_a_shuffle_keeps_every_record_once(records: list[bytes], seed: bytes) -> None:
    random = draw_from(seed.hex())(shuffle.SHUFFLE_RANDOM_BYTES * len(records))
    assert Counter(shuffle.shuffle(records, random)) == Counter(records)


def test_every_order_is_as_likely_as_any_other() -> None:
    """6,000 shuffles of three records: chi-square with 5 degrees of freedom below 20.5, its 0.999 quantile."""
    draw, seen = draw_from("orders"), Counter[tuple[bytes, ...]]()
    for _ in range(6000):
        seen[tuple(shuffle.shuffle([b"a", b"b", b"c"], draw(48)))] += 1
    assert len(seen) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in seen.values()) < 20.5


def test_where_a_members_records_end_up_says_nothing_about_it() -> None:
    """The mean place of the first member's 64 records among 256 is the middle, over 400 shuffles."""
    draw, records = draw_from("places"), [b"%03d" % i for i in range(256)]
    means = []
    for _ in range(400):
        order = shuffle.shuffle(records, draw(16 * 256))
        means.append(sum(order.index(record) for record in records[:64]) / 64)
    assert abs(sum(means) / len(means) - 127.5) < 2  # standard error of the mean of means: 0.40


def test_randomness_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        shuffle.shuffle([b"a"], bytes(15))


def test_pages_hold_whole_records_and_not_too_many() -> None:
    record = bytes(shuffle.UPLOAD_BYTES)
    assert shuffle.split_page(record * 3) == [record] * 3
    for page in (b"", record[:-1], record * (shuffle.PAGE_RECORDS + 1)):
        with pytest.raises(UploadError):
            shuffle.split_page(page)
