"""Open a list file and yield its rows, whatever it is: CSV in any usual encoding, or XLSX.

Nothing here knows what the columns mean. The file is read once and hashed; one that changes while it is read would be
understood half old and half new, and is refused.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Cell = str | float | int | bool | datetime.date | datetime.datetime | datetime.time | datetime.timedelta
Row = tuple[int, list[Cell]]  # row number as a spreadsheet program shows it, cells

MAX_ROWS = 100_000  # a quota of 131,072 evaluations covers about 9,400 sites with 14 keys each
MAX_BYTES = 1 << 27  # 128 MiB
ENCODED_BADLY = "save the list in a spreadsheet program as .xlsx, or as CSV in UTF-8"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_WORKBOOKS = (".xlsx", ".xlsm")
_OTHER_WORKBOOKS = (".xls", ".xlsb", ".ods", ".numbers")
_FOREIGN = re.compile(rb"[\xc0-\xff]{4}")


class ListError(Exception):
    """A list cannot be used; the message names file, row and column, and says what to do. It never quotes a cell."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one sheet, how they were read, and the sheet's name (empty for CSV)."""

    understood: str
    rows: Sequence[Row]
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file that was read whole; ``sha256`` in hexadecimal digits."""

    path: Path
    data: bytes
    sha256: str

    def verify_unchanged(self) -> None:
        """Raise :class:`ListError` when the file is not what was read any more."""
        if read_file(self.path).sha256 != self.sha256:
            raise ListError(
                f"{self.path.name} changed while it was read: close it in other programs and run the command again"
            )


def read_file(path: Path) -> ListFile:
    """Read a file; raises :class:`ListError` where that cannot be done, or where it is no plain file or too large."""
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            raise ListError(f"{path.name} is a folder: name the file in it")
        if not stat.S_ISREG(facts.st_mode):  # a pipe or device would be waited for without end
            raise ListError(f"{path.name} is no file but a pipe or device: save the list as a file first")
        if facts.st_size > MAX_BYTES:
            raise ListError(f"{path.name} is larger than {MAX_BYTES >> 20} MiB: split the list")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ListError(f"{path.name} does not exist: check the name and the folder") from None
    except OSError as error:
        raise ListError(f"{path.name} cannot be read: {error.strerror}") from None
    return ListFile(path, data, hashlib.sha256(data).hexdigest())


def read_tables(file: ListFile, sheet: str | None) -> list[Table]:
    """Return the visible sheets of a workbook (or the one named), or the one table of a CSV file."""
    suffix, name = file.path.suffix.lower(), file.path.name
    if suffix in _OTHER_WORKBOOKS:
        raise ListError(f"{name} is in the format {suffix}: open it in a spreadsheet program and save it as .xlsx")
    if suffix in _WORKBOOKS:
        from tacit_client.list_workbook import read_workbook

        return read_workbook(name, file.data, sheet)
    if sheet is not None:
        raise ListError(f"{name} is no workbook and has no sheets: leave --sheet out")
    return [_csv(name, file.data)]


def _csv(name: str, data: bytes) -> Table:
    if data.startswith((_OLE, _ZIP)):
        raise ListError(f"{name} is a workbook, not a CSV file: give it the ending .xlsx")
    text, encoding = _decode(name, data)
    delimiter = _delimiter(text)
    rows: list[Row] = []
    number = 0
    # Not str.splitlines: it also breaks lines at U+2028, form feeds and the like inside a cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                rows.append((number, list(cells)))
            if len(rows) > MAX_ROWS + 1:
                raise too_many_rows(name)
    except csv.Error:
        raise ListError(
            f"{name}, row {number + 1}: not readable as CSV: a quotation mark is opened and not closed, or stands "
            "inside a cell; double it or take it out"
        ) from None
    shown = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[delimiter]
    return Table(f"CSV, {encoding}, separated by {shown}", rows)


def too_many_rows(place: str) -> ListError:
    """Return the error for a list that is too long."""
    return ListError(f"{place} has more than {MAX_ROWS:,} rows: split the list")


def _decode(name: str, data: bytes) -> tuple[str, str]:
    text, encoding = _utf16(name, data) if b"\0" in data[:4096] or data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("", "")
    if not encoding:
        text, encoding = _eight_bits(name, data)
    if "\0" in text:
        raise ListError(f"{name} is no text file: {ENCODED_BADLY}")
    return text, encoding


def _utf16(name: str, data: bytes) -> tuple[str, str]:
    """Decode UTF-16 with or without its mark: in Western and Asian lists alike, half the separators' bytes are zero."""
    marked = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    big = data[:2] == b"\xfe\xff" or (not marked and data[:4096:2].count(0) > data[1:4096:2].count(0))
    try:
        return data.decode("utf-16-be" if big else "utf-16-le").removeprefix("\ufeff"), "UTF-16"
    except UnicodeDecodeError:
        raise ListError(f"{name} looks like UTF-16 and is damaged: {ENCODED_BADLY}") from None


def _eight_bits(name: str, data: bytes) -> tuple[str, str]:
    try:
        return data.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        pass
    _refuse_mixture(name, data)
    foreign = _FOREIGN.search(data)  # no Western language has a word with four accented letters in a row
    try:
        if foreign is None:
            return data.decode("cp1252"), "Windows-1252"
        position = foreign.start()
    except UnicodeDecodeError as error:
        position = error.start
    line = data.count(b"\n", 0, position) + 1
    raise ListError(f"{name}, line {line}: neither UTF-8 nor Windows-1252: {ENCODED_BADLY}")


def _refuse_mixture(name: str, data: bytes) -> None:
    """Refuse a file in which some lines are UTF-8 and some are not: half its names would come out garbled."""
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
                f"{name}: line {utf8} is in UTF-8 and line {other} in another encoding; "
                "open the list in a spreadsheet program and save it anew as UTF-8 or .xlsx"
            )


def _delimiter(text: str) -> str:
    head = [line for line in text[:65536].splitlines()[:20] if line.strip()]
    counts = {mark: [line.count(mark) for line in head] for mark in (",", ";", "\t", "|")}

    def quality(mark: str) -> tuple[int, int]:
        found = counts[mark]
        return (min(found, default=0) > 0, sum(found))

    return max(counts, key=quality)
