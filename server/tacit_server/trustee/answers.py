"""Signed answers kept on disk by batch, so that a retry gets the same bytes; the oldest go when space is short."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from tacit_server.files import write_atomically

_Key = tuple[str, str, bytes]


class AnswerCache:
    """Files under a folder, one for each answer; at most ``limit`` bytes in all."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder, self._limit = folder, limit
        self._lock = threading.Lock()
        self._total = sum(path.stat().st_size for path in self._files())

    def get(self, key: _Key) -> bytes | None:
        """Return the answer, if it is kept."""
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    def put(self, key: _Key, answer: bytes) -> None:
        """Keep an answer. Losing one in a crash costs a computation, so it is not forced to disk."""
        if len(answer) > self._limit:
            return
        write_atomically(self._path(key), answer, durable=False)
        with self._lock:
            self._total += len(answer)
            if self._total > self._limit:
                self._make_room()

    def remove_epoch(self, epoch: str) -> None:
        """Delete the answers of an epoch."""
        with self._lock:
            shutil.rmtree(self._folder / epoch, ignore_errors=True)
            self._total = sum(path.stat().st_size for path in self._files())

    def _make_room(self) -> None:
        # Down to nine tenths, so that this does not happen with every answer from here on.
        files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in self._files())
        self._total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if self._total <= self._limit * 9 // 10:
                return
            path.unlink(missing_ok=True)
            self._total -= size

    def _files(self) -> list[Path]:
        return [path for path in self._folder.glob("*/*/[0-9a-f]*") if path.is_file()]

    def _path(self, key: _Key) -> Path:
        epoch, stream, digest = key
        return self._folder / epoch / stream / digest.hex()
