"""The published index as one file: a header, the entries in order of their tags, the records in order of commitment.

``"tacit-index/1\\n" || I2OSP(header length, 4) || header (JSON) || entries || records``. The root on the board is the
RFC 6962 tree hash over 64 KiB chunks of the file, so a download is checked chunk by chunk and as a whole.
"""

from __future__ import annotations

import mmap
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from tacit_protocol import merkle, messages
from tacit_protocol.errors import EncodingError, IndexFileError
from tacit_protocol.group import Backend
from tacit_protocol.messages import Count, Identifier, IndexRoot, Message
from tacit_protocol.sealed_index import COMMITMENT_BYTES, ENTRY_BYTES, RECORD_BYTES, SALT_BYTES, TAG_BYTES

MAGIC = b"tacit-index/1\n"
CHUNK_BYTES = 65536
_HEADER_LIMIT = 1024
_SORT_ROWS = 4096  # rows compared at a time: they fit a processor's cache
_PAGE_ROWS = 16  # rows between two tags that look-ups keep
_PAGES = 131_072  # tags kept at most: a few MB, however large the index

Buffer = bytes | mmap.mmap


class IndexHeader(Message, frozen=True):
    """What an index is about; the same facts stand in the signed root."""

    epoch: Identifier
    stream: Identifier
    window: Count
    entries: Count
    records: Count


def encode_header(header: IndexHeader) -> bytes:
    """Return magic, length and header."""
    body = messages.encode(header)
    return MAGIC + len(body).to_bytes(4, "big") + body


def chunks(data: Buffer) -> Iterator[bytes]:
    """Yield the chunks that the root is computed over."""
    for start in range(0, len(data), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]


def root_of(pieces: Iterable[bytes]) -> bytes:
    """Return the root of a file given as its chunks."""
    return merkle.tree_hash(pieces)


