"""Keep the pages of an upload or hand-over as they are while they are judged: many may write, or one may judge.

Without it a sender replaces a page while it is being judged: what was signed for and what is kept would then differ,
and an honest server would answer for it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tacit_server.errors import BusyError


@dataclass(frozen=True, slots=True)
class Gate:
    """Nobody waits at it: who comes at the wrong time is told to come again (:class:`BusyError`)."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writing: Counter[Hashable] = field(default_factory=Counter)
    _judging: set[Hashable] = field(default_factory=set)

    @contextmanager
    def writing(self, place: Hashable) -> Iterator[None]:
        """Write a page at ``place``; others may write at the same time."""
        with self._lock:
            if place in self._judging:
                raise BusyError("these pages are being judged: ask again in a moment")
            self._writing[place] += 1
        try:
            yield
        finally:
            with self._lock:
                self._writing[place] -= 1
                if not self._writing[place]:
                    del self._writing[place]

    @contextmanager
    def judging(self, place: Hashable) -> Iterator[None]:
        """Read all pages at ``place`` and decide on them, alone."""
        with self._lock:
            if place in self._judging or place in self._writing:
                raise BusyError("a page is being written, or these pages are being judged: ask again in a moment")
            self._judging.add(place)
        try:
            yield
        finally:
            with self._lock:
                self._judging.discard(place)
