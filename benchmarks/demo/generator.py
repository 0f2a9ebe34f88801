"""The demonstration's lists: members, planned audits and the truth, the same for the same seed.

One site in five is on two members' lists, written by two hands. Three plans in ten are on somebody's list; among the
others are decoys: another plant of a listed company, another company at a listed address, a site whose only assessment
is older than three years.
"""

from __future__ import annotations

import csv
import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.demo.handwriting import Written, as_printed, by_another_hand
from benchmarks.demo.sheets import IDENTIFIER_HEADERS, write_list
from benchmarks.demo.sites import TrueSite, draw_site, neighbour, sister_plant

ON_TWO_LISTS = 0.2
OVERLAPS = 0.3
DECOYS = 10  # one in so many of the other plans is a decoy
IDENTICAL = 0.15  # overlaps that the planner writes just as the other member did
KEPT_IDENTIFIERS = 0.5  # how often a list has an identifier that the site has
YEARS = 3
_SCHEMES = (
    ("SMETA 4-pillar", "7.0", 40), ("SMETA 4-pillar", "6.1", 15), ("SMETA 2-pillar", "7.0", 10),
    ("amfori BSCI", "2.0", 15), ("SA8000", "2014", 5), ("own protocol", "", 10), ("WRAP", "", 5),
)  # fmt: skip
_PLATFORMS = {"SMETA 4-pillar": "Sedex", "SMETA 2-pillar": "Sedex", "amfori BSCI": "amfori"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a member's list or of the plans."""

    written: Written
    country: str
    identifiers: dict[str, str]
    audit_date: datetime.date | None = None
    scheme: str = ""
    scheme_version: str = ""
    platform: str = ""


def generate(folder: Path, *, seed: int, members: int, records: int, plans: int, today: datetime.date) -> None:
    """Write ``members/*.csv|xlsx`` with ``records`` rows of the last three years, ``planned.csv`` and ``truth.csv``."""
    draw = random.Random(seed)
    count = round(records / (1 + ON_TWO_LISTS))
    seen: set[tuple[str, str]] = set()
    sites = _distinct(draw, count, seen)
    lists: list[list[Row]] = [[] for _ in range(members)]
    shares = [draw.lognormvariate(0, 0.5) for _ in range(members)]
    written: list[Written] = []
    for site in sites:
        row = _audited(site, _first_hand(site, draw), draw, today)
        written.append(row.written)
        draw.choices(lists, shares)[0].append(row)
    for site in draw.sample(sites, records - count):
        draw.choices(lists, shares)[0].append(_audited(site, by_another_hand(site, draw), draw, today))
    old = _distinct(draw, records // 50, seen)
    for site in old:
        draw.choices(lists, shares)[0].append(_audited(site, _first_hand(site, draw), draw, today, years_ago=YEARS))
    for rows in lists:
        draw.shuffle(rows)
    (folder / "members").mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(lists, start=1):
        write_list(folder / "members", f"member-{number:02d}", rows, number)
    _write_plans(folder, list(_planned(draw, sites, written, old, plans, seen)))


def _planned(
    draw: random.Random,
    sites: list[TrueSite],
    written: list[Written],
    old: list[TrueSite],
    plans: int,
    seen: set[tuple[str, str]],
) -> Iterator[tuple[Row, bool, str]]:
    overlaps = round(OVERLAPS * plans)
    chosen = draw.sample(range(len(sites)), overlaps + (plans - overlaps) // DECOYS)
    made: list[tuple[Row, bool, str]] = []
    for position in chosen[:overlaps]:
        same = draw.random() < IDENTICAL
        hand = written[position] if same else by_another_hand(sites[position], draw)
        made.append((_row(sites[position], hand, draw), True, ", ".join(hand.differences) or "identical"))
    for i, position in enumerate(chosen[overlaps:]):
        decoy, why = (
            (sister_plant(sites[position], draw), "another plant")
            if i % 2
            else (neighbour(sites[position], draw), "another company at the address")
        )
        made.append((_row(decoy, _first_hand(decoy, draw), draw), False, why))
    made += [
        (_row(site, as_printed(site, False), draw), False, "too old") for site in draw.sample(old, min(5, len(old)))
    ]
    fresh = _distinct(draw, plans - len(made), seen)
    made += [(_row(site, _first_hand(site, draw), draw), False, "nobody's") for site in fresh]
    draw.shuffle(made)
    yield from made


def _distinct(draw: random.Random, count: int, seen: set[tuple[str, str]]) -> list[TrueSite]:
    """Draw sites of different companies: two of one name in one town would be one company, whatever the draw meant."""
    sites: list[TrueSite] = []
    while len(sites) < count:
        site = draw_site(draw)
        key = (site.trunk(), site.town(True))
        if key not in seen:
            seen.add(key)
            sites.append(site)
    return sites


def _first_hand(site: TrueSite, draw: random.Random) -> Written:
    return as_printed(site, draw.random() < 0.4)


def _audited(
    site: TrueSite, written: Written, draw: random.Random, today: datetime.date, years_ago: int = 0
) -> Row:  # fmt: skip
    scheme, version, _ = draw.choices(_SCHEMES, [weight for *_, weight in _SCHEMES])[0]
    days = draw.randint(10, 365 * YEARS - 10) + (365 * years_ago + 30 if years_ago else 0)
    base = _row(site, written, draw)
    platform = _PLATFORMS.get(scheme, "") if draw.random() < 0.7 else ""
    day = today - datetime.timedelta(days=days)
    return Row(base.written, base.country, base.identifiers, day, scheme, version, platform)


def _row(site: TrueSite, written: Written, draw: random.Random) -> Row:
    kept = {kind: value for kind, value in site.identifiers.items() if draw.random() < KEPT_IDENTIFIERS}
    return Row(written, site.country.code, kept)


def _write_plans(folder: Path, plans: list[tuple[Row, bool, str]]) -> None:
    with (
        (folder / "planned.csv").open("w", encoding="utf-8", newline="") as planned,
        (folder / "truth.csv").open("w", encoding="utf-8", newline="") as truth,
    ):
        rows, answers = csv.writer(planned), csv.writer(truth)
        rows.writerow(
            ["Plan ID", "Supplier name", "Address", "City", "Postcode", "Country", *IDENTIFIER_HEADERS.values()]
        )
        answers.writerow(["Plan ID", "assessed", "what differs"])
        for number, (row, assessed, why) in enumerate(plans, start=1):
            name = f"P{number:04d}"
            site = row.written
            identifiers = [row.identifiers.get(kind, "") for kind in IDENTIFIER_HEADERS]
            rows.writerow([name, site.name, site.address, site.city, site.postcode, row.country, *identifiers])
            answers.writerow([name, int(assessed), why])
