"""Write a member's list as that member would: its own file type, language of headers, order of columns, dates."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import xlsxwriter

if TYPE_CHECKING:
    from benchmarks.demo.generator import Row

IDENTIFIER_HEADERS = {
    "os_id": "OS ID", "sedex_site": "Sedex site code", "gln": "GLN", "lei": "LEI", "duns": "DUNS",
}  # fmt: skip
_FIELDS = ("name", "address", "city", "postcode", "country", "date", "scheme", "version", "platform")
_HEADERS = (
    ("Supplier name", "Address", "City", "Postcode", "Country", "Audit date", "Scheme", "Scheme version", "Platform"),
    ("Lieferant", "Straße", "Ort", "PLZ", "Land", "Auditdatum", "Standard", "Version", "Plattform"),
    ("Fournisseur", "Adresse", "Ville", "Code postal", "Pays", "Date d'audit", "Norme", "Version", "Plateforme"),
    ("Proveedor", "Dirección", "Localidad", "Código postal", "País", "Fecha de auditoría", "Esquema", "Versión",
     "Plataforma"),
)  # fmt: skip
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %B %Y")


def write_list(folder: Path, stem: str, rows: Sequence[Row], number: int) -> Path:
    """Write one member's list; ``number`` decides its form: every fourth is a workbook."""
    headers = _HEADERS[number % len(_HEADERS)]
    order = _FIELDS[number % 3 :] + _FIELDS[: number % 3]  # columns in any order
    kinds = list(IDENTIFIER_HEADERS)[: number % (len(IDENTIFIER_HEADERS) + 1)]
    head = [headers[_FIELDS.index(field)] for field in order] + [IDENTIFIER_HEADERS[kind] for kind in kinds]
    as_workbook = number % 4 == 0
    body = [
        [_cell(row, field, number, as_workbook) for field in order] + [row.identifiers.get(kind, "") for kind in kinds]
        for row in rows
    ]
    path = folder / f"{stem}.{'xlsx' if as_workbook else 'csv'}"
    if as_workbook:
        _workbook(path, head, body)
    else:
        _csv(path, head, body, ";" if number % 4 == 1 else ",")
    return path


def _cell(row: Row, field: str, number: int, as_workbook: bool) -> str | datetime.date:
    if field == "date":
        assert row.audit_date is not None
        return row.audit_date if as_workbook else row.audit_date.strftime(_DATES[number % len(_DATES)])
    texts = {
        "name": row.written.name, "address": row.written.address, "city": row.written.city,
        "postcode": row.written.postcode, "country": row.country, "scheme": row.scheme,
        "version": row.scheme_version, "platform": row.platform,
    }  # fmt: skip
    return texts[field]


def _csv(path: Path, head: Sequence[str], body: Sequence[Sequence[object]], delimiter: str) -> None:
    encoding = "utf-8-sig" if delimiter == ";" else "utf-8"
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(head)
        writer.writerows(body)


def _workbook(path: Path, head: Sequence[str], body: Sequence[Sequence[object]]) -> None:
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        date = book.add_format({"num_format": "dd.mm.yyyy"})
        sheet = book.add_worksheet("Audits")
        sheet.write_row(0, 0, head)
        for number, cells in enumerate(body, start=1):
            for column, cell in enumerate(cells):
                if isinstance(cell, datetime.date):
                    sheet.write_datetime(number, column, cell, date)
                else:
                    sheet.write_string(number, column, str(cell))
