"""What overlapping the stages brings: an evaluation with a trustee that takes its time, beside the sum of its stages.

One trustee waits a fixed time before each answer, as a busy one behind a slow line does. The same work is done twice in
turns: with everything inline, one stage after the other, and as members do it. The waits are the same on a quiet and on
a busy machine; the rest is CPU time on the cores there are, so the ratio is read together with the share of the waits.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.conftest import LARGE, InR, back_ends
from benchmarks.in_memory import RoundInMemory, TrusteeInMemory, audited
from benchmarks.parts import inline
from tacit_client.progress import silent
from tacit_client.row_keys import RowKeys
from tacit_client.vault import Vault
from tacit_matcher.sketch import prepare
from tacit_protocol import grants
from tacit_protocol.group import Backend
from tacit_protocol.threshold import ShareAnswer

RECORDS = 7_000 if LARGE else 3_500
DELAY_SECONDS = 1.0
ROUNDS = 3


class SlowTrustee(TrusteeInMemory):
    """Answers as the others do, but late."""

    waited = 0

    def evaluate(self, group: Backend, epoch: str, stream: str, blinded: bytes) -> ShareAnswer:
        time.sleep(DELAY_SECONDS)
        self.waited += 1
        return super().evaluate(group, epoch, stream, blinded)


@pytest.mark.parametrize("back_end", back_ends())
def test_pipeline(in_r: InR, benchmark: Any, tmp_path: Path, back_end: str) -> None:
    round_ = RoundInMemory(back_end, tmp_path / "member")
    first = round_.trustees[0]
    slow = SlowTrustee(first.index, first.group, first.share, round_.wire)
    round_.trustees[0] = slow
    sites = [record.site for record in audited(range(RECORDS))]
    counted: list[int] = []

    def evaluate() -> None:
        round_.vault = Vault.create(tmp_path / secrets.token_hex(8))
        rows = RowKeys(sites, {}, silent, secrets.token_bytes, keep=prepare)
        counted.append(len(round_.evaluator.outputs(rows.inputs())))

    def stage_by_stage() -> None:
        with inline():
            evaluate()

    pairs = [(_seconds(stage_by_stage), _seconds(evaluate)) for _ in range(ROUNDS)]
    benchmark.pedantic(lambda: None, rounds=1)
    (elements,) = set(counted)
    batches = slow.waited // (2 * ROUNDS)
    assert batches == len(grants.batch_sizes(elements))
    serial, overlapped = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    in_r.keep(
        table="pipeline", row=RECORDS, back_end=back_end, batches=batches, waits=batches * DELAY_SECONDS,
        serial=serial, overlapped=overlapped, cores=os.cpu_count() or 1,
    )  # fmt: skip
    print(
        f"\n{back_end:10} {elements:,} keys in {batches} batches: {serial:.2f} s stage by stage, of them "
        f"{batches * DELAY_SECONDS:.1f} s waiting; {overlapped:.2f} s overlapped ({overlapped / serial:.2f})"
    )


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
