"""A check of planned audits against an index of any size: how it grows with plans and with records."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import synthetic_index
from benchmarks.conftest import LARGE, InR, back_ends
from benchmarks.in_memory import EPOCH, STREAM, Costs, RoundInMemory, audited, costs_of, planned
from benchmarks.reference import exchange_seconds
from tacit_client.vault import Vault
from tacit_protocol import shuffle
from tacit_protocol.messages import IndexRoot

OVERLAP = 10  # one plan in so many was audited by somebody else
PLANS = (500, 2_000, 10_000) if LARGE else (500, 2_000)
RECORDS = (23_000, 250_000, 1_000_000) if LARGE else (23_000, 100_000)
CASES = [
    (back_end, plans, records)
    for records in RECORDS
    for back_end in back_ends()
    for plans in PLANS
    if back_end == "native" or (plans, records) == (PLANS[0], RECORDS[0]) or (LARGE and records == RECORDS[0])
]
MAX_RECORD_BYTES = 1024


class Published:
    """Indexes by size, made when first asked for; only one at a time is kept on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rounds: dict[str, tuple[RoundInMemory, list[bytes]]] = {}
        self._made: tuple[str, int] | None = None
        self._root: IndexRoot | None = None

    def round(self, back_end: str) -> RoundInMemory:
        return self._contributed(back_end)[0]

    def index(self, back_end: str, records: int) -> tuple[IndexRoot, Path]:
        cache = self._folder / "cache"
        if self._made != (back_end, records):
            shutil.rmtree(cache, ignore_errors=True)
            self._root = synthetic_index.write(cache / EPOCH / STREAM, records, self._contributed(back_end)[1])
            self._made = (back_end, records)
        assert self._root is not None
        return self._root, cache

    def _contributed(self, back_end: str) -> tuple[RoundInMemory, list[bytes]]:
        if back_end not in self._rounds:
            round_ = RoundInMemory(back_end, self._folder / f"other {back_end}")
            round_.contribute(audited(range(0, max(PLANS), OVERLAP)))
            uploads = [upload for page in round_.trustees[0].pages.values() for upload in shuffle.split_page(page)]
            opened = [shuffle.open_at_secretariat(round_.agreement_key, EPOCH, STREAM, upload) for upload in uploads]
            self._rounds[back_end] = (round_, opened)
        return self._rounds[back_end]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("check")
    yield Published(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(("back_end", "plans", "records"), CASES)
def test_check(in_r: InR, tmp_path: Path, published: Published, back_end: str, plans: int, records: int) -> None:
    root, cache = published.index(back_end, records)
    round_, wanted = published.round(back_end), planned(range(plans))
    round_.vault = Vault.create(tmp_path / "member")  # a member that has evaluated nothing yet and contributed nothing
    cost, found, reference = _measured(in_r, plans, lambda: costs_of(round_, lambda: round_.check(wanted, root, cache)))
    per_plan = {"group": cost.member_group / plans / reference, "rest": cost.member_rest / plans / reference}
    in_r.keep(
        table="check", row=plans, records=records, back_end=back_end, **per_plan,
        trustee=cost.per_trustee / plans / reference, sent=cost.sent, received=cost.received, index_bytes=root.size,
        bytes_per_record=root.size / records, member_seconds=cost.member,
        slowest_path_seconds=cost.member + cost.per_trustee, reference_us=reference * 1e6,
    )  # fmt: skip
    assert found >= plans // OVERLAP * 0.9
    assert root.size / records <= MAX_RECORD_BYTES
    print(
        f"\n{back_end:10} {plans:,} plans against {records:,} records: member {cost.member:.2f} s "
        f"({per_plan['group']:.1f} R group, {per_plan['rest']:.1f} R rest per plan), each trustee "
        f"{cost.per_trustee:.2f} s, {(cost.sent + cost.received) / 1e6:.1f} MB beside the index of "
        f"{root.size / 1e6:,.0f} MB"
    )


def _measured(in_r: InR, plans: int, check: Callable[[], tuple[Costs, Any]]) -> tuple[Costs, int, float]:
    results: list[tuple[Costs, Any]] = []
    before = exchange_seconds()
    in_r.measure(lambda: results.append(check()), plans, rounds=1)
    cost, report = results[0]
    found = sum(row.status == "assessed" for row in report.rows)
    return cost, found, min(before, exchange_seconds())
