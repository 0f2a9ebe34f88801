"""Search a party's files for every identifier of every list: what the secretariat holds must contain none.

Every pattern is looked for as it stands, in lower case, as UTF-16, and hashed by SHA-256; files are read as raw bytes,
so it does not matter what a database's format is. Patterns below six bytes are left out and counted: in megabytes of
ciphertext they turn up by chance.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

MINIMUM_BYTES = 6
_PREFIX = 3
_CHUNK = 1 << 24


class Patterns:
    """Byte patterns prepared for one pass over a file."""

    def __init__(self, identifiers: Iterable[str]) -> None:
        self.left_out = 0
        self._by_prefix: dict[bytes, list[bytes]] = {}
        self._wanted = np.zeros(1 << (8 * _PREFIX), dtype=bool)
        self.identifiers: set[str] = set()
        for identifier in identifiers:
            if len(identifier.encode()) < MINIMUM_BYTES:
                self.left_out += 1
            else:
                self.identifiers.add(identifier)
        patterns = {form for identifier in self.identifiers for form in _forms(identifier)}
        for pattern in patterns:
            self._by_prefix.setdefault(pattern[:MINIMUM_BYTES], []).append(pattern)
            self._wanted[int.from_bytes(pattern[:_PREFIX], "big")] = True
        self.longest = max((len(pattern) for pattern in patterns), default=0)

    def hits(self, path: Path) -> set[bytes]:
        """Return the patterns that occur in a file."""
        found: set[bytes] = set()
        with path.open("rb") as file:
            rest = b""
            while piece := file.read(_CHUNK):
                data = rest + piece
                found.update(self._in(data))
                rest = data[-self.longest :] if self.longest else b""
        return found

    def _in(self, data: bytes) -> Iterator[bytes]:
        octets = np.frombuffer(data, dtype=np.uint8).astype(np.uint32)
        if len(octets) < MINIMUM_BYTES:
            return
        heads = (octets[:-2] << 16) | (octets[1:-1] << 8) | octets[2:]
        for position in np.flatnonzero(self._wanted[heads]).tolist():
            for pattern in self._by_prefix.get(data[position : position + MINIMUM_BYTES], ()):
                if data.startswith(pattern, position):
                    yield pattern


def find_hits(folder: Path, patterns: Patterns) -> tuple[set[bytes], int]:
    """Return (the patterns found, bytes searched) over all files below ``folder``."""
    hits: set[bytes] = set()
    size = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            hits |= patterns.hits(path)
            size += path.stat().st_size
    return hits, size


def _forms(identifier: str) -> Iterator[bytes]:
    yield identifier.encode()
    yield identifier.lower().encode()
    yield identifier.encode("utf-16-le")
    digest = hashlib.sha256(identifier.encode())
    yield digest.digest()
    yield digest.hexdigest().encode()
