"""Cells to values: text as people typed it, dates in any usual form. No message ever repeats a cell."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable

from tacit_client.list_cells import Cell

_EPOCH = datetime.date(1899, 12, 30)  # day 0 of a spreadsheet's serial dates
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan januar january janvier enero gennaio janeiro januari stycznia",
            "feb februar february fevrier février febrero febbraio fevereiro februari lutego",
            "mar mär maerz märz march mars marzo março marco maart marca",
            "apr april avril abril aprile kwietnia",
            "may mai mayo maggio maio mei maj maja",
            "jun juni june juin junio giugno junho czerwca",
            "jul juli july juillet julio luglio julho lipca",
            "aug august août aout agosto augustus sierpnia",
            "sep sept september septembre septiembre settembre setembro września",
            "oct okt oktober october octobre octubre ottobre outubro października",
            "nov november novembre noviembre novembro listopada",
            "dec dez dezember december décembre decembre diciembre dicembre dezembro grudnia",
        ),
        start=1,
    )
    for name in names.split()
}
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_NUMERIC = re.compile(r"(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4}|\d{2})(?: .*)?")
_NAMED = re.compile(r"(\d{1,2})\.?[ -]+(?:de )?([^\W\d]+)\.?,?[ -]+(?:de )?(\d{4})")
_NAMED_FIRST = re.compile(r"([^\W\d]+)\.?[ -]+(\d{1,2}),?[ -]+(\d{4})")


MAX_TEXT = 1000  # characters in one cell


class DateError(ValueError):
    """A cell that should be a date is none, with the reason."""


class Fault(str):
    """Stands in a cell whose value cannot be used; the text says why."""

    __slots__ = ()


FAILED_FORMULA = Fault("the cell holds a formula that failed or was never computed")
MERGED = Fault("the cell is merged with the one above")
TOO_LONG = Fault(f"the cell holds more than {MAX_TEXT:,} characters")
CONTROLS = Fault("the cell holds control characters")
TO_DO = {
    FAILED_FORMULA: "put the value itself into the cell",
    MERGED: "unmerge the cells and fill every row",
    TOO_LONG: "shorten it; a quotation mark that is not closed can be the cause",
    CONTROLS: "type it anew",
}


def text_of(cell: Cell) -> str:
    """Return a cell as text: whole numbers without ".0", error cells and blanks as nothing."""
    if isinstance(cell, bool):
        return str(cell)
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat()
    return " ".join(str(cell).split())


def is_blank(cell: Cell) -> bool:
    """Tell whether nothing stands in a cell."""
    return isinstance(cell, str) and not isinstance(cell, Fault) and not cell.strip()


def fault_of(cell: Cell) -> Fault | None:
    """Return why a cell cannot be used: a formula's error, a formula that was never computed, or no proper text."""
    if isinstance(cell, Fault) or not isinstance(cell, str):
        return cell if isinstance(cell, Fault) else None
    text = cell.strip()
    if text.startswith("=") or re.fullmatch(r"#(REF|N/A|VALUE|NAME\?|DIV/0|NUM|NULL|SPILL|CALC)!?", text):
        return FAILED_FORMULA
    if len(text) > MAX_TEXT:
        return TOO_LONG
    # Escape sequences in a list that came from elsewhere would drive the terminal that shows it.
    return CONTROLS if any(unicodedata.category(c) == "Cc" and not c.isspace() for c in text) else None


def day_first(cells: Iterable[Cell]) -> bool | None:
    """Infer from a whole column whether 03/04/2025 means April (True) or March (False); None when it cannot be told."""
    first = second = False
    for cell in cells:
        text = cell.strip() if isinstance(cell, str) else ""
        if match := _NUMERIC.fullmatch(text):
            # Dotted dates are day-first everywhere they are written.
            first |= int(match.group(1)) > 12 or "." in text[:6]
            second |= int(match.group(2)) > 12
    return None if first == second else first


def date_of(cell: Cell, day_comes_first: bool | None) -> datetime.date:
    """Return the date in a cell; raises :class:`DateError` with the reason."""
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    if isinstance(cell, bool | datetime.time | datetime.timedelta):
        raise DateError("this is no date")
    if isinstance(cell, int | float):
        return _serial(float(cell))
    return _written(" ".join(cell.split()), day_comes_first)


def _serial(number: float) -> datetime.date:
    if match := _COMPACT.fullmatch(f"{number:.0f}"):
        return _date(*map(int, match.groups()))
    if not 32874 <= number < 80000:  # 1990 to 2119
        raise DateError("this number is no date")
    return _EPOCH + datetime.timedelta(days=int(number))


def _written(text: str, day_comes_first: bool | None) -> datetime.date:
    if match := _ISO.fullmatch(text):
        return _date(*map(int, match.groups()))
    if match := _NUMERIC.fullmatch(text):
        first, second, year = map(int, match.groups())
        if day_comes_first is None and first <= 12 and second <= 12 and first != second:
            raise DateError("day and month cannot be told apart in this column: write dates as 2025-04-03")
        is_day_first = first > 12 or (second <= 12 and day_comes_first is not False)
        day, month = (first, second) if is_day_first else (second, first)
        return _date(year + 2000 if year < 100 else year, month, day)
    if match := _NAMED.fullmatch(text):
        return _date(int(match.group(3)), _month(match.group(2)), int(match.group(1)))
    if match := _NAMED_FIRST.fullmatch(text):
        return _date(int(match.group(3)), _month(match.group(1)), int(match.group(2)))
    if re.fullmatch(r"\d{5}(\.\d+)?|\d{8}", text):
        return _serial(float(text))
    raise DateError("this is no date" if text else "the date is missing")


def _month(name: str) -> int:
    word = name.lower()
    number = _MONTHS.get(word) or _MONTHS.get(word[:3])
    if number is None:
        raise DateError("the month's name is not known: write dates as 2025-04-03")
    return number


def _date(year: int, month: int, day: int) -> datetime.date:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        raise DateError("there is no such day") from None
