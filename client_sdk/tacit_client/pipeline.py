"""Stages of work side by side, in threads and bounded: what a stage may run ahead is stated, so memory is too.

Threads are enough: the group back end, hashing and sockets release the interpreter's lock. Nothing here writes to the
vault or asks for a grant: those stay in the caller's own thread, so that after an interrupt nothing goes on that has to
be known to the next run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")

_END = object()


def ahead(source: Iterable[T]) -> Generator[T, None, None]:
    """Yield what ``source`` yields, in order; the next item is made in a thread while the last one is used.

    One item ahead and no more: a slow user stops the source. What the source raises is raised where its item was due.
    Close the generator to give up: an item that is being made is finished and thrown away, and nobody waits for it.
    """
    pool = ThreadPoolExecutor(1, "tacit-ahead")
    items: Iterator[object] = iter(source)
    try:
        coming = pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, items, _END)
            yield cast(T, item)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def several(work: Callable[[T], R], items: Iterable[T], at_once: int) -> Generator[R, None, None]:
    """Yield ``work(item)`` for each item, in order; up to ``at_once`` of them run at the same time.

    An item is drawn when there is room for it. After a failure nothing new is begun, and nobody waits for the rest.
    """
    pool = ThreadPoolExecutor(at_once, "tacit-several")
    running: deque[Future[R]] = deque()
    try:
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) == at_once:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
