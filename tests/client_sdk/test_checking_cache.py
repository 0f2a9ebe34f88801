"""The index a check reads: from the cache when it is whole, fetched again when it is damaged, never unverified."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import synthetic_index
from tacit_client.checking import Checker
from tacit_matcher.policy import Policy
from tacit_protocol.errors import IndexFileError
from tacit_protocol.group import load_backend
from tacit_protocol.messages import IndexRoot


class Serving:
    """A secretariat that serves what it is given, one answer for each download, and continues partial files."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = list(bodies)
        self.downloads = 0

    def download_index(self, root: IndexRoot, target: Path, progress: object) -> None:
        if target.exists() and target.stat().st_size == root.size:
            return
        self.downloads += 1
        target.write_bytes(self.bodies.pop(0))


@pytest.fixture
def published(tmp_path: Path) -> tuple[IndexRoot, bytes]:
    root = synthetic_index.write(tmp_path / "made", 64, [])
    return root, (tmp_path / "made" / f"{root.root.hex()}.index").read_bytes()


def checker(secretariat: Serving, cache: Path) -> Checker:
    group = load_backend("auto")
    anything: Any = SimpleNamespace(secretariat=secretariat, epoch="2026-h2", stream="social-audit", group=group)
    return Checker(anything, anything, anything, cache, Policy())


def damaged(index: bytes) -> bytes:
    return index[:-1] + bytes([index[-1] ^ 1])


def records_of(reader: Checker, root: IndexRoot) -> int:
    with reader.verified(root) as index:
        return index.header.records


def test_a_whole_index_in_the_cache_is_not_fetched_again(tmp_path: Path, published: tuple[IndexRoot, bytes]) -> None:
    root, index = published
    secretariat = Serving(index)
    reader = checker(secretariat, tmp_path / "cache")
    assert [records_of(reader, root), records_of(reader, root)] == [64, 64]
    assert secretariat.downloads == 1


def test_a_damaged_index_in_the_cache_is_fetched_again(tmp_path: Path, published: tuple[IndexRoot, bytes]) -> None:
    root, index = published
    cache = tmp_path / "2026-h2" / "social-audit"
    cache.mkdir(parents=True)
    (cache / f"{root.root.hex()}.index").write_bytes(damaged(index))
    (cache / "older.index").write_bytes(b"of an earlier window")
    secretariat = Serving(index)
    assert records_of(checker(secretariat, tmp_path), root) == 64
    assert secretariat.downloads == 1
    assert [path.name for path in cache.iterdir()] == [f"{root.root.hex()}.index"]


def test_an_index_that_stays_damaged_is_an_error(tmp_path: Path, published: tuple[IndexRoot, bytes]) -> None:
    root, index = published
    secretariat = Serving(damaged(index), damaged(index), index)
    reader = checker(secretariat, tmp_path / "cache")
    with pytest.raises(IndexFileError):
        records_of(reader, root)
    assert secretariat.downloads == 2
    assert records_of(reader, root) == 64  # the next command does not trust what is in the cache either