def is_sorted(rows: bytes, width: int) -> bool:
    """Tell whether packed rows of ``width`` bytes stand in the order of their bytes."""
    if width < 1 or len(rows) % width:
        raise ValueError("rows are all of one width")
    cut = list(struct.unpack(f"{width}s" * (len(rows) // width), rows))
    # Sorting what is in order is one comparison for each row, none of them in Python.
    return sorted(cut) == cut


class IndexFile:
    """Look-up by tag and by commitment in a downloaded index (bytes or a memory map), which stays where it is.

    With ``group`` that back end compares rows when the order is verified.
    """

    def __init__(self, data: Buffer, group: Backend | None = None) -> None:
        self._data = data
        self._compare = is_sorted if group is None else group.is_sorted
        self.header, self._entries_at = _decode_header(data)
        self._records_at = self._entries_at + ENTRY_BYTES * self.header.entries
        expected = self._records_at + RECORD_BYTES * self.header.records
        if len(data) != expected:
            raise IndexFileError(
                f"the index has {len(data)} bytes, its header promises {expected}", party="secretariat"
            )

    def verify(self, root: IndexRoot) -> None:
        """Raise :class:`IndexFileError` unless this is the file whose root was announced (SPEC step M1)."""
        header = self.header
        announced = (root.epoch, root.stream, root.window, root.entries, root.records, root.size)
        found = (header.epoch, header.stream, header.window, header.entries, header.records, len(self._data))
        if announced != found or root_of(chunks(self._data)) != root.root:
            raise IndexFileError(
                f"the index of {root.epoch}/{root.stream} window {root.window} is not the one announced on the board",
                party="secretariat",
                evidence={"announced_root": root.root.hex(), "size": len(self._data)},
            )
        for base, width, count in (
            (self._entries_at, ENTRY_BYTES, header.entries),
            (self._records_at, RECORD_BYTES, header.records),
        ):
            if not self._is_sorted(base, width, count):
                # What is out of order is never found: a way to leave a record out that no root and no count shows.
                raise IndexFileError(
                    f"the index of {root.epoch}/{root.stream} window {root.window} is out of order",
                    party="secretariat",
                    evidence={"announced_root": root.root.hex(), "size": len(self._data)},
                )

    def find(self, tag: bytes) -> Sequence[tuple[bytes, bytes]]:
        """Return (salt, wrapped record key) of every entry with ``tag``."""
        return self.find_each((tag,)).get(tag, ())

    def find_each(self, tags: Iterable[bytes]) -> dict[bytes, Sequence[tuple[bytes, bytes]]]:
        """Return what :meth:`find` does for every tag that has entries, in one pass from the first to the last."""
        found: dict[bytes, Sequence[tuple[bytes, bytes]]] = {}
        for tag in sorted(set(tags)):
            start = self._first_entry(tag)
            if start is not None:
                found[tag] = list(self._entries_of(tag, start))
        return found

    def record(self, commitment: bytes) -> bytes | None:
        """Return the record stored under ``commitment``, or None."""
        position = self._first(commitment, self._records_at, RECORD_BYTES, self.header.records)
        start = self._records_at + RECORD_BYTES * position
        if position < self.header.records and self._data[start : start + COMMITMENT_BYTES] == commitment:
            return self._data[start : start + RECORD_BYTES]
        return None

    def _is_sorted(self, base: int, width: int, count: int) -> bool:
        """Tell whether rows stand in the order of their bytes; block by block, each begins with the last row before."""
        for start in range(0, count, _SORT_ROWS):
            first, last = max(start - 1, 0), min(start + _SORT_ROWS, count)
            if not self._compare(self._data[base + width * first : base + width * last], width):
                return False
        return True

    @cached_property
    def _page_bytes(self) -> int:
        return ENTRY_BYTES * max(_PAGE_ROWS, -(-self.header.entries // _PAGES))

    @cached_property
    def _page_tags(self) -> list[bytes]:
        """The tag of the first entry of every page."""
        starts = range(self._entries_at, self._records_at, self._page_bytes)
        return [self._data[start : start + TAG_BYTES] for start in starts]

    def _first_entry(self, tag: bytes) -> int | None:
        """Return where the first entry with ``tag`` starts.

        A binary search among the page tags leaves one page and the tag after it; the interpreter's own search
        goes through those. It may first meet the tag's bytes elsewhere than at the beginning of a row.
        """
        page = max(bisect_left(self._page_tags, tag) - 1, 0)
        start = self._entries_at + self._page_bytes * page
        rows = self._data[start : min(start + self._page_bytes + TAG_BYTES, self._records_at)]
        at = rows.find(tag)
        while at % ENTRY_BYTES and at >= 0:
            at = rows.find(tag, at + 1)
        return None if at < 0 else start + at

    def _entries_of(self, tag: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
        for at in range(start, self._records_at, ENTRY_BYTES):
            entry = self._data[at : at + ENTRY_BYTES]
            if not entry.startswith(tag):
                return
            yield entry[TAG_BYTES : TAG_BYTES + SALT_BYTES], entry[TAG_BYTES + SALT_BYTES :]

    def _first(self, key: bytes, base: int, width: int, count: int) -> int:
        """Binary search: the first row whose leading bytes are not below ``key``."""
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            start = base + width * middle
            if self._data[start : start + len(key)] < key:
                low = middle + 1
            else:
                high = middle
        return low


def _decode_header(data: Buffer) -> tuple[IndexHeader, int]:
    start = len(MAGIC) + 4
    if data[: len(MAGIC)] != MAGIC or len(data) < start:
        raise IndexFileError("this is not a Tacit index", party="secretariat")
    length = int.from_bytes(data[len(MAGIC) : start], "big")
    if length > _HEADER_LIMIT or len(data) < start + length:
        raise IndexFileError("the index ends inside its header", party="secretariat")
    try:
        return messages.decode(data[start : start + length], IndexHeader), start + length
    except EncodingError as error:
        raise IndexFileError("the header of the index is damaged", party="secretariat") from error
