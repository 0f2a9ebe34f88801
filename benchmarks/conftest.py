"""What all benchmarks share: the back ends that are installed, the size of the run, and ratios to R."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.reference import Measured, exchange_seconds
from tacit_protocol.group import load_backend

LARGE = os.environ.get("TACIT_BENCH_SCALE") == "large"
collect_ignore = ["demo", "matching"]


def back_ends() -> list[str]:
    try:
        load_backend("native")
    except ImportError:
        return ["libsodium"]
    return ["libsodium", "native"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # CPU time, not the clock on the wall: what else runs on the machine is not the work's own.
        item.add_marker(pytest.mark.benchmark(timer=time.process_time))


class InR:
    """Measures work as a ratio to R, taken in turns with it, and keeps the ratio in the benchmark's record."""

    def __init__(self, benchmark: Any) -> None:
        self._benchmark = benchmark

    def measure(self, work: Callable[[], object], units: int, rounds: int = 7, **facts: object) -> float:
        references: list[float] = []

        def before() -> None:
            references.append(exchange_seconds())

        warm = 1 if rounds > 1 else 0
        self._benchmark.pedantic(work, setup=before, rounds=rounds, warmup_rounds=warm)
        references.append(exchange_seconds())
        measured = Measured(self._benchmark.stats.stats.min, min(references))
        seconds = self._benchmark.stats.stats.min
        self.keep(
            in_R=measured.ratio(units), units=units, seconds=seconds, reference_us=measured.reference * 1e6, **facts
        )
        return measured.ratio(units)

    def keep(self, **facts: object) -> None:
        self._benchmark.extra_info.update(facts)


@pytest.fixture
def in_r(benchmark: Any) -> InR:
    return InR(benchmark)
