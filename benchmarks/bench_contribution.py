"""A contribution: what the member spends on group operations and on everything else, per record; bytes on the wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conftest import LARGE, InR, back_ends
from benchmarks.in_memory import RoundInMemory, audited, costs_of
from benchmarks.reference import exchange_seconds

RECORDS = {"native": (2_300, 23_000) if LARGE else (2_300,), "libsodium": (2_300, 23_000) if LARGE else (500,)}
CASES = [(back_end, records) for back_end in back_ends() for records in RECORDS[back_end]]


@pytest.mark.parametrize(("back_end", "records"), CASES)
def test_contribution(in_r: InR, tmp_path: Path, back_end: str, records: int) -> None:
    round_, sites = RoundInMemory(back_end, tmp_path / "member"), audited(range(records))
    reference = exchange_seconds()
    costs = []
    total = in_r.measure(lambda: costs.append(costs_of(round_, lambda: round_.contribute(sites))[0]), records, rounds=1)
    cost, reference = costs[0], min(reference, exchange_seconds())
    per_record = {
        "group": cost.member_group / records / reference,
        "rest": cost.member_rest / records / reference,
        "trustee": cost.per_trustee / records / reference,
    }
    in_r.keep(
        table="contribution", row=records, back_end=back_end, **per_record,
        sent=cost.sent / records, received=cost.received / records, member_seconds=cost.member,
    )  # fmt: skip
    print(
        f"\n{back_end:10} contribution of {records:,} records, per record: member {per_record['group']:.1f} R group, "
        f"{per_record['rest']:.1f} R rest; each trustee {per_record['trustee']:.1f} R; all {total:.1f} R; "
        f"{cost.sent / records:,.0f} bytes sent"
    )
