"""R, the reference of every figure: one X25519 load-and-exchange through `cryptography`, CPU time in this very run.

Times on shared machines mean little; ratios to R, measured just before and after the work, mean something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

_EXCHANGES = 400


def exchange_seconds() -> float:
    """Return the CPU seconds of one load-and-exchange, the median of five rounds."""
    key = X25519PrivateKey.generate()
    peer = X25519PrivateKey.generate().public_key().public_bytes_raw()

    def work() -> None:
        for _ in range(_EXCHANGES):
            key.exchange(X25519PublicKey.from_public_bytes(peer))

    return median(cpu_seconds(work) for _ in range(5)) / _EXCHANGES


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds (all threads) that ``work`` takes."""
    start = time.process_time()
    work()
    return time.process_time() - start
