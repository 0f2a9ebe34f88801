"""`tacit lint`: which rows of a list will match poorly, why, and how many matches that costs. Nothing is sent.

The costs are measured: the overlaps of the development lists that are found as they stand, once more with fields left
out (`make matching`, the last table of matcher/MATCHING.md). Messages name rows and columns, never what stands there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tacit_client.lists import ListPreview
from tacit_client.show import SHOWN_ROWS
from tacit_matcher.keys import KEY_TYPES, KeyClass, match_keys
from tacit_matcher.normalise import NormalSite, normalise_site, weight_of
from tacit_matcher.records import IDENTIFIER_KINDS, AuditedSite, PlannedAudit, Site
from tacit_matcher.text import plain

_HEADQUARTERS = re.compile(
    r"\b(?:p o box|po box|postfach|apartado|casilla|boite postale|postbus|skrytka pocztowa|head office|headquarters?"
    r"|hauptverwaltung|zentrale|siege social|sede social|sede legale|registered office|c o)\b"
)
_ONE_ADDRESS = 3  # so many sites at one address are a headquarters rather than sites


@dataclass(frozen=True, slots=True)
class Weakness:
    """A reason why a row matches poorly: the share of its matches that is lost, and what would help."""

    name: str
    lost: float
    what_to_do: str


WEAKNESSES: Mapping[str, Weakness] = {
    weakness.name: weakness
    for weakness in (
        Weakness("no country", 1.0, "fill in the country; without it only identifiers match"),
        Weakness("name only", 1.0, "add at least the city, better the whole address"),
        Weakness("headquarters address", 0.88, "give the address of the site, not of the company or its letter box"),
        Weakness("name of trade words only", 0.76, "add the company's own name or an identifier of the site"),
        Weakness("city only", 0.48, "add the street with its number, or the postcode"),
        Weakness("no city and no postcode", 0.32, "add the city and the postcode in their own columns"),
        Weakness("no postcode", 0.17, "add the postcode"),
        Weakness("no street", 0.13, "add the street with its number"),
        Weakness("no city", 0.06, "add the city"),
    )
}
"""The gravest first; a test compares the shares with MATCHING.md."""


@dataclass(frozen=True, slots=True)
class PoorRow:
    """One row that will match poorly; ``reasons`` with the gravest first, which is the one that is counted."""

    row: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class LintReport:
    """What is weak in a list. ``failed``: (row, column) of identifiers that cannot be right."""

    rows: int
    poor: Sequence[PoorRow]
    failed: Sequence[tuple[int, str, str]]
    with_identifier: int

    @property
    def lost(self) -> float:
        """Return the expected share of the list's matches that its weak rows cost, from 0 to 1."""
        return sum(WEAKNESSES[row.reasons[0]].lost for row in self.poor) / self.rows if self.rows else 0.0

    def counts(self) -> Counter[str]:
        """Return how many rows have each weakness as their gravest."""
        return Counter(row.reasons[0] for row in self.poor)


def lint(preview: ListPreview[PlannedAudit] | ListPreview[AuditedSite]) -> LintReport:
    """Look at every row that was understood. A row with a valid identifier of its site counts as found by that."""
    sites = [(row, record.site, normalise_site(record.site)) for row, record in preview.rows]
    shared = _shared_addresses(normal for _, _, normal in sites)
    poor, identified = [], 0
    for row, site, normal in sites:
        if any(KEY_TYPES[key.key_type].key_class is KeyClass.SITE_IDENTIFIER for key in match_keys(normal)):
            identified += 1
        elif reasons := tuple(name for name, found in _weaknesses(site, normal, shared).items() if found):
            poor.append(PoorRow(row, reasons))
    kinds = {preview.mapping.get(kind, kind) for kind in IDENTIFIER_KINDS}
    failed = [(p.row, p.column, p.why) for p in preview.problems if p.column in kinds]
    return LintReport(len(sites), poor, failed, identified)


def show_lint(console: Console, report: LintReport, file: str) -> None:
    """Print the report: what it costs, by reason, and the first rows."""
    if not report.poor and not report.failed:
        console.print(f"[green]✓[/] {escape(file)}: all {report.rows:,} rows have what matching needs")
        return
    counts = report.counts()
    table = Table("why a row matches poorly", "rows", "of their matches lost", "what to do")
    for name, weakness in WEAKNESSES.items():
        if counts[name]:
            table.add_row(name, f"{counts[name]:,}", f"{weakness.lost:.0%}", weakness.what_to_do)
    if counts:
        console.print(table)
    for row in sorted(report.poor, key=lambda poor: (list(WEAKNESSES).index(poor.reasons[0]), poor.row))[:SHOWN_ROWS]:
        console.print(f"  row {row.row}: {', '.join(row.reasons)}")
    if len(report.poor) > SHOWN_ROWS:
        console.print(f"[dim]  ... and {len(report.poor) - SHOWN_ROWS:,} more[/]")
    for number, column, why in report.failed[:SHOWN_ROWS]:
        console.print(f"  [yellow]row {number}, {escape(column)}: {escape(why)}[/]")
    if len(report.failed) > SHOWN_ROWS:
        console.print(f"[dim]  ... and {len(report.failed) - SHOWN_ROWS:,} more identifiers[/]")
    console.print(
        f"{len(report.poor):,} of {report.rows:,} rows match poorly: about [bold]{report.lost:.0%}[/] of this list's "
        f"matches will not be found. {report.with_identifier:,} rows have an identifier of their site, "
        f"{len(report.failed):,} identifiers cannot be right."
    )
    console.print("Nothing was sent.")


def _weaknesses(site: Site, normal: NormalSite, shared: frozenset[tuple[str, ...]]) -> dict[str, bool]:
    street, city, postcode = bool(normal.address), bool(normal.city), bool(normal.postcode)
    # Where the list has one column for the whole address, the city stands in it.
    whole = len(normal.address) > 2 and not site.city and not site.postcode
    found = {
        "no country": not normal.country,
        "name only": not (street or city or postcode),
        "headquarters address": bool(_HEADQUARTERS.search(plain(f"{site.name} {site.address}")))
        or _place(normal) in shared,
        "city only": city and not street and not postcode,
        "no city and no postcode": street and not city and not postcode and not whole,
        "name of trade words only": not any(weight_of(word) > 1 for word in normal.name),
        "no postcode": street and city and not postcode,
        "no street": city and postcode and not street,
        "no city": postcode and not city and not whole,
    }
    return {name: found[name] for name in WEAKNESSES}


def _place(site: NormalSite) -> tuple[str, ...]:
    return (site.country, site.postcode, *site.city, *site.address, site.house_number)


def _shared_addresses(sites: Iterable[NormalSite]) -> frozenset[tuple[str, ...]]:
    """Return the addresses at which a list has several sites of different names."""
    names: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for site in sites:
        if site.address and site.house_number:
            names.setdefault(_place(site), set()).add((*site.name, *site.figures))
    return frozenset(place for place, there in names.items() if len(there) >= _ONE_ADDRESS)
