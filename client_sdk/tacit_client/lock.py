"""One command at a time on one vault: a lock that the operating system releases when its holder ends, however it ends.

The lock belongs to the open file, not to the file's existence, so a lock file that a killed command left behind blocks
nobody. It holds the process number for the message only.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tacit_client.errors import VaultError

PATIENCE_SECONDS = 2.0
_PAUSE_SECONDS = 0.05


class HomeLock:
    """Keeps other processes, and other members in this one, out of a member's folder while work is under way."""

    def __init__(self, home: Path, patience: float = PATIENCE_SECONDS) -> None:
        self._path, self._patience = home / "in-use.lock", patience
        self._threads = threading.RLock()  # threads that share one member wait for each other
        self._depth = 0
        self._file: BinaryIO | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; may be nested. Raises :class:`VaultError` when another command has it."""
        with self._threads:
            if self._depth == 0:
                self._file = self._acquire()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0 and self._file is not None:
                    self._file.close()  # releases the lock

    def _acquire(self) -> BinaryIO:
        try:
            file = self._path.open("a+b")
        except OSError as error:
            raise VaultError(f"the vault's folder cannot be written to: {error.strerror}") from error
        deadline = time.monotonic() + self._patience
        while not _try_lock(file):
            if time.monotonic() > deadline:
                holder = self._holder(file)
                file.close()
                raise VaultError(
                    f"another command{holder} is using this vault: wait until it has ended, then run this one again"
                )
            time.sleep(_PAUSE_SECONDS)
        file.truncate(0)
        file.write(f"\0{os.getpid()}".encode())  # byte 0 is what Windows locks; the rest stays readable
        file.flush()
        return file

    @staticmethod
    def _holder(file: BinaryIO) -> str:
        with suppress(OSError):
            file.seek(1)
            if (text := file.read(12)).isdigit():
                return f" (process {text.decode()})"
        return ""


if sys.platform == "win32":

    def _try_lock(file: BinaryIO) -> bool:
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _try_lock(file: BinaryIO) -> bool:
        import fcntl

        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise VaultError(
                f"the vault's folder cannot be locked ({error.strerror}): keep it on a local disk"
            ) from error
        return True
