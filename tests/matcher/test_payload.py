"""The payload: what it says, what it never says, and strict reading."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit_matcher.payload import (
    METADATA_BYTES,
    PAYLOAD_BYTES,
    PLATFORMS,
    SCHEMES,
    PayloadError,
    Scope,
    decode_payload,
    encode_payload,
    quarter_of,
)
from tacit_matcher.records import AuditedSite, Site
from tacit_matcher.sketch import make_sketch, prepare
from tacit_protocol import sealed_index

KEY = bytes(range(32))
SITE = Site("Molkerei Alpsee GmbH", "Seestraße 10", "Füssen", "87629", "DE")
RECORD = AuditedSite(SITE, date(2025, 8, 14), "SMETA 4-pillar", "7.0", "Sedex", date(2027, 2, 1))


def test_the_size_is_the_protocols() -> None:
    assert len(encode_payload(RECORD, KEY)) == PAYLOAD_BYTES == sealed_index.PAYLOAD_BYTES == 224


def test_it_is_the_same_for_a_site_prepared_before() -> None:
    assert encode_payload(RECORD, KEY, prepare(SITE)) == encode_payload(RECORD, KEY)
    assert encode_payload(RECORD, KEY, prepare(Site("Kiln"))) != encode_payload(RECORD, KEY)


def test_there_and_back() -> None:
    payload = decode_payload(encode_payload(RECORD, KEY))
    assert (payload.scheme, payload.scheme_version, payload.platform) == ("SMETA 4-pillar", "7.0", "Sedex")
    assert (payload.assessed, payload.expires, payload.scope) == ((2025, 3), (2027, 1), Scope.SITE)
    assert payload.sketch == make_sketch(KEY, SITE)


@given(st.dates(date(1990, 1, 1), date(2190, 1, 1)), st.sampled_from(SCHEMES), st.sampled_from(PLATFORMS))
def test_any_record_comes_back(day: date, scheme: str, platform: str) -> None:
    payload = decode_payload(encode_payload(AuditedSite(SITE, day, scheme, "", platform), KEY))
    assert (payload.scheme, payload.platform, payload.assessed) == (scheme, platform, quarter_of(day))
    assert (payload.scope is Scope.ENTITY) == (scheme == "EcoVadis")


def test_days_are_not_told_apart_within_a_quarter() -> None:
    other_day = AuditedSite(SITE, date(2025, 7, 1), "SMETA 4-pillar", "7.0", "Sedex", date(2027, 3, 31))
    assert encode_payload(other_day, KEY) == encode_payload(RECORD, KEY)


def test_nothing_of_the_site_stands_in_the_clear() -> None:
    payload = encode_payload(RECORD, KEY)
    for word in (b"Molkerei", b"molkerei", b"alpsee", b"87629", b"fusen", b"Fu"):
        assert word not in payload


def test_an_unknown_scheme_or_platform_becomes_other() -> None:
    payload = decode_payload(encode_payload(AuditedSite(SITE, date(2025, 1, 1), "House rules", "ü1", "A drawer"), KEY))
    assert (payload.scheme, payload.platform, payload.scheme_version) == (SCHEMES[0], PLATFORMS[0], "1")


@pytest.mark.parametrize(
    ("position", "value"),
    [(0, 0), (0, 2), (1, len(SCHEMES)), (2, 7), (10, 0), (10, 3), (11, 0), (15, len(PLATFORMS)), (16, 1), (23, 255)],
)
def test_a_byte_of_no_meaning_is_refused(position: int, value: int) -> None:
    damaged = bytearray(encode_payload(RECORD, KEY))
    damaged[position] = value
    with pytest.raises(PayloadError):
        decode_payload(bytes(damaged))


@pytest.mark.parametrize("size", [0, METADATA_BYTES, PAYLOAD_BYTES - 1, PAYLOAD_BYTES + 1])
def test_another_size_is_refused(size: int) -> None:
    with pytest.raises(PayloadError, match="224 bytes"):
        decode_payload(bytes(size))


@given(st.binary(min_size=PAYLOAD_BYTES, max_size=PAYLOAD_BYTES))
def test_foreign_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        payload = decode_payload(data)
    except PayloadError:
        return
    assert payload.scheme in SCHEMES and 1 <= payload.assessed[1] <= 4
