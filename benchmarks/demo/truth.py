"""Compare what a check found with what is known to be true."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from python_calamine import CalamineWorkbook

from benchmarks.rates import Rates


@dataclass(frozen=True)
class Comparison(Rates):
    """Counts over the planned audits; ``possible`` ones are shown for a look and count neither way."""

    plans: int
    overlaps: int
    found: int
    missed: int
    wrong: int
    possible_right: int
    possible_wrong: int


def read_statuses(report: Path) -> dict[str, str]:
    """Read plan id and status back from the workbook that `tacit check` has written."""
    rows = CalamineWorkbook.from_path(str(report)).get_sheet_by_index(0).to_python()
    header = [str(cell) for cell in rows[0]]
    plan, status = header.index("Plan ID"), header.index("Status")
    return {str(row[plan]): str(row[status]) for row in rows[1:]}


def read_truth(path: Path) -> dict[str, bool]:
    """Read plan id and whether the site is on some member's list."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {row["Plan ID"]: row["assessed"] == "1" for row in csv.DictReader(file)}


def compare(statuses: Mapping[str, str], truth: Mapping[str, bool]) -> Comparison:
    """Count found, missed and wrong; every plan of the truth must have been answered."""
    unanswered = truth.keys() - statuses.keys()
    if unanswered:
        raise ValueError(f"{len(unanswered)} planned audits got no answer")
    assessed = {plan for plan in truth if statuses[plan] == "assessed"}
    possible = {plan for plan in truth if statuses[plan] == "possible"}
    overlaps = {plan for plan, is_overlap in truth.items() if is_overlap}
    return Comparison(
        len(truth),
        len(overlaps),
        len(assessed & overlaps),
        len(overlaps - assessed),
        len(assessed - overlaps),
        len(possible & overlaps),
        len(possible - overlaps),
    )
