"""The index by SQL, against a plain sort in Python."""

from __future__ import annotations

import re
import secrets

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit_matcher import index
from tacit_matcher.index import Counts, IndexBuilder
from tacit_protocol.sealed_index import (
    COMMITMENT_BYTES,
    ENTRIES_PER_RECORD,
    ENTRY_BYTES,
    RECORD_BYTES,
    SEALED_BYTES,
    dummy_record,
)


def builder() -> IndexBuilder:
    return IndexBuilder(duckdb.connect(":memory:"))


def entries_of(sealed: bytes) -> list[bytes]:
    return [sealed[i : i + ENTRY_BYTES] for i in range(RECORD_BYTES, SEALED_BYTES, ENTRY_BYTES)]


def record(commitment: bytes = b"", fill: bytes | None = None) -> bytes:
    sealed = dummy_record(secrets.token_bytes(SEALED_BYTES)) if fill is None else fill * SEALED_BYTES
    return commitment + sealed[len(commitment) :]


@settings(max_examples=25, deadline=None)
@given(pages=st.lists(st.lists(st.binary(min_size=2, max_size=2), max_size=6), max_size=4))
def test_entries_and_records_come_in_the_order_of_their_bytes(pages):
    """Few distinct bytes, so that tags, salts and whole entries repeat; commitments are made distinct."""
    build, every = builder(), []
    for number, page in enumerate(pages):
        sealed = [
            b"%03d%03d" % (number, i) + (value * SEALED_BYTES)[: SEALED_BYTES - 6] for i, value in enumerate(page)
        ]
        every += sealed
        build.load(b"".join(sealed))
    counts = build.drop_duplicates([])
    assert counts == Counts(len(every), ENTRIES_PER_RECORD * len(every), 0)
    assert b"".join(build.entries()) == b"".join(sorted(e for sealed in every for e in entries_of(sealed)))
    assert b"".join(build.records()) == b"".join(sorted(sealed[:RECORD_BYTES] for sealed in every))


def test_more_than_one_piece_comes_out_whole():
    build = builder()
    every = [record() for _ in range(2000)]
    for start in range(0, len(every), 700):
        build.load(b"".join(every[start : start + 700]))
    assert build.drop_duplicates([]).entries == 28_000
    pieces = list(build.entries())
    assert len(pieces) > 1
    assert b"".join(pieces) == b"".join(sorted(e for sealed in every for e in entries_of(sealed)))


def test_a_record_that_came_twice_stands_once_with_its_entries():
    build, twice, once = builder(), record(), record()
    build.load(twice + once + twice)
    assert build.repeated() == [twice[:COMMITMENT_BYTES]]
    assert build.drop_duplicates([]) == Counts(2, 28, 1)
    assert b"".join(build.entries()) == b"".join(sorted(entries_of(twice) + entries_of(once)))


@pytest.mark.parametrize("order", [0, 1], ids=["first", "last"])
def test_the_record_that_was_published_before_stays_against_rubbish_under_its_commitment(order):
    """The commitments of a published index are public: without this rule anybody could displace a record."""
    commitment = bytes([7]) * COMMITMENT_BYTES
    published, rubbish = record(commitment, b"\xee"), record(commitment, b"\x00")
    build = builder()
    build.load(b"".join([published, rubbish] if order == 0 else [rubbish, published]))
    assert build.repeated() == [commitment]
    assert build.drop_duplicates([published[:RECORD_BYTES]]).duplicates == 1
    assert b"".join(build.records()) == published[:RECORD_BYTES]
    assert b"".join(build.entries()) == b"".join(entries_of(published))


@pytest.mark.parametrize("published", [True, False], ids=["published before", "never published"])
@pytest.mark.parametrize("order", [0, 1], ids=["first", "last"])
def test_a_copy_of_a_record_with_other_entries_does_not_displace_the_genuine_entries(order, published):
    """A published record can be copied byte for byte; its entries cannot be told from others, so they stay."""
    genuine = record()
    copies = [genuine[:RECORD_BYTES] + record()[RECORD_BYTES:] for _ in range(3)]
    build = builder()
    build.load(b"".join([genuine, *copies] if order == 0 else [*copies, genuine]))
    counts = build.drop_duplicates([genuine[:RECORD_BYTES]] if published else [])
    assert counts == Counts(1, 4 * ENTRIES_PER_RECORD, 3)
    assert b"".join(build.records()) == genuine[:RECORD_BYTES]
    assert b"".join(build.entries()) == b"".join(sorted(e for s in [genuine, *copies] for e in entries_of(s)))


def test_without_an_earlier_index_the_choice_does_not_depend_on_the_shuffle():
    commitment = bytes([7]) * COMMITMENT_BYTES
    one, other = record(commitment, b"\x01"), record(commitment, b"\x02")
    results = []
    for pages in ([one, other], [other, one]):
        build = builder()
        for page in pages:
            build.load(page)
        build.drop_duplicates([])
        results.append((b"".join(build.records()), b"".join(build.entries())))
    assert results[0] == results[1]


def test_nothing_gives_an_empty_index():
    build = builder()
    build.load(b"")
    assert build.drop_duplicates([]) == Counts(0, 0, 0)
    assert list(build.entries()) == list(build.records()) == []


def test_a_page_of_another_size_is_refused():
    with pytest.raises(ValueError, match="1000 bytes"):
        builder().load(bytes(SEALED_BYTES + 1))


def test_the_ordering_statements_are_free_of_what_only_one_engine_has():
    """They are to run on Spark SQL as well: no parameters, no casts with ::, no lists, no QUALIFY, no extensions."""
    for statement in (index.DROP, index.REPEATED, index.ORDERED_ENTRIES, index.ORDERED_RECORDS, index.COUNT_DROPPED):
        assert not re.search(r"::|\$|\[|QUALIFY|UNNEST|EXCLUDE|USING SAMPLE|RANGE\(", statement, re.IGNORECASE)
