"""Files that are whole or absent: written beside their place, then moved into it; and folders of numbered pages."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600, durable: bool = True) -> None:
    """Write ``data`` so that ``path`` holds all of it or what it held before, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class PageFolder:
    """Pages 0, 1, 2, … of one upload or hand-over, each in a file of its own."""

    path: Path

    def write(self, number: int, data: bytes) -> None:
        """Store a page; an earlier one of the same number is replaced."""
        write_atomically(self._file(number), data)

    def read(self, number: int) -> bytes:
        """Return a page."""
        return self._file(number).read_bytes()

    def size(self, number: int) -> int | None:
        """Return the bytes of a page, or None when it is not there."""
        try:
            return self._file(number).stat().st_size
        except FileNotFoundError:
            return None

    def sizes(self) -> dict[int, int]:
        """Return the bytes of every page that is there, in order of their numbers."""
        if not self.path.is_dir():
            return {}
        found = {int(file.stem): file.stat().st_size for file in self.path.glob("[0-9]*.page")}
        return dict(sorted(found.items()))

    def pages(self) -> Iterator[bytes]:
        """Yield the pages in order, one in memory at a time."""
        for number in self.sizes():
            yield self.read(number)

    def remove(self) -> None:
        """Delete all pages."""
        shutil.rmtree(self.path, ignore_errors=True)

    def _file(self, number: int) -> Path:
        return self.path / f"{number:06d}.page"
