"""Open shuffled records with the secretariat's key, on all cores when there are many.

HPKE holds the interpreter's lock, so cores are used by processes; each costs some tenths of a second to start.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_protocol.errors import EncodingError
from tacit_protocol.shuffle import UPLOAD_BYTES, open_at_secretariat

_INLINE_PAGES = 8  # up to 16,384 records (some 1.3 s) starting processes costs more than it saves
_key: list[X25519PrivateKey] = []


@dataclass(frozen=True, slots=True)
class OpenedPage:
    """The records of a page that opened, packed, and how many did not."""

    records: bytes
    malformed: int


def open_pages(
    key: X25519PrivateKey, epoch: str, stream: str, pages: Iterable[bytes], *, processes: int | None = None
) -> Iterator[OpenedPage]:
    """Yield every page opened, in their order; a record that does not open is counted and left out."""
    processes = processes or os.cpu_count() or 1
    remaining = iter(pages)
    first = list(islice(remaining, _INLINE_PAGES + 1))
    if processes == 1 or len(first) <= _INLINE_PAGES:
        for page in chain(first, remaining):
            yield _open(key, epoch, stream, page)
        return
    with ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), initializer=_start, initargs=(key.private_bytes_raw(),)
    ) as pool:
        waiting: deque[Future[OpenedPage]] = deque()
        for page in chain(first, remaining):
            waiting.append(pool.submit(_open_in_process, epoch, stream, page))
            if len(waiting) > 2 * processes:  # bounds memory: a page has 2 MB
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _start(key: bytes) -> None:
    os.nice(5)  # members who wait for an answer come first
    _key.append(X25519PrivateKey.from_private_bytes(key))


def _open_in_process(epoch: str, stream: str, page: bytes) -> OpenedPage:
    return _open(_key[0], epoch, stream, page)


def _open(key: X25519PrivateKey, epoch: str, stream: str, page: bytes) -> OpenedPage:
    opened, malformed = [], 0
    for start in range(0, len(page), UPLOAD_BYTES):
        try:
            opened.append(open_at_secretariat(key, epoch, stream, page[start : start + UPLOAD_BYTES]))
        except EncodingError:
            malformed += 1
    return OpenedPage(b"".join(opened), malformed)
