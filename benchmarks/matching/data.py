"""Labelled lists: the members' audited sites, the planned audits, and which of them are on some list."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.matching.split import Part, in_part
from tacit_client.list_cells import ListError, read_file, read_tables
from tacit_client.list_columns import body, find_header
from tacit_client.list_values import date_of, day_first, text_of
from tacit_matcher.records import IDENTIFIER_KINDS, Site

_FIELDS = ("name", "address", "city", "postcode", "country")
_DAY = "audit_date"
_KNOWN = frozenset({*_FIELDS, *IDENTIFIER_KINDS, "plan_id"})
_THREE_YEARS = timedelta(days=3 * 365 + 1)


class DataError(ValueError):
    """A folder does not hold labelled lists in the expected form."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned audit and its label: whether some member has assessed the same site."""

    plan_id: str
    site: Site
    assessed: bool


@dataclass(frozen=True)
class Trial:
    """Distinct listed sites, how many lists each is on, and the labelled plans."""

    name: str
    sites: tuple[Site, ...]
    lists: tuple[int, ...]
    plans: tuple[Plan, ...]

    def part(self, part: Part) -> Trial:
        """Return the trial with the plans of one part only; the lists stay whole."""
        wanted = set(in_part((plan.plan_id for plan in self.plans), part))
        plans = tuple(plan for plan in self.plans if plan.plan_id in wanted)
        return Trial(self.name, self.sites, self.lists, plans)


def load(folder: Path) -> Trial:
    """Read ``members/*.csv`` or ``.xlsx``, ``planned.csv``, ``truth.csv``; raises :class:`DataError` naming the file.

    Assessments older than three years before the newest are left out, as a contribution leaves them out.
    """
    files = sorted(file for file in (folder / "members").glob("*") if file.suffix in (".csv", ".xlsx"))
    if not files:
        raise DataError(f"{folder.name}: no members/*.csv. DATA is a folder with members/, planned.csv and truth.csv")
    rows = [row for file in files for row in _table(file, "name")]
    newest = max((row[_DAY] for row in rows if row.get(_DAY)), default="")
    counted: Counter[tuple[str, ...]] = Counter()
    sites: dict[tuple[str, ...], Site] = {}
    for row in rows:
        if row.get(_DAY) and date.fromisoformat(newest) - date.fromisoformat(row[_DAY]) > _THREE_YEARS:
            continue
        site = _site(row)
        identity = site_identity(site)
        sites.setdefault(identity, site)
        counted[identity] += 1
    labels = _labels(folder / "truth.csv")
    plans = []
    for row in _table(folder / "planned.csv", "plan_id", "name"):
        if row["plan_id"] not in labels:
            raise DataError(f"planned.csv: plan {row['plan_id']} has no row in truth.csv")
        plans.append(Plan(row["plan_id"], _site(row), labels[row["plan_id"]]))
    return Trial(folder.name, tuple(sites.values()), tuple(counted[key] for key in sites), tuple(plans))


def site_identity(site: Site) -> tuple[str, ...]:
    """Return what two rows have in common when they are the same row on two lists."""
    fields = (getattr(site, name).strip() for name in _FIELDS)
    return (*fields, *(f"{kind}={value}" for kind, value in sorted(site.identifiers.items())))


def _site(row: Mapping[str, str]) -> Site:
    identifiers = {kind: row[kind] for kind in IDENTIFIER_KINDS if row.get(kind)}
    return Site(*(row.get(name, "") for name in _FIELDS), identifiers=identifiers)


def _labels(file: Path) -> dict[str, bool]:
    if not file.exists():
        raise DataError(f"{file.name} is missing: labelled data has members/, planned.csv and truth.csv")
    labels = {}
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            if row.get("assessed") not in ("0", "1") or not row.get("Plan ID"):
                raise DataError(f"truth.csv row {number}: columns are Plan ID and assessed, which is 0 or 1")
            labels[row["Plan ID"]] = row["assessed"] == "1"
    return labels


def _table(file: Path, *needed: str) -> list[dict[str, str]]:
    """Return the rows of a list by canonical field, read as the member's program reads it."""
    if not file.exists():
        raise DataError(f"{file.name} is missing: labelled data has members/, planned.csv and truth.csv")
    try:
        table, header = find_header(file.name, read_tables(read_file(file), None), needed, None)
    except ListError as error:
        raise DataError(str(error)) from error
    columns = [(name, position) for name, position in header.columns.items() if name in _KNOWN]
    rows = [
        {name: text_of(cells[position]) for name, position in columns if position < len(cells)}
        for _, cells in body(table, header)
    ]
    if _DAY in header.columns:
        position = header.columns[_DAY]
        days = [cells[position] if position < len(cells) else "" for _, cells in body(table, header)]
        first = day_first(days)
        for row, day in zip(rows, days, strict=True):
            row[_DAY] = date_of(day, first).isoformat()
    return [row for row in rows if row.get("name")]
