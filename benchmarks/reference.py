"""R, the reference of every figure: one X25519 load-and-exchange through `cryptography`, CPU time in this very run.

Times on shared machines mean little. Ratios of CPU times to R mean something, when both are taken in turns and the
least of each is used: what else runs on the machine can only add.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_EXCHANGES = 200
_KEY = X25519PrivateKey.generate()
_PEER = X25519PrivateKey.generate().public_key().public_bytes_raw()


@dataclass(frozen=True)
class Measured:
    """The least CPU seconds of some work, and R in the same run."""

    seconds: float
    reference: float

    def ratio(self, units: int = 1) -> float:
        """Return the cost of one of ``units`` in R."""
        return self.seconds / units / self.reference


def measure(work: Callable[[], object], rounds: int = 7) -> Measured:
    """Run ``work`` and the reference in turns; the first round only warms up."""
    references, seconds = [], []
    for _ in range(rounds + 1):
        references.append(exchange_seconds())
        seconds.append(cpu_seconds(work))
    return Measured(min(seconds[1:]), min(references))


def exchange_seconds(rounds: int = 3) -> float:
    """Return the CPU seconds of one load-and-exchange, the least of some rounds."""

    def work() -> None:
        for _ in range(_EXCHANGES):
            _KEY.exchange(X25519PublicKey.from_public_bytes(_PEER))

    return min(cpu_seconds(work) for _ in range(rounds)) / _EXCHANGES


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds (all threads) that ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start
