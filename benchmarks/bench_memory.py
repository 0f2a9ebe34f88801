"""Peak memory: at most 1 GB in any process for 23,000 records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.conftest import LARGE, back_ends
from benchmarks.memory import peak_of

MOST = 10**9
CASES = [
    *[("contribution", count) for count in (("2300", "23000") if LARGE else ("2300",))],
    *[("check", "500", records) for records in (("23000", "250000", "1000000") if LARGE else ("23000", "100000"))],
]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process its peak memory")
@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_memory(benchmark: Any, case: tuple[str, ...]) -> None:
    back_end = back_ends()[-1]
    kind, *sizes = case
    figures: dict[str, int] = {}
    benchmark.pedantic(lambda: figures.update(peak_of(kind, back_end, *sizes)), rounds=1)
    benchmark.extra_info.update(table="memory", row=" ".join(case), back_end=back_end, **figures)
    print(f"\n{' '.join(case):24} peak {figures['peak'] / 1e6:,.0f} MB, own {figures['own'] / 1e6:,.0f} MB")
    assert figures["own"] < MOST
