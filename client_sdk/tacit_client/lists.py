"""Read a member's lists: what was understood, the good rows, and every problem with row and column.

The caller shows the preview and decides; nothing is sent while a row has an error. Messages name rows and columns
and never repeat what stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Generic, Literal, TypeVar

from tacit_client.list_cells import MAX_ROWS, Cell, ListError, Row, read_file, read_tables, too_many_rows
from tacit_client.list_columns import Header, body, find_header, parse_columns
from tacit_client.list_values import TO_DO, DateError, date_of, day_first, fault_of, is_blank, text_of
from tacit_client.list_writer import verify_target, write_results
from tacit_matcher.identifiers import IdentifierError, normalise_identifier
from tacit_matcher.normalise import normalise_country
from tacit_matcher.records import IDENTIFIER_KINDS, AuditedSite, PlannedAudit, Site

__all__ = [
    "ListError",
    "ListPreview",
    "Problem",
    "parse_columns",
    "read_audited",
    "read_planned",
    "verify_target",
    "write_results",
]

YEARS = 3
_T_co = TypeVar("_T_co", covariant=True)
_SITE_FIELDS = ("name", "address", "city", "postcode", "country")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one row; an error keeps the whole list from being used, a warning does not."""

    row: int
    column: str
    why: str
    what_to_do: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class ListPreview(Generic[_T_co]):
    """What was understood of a list. ``rows``: row number in the file and record."""

    file: str
    understood: str
    sha256: str
    mapping: Mapping[str, str]
    unrecognised: tuple[str, ...]
    rows: Sequence[tuple[int, _T_co]]
    problems: Sequence[Problem]
    too_old: Sequence[int] = ()
    duplicates: Sequence[int] = ()

    def raise_for_errors(self) -> None:
        """Raise :class:`ListError` when a row has an error, or no row is left to use."""
        errors = [problem for problem in self.problems if problem.severity == "error"]
        if errors:
            first, rows = errors[0], len({problem.row for problem in errors})
            raise ListError(
                f"{self.file}: {rows} of its rows cannot be used; the first is row {first.row}, column {first.column}: "
                f"{first.why}; {first.what_to_do}"
            )
        if not self.rows:
            old = f", {len(self.too_old)} are older than {YEARS} years" if self.too_old else ""
            raise ListError(f"{self.file} has no row to use{old}")


@dataclass
class _Reader:
    """One pass over the rows of a list."""

    header: Header
    separated: bool  # by commas or the like: a cell too many means that the others stand in wrong columns
    problems: list[Problem] = field(default_factory=list)

    def problem(
        self, row: int, name: str, why: str, todo: str, severity: Literal["error", "warning"] = "error"
    ) -> None:
        column = self.header.names.get(name, name.replace("_", " "))
        self.problems.append(Problem(row, column, why, todo, severity))

    def cell(self, cells: Sequence[Cell], name: str) -> Cell:
        position = self.header.columns.get(name)
        return cells[position] if position is not None and position < len(cells) else ""

    def text(self, row: int, cells: Sequence[Cell], name: str) -> str:
        cell = self.cell(cells, name)
        return "" if self.faulty(row, cell, name) else text_of(cell)

    def faulty(self, row: int, cell: Cell, name: str) -> bool:
        """Note it when a cell cannot be used."""
        fault = fault_of(cell)
        if fault is not None:
            self.problem(row, name, str(fault), TO_DO[fault])
        return fault is not None

    def site(self, row: int, cells: Sequence[Cell]) -> Site | None:
        if self.separated and not all(is_blank(cell) for cell in cells[self.header.width :]):
            self.problem(
                row, "whole row", "the row has more cells than the header", "check for a separator inside a cell"
            )
        values = {name: self.text(row, cells, name) for name in _SITE_FIELDS}
        if not values["name"]:
            if fault_of(self.cell(cells, "name")) is None:
                self.problem(row, "name", "the supplier's name is missing", "fill it in or delete the row")
            return None
        if not values["country"]:
            self.problem(
                row, "country", "the country is missing", "fill it in: without it only identifiers match", "warning"
            )
        elif not normalise_country(values["country"]):
            self.problem(row, "country", "the country is not known", "use its ISO code, such as DE", "warning")
        return Site(**values, identifiers=self._identifiers(row, cells))

    def _identifiers(self, row: int, cells: Sequence[Cell]) -> dict[str, str]:
        found = {}
        for kind in IDENTIFIER_KINDS:
            text = self.text(row, cells, kind) if kind in self.header.columns else ""
            if not text:
                continue
            try:
                found[kind] = normalise_identifier(kind, text)
            except IdentifierError as error:
                self.problem(row, kind, f"not usable, {error}", "correct it; the row is used without it", "warning")
        return found


