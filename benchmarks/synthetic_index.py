"""A published index of any size, written directly as a file: some real records among random ones, in order.

Nobody can open the random ones, as nobody can open other members' records without their keys; a look-up treats them
all alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.in_memory import EPOCH, STREAM
from tacit_protocol import index_file
from tacit_protocol.index_file import IndexHeader
from tacit_protocol.messages import IndexRoot
from tacit_protocol.sealed_index import ENTRIES_PER_RECORD, ENTRY_BYTES, RECORD_BYTES, SEALED_BYTES

_SLICES = 64  # sorted one after the other, so that memory stays bounded
_WINDOW = 1
Rows = npt.NDArray[np.uint8]


def write(folder: Path, records: int, real: Sequence[bytes], seed: int = 1) -> IndexRoot:
    """Write an index of ``records`` records, ``real`` sealed ones among them, into ``folder``; return its root."""
    random = np.random.default_rng(seed)
    packed = np.frombuffer(b"".join(real), np.uint8).reshape(-1, SEALED_BYTES)
    entries = np.ascontiguousarray(packed[:, RECORD_BYTES:]).reshape(-1, ENTRY_BYTES)
    sealed = np.ascontiguousarray(packed[:, :RECORD_BYTES])
    header = IndexHeader(EPOCH, STREAM, _WINDOW, ENTRIES_PER_RECORD * records, records)
    path = folder / "new.index"
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(index_file.encode_header(header))
        for rows, count, width in (
            (entries, ENTRIES_PER_RECORD * (records - len(real)), ENTRY_BYTES),
            (sealed, records - len(real), RECORD_BYTES),
        ):
            for part in range(_SLICES):
                share = count * (part + 1) // _SLICES - count * part // _SLICES
                file.write(_slice(random, rows, part, share, width).tobytes())
    with path.open("rb") as file:
        root = index_file.root_of(iter(lambda: file.read(index_file.CHUNK_BYTES), b""))
    size = path.stat().st_size
    path.rename(folder / f"{root.hex()}.index")
    return IndexRoot(EPOCH, STREAM, _WINDOW, root, size, header.records, header.entries)


def _slice(random: np.random.Generator, real: Rows, part: int, count: int, width: int) -> Rows:
    """Return the rows whose first byte lies in one of :data:`_SLICES` equal ranges, sorted by their leading bytes."""
    step = 256 // _SLICES
    made = random.integers(0, 256, (count, width), np.uint8)
    made[:, 0] = part * step + made[:, 0] % step
    here = real[real[:, 0] // step == part]
    rows = np.concatenate((made, here))
    # Two rows alike in their first sixteen bytes do not happen; among real entries, tags alone may be.
    low, high = (np.ascontiguousarray(rows[:, at : at + 8]).view(">u8")[:, 0] for at in (8, 0))
    return rows[np.lexsort((low, high))]
