"""Write results as XLSX or CSV: whole or not at all, and no cell ever becomes a formula."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import xlsxwriter

from tacit_client.list_cells import ListError
from tacit_client.vault import write_atomically

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write_results(
    path: Path,
    rows: Sequence[Mapping[str, object]],
    columns: Sequence[str],
    *,
    about: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> None:
    """Write ``rows`` to .xlsx or .csv, for the owner only; raises :class:`ListError` where that cannot be done."""
    verify_target(path, overwrite=overwrite)
    path = path.expanduser()
    data = _workbook(rows, columns, about or {}) if path.suffix.lower() == ".xlsx" else _csv(rows, columns)
    try:
        write_atomically(path, data, mode=0o600)
    except OSError as error:
        raise ListError(f"{path.name} cannot be written ({error.strerror}): close it in other programs") from None


def verify_target(path: Path, *, overwrite: bool = False, source: Path | None = None) -> None:
    """Raise :class:`ListError` unless results can be written to ``path``; ask before any quota is spent.

    ``source`` is the list that the results are about: it is never overwritten.
    """
    path = path.expanduser()
    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise ListError(f"{path.name}: results are written as .xlsx or .csv")
    if path.is_dir():
        raise ListError(f"{path.name} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise ListError(f"the folder for {path.name} does not exist: make it first")
    if source is not None and path.resolve() == source.expanduser().resolve():
        raise ListError(f"{path.name} is your list itself: choose another name with -o")
    if path.exists() and not overwrite:
        raise ListError(f"{path.name} exists already: choose another name with -o, or add --overwrite")
    if not os.access(path.parent, os.W_OK):
        raise ListError(f"the folder for {path.name} cannot be written to: choose another")


def _workbook(rows: Sequence[Mapping[str, object]], columns: Sequence[str], about: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    # Supplier names are other people's text: strings stay strings, never formulas, links or numbers.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        sheet = book.add_worksheet("Result")
        widths = [len(name) for name in columns]
        for column, name in enumerate(columns):
            sheet.write_string(0, column, name, bold)
        for number, row in enumerate(rows, start=1):
            for column, name in enumerate(columns):
                value = row.get(name, "")
                if isinstance(value, int | float) and not isinstance(value, bool):
                    sheet.write_number(number, column, value)
                else:
                    sheet.write_string(number, column, str(value))
                widths[column] = max(widths[column], min(48, len(str(value))))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width + 2)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(1, len(rows)), len(columns) - 1)
        notes = book.add_worksheet("About")
        for number, (name, value) in enumerate(about.items()):
            notes.write_string(number, 0, name, bold)
            notes.write_string(number, 1, value)
        notes.set_column(0, 0, 16)
        notes.set_column(1, 1, 90)
    return buffer.getvalue()


def _csv(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(row.get(name, "")) for name in columns])
    return b"\xef\xbb\xbf" + buffer.getvalue().encode()


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a text for a formula (CSV injection): put an apostrophe in front."""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