def read_audited(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    today: date,
    years: int = YEARS,
    sheet: str | None = None,
) -> ListPreview[AuditedSite]:
    """Read a list of audited sites. Raises :class:`ListError` where the file as a whole cannot be used."""
    too_old: list[int] = []

    def build(reader: _Reader, rows: Sequence[Row]) -> list[tuple[int, AuditedSite]]:
        hint = day_first(reader.cell(cells, "audit_date") for _, cells in rows)
        expiry_hint = day_first(reader.cell(cells, "expiry") for _, cells in rows)
        records = []
        for row, cells in rows:
            site = reader.site(row, cells)
            audited = _date(reader, row, cells, "audit_date", hint)
            blank = is_blank(reader.cell(cells, "expiry"))
            expiry = None if blank else _date(reader, row, cells, "expiry", expiry_hint)
            scheme = reader.text(row, cells, "scheme")
            if not scheme and fault_of(reader.cell(cells, "scheme")) is None:
                reader.problem(row, "scheme", "the scheme is missing", "name it, such as SMETA 4-pillar")
            if audited is not None and audited > today:
                reader.problem(row, "audit_date", "the date lies in the future", "correct it")
                audited = None
            if audited is not None and expiry is not None and expiry < audited:
                reader.problem(row, "expiry", "it expired before it was assessed", "correct one of the two dates")
                audited = None
            if site is None or audited is None or not scheme:
                continue
            if audited < _years_before(today, years):
                too_old.append(row)
                continue
            version, platform = reader.text(row, cells, "scheme_version"), reader.text(row, cells, "platform")
            records.append((row, AuditedSite(site, audited, scheme, version, platform, expiry)))
        return records

    return _read(Path(path), ("name", "audit_date", "scheme"), columns, sheet, build, too_old)


def read_planned(
    path: str | Path, *, columns: Mapping[str, str] | None = None, sheet: str | None = None
) -> ListPreview[PlannedAudit]:
    """Read a list of planned audits; a plan without an identifier is called after its row."""

    def build(reader: _Reader, rows: Sequence[Row]) -> list[tuple[int, PlannedAudit]]:
        records, seen = [], dict[str, int]()
        for row, cells in rows:
            site = reader.site(row, cells)
            plan_id = reader.text(row, cells, "plan_id") or f"row {row}"
            if plan_id in seen:
                reader.problem(row, "plan_id", f"the plan ID is that of row {seen[plan_id]}", "give every plan its own")
                continue
            seen[plan_id] = row
            if site is not None:
                records.append((row, PlannedAudit(plan_id, site)))
        return records

    return _read(Path(path), ("name",), columns, sheet, build, [])


def _read(
    path: Path,
    required: Sequence[str],
    columns: Mapping[str, str] | None,
    sheet: str | None,
    build: Callable[[_Reader, Sequence[Row]], list[tuple[int, _T_co]]],
    too_old: list[int],
) -> ListPreview[_T_co]:
    file = read_file(path)
    table, header = find_header(path.name, read_tables(file, sheet), required, columns)
    rows = body(table, header)
    file.verify_unchanged()
    if not rows:
        raise ListError(f"{path.name}, {table.understood}: no rows below the header in row {header.row}")
    if len(rows) > MAX_ROWS:
        raise too_many_rows(path.name)
    reader = _Reader(header, separated=not table.sheet)
    records = build(reader, rows)
    kept, duplicates, seen = [], [], set()
    for row, record in records:
        mark = repr(record)
        if mark in seen:
            duplicates.append(row)
        else:
            seen.add(mark)
            kept.append((row, record))
    return ListPreview(
        path.name,
        table.understood,
        file.sha256,
        header.names,
        header.unrecognised,
        kept,
        reader.problems,
        too_old,
        duplicates,
    )


def _date(reader: _Reader, row: int, cells: Sequence[Cell], name: str, hint: bool | None) -> date | None:
    cell = reader.cell(cells, name)
    if reader.faulty(row, cell, name):
        return None
    try:
        found = date_of(cell, hint)
    except DateError as problem:
        reader.problem(row, name, str(problem), "write it as 2025-04-03")
        return None
    if found.year < 1990:
        reader.problem(row, name, "the date lies before 1990", "correct it")
        return None
    return found


def _years_before(day: date, years: int) -> date:
    if years >= day.year:
        return date.min
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)
