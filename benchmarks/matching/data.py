"""Labelled lists: the members' audited sites, the planned audits, and which of them are on some list."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from anyascii import anyascii

from benchmarks.matching.split import Part, in_part
from tacit_matcher.records import COLUMNS, IDENTIFIER_KINDS, Site

_FIELDS = ("name", "address", "city", "postcode", "country")


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
    """Read ``members/*.csv``, ``planned.csv`` and ``truth.csv``; raises :class:`DataError` naming file and row."""
    files = sorted((folder / "members").glob("*.csv"))
    if not files:
        raise DataError(
            f"{folder.name}: no members/*.csv. Point --data at a folder with members/, planned.csv, truth.csv"
        )
    counted: Counter[tuple[str, ...]] = Counter()
    sites: dict[tuple[str, ...], Site] = {}
    for file in files:
        for site in (_site(row) for row in _rows(file, "name")):
            identity = site_identity(site)
            sites.setdefault(identity, site)
            counted[identity] += 1
    labels = {row["plan_id"]: _label(row["assessed"], n) for n, row in enumerate(_truth(folder / "truth.csv"), 2)}
    plans = []
    for n, row in enumerate(_rows(folder / "planned.csv", "plan_id", "name"), 2):
        if row["plan_id"] not in labels:
            raise DataError(f"planned.csv row {n}: the plan has no row in truth.csv")
        plans.append(Plan(row["plan_id"], _site(row), labels[row["plan_id"]]))
    return Trial(folder.name, tuple(sites.values()), tuple(counted[key] for key in sites), tuple(plans))


def site_identity(site: Site) -> tuple[str, ...]:
    """Return what two rows have in common when they are the same row on two lists."""
    fields = (getattr(site, name).strip() for name in _FIELDS)
    return (*fields, *(f"{kind}={value}" for kind, value in sorted(site.identifiers.items())))


def _site(row: Mapping[str, str]) -> Site:
    identifiers = {kind: row[kind] for kind in IDENTIFIER_KINDS if row.get(kind)}
    return Site(*(row.get(name, "") for name in _FIELDS), identifiers=identifiers)


def _truth(file: Path) -> Iterable[dict[str, str]]:
    return _rows(file, "plan_id", "assessed")


def _label(text: str, row: int) -> bool:
    if text not in ("0", "1"):
        raise DataError(f"truth.csv row {row}: column assessed must be 0 or 1")
    return text == "1"


def _rows(file: Path, *needed: str) -> list[dict[str, str]]:
    if not file.exists():
        raise DataError(f"{file.name} is missing: labelled data has members/*.csv, planned.csv and truth.csv")
    with file.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.reader(stream))
    header = [_column(title) for title in rows[0]] if rows else []
    if missing := [name for name in needed if name not in header]:
        raise DataError(f"{file.name} has no column for {', '.join(missing)}")
    return [{name: cell.strip() for name, cell in zip(header, row, strict=False)} for row in rows[1:] if any(row)]


@lru_cache(maxsize=1024)
def _column(title: str) -> str:
    wanted = _letters(title)
    if wanted == "assessed":
        return "assessed"
    return next((name for name, titles in COLUMNS.items() if wanted in map(_letters, titles)), wanted)


def _letters(title: str) -> str:
    return "".join(filter(str.isalnum, anyascii(title).lower()))
