"""A check over real HTTP on loopback: a secretariat and three trustees as processes, two of them answering.

CPU of every party, because the clock on the wall also counts what else the machine does and the pauses of the log.
The index holds only what one member contributed: how a check grows with the index is measured in bench_check.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.conftest import back_ends
from benchmarks.in_memory import audited, planned
from support.world import World

PLANS, OVERLAP = 500, 10
_TICKS = os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells what another process has used")
def test_check_over_http(benchmark: Any, tmp_path: Path) -> None:
    world = World.start(tmp_path)
    try:
        other = world.member("other")
        other.contribute(audited(range(0, PLANS, OVERLAP)))
        world.close_window(other)
        member = world.member("member")
        before = _used(world)
        started, used = time.perf_counter(), time.process_time()
        report = benchmark.pedantic(lambda: member.check(planned(range(PLANS))), rounds=1)
        wall, own = time.perf_counter() - started, time.process_time() - used
        after = _used(world)
    finally:
        world.stop()
    servers = {name: after[name] - before[name] for name in before}
    found = sum(row.status == "assessed" for row in report.rows)
    assert found >= PLANS // OVERLAP * 0.9
    benchmark.extra_info.update(
        table="loopback", row=PLANS, back_end=back_ends()[-1], wall=wall, member=own, servers=servers, found=found
    )
    print(f"\n{PLANS} plans over HTTP: {wall:.2f} s on the wall, member {own:.2f} s of CPU, servers {servers}")


def _used(world: World) -> dict[str, float]:
    """Return the CPU seconds that each server has used so far."""
    used = {}
    for server in world.parties.servers():
        fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        used[server.name] = (int(fields[11]) + int(fields[12])) / _TICKS
    return used
