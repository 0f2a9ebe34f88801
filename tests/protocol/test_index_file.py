"""The published index: found by tag and by commitment, and nothing but the announced file passes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.vectors import draw_from
from tacit_protocol import index_file, messages
from tacit_protocol.errors import IndexFileError
from tacit_protocol.group import load_backend
from tacit_protocol.index_file import CHUNK_BYTES, MAGIC, IndexFile, IndexHeader, encode_header
from tacit_protocol.messages import IndexRoot

E, S = "2026-h2", "social-audit"
ENTRY, RECORD = 52, 272


def built(entries: list[bytes], records: list[bytes], window: int = 1) -> bytes:
    header = encode_header(IndexHeader(E, S, window, len(entries), len(records)))
    return header + b"".join(sorted(entries)) + b"".join(sorted(records))


def announced(data: bytes, **changes: object) -> IndexRoot:
    header = IndexFile(data).header
    root = index_file.root_of(index_file.chunks(data))
    values = {"root": root, "size": len(data), "records": header.records, "entries": header.entries, **changes}
    return IndexRoot(**{"epoch": E, "stream": S, "window": header.window, **values})  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=30), st.integers(1, 999))
def test_every_entry_of_a_tag_is_found_and_no_other(tags: list[int], seed: int) -> None:
    """Few tags, so that most come several times; tag 6 may be absent, first or last."""
    draw = draw_from(f"index {seed}")
    entries = [bytes([tag]) * 12 + draw(40) for tag in tags]
    index = IndexFile(built(entries, []))
    for tag in range(8):
        expected = sorted(entry[12:] for entry in entries if entry[0] == tag and entry[1] == tag)
        assert [salt + wrapped for salt, wrapped in index.find(bytes([tag]) * 12)] == expected


@pytest.mark.parametrize(("page", "pages"), [(1, 1000), (2, 1000), (5, 1000), (64, 1000), (1, 7), (1, 1)])
@pytest.mark.parametrize("same", [1, 3, 64, 130])
def test_entries_are_found_wherever_pages_begin(
    page: int, pages: int, same: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several entries of one tag cross from page to page; the bytes of every tag stand inside other rows too."""
    monkeypatch.setattr(index_file, "_PAGE_ROWS", page)
    monkeypatch.setattr(index_file, "_PAGES", pages)
    draw = draw_from("pages")
    tags = sorted(draw(12) for _ in range(30))
    entries = [tag + n.to_bytes(8, "big") + (tags[i - 1] + tags[i - 2] + bytes(32))[:32]
               for i, tag in enumerate(tags) for n in range(same if i % 7 == 0 else 1)]  # fmt: skip
    index = IndexFile(built(entries, []))
    asked = [bytes(12), *(draw(12) for _ in range(20)), *reversed(tags), b"\xff" * 12, tags[0]]
    found = index.find_each(asked)
    assert found.keys() == set(tags)
    for tag in asked:
        expected = [entry[12:] for entry in entries if entry.startswith(tag)]
        assert [salt + wrapped for salt, wrapped in index.find(tag)] == expected
        assert index.find(tag) == found.get(tag, ())


@settings(max_examples=40, deadline=None)
@given(st.sets(st.binary(min_size=32, max_size=32), max_size=20), st.binary(min_size=32, max_size=32))
def test_a_record_is_found_by_its_commitment(commitments: set[bytes], other: bytes) -> None:
    records = {commitment: commitment + bytes(RECORD - 32) for commitment in commitments}
    index = IndexFile(built([], list(records.values())))
    for commitment, record in records.items():
        assert index.record(commitment) == record
    assert index.record(other) == records.get(other)


def example() -> bytes:
    draw = draw_from("index")
    return built([draw(ENTRY) for _ in range(14 * 120)], [draw(RECORD) for _ in range(120)])


def test_the_announced_file_passes() -> None:
    data = example()
    assert len(data) > CHUNK_BYTES
    IndexFile(data).verify(announced(data))


@pytest.mark.parametrize(
    "changes",
    [{"root": bytes(32)}, {"size": 1}, {"records": 121}, {"entries": 0}, {"window": 2}, {"epoch": "2027-h1"},
     {"stream": "ecovadis"}],
    ids=str,
)  # fmt: skip
def test_another_announcement_is_refused(changes: dict[str, object]) -> None:
    data = example()
    with pytest.raises(IndexFileError, match="not the one announced") as caught:
        IndexFile(data).verify(announced(data, **changes))
    assert caught.value.party == "secretariat"


@pytest.mark.parametrize("at", [200, CHUNK_BYTES - 1, CHUNK_BYTES, -1], ids=lambda at: f"byte {at}")
def test_a_changed_byte_anywhere_is_refused(at: int) -> None:
    data = bytearray(example())
    root = announced(bytes(data))
    data[at] ^= 1
    with pytest.raises(IndexFileError, match="not the one announced"):
        IndexFile(bytes(data)).verify(root)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        MAGIC,
        b"tacit-index/2\n" + bytes(4),
        MAGIC + (1025).to_bytes(4, "big") + bytes(2000),
        MAGIC + (10).to_bytes(4, "big") + b"{}",
        MAGIC + (2).to_bytes(4, "big") + b"{}",
        example()[:-1],
        example() + b"\x00",
    ],
    ids=["empty", "magic alone", "another version", "long header", "cut in the header", "no header", "short", "long"],
)
def test_what_is_no_index_is_an_error_that_names_the_secretariat(data: bytes) -> None:
    with pytest.raises(IndexFileError) as caught:
        IndexFile(data)
    assert caught.value.party == "secretariat"


@pytest.mark.parametrize("width", [ENTRY, RECORD], ids=["entries", "records"])
@pytest.mark.parametrize("at", [0, 1, -2], ids=["first two", "second and third", "last two"])
@pytest.mark.parametrize("back_end", [None, "libsodium", "auto"])
def test_an_index_out_of_order_is_refused_although_its_root_is_announced(
    width: int, at: int, back_end: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look-up is by binary search: a row out of place is a record left out, under a root that holds."""
    monkeypatch.setattr(index_file, "_SORT_ROWS", 2)
    group = load_backend(back_end) if back_end else None
    data = example()
    index = IndexFile(data)
    ends = (index._records_at, len(data))
    begin, end = (index._entries_at, ends[0]) if width == ENTRY else ends
    rows = [data[i : i + width] for i in range(begin, end, width)]
    place = at % len(rows)
    rows[place], rows[place + 1] = rows[place + 1], rows[place]
    swapped = data[:begin] + b"".join(rows) + data[end:]
    with pytest.raises(IndexFileError, match="out of order") as caught:
        IndexFile(swapped, group).verify(announced(swapped))
    assert caught.value.party == "secretariat"
    IndexFile(data, group).verify(announced(data))


def test_the_header_is_the_messages_json() -> None:
    header = IndexHeader(E, S, 1, 0, 0)
    data = encode_header(header)
    assert data == MAGIC + len(messages.encode(header)).to_bytes(4, "big") + messages.encode(header)
