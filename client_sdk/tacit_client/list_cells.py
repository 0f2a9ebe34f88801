"""Open a list file and yield its rows as text, whatever it is: CSV in any usual encoding, XLSX, XLS or ODS.

Nothing here knows what the columns mean. The file is hashed before and after reading, because one that changes while it
is read would be understood half old and half new.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import python_calamine

Cell = str | float | int | bool | datetime.date | datetime.datetime | datetime.time | datetime.timedelta
Row = tuple[int, list[Cell]]  # row number as the spreadsheet shows it, cells

MAX_ROWS = 1_000_000
MAX_BYTES = 1 << 30
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


class ListError(Exception):
    """A list cannot be used; the message names file, row and column, and says what to do. It never quotes a cell."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one sheet, and how they were read."""

    understood: str
    rows: Sequence[Row]


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file; raises :class:`ListError` where it cannot be read."""
    try:
        if path.is_dir():
            raise ListError(f"{path.name} is a folder: name the file in it")
        if path.stat().st_size > MAX_BYTES:
            raise ListError(f"{path.name} is larger than {MAX_BYTES >> 20} MiB: split it")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ListError(f"{path.name} does not exist: check the name and the folder") from None
    except OSError as error:
        raise ListError(f"{path.name} cannot be read: {error.strerror}") from None


def read_tables(path: Path, sheet: str | None) -> list[Table]:
    """Return the sheets of a workbook, or the one table of a CSV file."""
    if path.suffix.lower() in _WORKBOOKS:
        return _workbook(path, sheet)
    return [_csv(path)]


def _workbook(path: Path, sheet: str | None) -> list[Table]:
    head = path.read_bytes()[:8]
    if head.startswith(_OLE) and path.suffix.lower() != ".xls" and _ENCRYPTED in path.read_bytes():
        raise ListError(f"{path.name} is protected with a password: save a copy without one and use that")
    try:
        with python_calamine.load_workbook(path) as workbook:
            names = [sheet] if sheet is not None else workbook.sheet_names
            if sheet is not None and sheet not in workbook.sheet_names:
                raise ListError(f"{path.name} has no sheet of that name, only: {', '.join(workbook.sheet_names)}")
            return [_sheet(path, workbook, name) for name in names]
    except ListError:
        raise
    except python_calamine.PasswordError:
        raise ListError(f"{path.name} is protected with a password: save a copy without one and use that") from None
    except Exception as error:  # calamine raises its own errors and, for broken archives, others
        raise ListError(
            f"{path.name} cannot be read as a workbook ({type(error).__name__}): open it in a spreadsheet program and "
            "save it again as .xlsx"
        ) from None


def _sheet(path: Path, workbook: python_calamine.CalamineWorkbook, name: str) -> Table:
    sheet = workbook.get_sheet_by_name(name)
    if sheet.total_height > MAX_ROWS + 1:
        raise ListError(f"{path.name}, sheet {name}: more than {MAX_ROWS:,} rows; split the list")
    rows: list[Row] = [
        (number, list(cells))
        for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1)
        if any(cell != "" for cell in cells)
    ]
    return Table(f"workbook, sheet {name!r}", rows)


def _csv(path: Path) -> Table:
    data = path.read_bytes()
    if data.startswith(_OLE) or data.startswith(b"PK\x03\x04"):
        raise ListError(f"{path.name} is a workbook, not a CSV file: give it the ending .xlsx or .xls")
    text, encoding = _decode(path, data)
    delimiter = _delimiter(text)
    rows: list[Row] = []
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((start, list(cells)))
            start = reader.line_num + 1
            if len(rows) > MAX_ROWS + 1:
                raise ListError(f"{path.name}: more than {MAX_ROWS:,} rows; split the list")
    except csv.Error as error:
        raise ListError(f"{path.name}, row {start}: not readable as CSV ({error}); check the quotes in it") from None
    shown = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[delimiter]
    return Table(f"CSV, {encoding}, separated by {shown}", rows)


def _decode(path: Path, data: bytes) -> tuple[str, str]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError:
            raise ListError(f"{path.name} begins like UTF-16 and is not: save it as UTF-8") from None
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        pass
    _refuse_mixture(path, data)
    if b"\0" in data:
        raise ListError(f"{path.name} is no text file: save the list as .xlsx or as CSV in UTF-8")
    try:
        return data.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "Latin-1"


def _refuse_mixture(path: Path, data: bytes) -> None:
    """Refuse a file in which some rows are UTF-8 and some are not: half its names would come out garbled."""
    utf8, other = 0, 0
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            utf8 = utf8 or number
        except UnicodeDecodeError:
            other = other or number
        if utf8 and other:
            raise ListError(
                f"{path.name}: row {utf8} is in UTF-8 and row {other} in another encoding; "
                "open the list in a spreadsheet program and save it anew as UTF-8 or .xlsx"
            )


def _delimiter(text: str) -> str:
    head = [line for line in text.splitlines()[:20] if line.strip()]
    counts = {mark: [line.count(mark) for line in head] for mark in (",", ";", "\t", "|")}

    def quality(mark: str) -> tuple[int, int]:
        found = counts[mark]
        return (min(found, default=0) > 0, sum(found))

    return max(counts, key=quality)


def rows_of(tables: Sequence[Table]) -> Iterator[Row]:
    """Yield all rows of all tables."""
    for table in tables:
        yield from table.rows
